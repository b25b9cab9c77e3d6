"""Which lines were run is kept beside how many, and only where a report numbers them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.evidence.covered import numbers_in, ranges
from shared.evidence.reading import read


@given(st.sets(st.integers(min_value=1, max_value=400)))
def test_numbers_come_back_from_their_text(numbers: set[int]) -> None:
    assert numbers_in(ranges(sorted(numbers))) == numbers


@pytest.mark.parametrize(
    ("numbers", "text"), [([], ""), ([7], "7"), ([1, 2, 3, 9], "1-3,9"), ([1, 3, 5, 6], "1,3,5-6")]
)
def test_numbers_in_a_row_are_told_together(numbers: list[int], text: str) -> None:
    assert ranges(numbers) == text


def test_cobertura_tells_the_lines_of_each_file() -> None:
    report = read(
        b'<?xml version="1.0" ?><coverage line-rate="0.5"><packages><package><classes>'
        b'<class filename="src/a.py"><lines><line number="1" hits="1"/><line number="2" hits="0"/></lines></class>'
        b'<class filename="src/a.py"><lines><line number="2" hits="3"/><line number="5" hits="0"/></lines></class>'
        b"</classes></package></packages></coverage>"
    )
    assert report.coverage is not None
    (file,) = report.coverage.files
    assert (file.hit, file.missed) == ("1-2", "5")


def test_lcov_tells_the_lines_of_each_file() -> None:
    report = read(b"SF:src/a.ts\nDA:1,4\nDA:2,0\nend_of_record\n")
    assert report.coverage is not None
    assert (report.coverage.files[0].hit, report.coverage.files[0].missed) == ("1", "2")


def test_sums_without_numbers_name_no_line() -> None:
    report = read(b"SF:src/a.ts\nLF:10\nLH:7\nend_of_record\n")
    assert report.coverage is not None
    (file,) = report.coverage.files
    assert (file.lines_valid, file.lines_covered, file.hit, file.missed) == (10, 7, None, None)


def test_sums_beside_numbers_of_the_same_file_make_its_numbers_unsure() -> None:
    report = read(b"SF:src/a.ts\nDA:1,4\nend_of_record\nSF:src/a.ts\nLF:3\nLH:2\nend_of_record\n")
    assert report.coverage is not None
    assert report.coverage.files[0].hit is None


@pytest.mark.parametrize(
    ("invocations", "incomplete"),
    [
        ([{"executionSuccessful": False}], "Scanner says that its run did not succeed"),
        ([{"executionSuccessful": True}], ""),
        (None, ""),
    ],
)
def test_a_sarif_run_that_broke_off_is_told(invocations: list[dict[str, bool]] | None, incomplete: str) -> None:
    run: dict[str, object] = {"tool": {"driver": {"name": "Scanner"}}, "results": []}
    if invocations is not None:
        run["invocations"] = invocations
    assert read(json.dumps({"version": "2.1.0", "runs": [run]}).encode()).incomplete == incomplete
