"""Lines that people wrote are counted, and nothing else."""

from __future__ import annotations

import pytest

from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, asked, evidence, file, judged

GATE = "change_is_small"


def lines(count: int) -> str:
    return "".join(f"line {number}\n" for number in range(count))


def test_a_few_lines_are_small():
    found = judged(GATE, evidence(file("src/a.py", None, lines(40)), file("src/b.py", lines(10), None)), asked(GATE))
    assert found.outcome is Outcome.MET
    assert found.measured == {"changed_lines": 50, "files": 2}


def test_many_lines_are_not_and_the_largest_files_are_named_first():
    files = [file(f"src/{count}.py", None, lines(count)) for count in (10, 600, 90, 1, 2, 3)]
    found = judged(GATE, evidence(*files), asked(GATE))
    assert found.outcome is Outcome.UNMET
    assert "706" in found.reason
    assert [one.path for one in found.remarks] == ["src/600.py", "src/90.py", "src/10.py", "src/3.py", "src/2.py"]


@pytest.mark.parametrize(("count", "outcome"), [(500, Outcome.MET), (501, Outcome.UNMET)])
def test_the_limit_itself_is_small_enough(count, outcome):
    assert judged(GATE, evidence(file("a.py", None, lines(count))), asked(GATE)).outcome is outcome


def test_a_policy_may_ask_for_less():
    seen = evidence(file("a.py", None, lines(11)))
    assert judged(GATE, seen, asked(GATE, changed_lines=10)).outcome is Outcome.UNMET
    assert judged(GATE, seen, asked(GATE, changed_lines=11)).outcome is Outcome.MET


@pytest.mark.parametrize(
    "path",
    ["package-lock.json", "web/yarn.lock", "uv.lock", "static/app.min.js", "vendor/x/y.go", "a/__snapshots__/b.snap"],
)
def test_what_programs_write_does_not_count(path):
    found = judged(GATE, evidence(file(path, None, lines(5_000)), file("a.py", None, "x\n")), asked(GATE))
    assert found.outcome is Outcome.MET
    assert found.measured["changed_lines"] == 1


def test_binary_files_and_no_files_are_small():
    image = file("logo.png", binary=True, patch=None, additions=0)
    assert judged(GATE, evidence(image), asked(GATE)).outcome is Outcome.MET
    assert judged(GATE, evidence(), asked(GATE)).outcome is Outcome.MET


def test_unknown_files_are_not_small():
    found = judged(GATE, evidence(files=UNKNOWN), asked(GATE))
    assert found.outcome is Outcome.NOT_AVAILABLE
    assert UNKNOWN.reason in found.reason
