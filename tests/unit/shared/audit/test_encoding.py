"""Canonical JSON against RFC 8785's own examples, and what a leaf depends on."""

from __future__ import annotations

import json
import struct
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.audit.encoding import canonical_json, detail_digest, leaf_of, written_time
from shared.domain.audit import AuditEvent, AuditTag
from shared.errors import DefectError

AT = datetime(2026, 1, 31, 8, 0, 0, 123456, tzinfo=UTC)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


def event(**changed: Any) -> AuditEvent:
    fields: dict[str, Any] = {
        "project": "p",
        "sequence": 3,
        "at": AT,
        "tag": AuditTag.PLAN_DRAWN,
        "instance": "i",
        "step": "s",
        "subject": "issue 1",
        "actor": "doneright",
        "detail_digest": detail_digest({"a": 1}),
        "artifacts": ("sha256:1",),
        "detail": {"a": 1},
    }
    return AuditEvent(**{**fields, **changed})


@pytest.mark.parametrize(
    ("bits", "text"),
    [  # RFC 8785, appendix B
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("8000000000000001", "-5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("ffefffffffffffff", "-1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("c340000000000000", "-9007199254740992"),
        ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("44b52d02c7e14af6", "1e+23"),
        ("44b52d02c7e14af7", "1.0000000000000001e+23"),
        ("444b1ae4d6e2ef4e", "999999999999999700000"),
        ("444b1ae4d6e2ef4f", "999999999999999900000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"),
        ("41b3de4355555554", "333333333.33333325"),
        ("41b3de4355555555", "333333333.3333333"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
        ("43143ff3c1cb0959", "1424953923781206.2"),
    ],
)
def test_numbers_are_written_as_the_rfc_lists_them(bits: str, text: str) -> None:
    value = struct.unpack(">d", bytes.fromhex(bits))[0]
    assert canonical_json(value) == text.encode()
    assert canonical_json(json.loads(text)) == text.encode(), "what was read back is written the same"


def test_keys_are_ordered_by_utf16_and_texts_escaped_as_the_rfc_shows() -> None:
    value = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    keys = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert list(json.loads(canonical_json(value))) == keys
    assert canonical_json('\u20ac$\u000f\nA\'B"\\\\"/\x7f') == '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/\x7f"'.encode()


def test_nothing_is_written_between() -> None:
    assert canonical_json({"b": [1, {"c": None}], "a": True, "t": (1.0,)}) == b'{"a":true,"b":[1,{"c":null}],"t":[1]}'  # type: ignore[dict-item]


@given(values)
def test_what_is_written_reads_back_and_is_written_the_same(value: Any) -> None:
    written = canonical_json(value)
    assert json.loads(written, parse_int=float) == value
    assert canonical_json(json.loads(written)) == written


@pytest.mark.parametrize(
    "value",
    [2**53 + 1, -(2**53) - 1, 2**64 + 3, 10**400, float("nan"), float("inf"), "\ud800", {"\udfff": 1}, [object()]],
)
def test_what_json_cannot_carry_is_refused(value: Any) -> None:
    with pytest.raises(DefectError):
        canonical_json(value)


@pytest.mark.parametrize("value", [2**53, 2**70, 1152921504606847000])
def test_large_integers_that_a_double_carries_are_taken(value: int) -> None:
    assert float(canonical_json(value)) == float(value)


def test_the_leaf_is_the_canonical_json_of_all_fields_but_the_detail() -> None:
    digest = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"  # sha256sum of {"a":1}
    assert (
        leaf_of(event())
        == (
            '{"actor":"doneright","artifacts":["sha256:1"],"at":"2026-01-31T08:00:00.123456Z",'
            f'"detail_digest":"{digest}","instance":"i","project":"p","sequence":3,"step":"s","subject":"issue 1",'
            '"tag":"doneright:plan:drawn"}'
        ).encode()
    )


@pytest.mark.parametrize("field", [name for name in AuditEvent.model_fields if name != "detail"])
def test_the_leaf_depends_on_every_field(field: str) -> None:
    others = {
        "sequence": 4,
        "at": AT + timedelta(microseconds=1),
        "tag": AuditTag.PLAN_ADVISED,
        "artifacts": ("sha256:2",),
    }
    changed = event(**{field: others.get(field, "other")})
    assert leaf_of(changed) != leaf_of(event())


def test_the_leaf_does_not_need_the_detail() -> None:
    assert leaf_of(event(detail=None)) == leaf_of(event())


def test_time_is_written_in_utc_whatever_its_zone() -> None:
    there = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert written_time(there) == written_time(AT) == "2026-01-31T08:00:00.123456Z"


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(DefectError, match="time zone"):
        written_time(AT.replace(tzinfo=None))
