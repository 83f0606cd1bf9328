"""Forms made from a bundle: they keep the rules, tell nothing of the plant, and belong to the bundle."""

from __future__ import annotations

import json
import shutil
import subprocess
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import docx
import pytest
from PIL import Image

from conformance.cli.app import run
from profiles.language import choose_language
from profiles.problem import UserMistake
from profiles.verdict import ExitStatus
from profiles.verdict import Verdict
from reports.bundle import Bundle
from reports.fingerprint import fingerprint
from reports.forms.annex.make import MADE
from reports.forms.annex.make import write_form
from reports.forms.annex.told import Told
from reports.forms.annex.weight import heavy_png
from reports.forms.applicant import Applicant
from reports.forms.applicant import Person
from reports.forms.check import check_form
from reports.forms.known import KnownValues
from reports.forms.reading import read_document
from reports.pictures import Picture
from reports.wording import Said
from tests.reports.conftest import example
from tests.reports.conftest import write_bundle
from tests.reports.forms.conftest import answer
from tests.reports.forms.conftest import codes

_SECTIONS = ("history", "standing", "construction", "elements", "supply-chain", "green", "leadership")
FULL_TEXTS = dict.fromkeys(_SECTIONS, "申报单位撰写的内容。" * 10)
APPLICANT = Applicant(
    enterprise="示例制造有限公司", factory="示例智能工厂", industry="汽车", district="浦东新区", address="示例路 1 号",
    code="91350100M000100Y43", level="L3", score="3.2", scenes=("数字基础设施建设",), texts=FULL_TEXTS,
    makers={"access": "甲公司"},
    head=Person(name="甲", title="总经理", mobile="13800000000"),
    contact=Person(name="乙", title="主任", mobile="13900000000"),
    clerk=Person(name="丙", title="工程师", mobile="13700000000"),
)  # fmt: skip


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("annex")
    return write_bundle(example(folder), folder / "bundle")


