"""Keys are reversible, never collide, and hold nothing that storage or the durable engine refuses."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.keys import LONGEST_KEY, UnusableKeyError, bounded, decode_key, encode_key

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@given(TEXT)
def test_decoding_gives_back_the_name(name):
    assert decode_key(encode_key(name)) == name


@given(TEXT, TEXT)
def test_different_names_have_different_keys(one, other):
    assert (encode_key(one) == encode_key(other)) == (one == other)


@given(TEXT)
def test_keys_hold_only_what_every_store_takes(name):
    assert re.fullmatch(r"[A-Za-z0-9._=-]+", encode_key(name))


@pytest.mark.parametrize(
    ("name", "key"),
    [("a/b", "a=2Fb"), ("a=2Fb", "a=3D2Fb"), ("@x", "=40x"), ("größe", "gr=C3=B6=C3=9Fe"), ("a.b-c_d", "a.b-c_d")],
)
def test_known_keys(name, key):
    assert encode_key(name) == key


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "empty"),
        ("x" * (LONGEST_KEY + 1), "513 characters"),
        ("漢" * 60, "540 characters"),
        ("a\ud800", r"U\+D800"),
    ],
)
def test_unusable_names_are_refused_with_the_reason(name, problem):
    with pytest.raises(UnusableKeyError, match=problem):
        encode_key(name)


def test_a_key_of_exactly_the_limit_fits():
    assert len(encode_key("x" * LONGEST_KEY)) == LONGEST_KEY


@given(st.text(max_size=300))
def test_bounded_names_always_have_a_key(name):
    assert len(encode_key(bounded(name))) <= LONGEST_KEY


def test_bounded_leaves_usable_names_alone_and_tells_long_ones_apart():
    assert bounded("a/b") == "a/b"
    assert bounded("x" * 600) != bounded("x" * 601)
    assert bounded("x" * 600).startswith("sha256-")
