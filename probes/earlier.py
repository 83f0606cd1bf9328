"""Method ``earlier-bundle``: what the sealed bundle of an earlier campaign says of the coverage of one area.

Of each kind of place, how many were covered and how many there were, judged again from that bundle's own observations.
The address is the bundle as the plant names it; the detail says which campaign it was, and by which manifest.
"""

from __future__ import annotations

from probes.recorded import recorded

METHOD = recorded("earlier-bundle", {"covered-cells": "1", "cells": "1", "covered-points": "1", "points": "1"})
"""Counts."""