@pytest.fixture(scope="module")
def chapter(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("chapter") / "annex4.docx"
    write_form(bundle, "annex4-2025", out, APPLICANT)
    return out


def test_the_chapter_fails_only_for_pictures_that_the_bundle_does_not_support(chapter: Path, bundle: Bundle) -> None:
    said = check_form(chapter, "annex4-2025", bundle=bundle)
    failing = {one.rule.id for one in said.answers if one.mark == "fail"}
    placed = len(read_document(chapter).pictures)
    assert 0 < placed < 10
    assert failing <= {"A4-PIC-COUNT", "A4-LENGTH"}
    assert "A4-PIC-COUNT" in failing
    assert not codes(said, "A4-PIC-SIZE")
    assert not codes(said, "A4-PIC-PIXELS")
    assert not codes(said, "A4-PIC-WHOLE")
    assert "少于要求的 10 张" in "".join(one.text for one in read_document(chapter).paragraphs)


def test_the_chapter_says_what_was_not_met_and_what_is_open(chapter: Path, bundle: Bundle) -> None:
    text = "".join(one.text for one in read_document(chapter).paragraphs)
    titles = {one.id: one.title.zh for one in bundle.profiles[0].requirements}
    for result in bundle.campaign.results:
        if not result.scope and result.verdict in (
            Verdict.FAIL,
            Verdict.INCONCLUSIVE,
            Verdict.ERROR,
            Verdict.NOT_TESTED,
        ):
            assert titles[result.requirement] in text.partition("如实说明")[2]


@pytest.mark.usefixtures("undrawn")
def test_a_campaign_that_planned_nothing_claims_nothing(tmp_path: Path) -> None:
    made = example(tmp_path)
    counts = made.campaign.counts.model_copy(update={"planned": 0, "verdicts": {}})
    made.campaign = made.campaign.model_copy(update={"results": (), "counts": counts})
    write_form(write_bundle(made, tmp_path / "bundle"), "annex4-2025", tmp_path / "a.docx", Applicant())
    text = "".join(one.text for one in read_document(tmp_path / "a.docx").paragraphs)
    assert "没有计划任何要求" in text
    assert "没有不通过" not in text
    assert "测试自 0 个测点进行，" in text
    assert "判定规则：" not in text


def test_where_it_was_measured_from_is_said_where_it_is_known(bundle: Bundle, tmp_path: Path) -> None:
    used = {one for result in bundle.campaign.results for one in result.vantages}
    assert f"测试自 {len(used)} 个测点进行，" in "".join(Told(bundle).campaign())
    made = example(tmp_path)
    vantages = tuple(one.model_copy(update={"zone": "office"}) for one in made.plant.vantages)
    made.plant = made.plant.model_copy(update={"vantages": vantages})
    told = Told(write_bundle(made, tmp_path / "bundle"))
    assert f"测试自 {len(used)} 个测点进行（位于 1 个安全域）" in "".join(told.campaign())


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pictures, which take seconds to draw."""
    monkeypatch.setattr("reports.forms.annex.make.pictures", lambda *_, **__: [])


@pytest.mark.usefixtures("undrawn")
def test_without_an_applicant_the_mandatory_part_is_empty_and_fails(bundle: Bundle, tmp_path: Path) -> None:
    write_form(bundle, "annex4-2025", tmp_path / "a.docx", Applicant())
    said = check_form(tmp_path / "a.docx", "annex4-2025")
    assert "section-empty" in codes(said, "A4-REQUIRED")
    assert {"field-empty"} == set(codes(said, "A4-FACTORY"))
    assert "placeholder" in codes(said, "A4-PLACEHOLDER")


@pytest.mark.parametrize("form", MADE[1:])
def test_a_table_form_with_an_applicant_fails_nothing(form: str, bundle: Bundle, tmp_path: Path) -> None:
    write_form(bundle, form, tmp_path / "a.docx", APPLICANT)
    said = check_form(tmp_path / "a.docx", form)
    assert [one.rule.id for one in said.answers if one.mark == "fail"] == []


def test_no_value_of_the_plant_is_in_the_file(chapter: Path, bundle: Bundle) -> None:
    known = KnownValues(bundle)
    assert {"e-00000", "198.18.0.1", "2001:db8::1", "焊装一区", "jump-a"} <= known.values
    document = read_document(chapter)
    whole = "\n".join([*(one.text for one in document.paragraphs), *(one.text for one in document.asides)])
    assert list(known.within(whole)) == []
    assert answer(check_form(chapter, "annex4-2025", bundle=bundle), "PUB-KNOWN").mark != "fail"


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("text", "终端 e-00004 在线"), ("text", "E-00004"), ("text", "焊装一区"), ("text", "198.18.0.3"),
        ("author", "jump-a"), ("descr", "机械手 0"), ("header", "焊装线"), ("comment", "2001:db8::2"),
    ],
)  # fmt: skip
def test_a_value_of_the_plant_is_found_wherever_it_stands(
    place: str, text: str, chapter: Path, bundle: Bundle, tmp_path: Path
) -> None:
    document = docx.Document(str(chapter))
    if place == "text":
        document.paragraphs[4].add_run(text)
    elif place == "author":
        document.core_properties.author = text
    elif place == "descr":
        document.inline_shapes[0]._inline.docPr.set("descr", text)
    elif place == "header":
        document.sections[0].header.paragraphs[0].text = text
    else:
        document.add_comment(document.paragraphs[4].runs, text=text)
    document.save(str(tmp_path / "told.docx"))
    assert "known-value" in codes(check_form(tmp_path / "told.docx", "annex4-2025", bundle=bundle), "PUB-KNOWN")


def test_persons_of_the_particulars_are_looked_for(tmp_path: Path) -> None:
    made = write_bundle(example(tmp_path), tmp_path / "bundle")
    (made.path / "particulars.yaml").write_text("format: plantproof-particulars/1\ntester: 欧阳某某\n", "utf-8")
    known = KnownValues(Bundle.open(made.path))
    assert list(known.within("测试人欧阳某某。")) == ["欧阳某某"]


@pytest.mark.usefixtures("undrawn")
def test_an_applicants_text_that_leaks_is_refused_and_nothing_is_written(bundle: Bundle, tmp_path: Path) -> None:
    leaking = APPLICANT.model_copy(update={"texts": FULL_TEXTS | {"history": "网关地址为 198.51.100.9。"}})
    with pytest.raises(UserMistake) as caught:
        write_form(bundle, "annex4-2025", tmp_path / "a.docx", leaking)
    assert {problem.code for problem in caught.value.problems} == {"annex-leaks"}
    assert "198.51.100.9" in caught.value.text("zh")
    assert list(tmp_path.iterdir()) == []


def test_a_picture_whose_words_tell_of_the_plant_is_refused(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Picture("a", "pillars", Said("图", "picture"), Said("说明", "words"), lambda *_: None)
    monkeypatch.setattr(Picture, "svg", lambda *_: "<svg><text>e-00004</text></svg>")
    monkeypatch.setattr("reports.forms.annex.make.pictures", lambda *_, **__: [told])
    with pytest.raises(UserMistake, match="e-00004"):
        write_form(bundle, "annex4-2025", tmp_path / "a.docx", APPLICANT)


def test_the_chapter_is_tied_to_its_bundle_and_to_no_other(chapter: Path, bundle: Bundle, tmp_path: Path) -> None:
    assert answer(check_form(chapter, "annex4-2025", bundle=bundle), "PUB-TIE").mark == "pass"
    other = tmp_path / "other"
    shutil.copytree(bundle.path, other)
    (other / "events.jsonl").write_text("")
    assert "tie-changed" in codes(check_form(chapter, "annex4-2025", bundle=Bundle.open(other)), "PUB-TIE")
    manifest = json.loads((other / "manifest.json").read_text())
    manifest["files"]["events.jsonl"] = {"sha256": "0" * 64, "size": 0}
    (other / "manifest.json").write_text(json.dumps(manifest))
    assert "tie-other" in codes(check_form(chapter, "annex4-2025", bundle=Bundle.open(other)), "PUB-TIE")
    docx.Document().save(str(tmp_path / "none.docx"))
    said = check_form(tmp_path / "none.docx", "annex4-2025", bundle=bundle)
    assert codes(said, "PUB-TIE") == ["tie-none"]


def test_the_file_keeps_its_pictures_when_word_saves_it_and_names_nobody(chapter: Path, bundle: Bundle) -> None:
    document = docx.Document(str(chapter))
    assert "doNotAutoCompressPictures" in document.settings.element.xml
    assert document.core_properties.identifier == fingerprint(bundle.manifest)
    assert document.core_properties.author == "plantproof"
    assert read_document(chapter).unread == []


def test_a_copy_edited_with_python_docx_is_still_checked(chapter: Path, bundle: Bundle, tmp_path: Path) -> None:
    document = docx.Document(str(chapter))
    next(one for one in document.paragraphs if "典型场景" in one.text).add_run("补充一句。")
    document.save(str(tmp_path / "edited.docx"))
    before, after = (check_form(path, "annex4-2025", bundle=bundle) for path in (chapter, tmp_path / "edited.docx"))
    assert [one.mark for one in before.answers] == [one.mark for one in after.answers]


@pytest.mark.browser
def test_a_copy_saved_by_libreoffice_is_still_checked(chapter: Path, bundle: Bundle, tmp_path: Path) -> None:
    office = shutil.which("soffice")
    assert office is not None
    again = tmp_path / "again"
    command = [office, "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to", "docx"]
    subprocess.run([*command, "--outdir", str(again), str(chapter)], check=True, capture_output=True, timeout=120)
    before = check_form(chapter, "annex4-2025", bundle=bundle)
    after = check_form(again / chapter.name, "annex4-2025", bundle=bundle)
    differ = {one.rule.id for one, two in zip(before.answers, after.answers, strict=True) if one.mark != two.mark}
    assert differ <= {"A4-SECRETS", "A4-LENGTH"}
    assert answer(after, "PUB-TIE").mark == "pass"
    assert answer(after, "A4-FONT").mark == "pass"
    assert answer(after, "A4-SPACING").mark == "pass"
    assert not codes(after, "A4-PIC-SIZE")


def test_what_is_said_of_a_result_are_its_own_numbers(bundle: Bundle) -> None:
    told = Told(bundle)
    for one in told.measured:
        said = told.result(one)
        if one.result.denominator:
            assert f"{one.result.numerator}/{one.result.denominator}" in said
        if one.result.verdict is Verdict.ERROR:
            assert "错误" in said


@pytest.mark.parametrize("least", [0, 20_000, 60_000])
def test_a_heavier_picture_is_the_same_picture(least: int) -> None:
    held = BytesIO()
    image = Image.radial_gradient("L").convert("RGB").resize((200, 150))
    image.save(held, "PNG")
    heavy = heavy_png(held.getvalue(), least)
    again = Image.open(BytesIO(heavy))
    assert again.tobytes() == image.tobytes()
    assert len(heavy) >= least
    assert least == 0 or len(heavy) < least + 20_000
    assert b"tEXt" not in heavy
    assert zlib.crc32(b"IEND") == int.from_bytes(heavy[-4:], "big")


def test_a_picture_that_cannot_be_as_heavy_stays_below() -> None:
    held = BytesIO()
    Image.new("RGB", (10, 10)).save(held, "PNG")
    assert len(heavy_png(held.getvalue(), 5 << 20)) < 1000


@pytest.fixture
def chinese() -> Any:
    choose_language("zh")
    yield
    choose_language(None)


@pytest.mark.usefixtures("chinese")
class TestCommands:
    """From the command line."""

    def test_report_writes_a_form_and_check_form_reads_it(
        self, bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out, stated = tmp_path / "k.docx", tmp_path / "applicant.yaml"
        stated.write_text("makers: {access: 甲公司}\n", "utf-8")
        form = ["--form", "key-indicators-2024"]
        assert run(["report", str(bundle.path), *form, "--out", str(out), "--applicant", str(stated)]) == 0
        assert run(["check-form", str(out), *form, "--bundle", str(bundle.path)]) == ExitStatus.CONFORMANT
        assert "甲公司" in "".join(cell.text for row in docx.Document(str(out)).tables[0].rows for cell in row.cells)
        capsys.readouterr()
        assert run(["check-form", str(out), "--json"]) == ExitStatus.NONCONFORMANT
        said = json.loads(capsys.readouterr().out)
        assert said["form"] == "annex4-2025"
        assert {"id", "mark", "text", "source", "findings"} <= set(said["rules"][0])

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["check-form", "none.docx"], "没有这个文件"),
            (["check-form", "{file}", "--form", "no"], "没有名为 no 的表格"),
            (["check-form", "{file}", "--seen", "A9"], "没有规则 A9"),
            (["check-form", "{file}", "--assessment", "none.pdf"], "没有这个文件"),
            (["report", "{bundle}", "--form", "jiebang-2024", "--out", "x.docx"], "只能检查"),
            (["report", "{bundle}", "--applicant", "{file}"], "--applicant"),
        ],
    )
    def test_a_mistake_is_told(
        self, arguments: list[str], told: str, chapter: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]
    ) -> None:
        given = [one.format(file=chapter, bundle=bundle.path) for one in arguments]
        assert run(given) == ExitStatus.USAGE
        assert told in "".join(capsys.readouterr())

    def test_a_refusal_is_told_to_machines(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "a.docx").write_bytes(b"no")
        assert run(["check-form", str(tmp_path / "a.docx"), "--json"]) == ExitStatus.USAGE
        assert json.loads(capsys.readouterr().out)["status"] == 4

    def test_an_unknown_key_of_the_applicant_is_told_with_its_place(
        self, bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "a.yaml").write_text("enterprise: 甲\nfactorie: 乙\n", "utf-8")
        given = ["report", str(bundle.path), "--form", "annex3-2025", "--applicant", str(tmp_path / "a.yaml")]
        assert run(given) == ExitStatus.USAGE
        assert "a.yaml:2:1" in capsys.readouterr().err
