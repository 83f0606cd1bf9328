"""Takes secrets out of what a program has written, so that none of them becomes evidence.

A reply is structure: it is parsed, and its texts lose the secrets; its names and numbers, which a task takes from what
it was asked and from the wire, stay. Everything else that a program writes is free text, which loses the secrets in
every form in which programs write texts: as they are, escaped as in JSON or in Python, and in hexadecimal.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from probes.programs import END
from probes.programs import Finished

PUBLIC = frozenset({"user", "protocol"})  #: fields of credentials whose values are no secrets
STAND_IN = b"***"
#: Characters that a secret must have: one that is shorter stands in any text by chance, and taking it out there would
#: leave neither text nor secrecy. It is longer than :data:`STAND_IN`, so that every replacement shortens the text.
LEAST_SECRET = 4


def redacted(finished: Finished, credentials: object, words: Collection[str] = ()) -> Finished:
    """``finished`` without any secret of ``credentials``.

    A reply that is no JSON is taken away, and :attr:`Finished.ended_by` says so. One that holds no secret stays as it
    is, to the octet.

    Args:
        finished: what a program wrote.
        credentials: what it was given.
        words: texts of the reply that are the task's own vocabulary, and stay even if a secret is one of them.
    """
    found = _forms(credentials)
    if not found:
        return finished
    finished = replace(finished, stdout=_without(finished.stdout, found), stderr=_without(finished.stderr, found))
    if not finished.reply:
        return finished
    try:
        said = json.loads(finished.reply)
        clean = _clean(said, found, frozenset(words))
        if clean == said:
            return finished
        end = END if finished.reply.endswith(END.encode()) else ""
        return replace(finished, reply=(json.dumps(clean, ensure_ascii=False) + end).encode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return replace(finished, reply=b"", ended_by=finished.ended_by or ("" if finished.status else "reply"))


def secrets(credentials: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Every text in ``credentials`` that is a secret."""
    if isinstance(credentials, str):
        if credentials:
            yield credentials
    elif isinstance(credentials, dict):
        for name, value in credentials.items():
            if name not in PUBLIC:
                yield from secrets(value)
    elif isinstance(credentials, list):
        for value in credentials:
            yield from secrets(value)


def _forms(credentials: object) -> list[bytes]:
    """What may stand for a secret in a text, the longest first."""
    found: set[bytes] = set()
    for secret in set(secrets(credentials)):
        if len(secret) < LEAST_SECRET:
            continue
        texts = {secret}
        for _ in range(2):  # also what was escaped when it was escaped already: the repr of a line of JSON
            texts |= {form for text in texts for form in _escaped(text)}
        found |= {text.encode("utf-8", "surrogatepass") for text in texts}
        for coded in _encoded(secret):
            digits = {coded.hex(), coded.hex(" "), coded.hex(":")}
            shown = {repr(coded)[2:-1], repr(b'"' + coded)[3:-1]}
            shown |= digits | {text.upper() for text in digits} | {text.replace("\\", "\\\\") for text in shown}
            found |= {coded} | {text.encode() for text in shown}
    return sorted(found, key=len, reverse=True)


def _escaped(text: str) -> Iterator[str]:
    """As JSON and Python write ``text`` between quotes, whichever those are."""
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    for shown in (repr, ascii):
        yield shown(text)[1:-1]
        yield shown('"' + text)[2:-1]


def _encoded(secret: str) -> Iterator[bytes]:
    """As it may be on the wire."""
    yield secret.encode("utf-8", "surrogatepass")
    try:
        yield secret.encode("latin-1")
    except UnicodeEncodeError:
        return


def _without(text: bytes, forms: list[bytes]) -> bytes:
    """``text`` with nothing of ``forms`` in it, not even where a replacement would make one anew."""
    before = None
    while before != text:
        before = text
        for form in forms:
            text = text.replace(form, STAND_IN)
    return text


def _clean(value: Any, forms: list[bytes], words: frozenset[str]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {name: _clean(inner, forms, words) for name, inner in value.items()}
    if isinstance(value, list):
        return [_clean(inner, forms, words) for inner in value]
    if not isinstance(value, str) or value in words:
        return value
    coded = value.encode("utf-8", "surrogatepass")
    clean = _without(coded, forms)
    return value if clean == coded else clean.decode("utf-8", "replace")
