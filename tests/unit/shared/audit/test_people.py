"""Pseudonyms are stable, apart, and tell nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.audit.people import Pseudonyms
from shared.errors import DefectError

KEY = b"0123456789abcdef0123456789abcdef"


def test_a_pseudonym_is_the_same_whenever_and_however_it_is_asked() -> None:
    assert Pseudonyms(KEY).of("Octocat", "acme") == Pseudonyms(KEY).of("octocat", "acme")
    assert re.fullmatch(r"p-[0-9a-f]{16}", Pseudonyms(KEY).of("octocat", "acme"))


def test_tenant_login_and_key_each_count() -> None:
    people = Pseudonyms(KEY)
    known = {
        people.of("octocat", "acme"),
        people.of("octocat", "other"),
        people.of("hubot", "acme"),
        Pseudonyms(KEY[::-1]).of("octocat", "acme"),
        people.of("acme", "octocat"),
    }
    assert len(known) == 5


@given(st.text(max_size=5), st.text(max_size=5), st.text(max_size=5))
def test_tenant_and_login_do_not_run_together(a: str, b: str, c: str) -> None:
    people = Pseudonyms(KEY)
    same = a.casefold() == (b + a).casefold() and c + b == c
    try:
        assert (people.of(a, c + b) == people.of(b + a, c)) == same
    except DefectError:
        assert any("\ud800" <= character <= "\udfff" for character in a + b + c)


def test_the_key_never_shows() -> None:
    assert "0123" not in repr(Pseudonyms(KEY))


def test_a_short_key_is_refused() -> None:
    with pytest.raises(DefectError, match="at least 16"):
        Pseudonyms(b"short")
