"""What an applicant states beside the evidence: names, addresses, and the texts that no measurement can write."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from profiles.document import load
from profiles.document import validate
from profiles.requirement import Strict


class Person(Strict):
    """One person whom a form asks for."""

    name: str = ""
    title: str = ""
    mobile: str = ""


class Applicant(Strict):
    """The file given with ``--applicant``; what is empty becomes a place to be filled in (待填) in the document.

    Nothing here is checked against anything: the enterprise answers for it.
    """

    format: Literal["plantproof-applicant/1"] = "plantproof-applicant/1"
    enterprise: str = ""  #: 企业名称
    factory: str = ""  #: 工厂名称
    industry: str = ""  #: 所属行业
    district: str = ""  #: 所属区域
    group: str = ""  #: 所属集团
    address: str = ""  #: 工厂地址
    code: str = ""  #: 统一社会信用代码
    level: str = ""  #: 成熟度等级, such as L3
    score: str = ""  #: 评估分数
    honours: str = ""  #: 所获荣誉
    head: Person = Person()  #: 企业负责人
    contact: Person = Person()  #: 企业联系人
    clerk: Person = Person()  #: 企业填表人
    scenes: tuple[str, ...] = ()  #: 智能制造典型场景名称, of annex 2
    texts: dict[str, str] = Field(default_factory=dict)  #: by section of annex 4, such as ``standing``
    makers: dict[str, str] = Field(default_factory=dict)  #: 研制单位 by kind of equipment, such as ``switch``


def load_applicant(path: Path) -> Applicant:
    """The applicant's file.

    Raises:
        UserMistake: with every mistake and its place.
    """
    return validate(load(path), Applicant)
