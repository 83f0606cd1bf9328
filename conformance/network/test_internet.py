"""Mean internet access rate (互联网接入平均速率)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import ceil

from conformance.asking import ask
from conformance.asking import question
from conformance.suite import measures
from fixtures.objects import Assignment
from fixtures.plant.internet import InternetServer
from fixtures.plant.model import Plant
from fixtures.scoping import Case
from probes.action import Action
from probes.action import Target
from profiles.indicators.internet import FIRST_WINDOW
from profiles.indicators.internet import InternetRateParameters


@measures("mean-internet-access-rate")
def test_mean_internet_access_rate(case: Case, plant: Plant) -> list[Action]:
    """Load the way to each reference server by every tool that it serves and the profile names, in spread windows.

    HTTP with several connections and iperf3 with as many streams, one server after the other. The windows have numbers
    of their own, so that what is asked of terminals by the same tool need not be asked alike.
    """
    asked = InternetRateParameters.model_validate(case.requirement.parameters)
    common = asked.model_dump(include={"attempts", "direction", "streams", "limit_mbit_s", "timeout_ms"})
    once: list[Action] = []
    if asked.uses("http"):
        times = asked.model_dump(include={"duration_s", "omit_s", "slice_ms"})
        once += ask(case, plant, "http-throughput", common | times, _http)
    if asked.uses("iperf3"):
        whole = {"duration_s": ceil(asked.duration_s), "omit_s": ceil(asked.omit_s)}
        once += ask(case, plant, "tcp-throughput", common | whole, _iperf3)
    windows = range(asked.windows)
    return [replace(it, window=FIRST_WINDOW + n, not_before_s=n * asked.spacing_s) for n in windows for it in once]


def _http(assigned: Assignment) -> Iterable[Target]:
    server = assigned.source
    if not isinstance(server, InternetServer) or server.http_port is None:
        return ()
    name = {"name": server.name} if server.name else {}
    tls = {"tls": "yes"} if server.secure else {}
    return question(assigned, server.http_port, **server.paths, **name, **tls)


def _iperf3(assigned: Assignment) -> Iterable[Target]:
    server = assigned.source
    if not isinstance(server, InternetServer) or server.iperf3_port is None:
        return ()
    return question(assigned, server.iperf3_port)
