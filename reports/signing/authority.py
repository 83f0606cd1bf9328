"""Asks a time-stamp authority over HTTP (RFC 3161 section 3.4), in bounded time and memory."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from http.client import HTTPMessage
from queue import Empty
from queue import SimpleQueue
from threading import Thread
from typing import IO
from urllib.parse import urlsplit

from profiles.problem import Problem
from profiles.problem import UserMistake
from reports.signing.rules import rules
from reports.signing.stamps import StampMalformed
from reports.signing.stamps import accepted
from reports.signing.stamps import query

VARIABLE = "PLANTPROOF_TSA"  #: environment variable: where to ask, if no option says
_PIECE = 16_384


class AuthoritySilent(Exception):
    """There is no time-stamp to be had there now; the text says why."""


def authority(asked: str | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """The URL that was asked for, or that of the environment; ``None`` if there is none.

    Raises:
        UserMistake: if it is no URL of HTTP.
    """
    url = asked or environment.get(VARIABLE)
    if not url:
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UserMistake([Problem("tsa-url", "reports", file=url)])
    return url


def stamp(url: str, signature: bytes, limit_s: float | None = None) -> bytes:
    """A time-stamp of ``signature``: the authority's answer (DER), seen to be about it.

    Args:
        url: from :func:`authority`; proxies and authorities of TLS are the system's, as the standard library has them.
        signature: raw bytes.
        limit_s: how long it may take in all, seconds.

    Raises:
        AuthoritySilent: if there is none.
    """
    asked = query(signature)
    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    request = urllib.request.Request(url, asked.as_bytes(), headers, method="POST")  # noqa: S310 - see authority()
    answer = _in_time(request, rules().authority_s if limit_s is None else limit_s)
    try:
        accepted(answer, signature, asked)
    except StampMalformed as error:
        raise AuthoritySilent(str(error)) from None
    return answer


def _in_time(request: urllib.request.Request, limit_s: float) -> bytes:
    """The answer, within the limit whatever the other side does: a name may not resolve, a header may never end."""
    answers: SimpleQueue[bytes | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(_answer(request, limit_s))
        except (OSError, HTTPException, ValueError) as error:
            answers.put(error)

    Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=limit_s)
    except Empty:
        raise AuthoritySilent(f"> {limit_s:g} s") from None
    if isinstance(answer, Exception):
        raise AuthoritySilent(str(getattr(answer, "reason", "") or answer) or type(answer).__name__)
    return answer


class _Straight(urllib.request.HTTPRedirectHandler):
    """Goes where it was sent and nowhere else."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Follow no redirection: a question is asked of the authority that was named."""
        del req, fp, code, msg, headers, newurl


def _answer(request: urllib.request.Request, limit_s: float) -> bytes:
    parts: list[bytes] = []
    try:
        opened = urllib.request.build_opener(_Straight).open(request, timeout=limit_s)
    except urllib.error.HTTPError as refusal:
        refusal.close()
        raise
    with opened as response:
        while piece := response.read1(_PIECE):
            parts.append(piece)
            if sum(map(len, parts)) > rules().stamp_bytes:
                raise ValueError(f"> {rules().stamp_bytes} B")
    return b"".join(parts)
