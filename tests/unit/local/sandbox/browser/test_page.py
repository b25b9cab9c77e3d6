"""The page model: lists in, tuples kept, mistakes refused where the page is made."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from local.sandbox.browser import page as model
from local.sandbox.browser.page import Badge, Event, Form, KeyValues, Link, Page, Table, Text, Time, Tone, instant


def test_lists_are_kept_as_tuples_so_that_a_page_cannot_change() -> None:
    rows = [["a", [Badge("x"), "y"]]]
    table = Table(["one", "two"], rows)
    rows.append(["b", "c"])
    assert table.rows == (("a", (Badge("x"), "y")),)
    with pytest.raises(AttributeError):
        table.title = "changed"  # type: ignore[misc]


def test_ragged_rows_are_refused_with_their_number() -> None:
    with pytest.raises(ValidationError, match="row 1 has 1 cells for 2 columns"):
        Table(["one", "two"], [["a", "b"], ["c"]])


@pytest.mark.parametrize("numeric", [[2], [-1]])
def test_a_numeric_column_must_exist(numeric: list[int]) -> None:
    with pytest.raises(ValidationError, match="numeric"):
        Table(["one", "two"], [], numeric=numeric)


@pytest.mark.parametrize("action", ["https://example.org/", "//example.org", "javascript:x", "issues", ""])
def test_forms_post_to_this_simulator_only(action: str) -> None:
    with pytest.raises(ValidationError, match="path of this simulator"):
        Form(action, [Text("a", "A")], "Send")


def test_one_text_is_not_a_sequence_of_letters() -> None:
    with pytest.raises(ValidationError):
        Table("ab", [])
    with pytest.raises(ValidationError):
        Page("x", blocks="text")  # type: ignore[arg-type]


def test_times_need_a_zone() -> None:
    with pytest.raises(ValidationError):
        Time(datetime(2026, 1, 2))  # noqa: DTZ001 - the mistake under test
    with pytest.raises(ValidationError):
        Event("ada", "left", datetime(2026, 1, 2))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.1234567Z", datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)),
        ("2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05+02:00", datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2)))),
    ],
)
def test_instant_reads_what_forges_write(text: str, expected: datetime) -> None:
    assert instant(text) == expected


def test_instant_refuses_what_is_no_date() -> None:
    with pytest.raises(ValueError, match="yesterday"):
        instant("yesterday")


def test_cells_keep_their_types() -> None:
    block = KeyValues([("a", 3), ("b", 1.5), ("c", None), ("d", Link("x", "/")), ("e", [])])
    assert [type(value).__name__ for _, value in block.items] == ["int", "float", "NoneType", "Link", "tuple"]


def test_every_exported_name_exists() -> None:
    assert [name for name in model.__all__ if not hasattr(model, name)] == []
    assert Tone("done") is Tone.DONE
