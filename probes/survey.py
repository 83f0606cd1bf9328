"""Method ``survey-log``: one row of the log of a walk test, as it stands in the file that the plant names.

Whether access worked (1 or 0) and, of 5G, SS-RSRP and SS-SINR (3GPP TS 38.215); ``absent`` where the log has none. The
address is the file and the row; the detail says where it was, in plant coordinates or as the id of a survey point.
"""

from __future__ import annotations

from probes.recorded import recorded

METHOD = recorded("survey-log", {"access": "1", "ss-rsrp": "dBm", "ss-sinr": "dB"})
"""What a row says."""
