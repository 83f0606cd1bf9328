"""The reader of iperf3's UDP reports: the receiver's figures, and none where the sender did not send."""

from __future__ import annotations

import copy
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.iperf3_report import Asked
from probes.iperf3_report import Failure
from probes.iperf3_udp import Datagrams
from probes.iperf3_udp import read
from profiles.observation import INSTRUMENT_ERRORS
from profiles.observation import TARGET_ERRORS
from tests.probes.test_iperf3_report import json_values
from tests.probes.test_iperf3_report import places

ASKED = Asked("192.0.2.7", 5201, reverse=False, streams=1, duration_s=2, omit_s=0, bits_per_s=8_000_000)
RECORDINGS = Path(os.environ.get("PLANTPROOF_CORPUS") or Path(__file__).parents[3] / "shared" / "data") / "iperf3"
LOCAL = Asked("127.0.0.1", 45201, reverse=False, streams=1, duration_s=3, omit_s=0, bits_per_s=10_000_000)


def report(lost: int = 20, last: int = 2000, left: int = 2000, seconds: float = 2.0) -> dict[str, Any]:
    """A sound report of :data:`ASKED`: ``left`` datagrams of 1000 octets, of which the receiver lacks ``lost``."""

    def total(count: int, **more: Any) -> dict[str, Any]:
        size = count * 1000
        return {"bytes": size, "seconds": seconds, "bits_per_second": size * 8 / seconds} | more

    return {
        "start": {
            "connected": [{"remote_host": "192.0.2.7", "remote_port": 5201}],
            "version": "iperf 3.12",
            "test_start": {"protocol": "UDP", "num_streams": 1, "duration": 2, "omit": 0, "reverse": 0},
        },
        "intervals": [],
        "end": {
            "sum": total(left, sender=True, lost_packets=1900, lost_percent=95.0, jitter_ms=6.1e8),  # not to be read
            "sum_sent": total(left, sender=True, packets=left),
            "sum_received": total(
                last - lost, sender=False, packets=last, lost_packets=lost, lost_percent=1.0, jitter_ms=0.25
            ),
            "cpu_utilization_percent": {"host_total": 12.34, "remote_total": 5.0},
        },
    }


def test_the_receivers_figures_count() -> None:
    found = read(json.dumps(report()), ASKED)
    assert isinstance(found, Datagrams)
    assert (found.mbit_s, found.sent, found.lost, found.loss_percent, found.jitter_ms) == (7.92, 2000, 20, 1.0, 0.25)
    assert found.moved_bytes == 2_000_000


@pytest.mark.parametrize(
    ("last", "judged", "lost"),
    [
        (2000, 2000, 0),
        (1990, 1990, 0),  # ten more may have been on the way
        (1500, 1500, 0),  # so may those of half a second
        (1499, 1500, 1),
        (1000, 1500, 500),  # and no more: the path was dead for half the time
    ],
)
def test_what_is_missing_at_the_end_was_on_the_way_or_lost(last: int, judged: int, lost: int) -> None:
    found = read(json.dumps(report(lost=0, last=last)), ASKED)
    assert isinstance(found, Datagrams)
    assert (found.sent, found.lost) == (judged, lost)


@pytest.mark.parametrize(
    ("left", "error"), [(2000, None), (1801, None), (1799, "unsound"), (200, "unsound"), (0, "unsound")]
)
def test_a_sender_that_did_not_send_what_was_asked_says_nothing_about_the_path(left: int, error: str | None) -> None:
    found = read(json.dumps(report(lost=0, last=left, left=left)), ASKED)
    assert getattr(found, "error", None) == error


def test_what_the_tester_itself_dropped_is_its_loss() -> None:
    found = read(json.dumps(report()), ASKED, {"lost_datagrams": 20})
    assert isinstance(found, Failure)
    assert found.error == "tester-loss"
    assert isinstance(read(json.dumps(report()), ASKED, {"lost_datagrams": 0}), Datagrams)
    assert isinstance(read(json.dumps(report()), ASKED, {"lost_datagrams": "many"}), Datagrams)


WRONG = {
    "TCP": ("start.test_start.protocol", "TCP"),
    "the other direction": ("start.test_start.reverse", 1),
    "another server": ("start.connected.0.remote_host", "192.0.2.8"),
    "no receiver": ("end.sum_received", None),
    "the sender's figures for the receiver's": ("end.sum_received.sender", True),
    "nobody's figures": ("end.sum_received.sender", None),
    "losses below none": ("end.sum_received.lost_packets", -3),
    "more lost than sent": ("end.sum_received.lost_packets", 2001),
    "more received than sent": ("end.sum_received.packets", 2001),
    "nothing received": ("end.sum_received.packets", 0),
    "no count": ("end.sum_received.packets", None),
    "losses of other octets": ("end.sum_received.lost_packets", 900),
    "a fraction of a datagram": ("end.sum_received.packets", 1999.5),
    "a jitter that is no number": ("end.sum_received.jitter_ms", float("nan")),
    "an absurd jitter": ("end.sum_received.jitter_ms", 6.1e8),
    "a negative jitter": ("end.sum_received.jitter_ms", -1),
    "a rate that is no number": ("end.sum_received.bits_per_second", float("nan")),
    "no processor time": ("end.cpu_utilization_percent", None),
}


@pytest.mark.parametrize(("path", "value"), WRONG.values(), ids=WRONG.keys())
def test_what_does_not_hold_is_no_figure(path: str, value: Any) -> None:
    document = copy.deepcopy(report())
    *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
    inner: Any = document
    for step in way:
        inner = inner[step]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    found = read(json.dumps(document), ASKED)
    assert isinstance(found, Failure)
    assert found.error == "bad-answer"


def test_a_busy_processor_spoils_it() -> None:
    document = report()
    document["end"]["cpu_utilization_percent"]["host_total"] = 97.5
    found = read(json.dumps(document), ASKED)
    assert isinstance(found, Failure)
    assert found.error == "unsound"


@given(st.data())
def test_no_report_makes_the_reader_fail_or_believe_nonsense(data: st.DataObject) -> None:
    document = report()
    parent, key = data.draw(st.sampled_from(places(document)))
    parent[key] = data.draw(json_values)
    found = read(json.dumps(document), ASKED)
    if isinstance(found, Datagrams):
        assert 0 <= found.lost <= found.sent
        assert 7.8 < found.mbit_s < 8.1
    else:
        assert found.error in INSTRUMENT_ERRORS | TARGET_ERRORS


@pytest.mark.parametrize(
    ("name", "asked", "datagrams"),
    [
        ("client_udp4_10M.json", LOCAL, 3125),
        ("client_udp4_reverse.json", replace(LOCAL, reverse=True, bits_per_s=50_000_000), 15621),
        ("client_tcp4.json", LOCAL, None),
        ("server_udp4_10M.json", LOCAL, None),
        ("client_err_refused.json", LOCAL, None),
    ],
)
def test_recordings_are_read_as_they_were_meant(name: str, asked: Asked, datagrams: int | None) -> None:
    if not RECORDINGS.is_dir():
        pytest.skip("the folder of recordings is absent")
    found = read((RECORDINGS / "local-3.12" / name).read_bytes(), asked)
    if datagrams is None:
        assert isinstance(found, Failure)
    else:
        assert isinstance(found, Datagrams)
        assert (found.sent, found.lost) == (datagrams, 0)
