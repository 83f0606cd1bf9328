"""For every test of this tree."""

from __future__ import annotations

import os

from hypothesis import settings

# How long an example takes depends on who else uses the machine; that is no property of the code.
settings.register_profile("plantproof", deadline=None)
settings.load_profile("plantproof")

# Pictures take seconds to draw for each campaign that is sealed; tests that look at them ask for them.
os.environ["PLANTPROOF_PICTURES"] = "no"

collect_ignore = ["thirdparty"]  # a package of others as tests install it: its suite needs a plant
