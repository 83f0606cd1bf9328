"""The JSON Schema of profile files, for completion and checking in editors."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from profiles.indicators import known
from profiles.loader import ProfileFile
from profiles.loader import shipped
from profiles.requirement import Requirement

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = "#/$defs/"


def schema() -> dict[str, Any]:
    """The schema (draft 2020-12): every key, the known indicators, and partial requirements under ``override``."""
    made = ProfileFile.model_json_schema()
    definitions = made["$defs"]
    definitions.update(_partial(Requirement.__name__, definitions))
    override = definitions.pop("Override")
    partial = definitions[f"{Requirement.__name__}Change"]
    partial |= {"description": override["description"], "required": ["id"]}
    made["properties"]["override"]["items"] = {"$ref": f"{_REFERENCE}{Requirement.__name__}Change"}
    made["properties"]["extends"]["items"] |= {"examples": shipped()}
    definitions[Requirement.__name__]["properties"]["indicator"] |= {"enum": sorted(known())}
    return {"$schema": _DIALECT, **made}


def _partial(name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """The definition ``name`` and those it needs with no key required, as merged into an inherited requirement.

    A source is not among them: it is replaced whole.
    """
    wanted, made = [name], {}
    while wanted:
        current = wanted.pop()
        made[f"{current}Change"] = changed = deepcopy(definitions[current])
        changed.pop("required", None)
        for place in _references(changed):
            target = place["$ref"].removeprefix(_REFERENCE)
            if definitions[target].get("type") == "object" and target != "Source":
                place["$ref"] += "Change"
                wanted += [target] if f"{target}Change" not in made else []
    return made


def _references(node: object) -> list[dict[str, Any]]:
    """Every object below ``node`` that is a reference."""
    if isinstance(node, list):
        return [found for entry in node for found in _references(entry)]
    if not isinstance(node, dict):
        return []
    here = [node] if "$ref" in node else []
    return here + [found for value in node.values() for found in _references(value)]
