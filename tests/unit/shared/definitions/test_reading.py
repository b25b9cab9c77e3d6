"""Text that anyone may have written ends in plain values with lines, or in one clear refusal; never in anything else."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shared.definitions.reading import Limits, UnreadableError, read

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.text(st.characters(categories=["L", "N", "P", "S"]) | st.sampled_from(" \n\t"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=4), inner, max_size=3)
    ),
    max_leaves=10,
)


def refused(content: bytes | str, limits: Limits = Limits()) -> tuple[int, str]:  # noqa: B008 - immutable
    with pytest.raises(UnreadableError) as error:
        read(content, limits)
    assert error.value.remedy
    return error.value.fault.line, error.value.fault.problem


@given(plain)
def test_whatever_json_says_is_read_as_json_says_it(value: object) -> None:
    assert read(json.dumps(value, ensure_ascii=False)).value == value


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes | str) -> None:
    try:
        read(content)
    except UnreadableError as error:
        assert error.fault.line >= 1


def with_text_keys(value: object) -> object:
    """YAML takes any key; this reader takes text, and reads no key as the empty text."""
    if isinstance(value, dict):
        return {"" if key is None else key: with_text_keys(one) for key, one in value.items()}
    return [with_text_keys(one) for one in value] if isinstance(value, list) else value


@given(st.text(st.sampled_from("ab:-{}[],&*!|>'\"#? \n%@"), max_size=60))
def test_any_markup_is_read_or_refused(content: str) -> None:
    try:
        document = read(content)
    except UnreadableError:
        return
    # Nothing here is a word that YAML 1.1 takes for a value, so both readers agree.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    assert document.value == with_text_keys(yaml.load(content, Loader=loader))  # noqa: S506 - a safe loader


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("off", "off"),
        ("on", "on"),
        ("yes", "yes"),
        ("12:30:45", "12:30:45"),
        ("2026-01-31", "2026-01-31"),
        ("0o17", "0o17"),
        ("'1'", "1"),
        ("85", 85),
        ("-3", -3),
        ("0.1", 0.1),
        ("1e3", 1000.0),
        (".5", 0.5),
        (".inf", ".inf"),
        ("9" * 30, "9" * 30),
        ("~", None),
        ("", None),
        ("# nothing", None),
        ("True", True),
        ("false", False),
    ],
)
def test_scalars_are_read_by_the_core_schema(text: str, value: object) -> None:
    found = read(text).value
    assert (found, type(found)) == (value, type(value))


def test_every_value_has_its_line() -> None:
    document = read("a: 1\nb:\n  - x\n  - c: 2\n")
    assert document.value == {"a": 1, "b": ["x", {"c": 2}]}
    assert document.line(("a",)) == 1
    assert document.line(("b",)) == 2
    assert document.line(("b", 0)) == 3
    assert document.line(("b", 1, "c")) == 4
    assert document.line(("b", 1, "missing", "deeper")) == 4
    assert document.line(("nowhere",)) == 1


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: 1\nb: &x 2\n", 2, "anchor"),
        ("a: 1\nb: *x\n", 2, "alias"),
        ("a: !!python/object/apply:os.system ['true']", 1, "tag"),
        ("a: !!str 1", 1, "tag"),
        ("a: ! 1", 1, "tag"),
        ("a: 1\n<<: {b: 2}", 2, "merges"),
        ("a: 1\nb: 2\na: 3", 3, "'a' twice"),
        ("---\na: 1\n---\nb: 2", 3, "second document"),
        ("? [a]\n: 1", 1, "no word"),
        ("a: [1,\nb\n", 3, "not YAML"),
        ("a: 1\n\tb: 2", 2, "not YAML"),
        ("a: \x00", 1, "character"),
        ("a: 1\nb: \x07", 2, "character"),
    ],
)
def test_what_goes_beyond_is_refused_with_its_line(text: str, line: int, problem: str) -> None:
    told = refused(text)
    assert told[0] == line
    assert problem in told[1]


def test_an_alias_bomb_is_refused_at_its_first_anchor() -> None:
    bomb = 'a: &a ["x","x"]\n' + "".join(
        f"{n}: &{n} [*{p},*{p},*{p}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert refused(bomb)[0] == 1


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_depth_is_bounded_without_recursion(opening: str) -> None:
    line, problem = refused(opening * 9000, Limits(depth=8))
    assert (line, "deeper than 8" in problem) == (1, True)


def test_size_and_number_are_bounded() -> None:
    assert "65537 bytes" in refused("#" * 65537)[1]
    assert read("#" * 65536).value is None
    assert "more than 5000 values" in refused("[" + "1," * 5001 + "]")[1]


def test_other_encodings_are_refused_and_a_byte_order_mark_is_not() -> None:
    assert "UTF-8" in refused("a: 1".encode("utf-16"))[1]
    assert "UTF-8" in refused("\ud800")[1]
    assert read(b"\xef\xbb\xbfa: 1").value == {"a": 1}
