"""Profiles by name and by path: inheritance, overrides, selection, omissions, and the resolved form."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles import yaml12
from profiles.loader import dump
from profiles.loader import load_profile
from profiles.loader import shipped
from profiles.problem import UserMistake
from profiles.requirement import Profile

SOURCE = "{standard: S, clause: c, quote: q, provenance: standard, verified: true}"
HEAD = 'profile: {name}\nversion: "{version}"\ntitle: {{zh: 标题, en: title}}\ndescription: {{zh: 说明, en: text}}\n'


def requirement(id: str, limit: str = "90 %") -> str:
    return (
        f"  - id: {id}\n    title: {{zh: 一, en: one}}\n    pillar: network\n    indicator: access-reachability\n"
        f"    rule: R0\n    threshold: {{op: '>=', value: {limit}, source: {SOURCE}}}\n"
        f"    parameters: {{attempts: 3, windows: 2}}\n    source: {SOURCE}\n    remedy: {{zh: 修, en: mend}}\n"
    )


def write(folder: Path, name: str, body: str, version: str = "1") -> Path:
    file = folder / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(HEAD.format(name=file.stem, version=version) + body, encoding="utf-8")
    return file


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    return write(tmp_path, "parent", "requirements:\n" + requirement("A") + requirement("B") + requirement("C"), "7")


def child(folder: Path, body: str) -> Profile:
    return load_profile(str(write(folder, "child", body)))


def told(folder: Path, body: str) -> list[tuple[int, int, str, str]]:
    with pytest.raises(UserMistake) as mistake:
        child(folder, body)
    for it in mistake.value.problems:
        assert it.text("zh") != it.text("en")
    return [(it.line, it.column, it.path, it.code) for it in mistake.value.problems]


def ids(profile: Profile) -> list[str]:
    return [it.id for it in profile.requirements]


def test_a_child_has_all_that_its_parent_has_and_adds_its_own(tmp_path: Path, parent: Path) -> None:
    made = child(tmp_path, "extends: [parent.yaml]\nrequirements:\n" + requirement("D"))
    assert ids(made) == ["A", "B", "C", "D"]
    assert made.requirements[:3] == load_profile(str(parent)).requirements
    assert (made.profile, made.derived_from) == ("child", ("parent 7",))


def test_an_override_changes_what_it_names_and_nothing_else(tmp_path: Path, parent: Path) -> None:
    before = load_profile(str(parent)).requirements[1]
    made = child(
        tmp_path,
        "extends: [parent.yaml]\noverride:\n  - id: B\n    parameters: {windows: 9}\n    remedy: {zh: 换}\n"
        "    threshold: {value: 95 %, source: {standard: 合同, clause: '3', provenance: project, verified: false}}\n",
    )
    assert ids(made) == ["A", "B", "C"]
    after = made.requirements[1]
    assert (after.parameters, after.remedy.zh, after.remedy.en) == ({"attempts": 3, "windows": 9}, "换", "mend")
    assert after.threshold is not None
    assert (after.threshold.op, after.threshold.value, after.threshold.source.standard) == (">=", "95 %", "合同")
    assert after.threshold.source.quote is None  # a source is replaced whole: the old words do not vouch for it
    kept = {"parameters", "remedy", "threshold"}
    assert after.model_dump(exclude=kept) == before.model_dump(exclude=kept)


def test_an_override_can_take_the_limit_away(tmp_path: Path, parent: Path) -> None:
    assert (
        child(tmp_path, f"extends: [{parent}]\noverride: [{{id: A, threshold: null}}]\n").requirements[0].threshold
        is None
    )


def test_only_keeps_those_that_it_names_in_the_parents_order(tmp_path: Path, parent: Path) -> None:
    made = child(tmp_path, f"extends: [{parent}]\nonly: [C, A]\nrequirements:\n{requirement('D')}")
    assert ids(made) == ["A", "C", "D"]


def test_what_is_left_out_stays_with_its_reason_through_all_generations(tmp_path: Path, parent: Path) -> None:
    made = child(tmp_path, "extends: [parent.yaml]\nomitted: {B: 本厂无此设备}\n")
    assert (ids(made), made.omitted) == (["A", "B", "C"], {"B": "本厂无此设备"})
    write(tmp_path, "grandchild", "extends: [child.yaml]\nomitted: {C: rented}\n")
    made = load_profile(str(tmp_path / "grandchild.yaml"))
    assert (made.omitted, made.derived_from) == ({"B": "本厂无此设备", "C": "rented"}, ("parent 7", "child 1"))
    write(tmp_path, "selected", "extends: [grandchild.yaml]\nonly: [A, C]\n")
    assert load_profile(str(tmp_path / "selected.yaml")).omitted == {"C": "rented"}


def test_parents_are_found_beside_their_child_and_a_diamond_is_no_conflict(tmp_path: Path, parent: Path) -> None:
    write(tmp_path / "sub", "left", "extends: [../parent.yaml]\nrequirements:\n" + requirement("L"))
    write(tmp_path / "sub", "right", "extends: [../parent.yaml]\nrequirements:\n" + requirement("R"))
    made = child(tmp_path, "extends: [sub/left.yaml, sub/right.yaml]\n")
    assert ids(made) == ["A", "B", "C", "L", "R"]
    assert made.derived_from == ("parent 7", "left 1", "right 1")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("extends: [shanghai-617-2021]\n", [(5, 11, "extends[0]", "unknown-profile-like")]),
        ("extends: [qqqq]\n", [(5, 11, "extends[0]", "unknown-profile")]),
        ("extends: [child.yaml]\n", [(5, 11, "extends[0]", "profile-cycle")]),
        (
            "override: [{id: A, rule: R1}]\n",
            [(1, 1, "", "no-requirements"), (5, 17, "override[0].id", "unknown-requirement")],
        ),
        ("extends: [parent.yaml]\noverride: [{rule: R1}]\n", [(6, 12, "override[0]", "missing-key")]),
        ("extends: [parent.yaml]\noverride:\n - id: AA\n", [(7, 8, "override[0].id", "unknown-requirement-like")]),
        ("extends: [parent.yaml]\noverride: [{id: A}, {id: A}]\n", [(6, 26, "override[1].id", "duplicate-id")]),
        ("extends: [parent.yaml]\noverride: [{id: A, rul: R1}]\n", [(6, 20, "override[0].rul", "unknown-key-like")]),
        ("extends: [parent.yaml]\noverride: [{id: A, rule: R4}]\n", [(6, 26, "override[0].rule", "quantile-missing")]),
        ("extends: [parent.yaml]\noverride: [{id: A, title: null}]\n", [(6, 27, "override[0].title", "wants-mapping")]),
        (
            "extends: [parent.yaml]\noverride: [{id: A, threshold: {value: 80 %}}]\n",
            [(6, 31, "override[0].threshold", "override-keeps-source")],
        ),
        (
            "extends: [parent.yaml]\noverride: [{id: A, parameters: {attempts: 999}}]\n",
            [(6, 43, "override[0].parameters.attempts", "out-of-range")],
        ),
        ("extends: [parent.yaml]\nonly: [A, X]\n", [(6, 11, "only[1]", "unknown-requirement")]),
        ("extends: [parent.yaml]\nonly: []\n", [(6, 7, "only", "too-few")]),
        ("extends: [parent.yaml]\nonly: [A]\nomitted: {B: x}\n", [(7, 14, "omitted.B", "unknown-requirement")]),
        ("extends: [parent.yaml]\nomitted: {B: ''}\n", [(6, 14, "omitted.B", "too-short")]),
        ("extends: [parent.yaml]\nomitted: {B: ' '}\n", [(6, 14, "omitted.B", "reason-missing")]),
        ("extends: [parent.yaml]\nrequirements:\n" + requirement("A"), [(7, 9, "requirements[0].id", "inherited-id")]),
        ("requirements:\n" + requirement("A") * 2, [(15, 9, "requirements[1].id", "duplicate-id")]),
        ("{}\n", [(5, 1, "", "yaml-no-colon")]),
        ("requirements: []\n", [(1, 1, "", "no-requirements")]),
        ("extends: [absent.yaml]\n", [(5, 11, "extends[0]", "absent-profile")]),
    ],
)
def test_mistakes_of_derived_profiles_are_told_in_their_place(
    tmp_path: Path, parent: Path, body: str, expected: list[tuple[int, int, str, str]]
) -> None:
    assert told(tmp_path, body) == expected


def test_a_longer_cycle_is_told_with_its_way(tmp_path: Path) -> None:
    write(tmp_path, "a", "extends: [b.yaml]\n")
    write(tmp_path, "b", "extends: [c.yaml]\n")
    write(tmp_path, "c", "extends: [b.yaml]\n")
    with pytest.raises(UserMistake) as mistake:
        load_profile(str(tmp_path / "a.yaml"))
    [it] = mistake.value.problems
    assert (it.file, it.code, it.facts["chain"]) == (str(tmp_path / "c.yaml"), "profile-cycle", "b → c → b")


def test_parents_that_disagree_are_refused(tmp_path: Path, parent: Path) -> None:
    write(tmp_path, "other", "requirements:\n" + requirement("B", "80 %"))
    assert told(tmp_path, "extends: [parent.yaml, other.yaml]\n") == [(5, 24, "extends[1]", "conflicting-parents")]


def test_mistakes_of_a_parent_are_told_with_the_childs_own_and_only_once(tmp_path: Path) -> None:
    bad = write(tmp_path, "bad", "requirements:\n" + requirement("A", "90 ms"))
    write(tmp_path, "left", "extends: [bad.yaml]\n")
    file = write(
        tmp_path,
        "child",
        "extends: [bad.yaml, left.yaml]\noverride: [{id: Z}]\nrequirements:\n" + requirement("B", "1 s"),
    )
    with pytest.raises(UserMistake) as mistake:
        load_profile(str(file))
    assert [(it.file, it.line, it.code) for it in mistake.value.problems] == [
        (str(bad), 11, "threshold-unit-unfit"),
        (str(file), 13, "threshold-unit-unfit"),
    ]


@pytest.mark.parametrize(
    ("name", "code"),
    [("qqq", "unknown-profile"), ("shanghai-617", "unknown-profile-like"), ("no/such.yaml", "cannot-read")],
)
def test_a_name_that_means_nothing_is_refused(name: str, code: str) -> None:
    with pytest.raises(UserMistake) as mistake:
        load_profile(name)
    assert [it.code for it in mistake.value.problems] == [code]


def test_a_file_without_suffix_is_found_and_a_shipped_name_goes_first(
    tmp_path: Path, parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    parent.rename("mine")
    (tmp_path / shipped()[0]).write_text("not a profile")
    assert ids(load_profile("mine")) == ["A", "B", "C"]
    assert load_profile(shipped()[0]).profile == shipped()[0]


BASE = load_profile("terminal-reachability")
WORDS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)


@given(zh=WORDS, en=WORDS, reason=WORDS, version=WORDS, limit=st.sampled_from(["90 %", "89.96 %", "1e-3 %"]))
def test_the_resolved_form_loads_again_to_an_equal_profile(
    zh: str, en: str, reason: str, version: str, limit: str
) -> None:
    first = BASE.requirements[0]
    assert first.threshold is not None
    changed = first.model_copy(
        update={
            "remedy": first.remedy.model_copy(update={"zh": zh, "en": en}),
            "threshold": first.threshold.model_copy(update={"value": limit}),
        }
    )
    made = BASE.model_copy(
        update={
            "version": version,
            "requirements": (changed, *BASE.requirements[1:]),
            "omitted": {first.id: reason} if reason.strip() else {},
        }
    )
    with NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8", newline="") as file:
        file.write(dump(made))
        file.flush()
        assert load_profile(file.name) == made


@pytest.mark.parametrize("name", shipped())
def test_shipped_profiles_survive_their_resolved_form_with_every_value_written(tmp_path: Path, name: str) -> None:
    profile = load_profile(name)
    (tmp_path / "resolved.yaml").write_text(dump(profile), encoding="utf-8")
    assert load_profile(str(tmp_path / "resolved.yaml")) == profile
    value, _ = yaml12.parse(dump(profile))
    assert set(value) == set(Profile.model_fields)
    assert all(set(it) == set(type(profile.requirements[0]).model_fields) for it in value["requirements"])


def test_the_example_in_the_documentation_is_sound(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "profiles.md").read_text("utf-8")
    (tmp_path / "example.yaml").write_text(page.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    made = load_profile(str(tmp_path / "example.yaml"))
    by_id = {it.id: it for it in made.requirements}
    assert len(made.requirements) == len(load_profile("shanghai-617-2022").requirements) + 1
    assert by_id["NET-CONN"].threshold is not None
    assert by_id["NET-RCH-P"].parameters == {"attempts": 10}
    assert list(made.omitted) == ["CMP-HPC"]


def test_a_line_of_descent_has_an_end(tmp_path: Path) -> None:
    write(tmp_path, "p0", "requirements:\n" + requirement("A"))
    for generation in range(1, 20):
        write(tmp_path, f"p{generation}", f"extends: [p{generation - 1}.yaml]\n")
    assert ids(load_profile(str(tmp_path / "p15.yaml"))) == ["A"]
    with pytest.raises(UserMistake) as mistake:
        load_profile(str(tmp_path / "p16.yaml"))
    assert [it.code for it in mistake.value.problems] == ["too-many-generations"]


def paths(value: object, at: yaml12.Path = ()) -> Iterator[yaml12.Path]:
    """Every path of a tree."""
    yield at
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, below in entries:
        yield from paths(below, (*at, step))


FILE = yaml12.parse(
    HEAD.format(name="mine", version="1")
    + "extends: [terminal-reachability]\nonly: [NET-RCH-E]\noverride: [{id: NET-RCH-E, parameters: {attempts: 2}}]\n"
    + "omitted: {NET-RCH-E: why}\nrequirements:\n"
    + requirement("A")
)[0]
ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | WORDS
    | st.sampled_from(["R4", "A", "NET-RCH-E", "90 ms"]),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(WORDS, below, max_size=3),
    max_leaves=5,
)


def refusal(name: str) -> UserMistake | None:
    try:
        load_profile(name)
    except UserMistake as mistake:
        return mistake
    return None


@given(st.data())
def test_whatever_is_changed_in_a_file_it_loads_or_is_refused_as_text(data: st.DataObject) -> None:
    tree = deepcopy(FILE)
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from([path for path in paths(tree) if path]))
        below = tree
        for step in way:
            below = below[step]
        if data.draw(st.booleans()):
            below[last] = data.draw(ANY)
        elif isinstance(below, dict):
            below[data.draw(WORDS)] = below.pop(last)
        else:
            below.append(below[last])
    with NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8", newline="") as file:
        file.write(yaml12.dump(tree))
        file.flush()
        mistake = refusal(file.name)
    if mistake is not None:
        assert all(it.file and it.line for it in mistake.problems)
        assert mistake.text("zh")
        assert mistake.text("en")
