"""Characters counted as Word counts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.forms.counting import count
from reports.forms.counting import total


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("", 0, 0),
        ("   \t\n\u3000", 0, 0),
        ("工厂", 2, 2),
        ("你好，世界。", 6, 6),
        ("hello world", 2, 2),
        ("5G网络", 3, 3),
        ("5G 网络", 3, 3),
        ("99.5%", 1, 1),
        ("99.5 %", 2, 2),
        ("共 10,000 个", 3, 3),
        ("TSN-FLOW-LAT", 1, 1),
        ("a b  c", 3, 3),
        ("中a文b", 4, 4),
        ("（Word 格式）", 5, 5),
        ("２０２５年", 5, 5),  # full-width digits are East Asian characters
        ("“工厂”", 4, 4),  # a quotation mark alone is a run by the other reading
        ("工“厂", 3, 3),
        ("a—b", 1, 3),
        ("时延 ≤ 10 ms", 5, 5),
        ("ｱｲｳ", 3, 3),
        ("αβγ", 1, 1),
        ("가나", 2, 2),
        ("𠮷野", 2, 2),
        ("e\u0301t\u00e9", 1, 1),
        ("网\u200b络", 2, 2),
        ("3584×2240", 1, 3),
    ],
)
def test_vectors(text: str, low: int, high: int) -> None:
    assert count(text) == (low, high)


def test_a_run_ends_with_its_paragraph() -> None:
    assert total(["ab", "cd"]).high == 2


@given(st.text())
def test_the_low_end_is_never_above_the_high_end_and_neither_above_the_length(text: str) -> None:
    low, high = count(text)
    assert 0 <= low <= high <= len(text)


@given(st.text(), st.text())
def test_texts_with_a_space_between_count_as_both(one: str, other: str) -> None:
    assert count(f"{one} {other}") == count(one).plus(count(other))


@given(st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)))
def test_chinese_characters_count_one_each(text: str) -> None:
    assert count(text) == (len(text), len(text))
