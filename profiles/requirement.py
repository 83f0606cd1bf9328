"""The profile file's model: requirements, thresholds and where each of them comes from."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from typing import Any
from typing import Literal

from pydantic import BaseModel
from pydantic import ConfigDict
from pydantic import Field

ObjectClass = Literal["E", "P", "S", "X"]  #: 生产装备, 作业人员, 感知设备, 其他辅助终端
Technology = Literal["5g", "pon", "tsn", "wifi", "ethernet", "fieldbus", "other"]
Segment = Literal["design", "production", "logistics", "sales", "service"]  #: 设计 生产 物流 销售 服务
Dimension = Literal["class", "segment", "technology", "zone", "area"]


class Strict(BaseModel):
    """Base of every file model: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Bilingual(Strict):
    """One text in Chinese and English."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Provenance(StrEnum):
    """Where a number comes from (``docs/provenance.md``)."""

    STATED = "stated"  #: literally in the policy document
    STANDARD = "standard"  #: read in the standard itself
    SECONDARY = "secondary"  #: quoted by somebody who read it
    RECALLED = "recalled"  #: remembered, text not seen
    PROJECT = "project"  #: a choice of this profile's author


class Source(Strict):
    """The document behind an indicator or a threshold."""

    standard: str  #: document and its number
    clause: str
    edition: str | None = None
    quote: str | None = None  #: literal words, if the provenance is ``stated`` or ``standard``
    provenance: Provenance
    verified: bool  #: whether somebody compared this with the text itself


class Rule(StrEnum):
    """Decision rules (ISO/IEC 17025 7.1.3, ILAC-G8); one per requirement."""

    R0 = "R0"  #: census count, integers compared
    R1 = "R1"  #: simple acceptance of the point estimate
    R2 = "R2"  #: exact one-sided binomial bound (hypergeometric for a sample from a known register)
    R3 = "R3"  #: guard band of the expanded uncertainty, k = 2
    R4 = "R4"  #: distribution-free order statistic for a quantile
    R5 = "R5"  #: falsify only
    INFO = "info"  #: value reported, nothing compared


class Threshold(Strict):
    """The limit that the value is compared with, before any rounding."""

    op: Literal[">=", ">", "<=", "<", "=="]  #: 达到 is ``>=``, 低于 is ``<``
    value: str  #: a quantity with its unit, such as ``100 %`` or ``10 ms``
    source: Source


class Scope(Strict):
    """Which objects the requirement speaks about; an empty list means all of that dimension."""

    classes: tuple[ObjectClass, ...] = ()
    technologies: tuple[Technology, ...] = ()
    segments: tuple[Segment, ...] = ()
    zones: tuple[str, ...] = ()


class Requirement(Strict):
    """One requirement of a profile."""

    id: str = Field(pattern=r"^[A-Z0-9]+(-[A-Z0-9]+)*$")
    title: Bilingual
    pillar: Literal["network", "fiveg", "pon", "tsn", "ipv6", "security", "compute", "data"]
    indicator: str  #: id of an indicator of :mod:`profiles.indicators`
    scope: Scope = Scope()
    breakdown: tuple[Dimension, ...] = ()  #: dimensions reported one by one as ``info`` beside the verdict
    threshold: Threshold | None = None  #: ``None`` where the source names the indicator and gives no value
    rule: Rule  #: rule for a census; see ``sample_rule``
    sample_rule: Rule | None = None  #: rule when a sample was drawn; ``None`` means that only a census can pass
    quantile: float | None = Field(default=None, gt=0, lt=1)  #: for R4
    confidence: float = Field(default=0.95, gt=0.5, lt=1)  #: one-sided, for R2 and R4
    parameters: dict[str, Any] = {}  #: the indicator's own parameters, checked by its model
    sample_size: int | None = Field(default=None, gt=0)  #: draw so many objects; ``None`` is a census
    sample_seed: int = 0  #: seed of the draw, so that it can be repeated
    weight: float | None = None  #: ``None``: not stated in the source; no score is computed
    source: Source  #: where the indicator is asked for
    remedy: Bilingual  #: what to do when it fails


class Profile(Strict):
    """A profile: a named set of requirements, complete, with nothing left to inherit."""

    profile: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")  #: its name
    version: str
    title: Bilingual
    description: Bilingual
    requirements: tuple[Requirement, ...] = Field(min_length=1)
    omitted: dict[str, Annotated[str, Field(min_length=1)]] = {}  #: requirement not asked here: the written reason
    derived_from: tuple[str, ...] = ()  #: profiles it was made from, each as ``NAME VERSION``
