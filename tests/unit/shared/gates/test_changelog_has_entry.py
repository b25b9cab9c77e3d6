"""The change stands in the changelog: under Unreleased, under a version it brings, or in a fragment."""

from __future__ import annotations

import pytest

from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, a_change, asked, asked_for, evidence, file, judged

GATE = "changelog_has_entry"
CODE = file("src/a.py", None, "a = 1\n")
LOG = """# Changelog

## [Unreleased]

### Added

## [1.2.0] - 2026-01-02

### Fixed

- Orders are counted once.

[Unreleased]: https://example.test
"""
ENTRY = "- Orders can be exported as CSV.\n"


def log(after: str, before: str | None = LOG, path: str = "CHANGELOG.md", **rest: object) -> object:
    return file(path, before, after, **rest)


def added(entry: str, at: str = "### Added\n") -> str:
    return LOG.replace(at, at + "\n" + entry, 1)


@pytest.mark.parametrize(
    "path", ["CHANGELOG.md", "changelog.md", "packages/a/CHANGELOG.md", "CHANGES.rst", "HISTORY.md"]
)
def test_a_line_under_unreleased_holds(path: str) -> None:
    found = judged(GATE, evidence(CODE, log(added(ENTRY), path=path)), asked(GATE))
    assert found.outcome is Outcome.MET
    assert "exported as CSV" in found.reason


@pytest.mark.parametrize(
    "after",
    [
        added("- \n"),
        added("- TBD\n"),
        added("- x\n"),
        added("[1]: https://example.test/orders/export\n"),
        added("<!-- Orders can be exported. -->\n"),
        LOG.replace("### Added", "### Added and changed"),
        LOG.replace("- Orders are counted once.\n", ""),
    ],
)
def test_a_line_that_says_nothing_is_no_entry(after: str) -> None:
    found = judged(GATE, evidence(CODE, log(after)), asked(GATE))
    assert (found.outcome, found.measured) == (Outcome.UNMET, {"entries": 0})


@pytest.mark.parametrize("heading", ["## Unreleased", "## 0.1.0 - unreleased", "## [Next]", "## Upcoming"])
def test_what_is_unreleased_may_be_headed_in_many_ways(heading: str) -> None:
    before = LOG.replace("## [Unreleased]", heading)
    after = before.replace("### Added\n", f"### Added\n\n{ENTRY}")
    assert judged(GATE, evidence(CODE, log(after, before)), asked(GATE)).outcome is Outcome.MET


def test_an_entry_that_begins_with_a_bracket_is_one() -> None:
    assert (
        judged(GATE, evidence(CODE, log(added("- [API] Orders are exported.\n"))), asked(GATE)).outcome is Outcome.MET
    )


def test_a_change_without_a_changelog_is_unmet() -> None:
    assert judged(GATE, evidence(CODE), asked(GATE)).outcome is Outcome.UNMET


def test_a_line_under_a_version_that_is_out_is_told() -> None:
    found = judged(GATE, evidence(CODE, log(added(ENTRY, "### Fixed\n"))), asked(GATE))
    assert found.outcome is Outcome.UNMET
    assert (found.remarks[0].path, found.remarks[0].line) == ("CHANGELOG.md", 11)
    assert "1.2.0" in found.reason


def test_a_line_under_a_version_that_the_change_brings_holds() -> None:
    after = LOG.replace("## [1.2.0]", f"## [1.3.0] - 2026-03-02\n\n{ENTRY}\n## [1.2.0]")
    assert judged(GATE, evidence(CODE, log(after)), asked(GATE)).outcome is Outcome.MET


