"""A change that breaks its users comes with a guide that moves them over."""

from __future__ import annotations

import pytest

from shared.domain.definition import ChangeKind
from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, a_change, commit, evidence, file, judged

GATE = "breaking_change_has_migration_guide"
CODE = file("src/a.py", "def export(): ...\n", "def write(): ...\n")
GUIDE = "Call `write` where you called `export`; it takes no arguments.\n"
BREAKING = {"kinds": (ChangeKind.BREAKING,)}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("docs/migration.md", GUIDE),
        ("docs/how-to/upgrade-to-2.md", GUIDE),
        ("UPGRADING.md", GUIDE),
        ("CHANGELOG.md", f"# Changelog\n\n## Unreleased\n\n### Migrating to 2\n\n{GUIDE}"),
        ("docs/migrations/2.md", GUIDE),
    ],
)
def test_a_guide_holds(path: str, text: str) -> None:
    found = judged(GATE, evidence(CODE, file(path, None, text), **BREAKING))
    assert found.outcome is Outcome.MET
    assert path in found.reason


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("docs/migration.md", "# Migrating\n\nTBD\n"),
        ("docs/migration.md", "To do.\n"),
        ("docs/a.md", GUIDE),
        ("CHANGELOG.md", f"## Unreleased\n\n- {GUIDE}"),
        ("CHANGELOG.md", f"## Migrating\n\n## Unreleased\n\n- {GUIDE}"),
        ("src/migration.py", "# " + GUIDE),
    ],
)
def test_what_does_not_say_how_to_move_is_no_guide(path: str, text: str) -> None:
    found = judged(GATE, evidence(CODE, file(path, None, text), **BREAKING))
    assert found.outcome is Outcome.UNMET


def test_what_breaks_is_told() -> None:
    found = judged(GATE, evidence(CODE, **BREAKING))
    (remark,) = found.remarks
    assert remark.message.startswith("export is gone")
    assert remark.path == "src/a.py"


def test_lines_that_were_there_before_are_no_guide_of_this_change() -> None:
    seen = evidence(CODE, file("docs/migration.md", GUIDE, GUIDE + "\n"), **BREAKING)
    assert judged(GATE, seen).outcome is Outcome.UNMET


@pytest.mark.parametrize(
    "rest",
    [
        {"commits": (commit("feat!: write in place of export"),)},
        {"commits": (commit("feat: write\n\nBREAKING CHANGE: export is gone"),)},
        {"change": a_change(title="feat!: write in place of export")},
        {"kinds": UNKNOWN, "commits": (commit("feat!: write"),)},
    ],
)
def test_a_commit_or_title_may_say_that_it_breaks(rest: dict) -> None:
    assert judged(GATE, evidence(CODE, **rest)).outcome is Outcome.UNMET


def test_a_change_that_breaks_nobody_is_not_asked() -> None:
    seen = evidence(CODE, kinds=(ChangeKind.FEATURE,), commits=(commit("feat: write"),))
    assert judged(GATE, seen).outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    "rest",
    [
        {"kinds": UNKNOWN},
        {"files": UNKNOWN, **BREAKING},
        {"files": (CODE, file("docs/migration.md", "a\n", GUIDE, patch=None)), **BREAKING},
    ],
)
def test_what_is_not_known_leaves_it_open(rest: dict) -> None:
    assert judged(GATE, evidence(CODE).model_copy(update=rest)).outcome is Outcome.NOT_AVAILABLE


def test_a_removed_guide_is_none() -> None:
    assert judged(GATE, evidence(CODE, file("docs/migration.md", GUIDE, None), **BREAKING)).outcome is Outcome.UNMET


def test_code_that_does_not_parse_is_told_nothing_of() -> None:
    found = judged(GATE, evidence(file("src/a.py", "def a(:\n", "a\n"), **BREAKING))
    assert (found.outcome, found.remarks) == (Outcome.UNMET, ())
