"""What a verification says of one signature: the record, without the checking."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from typing import Literal


@dataclass(slots=True)
class StampFound:
    """One time-stamp."""

    name: str  #: of its file
    time: datetime | None = None  #: what it says; nobody vouches for it unless it is trusted
    trusted: bool = False  #: an authority below a given root signed it
    error: str = ""  #: why not, if roots were given


@dataclass(slots=True)
class SignatureFound:
    """One signature."""

    keyid: str
    algorithm: str = ""  #: empty if the key could not be read
    valid: bool = False  #: the mathematics is right, by the enclosed key or by a given one
    #: ``key`` (given), ``certificate`` (leads to a trusted authority), or empty: nobody knows who
    identified: Literal["key", "certificate", ""] = ""
    subject: str = ""  #: of the certificate, which nobody vouches for unless ``identified`` is ``certificate``
    valid_from: datetime | None = None  #: of the certificate
    valid_until: datetime | None = None
    stamps: list[StampFound] = field(default_factory=list)

    @property
    def time(self) -> datetime | None:
        """The earliest trusted moment at which it was there."""
        return min((one.time for one in self.stamps if one.trusted and one.time is not None), default=None)
