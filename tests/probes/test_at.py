"""Answers to AT commands: vectors from recordings and manuals, and whatever a broken line may bring."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example
from hypothesis import given
from hypothesis import strategies as st

from probes.at import FINAL
from probes.at import Answer
from probes.at import Listener
from probes.at import Reading
from probes.at import decode
from probes.at import fields
from probes.at import read
from probes.dialects import load

QENG, CESQ = 'AT+QENG="servingcell"', "AT+CESQ"
QUECTEL, STANDARD = load("at", "quectel"), load("at", "3gpp-27007")
LEVELS = {"ss-rsrp": "rsrp_dbm", "ss-rsrq": "rsrq_db", "ss-sinr": "sinr"}


def heard(command: str, said: str | bytes) -> list[Answer]:
    return [*Listener(command).feed(said.encode() if isinstance(said, str) else said)]


def read_line(line: str, command: str = QENG, dialect: dict[str, Any] = QUECTEL) -> Reading:
    return read(dialect, [(command, Answer((line,), "OK"))])


def numbers(reading: Reading) -> dict[str, float]:
    return {quantity: value.number for quantity, value in reading.values.items()}


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    folder = Path(os.environ.get("PLANTPROOF_CORPUS") or Path(__file__).parents[3] / "shared" / "data") / "radio"
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}; set PLANTPROOF_CORPUS")
    qeng = json.loads((folder / "qeng_vectors.shared.json").read_text("utf-8"))
    cesq = json.loads((folder / "modemmanager_at_vectors.shared.json").read_text("utf-8"))
    return {"qeng": qeng["cases"], "cesq": cesq["vectors"]["CESQ"]["cases"]}


def test_recorded_serving_cells(recorded: dict[str, Any]) -> None:
    cases = [case for case in recorded["qeng"] if case["at"] == QENG]
    assert len(cases) >= 5
    for case in cases:
        reading = read(QUECTEL, [(QENG, heard(QENG, case["response"] + "\r\nOK\r\n")[0])])
        cell = next((it for it in case["expected"] if it["rat"] == "NR"), None)
        assert numbers(reading) == ({ours: cell[theirs] for ours, theirs in LEVELS.items()} if cell else {}), case["id"]
        assert reading.truths.get("standalone") == (cell is not None and cell["mode"] == "SA"), case["id"]
        assert not reading.strange, case["id"]


def test_recorded_answers_from_before_5g_hold_no_nr(recorded: dict[str, Any]) -> None:
    for case in recorded["cesq"]:
        reading = read_line(case["at_response"], CESQ, STANDARD)
        assert (reading.values, reading.unread, reading.strange) == ({}, {}, []), case


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (  # the real line of the manuals' readers
            '+QENG: "servingcell","NOCONN","NR5G-SA","TDD", 454,12,0,21,4ED,636576,78,3,-85,-11,32,0,5184',
            {"ss-rsrp": -85, "ss-rsrq": -11, "ss-sinr": 32},
        ),
        (  # <tx_power>,<srxlev> at the end
            '+QENG: "servingcell","CONNECT","NR5G-SA","TDD",460,00,1B2,3,4E2,504990,41,12,-101,-12,7,230,41',
            {"ss-rsrp": -101, "ss-rsrq": -12, "ss-sinr": 7},
        ),
        (  # the older layout: ARFCN and band before TAC
            '+QENG: "servingcell","NOCONN","NR5G-SA","TDD",460,00,1B2,3,504990,41,4E2,12,-99,-13,5',
            {"ss-rsrp": -99, "ss-rsrq": -13, "ss-sinr": 5},
        ),
        ('+QENG: "NR5G-NSA",460,00,3,-96,18,-10,648768,78,10,1', {"ss-rsrp": -96, "ss-sinr": 18, "ss-rsrq": -10}),
        ('+QENG: "NR5G-NSA",460,00,3,-96,-32768,-10,648768,78,10,1', {"ss-rsrp": -96, "ss-rsrq": -10}),
        ('+QENG: "NR5G-NSA",', {}),
        ('+QENG: "servingcell","SEARCH"', {}),
        ('+QENG: "servingcell","LIMSRV"', {}),
        ('+QENG: "servingcell","NOCONN","NR5G-SA","TDD",454,12,0,21,4ED,636576,78,3,-,-,-,0,0', {}),
    ],
)
def test_serving_cell_layouts(line: str, expected: dict[str, float]) -> None:
    reading = read_line(line)
    assert numbers(reading) == expected
    assert not reading.strange


@pytest.mark.parametrize(
    ("line", "registered", "standalone"),
    [
        ('+QENG: "servingcell","NOCONN","NR5G-SA","TDD",454,12,0,21,4ED,636576,78,3,-85,-11,32,0,1', True, True),
        ('+QENG: "servingcell","LIMSRV","NR5G-SA","TDD",454,12,0,21,4ED,636576,78,3,-85,-11,32,0,1', False, True),
        ('+QENG: "servingcell","SEARCH"', False, False),
        ('+QENG: "servingcell","NOCONN","LTE","FDD",311,480,334220,221,66536,66,5,5,D00,-96,-11', None, False),
        ('+QENG: "servingcell","NOCONN"', None, None),
    ],
)
def test_serving_cell_state(line: str, registered: bool | None, standalone: bool | None) -> None:
    truths = read_line(line).truths
    assert (truths.get("registered"), truths.get("standalone")) == (registered, standalone)


@pytest.mark.parametrize(
    ("command", "line", "registered", "standalone"),
    [
        ("AT+C5GREG?", '+C5GREG: 2,1,"0004E2","0010A4F21",11', True, True),
        ("AT+C5GREG?", '+C5GREG: 2,5,"0004E2","0010A4F21",11,1,"01"', True, True),
        ("AT+C5GREG?", "+C5GREG: 0,1", True, None),
        ("AT+C5GREG?", "+C5GREG: 0,2", False, None),
        ("AT+C5GREG?", '+C5GREG: 2,1,"4E2","1",10', True, False),
        ("AT+C5GREG?", '+C5GREG: 1,"0011","0010A4F21",11', None, None),  # unsolicited: its second field is a TAC
        ("AT+COPS?", '+COPS: 0,0,"Works, Hall 3",11', None, True),
        ("AT+COPS?", '+COPS: 0,0,"Public",13', None, False),
        ("AT+COPS?", "+COPS: 0", None, None),
    ],
)
def test_registration_by_3gpp(command: str, line: str, registered: bool | None, standalone: bool | None) -> None:
    truths = read_line(line, command, STANDARD).truths
    assert (truths.get("registered"), truths.get("standalone")) == (registered, standalone)


def test_extended_signal_quality_takes_the_lower_bound_of_each_interval() -> None:
    reading = read_line("+CESQ: 99,99,255,255,255,255,65,70,77", CESQ)
    assert numbers(reading) == {"ss-rsrq": -11.0, "ss-rsrp": -87.0, "ss-sinr": 15.0}
    assert {quantity: value.raw for quantity, value in reading.values.items()} == {
        "ss-rsrq": "65", "ss-rsrp": "70", "ss-sinr": "77",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        ("0", -157.0),
        ("126", -31.0),
        ("127", -30.0),
        ("255", "not-reported"),
        ("128", "implausible"),
        ("-1", "implausible"),
        ("1e3", "not-a-number"),
        ("nan", "not-a-number"),
        ("NaN", "not-a-number"),
        ("inf", "not-a-number"),
        ("", "not-a-number"),
        ("٣", "not-a-number"),
        ("9" * 400, "not-a-number"),
        ("999999", "implausible"),
    ],
)
def test_an_index_is_a_number_only_within_its_map(index: str, expected: float | str) -> None:
    assert decode(index, QUECTEL["value"]["ss-rsrp-index"]) == expected


@pytest.mark.parametrize("level", ["0", "-30", "-157", "-32768", "85", "2147483647"])
def test_absurd_levels_are_no_numbers(level: str) -> None:
    assert isinstance(decode(level, QUECTEL["value"]["dbm"]), str)


def test_readings_of_the_same_moment_are_compared() -> None:
    cell = '+QENG: "servingcell","NOCONN","NR5G-SA","TDD",454,12,0,21,4ED,636576,78,3,{},-11,15,0,1'
    signal = Answer(("+CESQ: 99,99,255,255,255,255,65,70,77",), "OK")  # -87 dBm
    for level, notes in ((-87, 0), (-86, 0), (-85, 0), (-84, 1), (-97, 1)):
        reading = read(QUECTEL, [(QENG, Answer((cell.format(level),), "OK")), (CESQ, signal)])
        assert len(reading.notes) == notes, level
        assert reading.values["ss-rsrp"].number == level


def test_what_any_answer_denies_is_denied_and_noted() -> None:
    cell = '+QENG: "servingcell","NOCONN","NR5G-SA","TDD",454,12,0,21,4ED,636576,78,3,-85,-11,15,0,1'
    answers = [(QENG, Answer((cell,), "OK")), ("AT+C5GREG?", Answer(("+C5GREG: 0,0",), "OK"))]
    reading = read(QUECTEL, answers)
    assert reading.truths["registered"] is False
    assert len(reading.notes) == 1


ANSWER = "\r\n+CESQ: 99,99,255,255,255,255,65,70,77\r\n\r\nOK\r\n"


@given(st.lists(st.integers(0, len(ANSWER)), max_size=6))
def test_an_answer_may_come_in_any_pieces(cuts: list[int]) -> None:
    listener, found, at = Listener(CESQ), [], 0
    for cut in sorted([*cuts, len(ANSWER)]):
        found += listener.feed(ANSWER[at:cut].encode())
        at = cut
    assert found == heard(CESQ, ANSWER)
    assert found == [Answer(("+CESQ: 99,99,255,255,255,255,65,70,77",), "OK")]


@pytest.mark.parametrize("echo", ["", "AT+CESQ\r", "AT+CESQ\r\n"])
@pytest.mark.parametrize("before", ["", "+CPIN: READY\r\n", "\r\nRING\r\n\r\n+QIND: SMS DONE\r\n"])
@pytest.mark.parametrize("final", ["OK", "ERROR", "+CME ERROR: 10", "+CME ERROR: SIM not inserted"])
def test_echo_and_unsolicited_lines_do_not_disturb(echo: str, before: str, final: str) -> None:
    said = f"{before}{echo}\r\n+CESQ: 1\r\n{before}\r\n{final}\r\n"
    (answer,) = heard(CESQ, said)
    assert answer.holds("+CESQ:")
    assert (answer.final, answer.ok) == (final, final == "OK")


def test_the_echo_begins_the_answer() -> None:
    (answer,) = heard(CESQ, '+QENG: "servingcell","SEARCH"\r\nAT+CESQ\r\r\n+CESQ: 1\r\nOK\r\n')
    assert answer.lines == ("+CESQ: 1",)


@given(st.binary(max_size=4000))
@example(b"\xff" * 3000)
@example(b'+QENG: "' * 200 + b"\rOK\r")
def test_any_octets_give_lines_or_nothing(octets: bytes) -> None:
    listener = Listener(QENG)
    for answer in listener.feed(octets):
        assert FINAL.fullmatch(answer.final)
        reading = read(QUECTEL, [(QENG, answer)])
        assert all(math.isfinite(value.number) for value in reading.values.values())


@given(st.text(max_size=300))
@example('"' * 50)
@example("," * 200)
def test_any_line_is_read_or_strange(text: str) -> None:
    for command, ask in ((QENG, "+QENG:"), (CESQ, "+CESQ:"), ("AT+C5GREG?", "+C5GREG:")):
        assert isinstance(fields(f"{ask} {text}", ask), list)
        reading = read_line(f"{ask} {text}", command)
        assert all(-157 <= value.number <= 40 for value in reading.values.values())


@given(
    st.lists(st.one_of(st.integers(-(10**9), 10**9).map(str), st.sampled_from(["", "-", "255", "nan"])), max_size=20)
)
def test_numbers_are_plausible_whatever_is_reported(reported: list[str]) -> None:
    sa = read_line(f'+QENG: "servingcell","NOCONN","NR5G-SA","TDD",{",".join(reported)}')
    nsa = read_line(f'+QENG: "NR5G-NSA",{",".join(reported)}')
    for reading in (sa, nsa):
        for quantity, low, high in (("ss-rsrp", -156, -31), ("ss-rsrq", -43, 20), ("ss-sinr", -23, 40)):
            if value := reading.values.get(quantity):
                assert low <= value.number <= high
