"""The reader of iperf3's reports: what is no answer to the question never becomes a rate."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.iperf3_report import MEANINGS
from probes.iperf3_report import Asked
from probes.iperf3_report import Failure
from probes.iperf3_report import Transfer
from probes.iperf3_report import meaning
from probes.iperf3_report import read
from profiles.observation import INSTRUMENT_ERRORS
from profiles.observation import TARGET_ERRORS

ASKED = Asked("192.0.2.7", 5201, reverse=False, streams=1, duration_s=2, omit_s=1)
RECORDINGS = Path(os.environ.get("PLANTPROOF_CORPUS") or Path(__file__).parents[3] / "shared" / "data") / "iperf3"


def report() -> dict[str, Any]:
    """A sound report of :data:`ASKED`: 100 Mbit/s for 2 s, after 1 s at half the rate."""

    def part(size: int, omitted: bool) -> dict[str, Any]:
        return {"streams": [], "sum": {"bytes": size, "seconds": 1.0, "omitted": omitted}}

    total = {"bytes": 25_000_000, "seconds": 2.0, "bits_per_second": 1e8}
    return {
        "start": {
            "connected": [{"remote_host": "192.0.2.7", "remote_port": 5201}],
            "version": "iperf 3.12",
            "test_start": {"protocol": "TCP", "num_streams": 1, "duration": 2, "omit": 1, "reverse": 0},
        },
        "intervals": [part(6_250_000, omitted=True), *(part(12_500_000, omitted=False) for _ in range(2))],
        "end": {
            "streams": [{"sender": {"retransmits": 3, "mean_rtt": 410}, "receiver": {}}],
            "sum_sent": total | {"bytes": 25_100_000, "bits_per_second": 1.004e8},
            "sum_received": dict(total),
            "cpu_utilization_percent": {"host_total": 12.34, "remote_total": 5.0},
        },
    }


def changed(path: str, value: Any) -> dict[str, Any]:
    """A sound report but for one value; ``None`` removes it."""
    found = copy.deepcopy(report())
    *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
    inner: Any = found
    for step in way:
        inner = inner[step]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return found


def test_the_receivers_figure_counts() -> None:
    found = read(json.dumps(report()), ASKED)
    assert isinstance(found, Transfer)
    assert found.mbit_s == 100.0
    assert found.moved_bytes == 31_250_000  # the omitted second as well: it was on the wire
    assert found.facts == {
        "seconds": 2.0,
        "sent_bytes": 25_100_000,
        "received_bytes": 25_000_000,
        "host_cpu_percent": 12.3,
        "remote_cpu_percent": 5.0,
        "iperf3": "iperf 3.12",
        "retransmits": 3,
        "rtt_us": 410,
    }


WRONG = {
    # an answer to another question
    "another server": ("start.connected.0.remote_host", "192.0.2.8"),
    "another port": ("start.connected.0.remote_port", 5202),
    "no server": ("start.connected", []),
    "the other direction": ("start.test_start.reverse", 1),
    "both directions": ("start.test_start.bidir", 1),
    "UDP": ("start.test_start.protocol", "UDP"),
    "more streams": ("start.test_start.num_streams", 4),
    "a longer test": ("start.test_start.duration", 10),
    "another beginning": ("start.test_start.omit", 0),
    # half an answer
    "no start": ("start", None),
    "no intervals": ("intervals", None),
    "intervals without sums": ("intervals", [{}, {}]),
    "no end": ("end", None),
    "no sum": ("end.sum_received", None),
    "no rate": ("end.sum_received.bits_per_second", None),
    "no processor time": ("end.cpu_utilization_percent", None),
    # what is no number
    "NaN": ("end.sum_received.bits_per_second", float("nan")),
    "infinity": ("end.sum_received.bits_per_second", float("inf")),
    "a negative rate": ("end.sum_received.bits_per_second", -1e8),
    "negative bytes": ("end.sum_received.bytes", -1),
    "text": ("end.sum_received.bits_per_second", "100"),
    "truth": ("end.sum_received.bytes", True),
    "a fraction of a byte": ("end.sum_received.bytes", 25_000_000.5),
    "an integer beyond floats": ("end.sum_received.bits_per_second", 10**400),
    "a negative interval": ("intervals.1.sum.bytes", -12_500_000),
    # what contradicts itself
    "no time": ("end.sum_received.seconds", 0),
    "a rate of other bytes": ("end.sum_received.bits_per_second", 2e8),
    "bytes of another rate": ("end.sum_received.bytes", 2_500_000),
    "more received than can be": ("end.sum_sent", {"bytes": 1_000_000, "seconds": 2, "bits_per_second": 4e6}),
    "a number beyond floats": ("end.sum_received.bytes", 10**400),
    "nothing sent": ("end.sum_sent", {"bytes": 0, "seconds": 2, "bits_per_second": 0}),
    "intervals of another sum": ("intervals.1.sum.bytes", 99_000_000),
    "too long": ("end.sum_received", {"bytes": 30_000_000, "seconds": 2.4, "bits_per_second": 1e8}),
    "too short": ("end.sum_received", {"bytes": 20_000_000, "seconds": 1.6, "bits_per_second": 1e8}),
    "an error beside figures": ("error", "some error without a name"),
}


@pytest.mark.parametrize(("path", "value"), WRONG.values(), ids=WRONG.keys())
def test_what_does_not_hold_is_no_rate(path: str, value: Any) -> None:
    found = read(json.dumps(changed(path, value)), ASKED)
    assert isinstance(found, Failure)
    assert found.error == "bad-answer"
    assert found.why


@pytest.mark.parametrize(
    ("seconds", "factor", "believed"), [(2, 1.2, True), (2, 2, False), (1, 1.4, True), (1, 1000, False)]
)
def test_a_server_claims_no_more_than_was_sent_to_it(seconds: int, factor: float, believed: bool) -> None:
    """Data of the omitted beginning may arrive later, but not more of them than left in it."""
    found, sent = report(), 12_500_000 * seconds
    total = {"bytes": int(sent * factor), "seconds": seconds, "bits_per_second": 1e8 * factor}
    found["intervals"] = found["intervals"][: 1 + seconds]
    found["start"]["test_start"]["duration"] = seconds
    found["end"]["sum_sent"] = {"bytes": sent, "seconds": seconds, "bits_per_second": 1e8}
    found["end"]["sum_received"] = total
    asked = replace(ASKED, duration_s=seconds)
    assert isinstance(read(json.dumps(found), asked), Transfer if believed else Failure)


@pytest.mark.parametrize(
    ("reverse", "percent", "limit", "sound"),
    [
        (True, 94.0, 1e9, True),
        (True, 95.0, 1e9, False),
        (True, 1e300, 1e9, False),
        (True, 99.0, 1e8, True),  # at the cap it is a lower bound whatever bounded it
        (False, 99.0, 1e9, True),  # the receiver's processor is part of what the terminal can do
    ],
)
def test_a_server_that_could_send_no_faster_gives_no_rate(
    reverse: bool, percent: float, limit: float, sound: bool
) -> None:
    found = changed("end.cpu_utilization_percent.remote_total", percent)
    found["start"]["test_start"]["reverse"] = int(reverse)
    told = read(json.dumps(found), replace(ASKED, reverse=reverse, bits_per_s=int(limit)))
    assert isinstance(told, Transfer if sound else Failure)
    assert sound or told.error == "unsound"


def test_figures_of_the_testers_own_weakness_are_none() -> None:
    stalled = changed("intervals", report()["intervals"][:2])
    busy = changed("end.cpu_utilization_percent.host_total", 97.5)
    assert [read(json.dumps(it), ASKED).error for it in (stalled, busy)] == ["unsound"] * 2


@pytest.mark.parametrize("streams", [None, True, 3, "x", [True], [{"sender": 3}], {}])
def test_a_diagnosis_that_is_none_leaves_the_rate(streams: Any) -> None:
    found = read(json.dumps(changed("end.streams", streams)), ASKED)
    assert isinstance(found, Transfer)
    assert "retransmits" not in found.facts


@pytest.mark.parametrize(
    "text", ["", "hello", "[]", "null", "3", '"x"', "{", "{}", "[" * 100_000, '{"start": NaN}', "\0"]
)
def test_what_is_no_report_is_no_rate(text: str) -> None:
    assert isinstance(read(text, ASKED), Failure)
    assert isinstance(read(text.encode(), ASKED), Failure)


def test_bytes_that_are_no_text_are_no_rate() -> None:
    assert read(b"\xff\xfe{", ASKED).error == "bad-answer"


def test_half_a_report_is_none() -> None:
    text = json.dumps(report())
    assert all(isinstance(read(text[:length], ASKED), Failure) for length in range(len(text)))


Parent = dict[str, Any] | list[Any]


def places(inner: Any) -> list[tuple[Parent, Any]]:
    """Every place in a document where something else may stand."""
    keys = list(inner) if isinstance(inner, dict) else list(range(len(inner))) if isinstance(inner, list) else []
    return [(inner, key) for key in keys] + [place for key in keys for place in places(inner[key])]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
def test_no_report_makes_the_reader_fail_or_believe_nonsense(data: st.DataObject) -> None:
    document = report()
    parent, key = data.draw(st.sampled_from(places(document)))
    parent[key] = data.draw(json_values)
    found = read(json.dumps(document), ASKED)
    if isinstance(found, Transfer):
        assert 99 < found.mbit_s < 101
    else:
        assert found.error in INSTRUMENT_ERRORS | TARGET_ERRORS


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("unable to connect to server: Connection refused", "refused"),
        ("the server is busy running a test. try again later", "busy"),
        ("unable to connect to server: No route to host", "unreachable"),
        ("unable to connect to server: Network is unreachable", "no-route"),
        ("unable to connect to server: Connection timed out", "timeout"),
        ("control socket has closed unexpectedly", "reset"),
        ("unable to connect to server: Name or service not known", "bad-answer"),
        ("received an unknown control message", "bad-answer"),
    ],
)
def test_errors_are_told_by_their_meaning(said: str, code: str) -> None:
    assert read(json.dumps({"start": {}, "error": said}), ASKED) == Failure(code, said)
    assert meaning(said) == code


@pytest.mark.parametrize(
    ("connected", "intervals", "idle"),
    [
        ([], [], True),
        (report()["start"]["connected"], [], False),
        ([], report()["intervals"], False),
        (None, [], False),
    ],
)
def test_a_test_of_which_no_stream_stood_has_moved_nothing(connected: Any, intervals: Any, idle: bool) -> None:
    said = {"start": {"connected": connected}, "intervals": intervals, "error": "the server is busy running a test"}
    assert read(json.dumps(said), ASKED) == Failure("busy", said["error"], idle=idle)


def test_every_meaning_is_a_code_of_the_record() -> None:
    assert {code for _, code in MEANINGS} <= INSTRUMENT_ERRORS | TARGET_ERRORS


# --- recordings of real iperf3, 3.0 to 3.12 ---

LOCAL = Asked("127.0.0.1", 45201, reverse=False, streams=1, duration_s=3, omit_s=0)
OTHERS = replace(LOCAL, address="10.0.2.4", port=5201)
RECORDED: dict[str, tuple[Asked, float | str]] = {
    "local-3.12/client_tcp4.json": (LOCAL, 7059.373788339403),
    "local-3.12/client_tcp4_reverse.json": (replace(LOCAL, reverse=True), 6012.665566484418),
    "local-3.12/client_tcp6_P4.json": (replace(LOCAL, address="::1", streams=4), 8481.456898002016),
    "local-3.12/client_tcp4_omit.json": (replace(LOCAL, omit_s=1), "unsound"),  # 98 % of a processor
    "local-3.12/client_udp4_10M.json": (LOCAL, "bad-answer"),
    "local-3.12/client_err_refused.json": (LOCAL, "refused"),
    "local-3.12/client_err_dns.json": (LOCAL, "bad-answer"),
    "local-3.12/server_tcp4.json": (LOCAL, "bad-answer"),  # the server's own report is not the client's
    "perfsonar/0_iperf3.1.3_tcp_P1.json": (replace(OTHERS, duration_s=10), 388.736097120548),
}


@pytest.mark.parametrize(("name", "asked", "told"), [(name, *it) for name, it in RECORDED.items()])
def test_recordings_are_read_as_they_were_meant(name: str, asked: Asked, told: float | str) -> None:
    if not RECORDINGS.is_dir():
        pytest.skip("the folder of recordings is absent")
    found = read((RECORDINGS / name).read_bytes(), asked)
    if isinstance(told, str):
        assert isinstance(found, Failure)
        assert found.error == told
    else:
        assert isinstance(found, Transfer)
        assert found.mbit_s == pytest.approx(told, rel=1e-12)


@pytest.mark.parametrize(
    "other",
    [
        lambda asked: replace(asked, reverse=not asked.reverse),
        lambda asked: replace(asked, streams=asked.streams + 1),
        lambda asked: replace(asked, address="198.51.100.1"),
        lambda asked: replace(asked, port=1),
        lambda asked: replace(asked, duration_s=asked.duration_s + 1),
    ],
    ids=["direction", "streams", "address", "port", "duration"],
)
@pytest.mark.parametrize("name", [name for name, (_, told) in RECORDED.items() if isinstance(told, float)])
def test_a_recording_answers_no_other_question(name: str, other: Callable[[Asked], Asked]) -> None:
    if not RECORDINGS.is_dir():
        pytest.skip("the folder of recordings is absent")
    assert isinstance(read((RECORDINGS / name).read_bytes(), other(RECORDED[name][0])), Failure)