@pytest.mark.parametrize(
    ("path", "text", "outcome"),
    [
        ("changelog.d/12.added.md", "Orders can be exported.\n", Outcome.MET),
        (".changeset/brave-cats.md", "---\na: minor\n---\nOrders can be exported.\n", Outcome.MET),
        ("newsfragments/12.feature", "Orders can be exported.\n", Outcome.MET),
        ("changelog.d/README.md", "How to write one.\n", Outcome.UNMET),
        ("changelog.d/12.added.md", "\n", Outcome.UNMET),
        ("docs/12.added.md", "Orders can be exported.\n", Outcome.UNMET),
    ],
)
def test_a_fragment_counts_as_well(path: str, text: str, outcome: Outcome) -> None:
    assert judged(GATE, evidence(CODE, file(path, None, text)), asked(GATE)).outcome is outcome


@pytest.mark.parametrize("path", ["docs/a.md", "tests/test_a.py", ".github/workflows/a.yml"])
def test_users_do_not_see_documentation_tests_and_workflows(path: str) -> None:
    assert judged(GATE, evidence(file(path, None, "a\n")), asked(GATE)).outcome is Outcome.NOT_APPLICABLE


def test_a_changelog_that_could_not_be_had_leaves_it_open() -> None:
    lost = log(added(ENTRY), content=None, patch=None)
    assert judged(GATE, evidence(CODE, lost), asked(GATE)).outcome is Outcome.NOT_AVAILABLE


def test_a_removed_changelog_gains_nothing() -> None:
    assert judged(GATE, evidence(CODE, file("CHANGELOG.md", LOG, None)), asked(GATE)).outcome is Outcome.UNMET


@pytest.mark.parametrize("criterion", [GATE, "changelog_lists_the_release"])
def test_files_that_are_not_known_leave_it_open(criterion: str) -> None:
    seen = evidence().model_copy(update={"files": UNKNOWN})
    assert judged(GATE, seen, asked(criterion)).outcome is Outcome.NOT_AVAILABLE


@pytest.mark.parametrize(
    ("sections", "outcome"),
    [(("added",), Outcome.MET), (("unreleased", "added"), Outcome.MET), (("security",), Outcome.UNMET)],
)
def test_topics_may_be_asked_for(sections: tuple[str, ...], outcome: Outcome) -> None:
    assert judged(GATE, evidence(CODE, log(added(ENTRY))), asked_for(sections=sections)).outcome is outcome


class TestRelease:
    ASKED = asked("changelog_lists_the_release")
    RELEASED = LOG.replace("## [Unreleased]\n\n### Added\n", f"## [Unreleased]\n\n## [1.3.0] - 2026-03-02\n\n{ENTRY}")

    def test_a_section_with_version_and_date_holds(self) -> None:
        found = judged(GATE, evidence(log(self.RELEASED)), self.ASKED)
        assert found.outcome is Outcome.MET
        assert "1.3.0" in found.reason

    def test_a_section_without_a_date_is_told(self) -> None:
        found = judged(GATE, evidence(log(self.RELEASED.replace(" - 2026-03-02", ""))), self.ASKED)
        assert found.outcome is Outcome.UNMET
        assert found.remarks[0].line == 5

    def test_lines_left_under_unreleased_are_told(self) -> None:
        left = self.RELEASED.replace("## [Unreleased]\n", f"## [Unreleased]\n\n{ENTRY}")
        assert judged(GATE, evidence(log(left)), self.ASKED).outcome is Outcome.UNMET

    @pytest.mark.parametrize("change", [{"title": "Release 1.3.0"}, {"source": "release/1.3.0"}, {"title": "v1.3.0"}])
    def test_a_release_without_a_section_is_unmet(self, change: dict) -> None:
        seen = evidence(CODE, change=a_change(**change))
        assert judged(GATE, seen, self.ASKED).outcome is Outcome.UNMET

    def test_a_change_that_makes_no_release_is_not_asked(self) -> None:
        assert judged(GATE, evidence(CODE, log(added(ENTRY))), self.ASKED).outcome is Outcome.NOT_APPLICABLE

    def test_a_changelog_that_could_not_be_had_leaves_it_open(self) -> None:
        lost = log(self.RELEASED, patch=None)
        assert judged(GATE, evidence(lost), self.ASKED).outcome is Outcome.NOT_AVAILABLE
