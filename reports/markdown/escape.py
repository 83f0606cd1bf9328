"""Text made safe for Markdown: shown as it was written, by GitHub and GitLab as well as in a text editor.

CommonMark 0.31: 2.4 (backslash escapes) and 6.1 (code spans); GitHub Flavored Markdown: 4.10 (tables), 6.9 (autolinks).
"""

from __future__ import annotations

import re

#: What begins markup anywhere in a line; ``_`` does not within a word.
_SPECIAL = re.compile(r"[\\`*\[\]|~]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)")
#: What begins a block at the start of a line.
_BLOCK = re.compile(r"[#>+=-]|\d{1,9}[.)](?=\s|$)")
#: What may become a link, a mention, a reference, an emoji, a formula or HTML: told as code, where it is nothing.
_CATCHING = re.compile(
    r"://|\bwww\.|\w@\w|(?<!\w)[@#!$&~%][\w\"]|\$.*\$|:[A-Za-z+-][\w+-]*:|<[A-Za-z/!?]|\b(?:mailto|xmpp|javascript):"
)


def text(plain: str) -> str:
    """``plain`` as Markdown that shows it, and nothing but it."""
    if _CATCHING.search(plain):
        return code(plain)
    escaped = _SPECIAL.sub(lambda found: f"\\{found[0]}", plain)
    if found := _BLOCK.match(plain):
        end = found.end() - 1
        return f"{escaped[:end]}\\{escaped[end:]}"
    return escaped


def code(plain: str) -> str:
    """``plain`` as a code span, fit for a cell of a table too."""
    if not plain.strip():
        return ""
    if "|" in plain:  # which ends a cell, in a code span too, and whose escape is shown outside of tables
        return f"<code>{_entities(plain)}</code>"
    longest = max((len(found) for found in re.findall("`+", plain)), default=0)
    fence, room = "`" * (longest + 1), " " if plain[0] == "`" or plain[-1] == "`" else ""
    return f"{fence}{room}{plain}{room}{fence}"


def _entities(plain: str) -> str:
    """Every character that may mean anything to Markdown or HTML as a number."""
    return re.sub(r"[!-/:-@\[-`{-~]", lambda found: f"&#{ord(found[0])};", plain)
