"""A file is JSON or YAML; what YAML can do beyond JSON is refused with its line."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import RefusedError
from shared.projects.portfolio.reading import LONGEST, TooLargeError, read

YAML = "application/yaml"
TEXTS = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=20)
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


@UNHURRIED
@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_both_languages_say_the_same(value):
    assert read(json.dumps(value).encode(), "application/json") == value
    assert read(yaml.safe_dump(value, allow_unicode=True).encode(), f"{YAML}; charset=utf-8") == value


@UNHURRIED
@given(st.binary(max_size=200), st.sampled_from([YAML, "application/json", ""]))
def test_any_bytes_are_read_or_refused(content, kind):
    try:
        assert isinstance(read(content, kind), dict)
    except RefusedError as error:
        assert error.reason
        assert error.remedy


@pytest.mark.parametrize("kind", ["application/yaml", "application/x-yaml", "text/yaml", "TEXT/X-YAML ; charset=utf-8"])
def test_yaml_is_read_when_the_content_type_says_so(kind):
    assert read(b"name: Shop\nwhen: 2026-01-01\n", kind) == {"name": "Shop", "when": "2026-01-01"}


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (b"name: Shop", "application/json", "not JSON"),
        (b"[1]", "application/json", "not an object"),
        (b"[" * 100_000, "application/json", "not JSON"),
        (b"- a", YAML, "not an object"),
        (b"a: [", YAML, "line 2"),
        (b"a: 1\nb: 2\na: 3", YAML, "line 3: gives 'a' twice"),
        (b"x:\n  - name: a\n    name: b", YAML, "line 3: gives 'name' twice"),
        (b"a: &x [1]\nb: *x", YAML, "line 1: uses an anchor"),
        (b"a: !!python/object/apply:os.system [ls]", YAML, "line 1: uses the tag"),
        (b"a: !!set {b}", YAML, "line 1: uses the tag"),
        (b"\xff\xfe\x00", YAML, "not UTF-8"),
        (b"a: 1\n---\nb: 2", YAML, "line 3: begins a second document|line 2: begins a second document"),
    ],
)
def test_what_is_not_accepted_is_told_with_its_place(content, kind, words):
    with pytest.raises(RefusedError, match=words) as caught:
        read(content, kind)
    assert caught.value.remedy


def test_words_that_older_yaml_takes_for_something_else_stay_words():
    assert read(b"name: off\nday: 2026-11-21\nrate: .nan", YAML) == {"name": "off", "day": "2026-11-21", "rate": ".nan"}


def test_aliases_cannot_make_a_small_file_large():
    lines = ["a: &a [1,1,1,1,1,1,1,1,1]"] + [
        f"{b}: &{b} [*{a},*{a},*{a}]" for a, b in zip("abcdefg", "bcdefgh", strict=True)
    ]
    with pytest.raises(RefusedError, match="alias"):
        read("\n".join(lines).encode(), YAML)


def test_a_file_has_a_limit():
    with pytest.raises(TooLargeError):
        read(b" " * (LONGEST + 1), YAML)
    assert read(b'{"a": "' + b"x" * (LONGEST - 10) + b'"}', "application/json")
