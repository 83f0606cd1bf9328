"""A modem on a pseudo-terminal, well and badly behaved in every way that a command port can be."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import os
import select
import threading
import time
import tty
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from probes import modem
from probes.action import Action
from probes.action import Target
from probes.at import read
from probes.conversation import HEARD_LIMIT
from probes.dialects import load
from probes.gate import Gate
from probes.gate import Refusal
from probes.methods import method
from probes.permit import Permit
from probes.permit import ZonePermit
from probes.serial_port import SerialPort
from profiles.observation import Observation

QENG, C5GREG, COPS, CESQ = 'AT+QENG="servingcell"', "AT+C5GREG?", "AT+COPS?", "AT+CESQ"
GOOD = {
    "AT": "",
    QENG: '+QENG: "servingcell","NOCONN","NR5G-SA","TDD",999,01,10A4F21,42,4E2,640000,78,12,-85,-11,18,1,0',
    C5GREG: "+C5GREG: 0,1",
    COPS: '+COPS: 0,0,"Plant",11',
    CESQ: "+CESQ: 99,99,255,255,255,255,65,72,83",
}
TIMEOUT_S = 0.15

#: Says what comes back for a command that was put so many times before.
Behaviour = Callable[[str, int], bytes]


def framed(line: str, final: str = "OK") -> bytes:
    return (f"\r\n{line}\r\n" if line else "").encode() + f"\r\n{final}\r\n".encode()


def well_behaved(command: str, times: int) -> bytes:
    return framed(GOOD[command]) if command in GOOD else framed("", "ERROR")


class Pty:
    """The far end of a command port, served by a thread."""

    def __init__(self, behave: Behaviour) -> None:
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self.commands: list[str] = []
        self._behave = behave
        self._over = threading.Event()  # it is unplugged
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        line = b""
        while not (self._stop.is_set() or self._over.is_set()):
            if not select.select([self.master], [], [], 0.01)[0]:
                continue
            try:
                line += os.read(self.master, 4096)
            except OSError:
                return
            while b"\r" in line:
                raw, line = line.split(b"\r", 1)
                command = raw.decode()
                times = self.commands.count(command)
                self.commands.append(command)
                with suppress(OSError):
                    self.write(self._behave(command, times))

    def write(self, said: bytes) -> None:
        while said and not (self._stop.is_set() or self._over.is_set()):
            if select.select([], [self.master], [], 0.01)[1]:
                said = said[os.write(self.master, said[:1024]) :]

    def unplug(self) -> None:
        """Both ends go; whoever has the port open is hung up."""
        if not self._over.is_set():
            self._over.set()
            os.close(self.master)
            os.close(self._slave)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self.unplug()


@contextmanager
def plugged_in(behave: Behaviour) -> Iterator[Pty]:
    pty = Pty(behave)
    try:
        yield pty
    finally:
        pty.close()


class Seen:
    """What the method gave."""

    def __init__(self) -> None:
        self.rows: list[Observation] = []
        self.outputs: dict[str, str] = {}

    def __call__(self, rows: Any, /) -> None:
        self.rows += rows

    def raw(self, name: str, text: str) -> None:
        assert name not in self.outputs
        self.outputs[name] = text

    def of(self, quantity: str) -> list[float | str | None]:
        """Value or error of each attempt."""
        rows = sorted((row for row in self.rows if row.quantity == quantity), key=lambda row: row.attempt)
        return [row.value if row.error is None else row.error for row in rows]

    def reason(self, quantity: str = "ss-rsrp", attempt: int = 0) -> str:
        found = next(row for row in self.rows if (row.quantity, row.attempt) == (quantity, attempt))
        return str(json.loads(found.detail).get("reason", ""))


def permit(path: str, **limits: Any) -> Permit:
    return Permit("desk", {}, {"cell": ZonePermit("cell", **{"level": "query"} | limits)}, {}, {path: "cell"})


def asked(path: str, dialect: str = "quectel", **parameters: Any) -> Action:
    common = {
        "attempts": 2,
        "interval_ms": 0,
        "timeout_ms": TIMEOUT_S * 1000,
        "dialects": {dialect: load("at", dialect)},
    }
    target = Target("m-1", path, "cell", ask=json.dumps({"dialect": dialect}))
    return Action("desk", "modem-status", (target,), common | parameters)


def perform(action: Action, gate: Gate) -> Seen:
    seen = Seen()
    began = time.monotonic()
    asyncio.run(method("modem-status").run(action, gate, seen))
    owed = sorted(
        (quantity, attempt) for quantity in modem.QUANTITIES for attempt in range(action.parameters["attempts"])
    )
    assert sorted((row.quantity, row.attempt) for row in seen.rows) == owed, "each attempt at each quantity once"
    assert time.monotonic() - began < modem.cost(action, gate.permit).duration_s + 1
    return seen


def ask(pty: Pty, dialect: str = "quectel", **parameters: Any) -> Seen:
    return perform(asked(pty.path, dialect, **parameters), Gate(permit(pty.path)))


# --- as it should be ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["quectel", "3gpp-27007"])
def test_a_modem_that_answers(dialect: str) -> None:
    with plugged_in(well_behaved) as pty:
        seen = ask(pty, dialect, attempts=3)
    assert seen.of("registration") == [1.0] * 3
    assert seen.of("ss-rsrp") == [-85.0] * 3
    assert seen.of("ss-rsrq") == [-11.0] * 3
    assert seen.of("ss-sinr") == [18.0] * 3
    detail = json.loads(next(row.detail for row in seen.rows if row.quantity == "ss-rsrp"))
    assert detail["index"] == ("-85" if dialect == "quectel" else "72")
    assert "notes" not in detail
    (transcript,) = seen.outputs.values()
    assert detail["raw"] in seen.outputs
    assert transcript.count(f"> {CESQ}\n") == 3
    assert GOOD[CESQ] in transcript


def test_registration_by_3gpp_alone() -> None:
    said = GOOD | {C5GREG: '+C5GREG: 2,1,"0004E2","0010A4F21",11'}
    with plugged_in(lambda command, times: framed(said[command])) as pty:
        assert ask(pty, "3gpp-27007").of("registration") == [1.0, 1.0]


@pytest.mark.parametrize("state", ["SEARCH", "LIMSRV"])
def test_a_modem_without_a_cell_has_no_numbers(state: str) -> None:
    said = GOOD | {
        QENG: f'+QENG: "servingcell","{state}"',
        C5GREG: "+C5GREG: 0,2",
        COPS: "+COPS: 0",
        CESQ: "+CESQ: 99,99,255,255,255,255,255,255,255",
    }
    with plugged_in(lambda command, times: framed(said[command])) as pty:
        seen = ask(pty)
    assert seen.of("registration") == [0.0, 0.0]
    for quantity in ("ss-rsrp", "ss-rsrq", "ss-sinr"):
        assert seen.of(quantity) == ["absent", "absent"]


def test_echo_and_a_storm_of_unsolicited_lines_do_not_disturb() -> None:
    storm = b"".join(b'\r\n+QIND: "csq",%d,99\r\n\r\nRING\r\n' % number for number in range(200))

    def behave(command: str, times: int) -> bytes:
        return storm + command.encode() + b"\r" + storm + framed(GOOD[command])

    with plugged_in(behave) as pty:
        seen = ask(pty, timeout_ms=2000)
    assert seen.of("ss-rsrp") == [-85.0, -85.0]
    assert seen.of("registration") == [1.0, 1.0]


def test_a_question_that_is_refused_costs_only_what_it_would_have_told() -> None:
    def behave(command: str, times: int) -> bytes:
        return framed("", "ERROR" if command == QENG else "OK") if command in ("AT", QENG) else framed(GOOD[command])

    with plugged_in(behave) as pty:
        seen = ask(pty)
    assert seen.of("ss-rsrp") == [-85.0, -85.0]
    assert f"{QENG}: ERROR" in next(row.detail for row in seen.rows).replace('\\"', '"')


def test_a_modem_that_refuses_everything_says_nothing_about_the_network() -> None:
    with plugged_in(lambda command, times: framed("", "+CME ERROR: 10")) as pty:
        seen = ask(pty)
    assert seen.of("registration") == ["bad-answer"] * 2
    assert seen.of("ss-rsrp") == ["bad-answer"] * 2
    assert seen.reason() == "command-refused"


# --- bad input ----------------------------------------------------------------------------------------------------


def replaced(answer: bytes) -> Behaviour:
    """Every question but AT gets ``answer``."""
    return lambda command, times: framed("") if command == "AT" else answer


@pytest.mark.parametrize(
    ("behave", "error", "reason"),
    [
        pytest.param(lambda *_: b"", "timeout", "", id="silent"),
        pytest.param(replaced(bytes(range(128, 256)) * 8), "bad-answer", "not-what-was-asked", id="garbage"),
        pytest.param(replaced(b"\x00" * (HEARD_LIMIT + 4096)), "bad-answer", "not-what-was-asked", id="endless"),
        pytest.param(replaced(framed("+CSQ: 20,99")), "bad-answer", "not-what-was-asked", id="another answer"),
        pytest.param(replaced(framed("")), "bad-answer", "not-what-was-asked", id="nothing but OK"),
        pytest.param(replaced(f"\r\n{GOOD[QENG]}\r\n".encode()), "bad-answer", "half-an-answer", id="no end"),
        pytest.param(replaced(f"\r\n{GOOD[QENG][:40]}".encode()), "bad-answer", "not-what-was-asked", id="half a line"),
        pytest.param(replaced(framed("+QENG: 1,2,3")), "bad-answer", "not-what-was-asked", id="unknown layout"),
    ],
)
def test_bad_answers_are_no_numbers(behave: Behaviour, error: str, reason: str) -> None:
    with plugged_in(behave) as pty:
        seen = ask(pty)
    for quantity in modem.QUANTITIES:
        assert set(seen.of(quantity)) == {error}
    assert seen.reason() == reason


@pytest.mark.parametrize("level", ["nan", "-inf", "1e9", "-99999999999999999999", "12", "-200", "0x55", ""])
def test_absurd_numbers_are_no_numbers(level: str) -> None:
    said = GOOD | {QENG: GOOD[QENG].replace("-85", level), CESQ: "+CESQ: 99,99,255,255,255,255,65,200,83"}
    with plugged_in(lambda command, times: framed(said[command])) as pty:
        seen = ask(pty, attempts=1)
    assert seen.of("ss-rsrp")[0] in {"bad-answer", "absent"}
    assert seen.of("ss-rsrq") == [-11.0]


def test_the_right_answer_late_is_late_and_is_not_the_next_ones() -> None:
    late = '+QENG: "servingcell","NOCONN","NR5G-SA","TDD",999,01,1,42,4E2,640000,78,12,-60,-11,18,1,0'

    def behave(command: str, times: int) -> bytes:
        if command == QENG and times == 0:
            time.sleep(TIMEOUT_S * 1.4)
            return framed(late)
        return framed(GOOD[command])

    with plugged_in(behave) as pty:
        seen = ask(pty)
    assert seen.of("ss-rsrp") == ["late", -85.0]
    assert seen.of("registration") == ["late", 1.0]


def test_an_answer_later_than_that_is_not_taken_for_another() -> None:
    """It comes while the port is brought back into step."""

    def behave(command: str, times: int) -> bytes:
        if command == QENG and times == 0:
            return b""
        if command == "AT" and times == 0:
            return framed(GOOD[QENG].replace("-85", "-60")) + framed("")
        return framed(GOOD[command])

    with plugged_in(behave) as pty:
        seen = ask(pty, attempts=3)
    assert seen.of("ss-rsrp") == ["timeout", -85.0, -85.0]


def test_a_delayed_answer_to_the_question_before_is_not_this_ones() -> None:
    def behave(command: str, times: int) -> bytes:
        return framed("+CSQ: 1,99") + framed(GOOD[command])

    with plugged_in(behave) as pty:
        assert ask(pty).of("ss-rsrp") == [-85.0, -85.0]


def test_a_modem_that_falls_silent_and_comes_back() -> None:
    def behave(command: str, times: int) -> bytes:
        return b"" if (command == CESQ and times == 1) or (command == "AT" and times == 0) else framed(GOOD[command])

    with plugged_in(behave) as pty:
        seen = ask(pty, attempts=4)
    assert seen.of("ss-rsrp") == [-85.0, -85.0, "timeout", -85.0]
    assert seen.reason(attempt=2) == "out-of-step"


# --- the port -----------------------------------------------------------------------------------------------------


def test_a_port_that_vanishes_is_told_at_once() -> None:
    pties: list[Pty] = []

    def behave(command: str, times: int) -> bytes:
        if times == 1:
            pties[0].unplug()
        return framed(GOOD[command])

    with plugged_in(behave) as pty:
        pties.append(pty)
        seen = ask(pty, attempts=3, timeout_ms=5000)
    assert seen.of("ss-rsrp")[0] == -85.0
    assert seen.of("ss-rsrp")[1:] == ["send-failed"] * 2
    assert seen.reason(attempt=1) == "port-lost"


def test_a_port_in_use_is_left_alone() -> None:
    with plugged_in(well_behaved) as pty, Path(pty.path).open("rb", buffering=0) as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        seen = ask(pty)
        assert pty.commands == []
    assert seen.of("ss-rsrp") == ["send-failed"] * 2
    assert seen.reason() == "port-busy"


@pytest.mark.parametrize(
    ("refusal", "error", "reason"),
    [(errno.EACCES, "no-privilege", ""), (errno.EBUSY, "send-failed", "port-busy")],
)
def test_a_port_that_the_kernel_refuses(refusal: int, error: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(refusal, "refused")  # root is refused nothing here

    monkeypatch.setattr("probes.gate.os.open", refuse)
    seen = perform(asked("/dev/ttyUSB2"), Gate(permit("/dev/ttyUSB2")))
    assert seen.of("registration") == [error] * 2
    assert seen.reason() == reason


def test_what_is_no_command_port(tmp_path: Path) -> None:
    file = tmp_path / "no-terminal"
    folder = perform(asked(str(tmp_path)), Gate(permit(str(tmp_path))))
    assert (folder.of("ss-rsrp"), folder.reason()) == (["send-failed"] * 2, "no-command-port")
    for reason in ("no-such-port", "no-command-port"):
        seen = perform(asked(str(file)), Gate(permit(str(file))))
        assert seen.of("ss-rsrp") == ["send-failed"] * 2
        assert seen.reason() == reason
        file.touch()


def test_the_port_is_given_back_as_it_was() -> None:
    with plugged_in(well_behaved) as pty:
        before = tty.tcgetattr(pty.master)
        for _ in range(2):
            assert ask(pty).of("ss-rsrp") == [-85.0, -85.0]
        assert tty.tcgetattr(pty.master) == before
        with Path(pty.path).open("rb", buffering=0) as other:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


# --- the gate -----------------------------------------------------------------------------------------------------


def test_nothing_undeclared_is_opened_and_no_level_is_exceeded() -> None:
    with plugged_in(well_behaved) as pty:
        for gate, reason in (
            (Gate(permit("/dev/other")), "undeclared-instrument"),
            (Gate(permit(pty.path, level="passive")), "level-too-high"),
        ):
            seen = perform(asked(pty.path), gate)
            assert seen.of("ss-rsrp") == ["refused-by-guard"] * 2
            assert seen.reason() == reason
        assert pty.commands == []


def test_after_a_stop_nothing_is_asked() -> None:
    with plugged_in(well_behaved) as pty:
        seen = perform(asked(pty.path), Gate(permit(pty.path), stop=lambda: True))
        assert pty.commands == []
    assert seen.of("ss-rsrp") == ["stopped"] * 2, seen.rows[0]


@pytest.mark.parametrize(
    "command",
    [
        "AT+COPS=0",
        "AT+CFUN=1,1",
        "ATD112;",
        "AT+COPS=?",
        "AT+CMGS=1",
        "AT&F",
        "AT+CESQ;+CFUN=0",
        "AT+CESQ\rATZ",
        "AT\n",
        "",
    ],
)
def test_the_gate_puts_no_question_that_could_change_anything(command: str) -> None:
    with plugged_in(well_behaved) as pty:
        gate = Gate(permit(pty.path))
        ticket = gate.admit_local(Target("m-1", pty.path, "cell"), "query")
        assert not isinstance(ticket, Refusal)
        port = gate.serial_port(ticket)
        ticket.credit = 1000
        with pytest.raises(PermissionError):
            asyncio.run(_put(port, command))
        ticket.credit = 0
        with pytest.raises(PermissionError, match="claimed"):
            asyncio.run(_put(port, "AT"))
        port.close()
        assert pty.commands == []


async def _put(port: SerialPort, command: str) -> None:
    await port.write(command, 1)


def test_every_question_of_the_built_in_dialects_may_be_put_and_has_a_layout() -> None:
    for name in ("quectel", "3gpp-27007"):
        dialect = load("at", name)
        said = {question["command"] for question in dialect["ask"]}
        assert said <= set(GOOD)
        assert read(dialect, []).values == {}
