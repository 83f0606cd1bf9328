"""The checks that rules name, by their name in a form's data."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable

from reports.forms.answer import Finding
from reports.forms.checks import fields
from reports.forms.checks import likeness
from reports.forms.checks import parts
from reports.forms.checks import pictures
from reports.forms.checks import redaction
from reports.forms.checks import tables
from reports.forms.form import Rule
from reports.forms.subject import Subject

Check = Callable[[Subject, Rule], Iterable[Finding]]

CHECKS: dict[str, Check] = {
    "length": likeness.length,
    "font": likeness.font,
    "line-spacing": likeness.line_spacing,
    "picture-size": pictures.size,
    "picture-pixels": pictures.pixels,
    "picture-count": pictures.number,
    "picture-whole": pictures.whole,
    "captions": pictures.captions,
    "mentions": pictures.mentions,
    "parts": parts.parts,
    "required": parts.required,
    "limits": parts.limits,
    "task-limit": parts.task_limit,
    "placeholders": parts.placeholders,
    "attachment": parts.attachment,
    "manual": parts.manual,
    "scenes": parts.scenes,
    "factory-name": fields.factory_name,
    "one-of": fields.one_of,
    "level": fields.level,
    "filled": fields.filled,
    "credit-code": fields.credit_code,
    "mobile": fields.mobile,
    "complete-rows": tables.complete_rows,
    "at-most-filled": tables.at_most_filled,
    "effects": tables.effects,
    "duration": tables.duration,
    "secrets": redaction.secrets,
    "known-values": redaction.known_values,
    "tie": redaction.tie,
}
