"""Answers of HTTP servers: what is read of good ones however they are cut, and what is refused."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.http_answer import HEAD_LIMIT
from probes.http_answer import Answer
from probes.http_answer import AnswerError
from probes.http_answer import request
from probes.http_answer import stays

OK = b"HTTP/1.1 200 OK\r\n"
GOOD = {
    "length": (OK + b"Content-Length: 5\r\n\r\nhello", 5),
    "nothing": (OK + b"content-length: 0\r\n\r\n", 0),
    "chunked": (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: 1\r\n\r\n", 5),
    "interim": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nhi", 2),
    "no reason": (b"HTTP/1.1 204\r\n\r\n", 0),
}


def whole(octets: bytes, cuts: list[int]) -> Answer:
    answer = Answer()
    counted = 0
    edges = [0, *sorted(cut % (len(octets) + 1) for cut in cuts), len(octets)]
    for begin, end in pairwise(edges):
        counted += answer.feed(octets[begin:end])
    assert counted == answer.payload
    return answer


@pytest.mark.parametrize("name", GOOD)
@given(cuts=st.lists(st.integers(min_value=0, max_value=500), max_size=20))
def test_an_answer_is_read_however_it_is_cut(name: str, cuts: list[int]) -> None:
    octets, payload = GOOD[name]
    answer = whole(octets, cuts)
    assert (answer.done, answer.payload) == (True, payload)


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    answer = whole(b"HTTP/1.0 200 OK\r\n\r\nhello", [])
    assert (answer.done, answer.payload) == (False, 5)
    answer.end()
    assert answer.done
    assert answer.head is not None
    assert not answer.head.keeps_open


@pytest.mark.parametrize(
    ("fields", "minor", "keeps"),
    [(b"", 1, True), (b"Connection: close\r\n", 1, False), (b"", 0, False), (b"Connection: Keep-Alive\r\n", 0, True)],
)
def test_whether_the_connection_serves_on(fields: bytes, minor: int, keeps: bool) -> None:
    answer = whole(b"HTTP/1.%d 200 OK\r\nContent-Length: 0\r\n%b\r\n" % (minor, fields), [])
    assert answer.head is not None
    assert answer.head.keeps_open is keeps


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", "no HTTP"),
        (b"HTTP/2 200\r\n\r\n", "no HTTP"),
        (b"\x16\x03\x01\r\n\r\n", "no HTTP"),
        (OK + b"no field\r\n\r\n", "no field"),
        (OK + b"Content-Length : 5\r\n\r\n", "no field"),
        (OK + b"Content-Length: -5\r\n\r\n", "length"),
        (OK + b"Content-Length: 9999999999999999\r\n\r\n", "length"),
        (OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "two of"),
        (OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "transfer encoding"),
        (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n", "transfer encoding"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "a chunk of size"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\n", "a chunk of size"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n", "longer than its size"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 400, "without an end"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"T: 1\r\n" * HEAD_LIMIT, "without an end"),
        (OK + b"Content-Length: 2\r\n\r\nhello", "more than it has declared"),
        (OK + b"X: y\r\n" * HEAD_LIMIT, "without an end"),
        (b"x" * (HEAD_LIMIT + 100), "without an end"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 9, "interim"),
        (b"HTTP/1.1 101 Switching\r\n\r\n", "interim"),
    ],
)
def test_what_is_no_proper_answer_is_refused(octets: bytes, why: str) -> None:
    for cuts in ([], list(range(min(len(octets), 3000)))):
        with pytest.raises(AnswerError) as refusal:
            whole(octets, cuts)
        assert why in refusal.value.why
        assert refusal.value.error == "bad-answer"


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"HTTP/1.1 2",
        OK + b"Content-Length: 5\r\n\r\nhel",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ],
)
def test_an_answer_that_is_cut_off_is_no_answer(octets: bytes) -> None:
    answer = whole(octets, [])
    with pytest.raises(AnswerError) as refusal:
        answer.end()
    assert refusal.value.error == "reset"


@given(st.binary(max_size=4096))
def test_whatever_comes_is_read_or_refused_in_bounded_memory(octets: bytes) -> None:
    answer = Answer()
    with suppress(AnswerError):
        assert 0 <= answer.feed(octets) <= len(octets)
    assert len(answer._held) <= HEAD_LIMIT + 8


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/other?x=1", "/other?x=1"),
        ("http://192.0.2.1/b", "/b"),
        ("http://192.0.2.1:80", "/"),
        ("HTTP://192.0.2.1/b", "/b"),
        ("https://192.0.2.1/b", None),
        ("http://192.0.2.1:8080/b", None),
        ("http://192.0.2.2/b", None),
        ("http://192.0.2.1@192.0.2.9/b", None),
        ("//192.0.2.2/b", None),
        ("/b\r\nX: y", None),
        ("b", None),
        ("", None),
    ],
)
def test_a_redirection_is_followed_only_where_it_stays(location: str, path: str | None) -> None:
    assert stays(location, "192.0.2.1", 80) == path


def test_a_request_says_what_it_must() -> None:
    assert request("GET", "/a", "192.0.2.1").startswith(b"GET /a HTTP/1.1\r\nHost: 192.0.2.1\r\n")
    assert request("POST", "/a", "h", "X: y").endswith(b"X: y\r\n\r\n")
