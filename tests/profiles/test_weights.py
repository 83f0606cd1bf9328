"""Weights files: what is taken, exactly, and what is refused, with its place."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from profiles.loader import load_profile
from profiles.loader import shipped
from profiles.problem import UserMistake
from profiles.weights import load_weights
from profiles.weights import weights_of

HEAD = "format: plantproof-weights/1\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "weights.yaml"
    path.write_text(text, "utf-8")
    return path


def test_numbers_are_taken_as_they_are_written(tmp_path: Path) -> None:
    file = written(
        tmp_path, f"{HEAD}set_by: 评审组\nweights: {{A: 0.1, B: 0.2, C: 3, D: 0, E: null}}\npillars: {{tsn: 1.25}}\n"
    )
    weights = load_weights(file)
    assert weights.items == {"A": Fraction(1, 10), "B": Fraction(1, 5), "C": Fraction(3), "D": Fraction(0)}
    assert weights.pillars == {"tsn": Fraction(5, 4)}
    assert weights.set_by == "评审组"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("format: plantproof-weights/2\nweights: {A: 1}\n", 1, "plantproof-weights/1"),
        ("weights: {A: 1}\n", 1, "format"),
        (f"{HEAD}weights: {{}}\n", 2, ""),
        (f"{HEAD}weights:\n  A: -1\n", 3, "-1"),
        (f"{HEAD}weights:\n  A: yes\n", 3, "yes"),
        (f"{HEAD}weights:\n  A: true\n", 3, "true"),
        (f'{HEAD}weights:\n  A: "1"\n', 3, "1"),
        (f"{HEAD}weights:\n  A: .inf\n", 3, ""),
        (f"{HEAD}weights:\n  A: 1\n  A: 2\n", 4, "A"),
        (f"{HEAD}weights: {{A: 1}}\npillars:\n  networks: 1\n", 4, "networks"),
        (f"{HEAD}weights: {{A: 1}}\nweighed: {{}}\n", 3, "weighed"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(UserMistake) as caught:
        load_weights(written(tmp_path, text))
    assert any(problem.line == line and said in problem.text("en") for problem in caught.value.problems)


def test_what_nobody_asked_for_cannot_be_weighed(tmp_path: Path) -> None:
    weights = load_weights(written(tmp_path, f"{HEAD}weights:\n  NET-RCH-E: 1\n  NET-RCH-F: 2\n"))
    weights.check_names(["NET-RCH-E", "NET-RCH-F"])
    with pytest.raises(UserMistake, match=r"weights\.yaml:4:3 .*NET-RCH-F.*Did you mean NET-RCH-E") as caught:
        weights.check_names(["NET-RCH-E", "OTHER"])
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("name", shipped())
def test_no_shipped_profile_sets_a_weight_because_no_source_states_one(name: str) -> None:
    assert not weights_of([load_profile(name)]).items


def test_a_profile_may_set_weights_and_no_negative_ones() -> None:
    profile = load_profile("terminal-reachability")
    first, *rest = profile.requirements
    weighed = profile.model_copy(update={"requirements": (first.model_copy(update={"weight": 0.3}), *rest)})
    assert weights_of([weighed]).items == {first.id: Fraction(3, 10)}
    wrong = profile.model_copy(update={"requirements": (first.model_copy(update={"weight": -0.3}), *rest)})
    with pytest.raises(UserMistake, match=first.id):
        weights_of([wrong])
