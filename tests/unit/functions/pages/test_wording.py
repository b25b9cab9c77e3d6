"""Words and addresses: durations as people say them, links to http(s) alone, no text that hides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.pages.wording import duration, instant, iso, lines, plain, rules_in_words, shell_quoted, web_address
from shared.domain.forge import BranchRules


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "\u2013"), (-1.0, "0.0 s"), (0.04, "0.0 s"), (3.21, "3.2 s"), (9.94, "9.9 s"), (9.96, "10 s"), (5, "5 s"),
        (59.4, "59 s"), (59.6, "1 min 00 s"), (185.0, "3 min 05 s"), (3599.6, "1 h 00 min"), (7500.0, "2 h 05 min"),
        (200_000.0, "2 d 7 h"),
    ],
)  # fmt: skip
def test_duration(seconds: float | None, said: str) -> None:
    assert duration(seconds) == said


def test_moments_are_told_in_utc() -> None:
    there = datetime(2026, 3, 2, 1, 0, 5, tzinfo=timezone(timedelta(hours=2)))
    assert instant(there) == "2026-03-01 23:00:05 UTC"
    assert iso(there) == "2026-03-01T23:00:05.000Z"
    assert iso(there.astimezone(UTC).replace(tzinfo=None)) == iso(there)


@pytest.mark.parametrize("address", ["https://github.com/a/b?c=d#e", "http://127.0.0.1:7081/x", "HTTPS://a.example/"])
def test_web_addresses_are_linked(address: str) -> None:
    assert web_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "", "javascript:alert(1)", "JaVaScRiPt:alert(1)", " https://a.example", "java\nscript:alert(1)", "data:text/html,x",
        "//evil.example/x", "/relative", "https://", "https:///x", "http://[::1", "http://a:99999/", "https:\\\\a.example",
        "vbscript:x", "\x00https://a.example",
    ],
)  # fmt: skip
def test_other_addresses_are_not(address: str) -> None:
    assert web_address(address) == ""


@given(st.text())
def test_a_linked_address_is_always_http(text: str) -> None:
    assert web_address(text) in {"", text}
    assert not web_address(text) or text.lower().startswith(("http://", "https://"))


@given(st.text(max_size=200), st.integers(2, 30), st.integers(1, 3))
def test_lines_fit(text: str, width: int, most: int) -> None:
    found = lines(text, width, most)
    assert len(found) <= most
    assert all("\0" not in line for line in found)
    if text.isascii():
        assert all(len(line) <= width for line in found)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60))
def test_a_long_word_loses_nothing(word: str) -> None:
    assert "".join(lines(word, 10, 6)) == word


def test_lines() -> None:
    assert lines("Repository contoso/payments-gateway") == ["Repository", "contoso/payments-gateway"]
    assert lines("a b") == ["a b"]
    assert lines("one two three four", 5, 2) == ["one", "two…"]
    assert lines("日本語の名前", 6, 2) == ["日本語", "の名前"]
    assert lines("") == []


def test_plain_shows_what_hides() -> None:
    assert plain("abc\u202ecod.exe\x07") == "abc\ufffdcod.exe\ufffd"
    assert plain("né\tà\n") == "né\tà\n"


def test_shell_quoted() -> None:
    assert shell_quoted("a'b; rm -rf $HOME") == "'a'\\''b; rm -rf $HOME'"


def test_rules_say_what_is_demanded_and_what_is_open() -> None:
    strict = rules_in_words(BranchRules(minimum_reviewers=2, require_linked_work_items=True))
    assert "2 approvals before a merge" in strict
    assert "a work item must be linked" in strict
    assert "a build must be green" in strict
    assert "administrators are bound too" in strict
    loose = rules_in_words(
        BranchRules(
            author_may_approve=True, reset_approvals_on_push=False, require_resolved_comments=False,
            allowed_merges=frozenset(), allow_force_push=True, allow_deletion=True, enforce_for_administrators=False,
            require_build=False,
        )
    )  # fmt: skip
    assert loose == [
        "1 approval before a merge; authors may approve their own", "merges allowed: none", "force pushes allowed",
        "deletion allowed", "administrators may bypass",
    ]  # fmt: skip
