"""What reviewers may write."""

from __future__ import annotations

from datetime import date

import pytest

from features.errors import LoadlineError
from training.review.checks import (
    MOST_NAME,
    MOST_TEXT,
    checked_due,
    checked_link,
    checked_name,
    checked_note,
    checked_reason,
    checked_text,
    is_address,
)


@pytest.mark.parametrize(
    "link",
    [
        "https://cases.example.com/1234",
        "http://10.0.0.7:8080/case?id=3&x=%20#top",
        "https://案件.example.com/七",
        "C-2024/117",
        "（2025）京0105民初123号",
        "(2025) 17",
        "7",
    ],
)
def test_addresses_and_case_numbers_are_links(link):
    assert checked_link(f"  {link} ", where="--case") == link
    assert is_address(link) == link.startswith("http")


@pytest.mark.parametrize(
    "link",
    [
        "",
        " ",
        "javascript:alert(1)",
        "javascript://example.com/%0aalert(1)",
        "data:text/html,<b>",
        "file:///etc/passwd",
        "ftp://example.com/x",
        "https://",
        "https:///path",
        "https://user:secret@example.com/",
        "https://user@example.com/",
        "https://exa mple.com/",
        'https://example.com/"onmouseover="x',
        "https://example.com/<script>",
        "https://example.com\\@evil.example",
        "https://[::1",
        "https://example.com:99999/",
        "=HYPERLINK(1)",
        "-1",
        "@me",
        "+1",
        "-",
        "C-1\nC-2",
        "x" * 65,
        "https://example.com/" + "x" * 500,
        "C-1\u202e2",
        "C\x00",
    ],
)
def test_nothing_else_is_a_link(link):
    with pytest.raises(LoadlineError):
        checked_link(link, where="--case")


@pytest.mark.parametrize(
    "name", ["", "  ", "a\nb", "a\tb", "x" * (MOST_NAME + 1), "a\x00b", "a\udc80", "a\u202eb", "a\x1b[2J"]
)
def test_a_name_is_one_line_that_can_be_read(name):
    with pytest.raises(LoadlineError) as refused:
        checked_name(name, where="--by")
    assert refused.value.where == "--by"


def test_names_of_any_script_are_names():
    assert [checked_name(name, where="--by") for name in (" 李明 ", "O'Neil", "José")] == ["李明", "O'Neil", "José"]


@pytest.mark.parametrize("text", ["x" * (MOST_TEXT + 1), "bell\x07", "\udcff", "back\u2067wards"])
def test_texts_are_short_and_can_be_read(text):
    for check in (checked_text, checked_note, checked_reason):
        with pytest.raises(LoadlineError):
            check(text, where="--text")


def test_a_text_keeps_its_lines():
    assert checked_note(" one\r\n\ttwo \n", where="--text") == "one\n\ttwo"
    with pytest.raises(LoadlineError, match="blank"):
        checked_note(" \n", where="--text")


@pytest.mark.parametrize(
    ("reason", "enough"), [("nine char", False), ("ten chars.", True), ("四个汉字", False), ("五个汉字啊", True)]
)
def test_a_reason_is_as_wide_as_it_says(reason, enough):
    if enough:
        assert checked_reason(reason, where="--reason") == reason
    else:
        with pytest.raises(LoadlineError, match="too short"):
            checked_reason(reason, where="--reason")


def test_a_day_from_today_on_is_due():
    today = date(2025, 1, 15)
    assert checked_due(today, today=today, where="--due") == today
    with pytest.raises(LoadlineError, match="from 2025-01-15 on"):
        checked_due(date(2025, 1, 14), today=today, where="--due")
