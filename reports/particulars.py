"""Particulars: what a test report must say and no instrument can know, as a person wrote it down.

ISO/IEC 17025:2017 7.8.2 asks for the customer, the place, the items, deviations, conditions and who authorises the
report (recalled, see ``docs/provenance.md``). Nothing here is checked against anything: it is sealed as stated.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from profiles import yaml12
from profiles.document import load
from profiles.document import validate
from profiles.requirement import Strict


class Particulars(Strict):
    """The file ``particulars.yaml``; what is empty was not stated."""

    format: Literal["plantproof-particulars/1"] = "plantproof-particulars/1"
    client: str = ""  #: who asked for the test
    client_address: str = ""
    place: str = ""  #: where it was done
    laboratory: str = ""  #: who tests: a laboratory, a carrier, the plant itself
    tester: str = ""  #: person
    witness: str = ""  #: person
    authoriser: str = ""  #: person who answers for the report
    order: str = ""  #: number of the order or contract
    purpose: str = ""
    items: str = ""  #: what was tested, in words
    deviations: tuple[str, ...] = ()  #: from the method
    conditions: tuple[str, ...] = ()  #: of the environment, such as production running or a maintenance window
    remarks: tuple[str, ...] = ()


def load_particulars(path: Path) -> Particulars:
    """The particulars in the file ``path``.

    Raises:
        UserMistake: with every mistake and its place.
    """
    return validate(load(path), Particulars)


def dump(particulars: Particulars) -> str:
    """The file as YAML with every value written out."""
    return yaml12.dump(particulars.model_dump(mode="json"))
