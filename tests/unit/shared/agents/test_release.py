from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.agents._semver import Bump, Version
from shared.agents.release import analyse, bump_of, changelog_lines, with_entries
from shared.domain.definition import ChangeKind
from shared.domain.review import Opinion, OpinionKind
from shared.evidence.changes.conventional import ConventionalCommit, conventional
from tests.fakes.changes import UNKNOWN, a_change, commit, evidence, file, item

CHANGELOG = (
    "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- Imports.\n\n## [1.4.2] - 2026-01-01\n\n### Fixed\n\n- Old.\n"
)


def read(*messages: str) -> tuple[ConventionalCommit, ...]:
    found = tuple(one for message in messages if (one := conventional(message)))
    assert len(found) == len(messages)
    return found


def of(opinions: tuple[Opinion, ...], kind: OpinionKind) -> list[Opinion]:
    return [one for one in opinions if one.kind is kind]


@pytest.mark.parametrize(
    ("messages", "bump"),
    [
        ((), Bump.NONE),
        (("docs: a", "chore: b", "test: c"), Bump.NONE),
        (("docs: a", "fix: b"), Bump.PATCH),
        (("perf: b",), Bump.PATCH),
        (("fix: b", "feat: c"), Bump.MINOR),
        (("feat: c", "chore!: d"), Bump.MAJOR),
        (("docs: a\n\nBREAKING CHANGE: b",), Bump.MAJOR),
    ],
)
def test_the_largest_bump_wins(messages, bump):
    assert bump_of(read(*messages)) is bump


@pytest.mark.parametrize(
    ("version", "bump", "expected"),
    [
        ("1.2.3", Bump.PATCH, "1.2.4"),
        ("1.2.3", Bump.MINOR, "1.3.0"),
        ("1.2.3", Bump.MAJOR, "2.0.0"),
        ("1.2.3", Bump.NONE, "1.2.3"),
        ("0.4.1", Bump.MAJOR, "0.5.0"),
        ("0.4.1", Bump.MINOR, "0.5.0"),
        ("0.0.9", Bump.PATCH, "0.0.10"),
        ("2.0.0-rc.1", Bump.MAJOR, "2.0.0"),
        ("2.0.0-rc.1", Bump.PATCH, "2.0.0"),
        ("2.1.0-rc.1", Bump.MAJOR, "3.0.0"),
        ("2.1.3-rc.1", Bump.MINOR, "2.2.0"),
        ("v1.0.0+build.7", Bump.PATCH, "1.0.1"),
    ],
)
def test_the_next_version(version, bump, expected):
    parsed = Version.parse(version)
    assert parsed is not None
    assert str(parsed.next(bump)) == expected


@pytest.mark.parametrize(
    "text", ["", "1", "1.2", "1.2.3.4", "01.2.3", "1.2.3-", "1.2.3-01", "1.2.x", "one", "1.2.3\n4", "\u0661.2.3"]
)
def test_what_is_no_version_is_none(text):
    assert Version.parse(text) is None


versions = st.builds(
    Version,
    major=st.integers(0, 99),
    minor=st.integers(0, 99),
    patch=st.integers(0, 99),
    pre=st.sampled_from(["", "rc.1", "alpha"]),
)


@given(versions, st.sampled_from([Bump.PATCH, Bump.MINOR, Bump.MAJOR]))
@settings(deadline=None)
def test_a_bumped_version_is_a_later_release(version, bump):
    later = version.next(bump)
    assert later.pre == ""
    assert later.core > version.core or (later.core == version.core and version.pre)
    assert Version.parse(str(later)) == later
    assert version.step_to(later) is not Bump.NONE


@given(versions, st.sampled_from([Bump.PATCH, Bump.MINOR]))
@settings(deadline=None)
def test_a_larger_bump_never_gives_an_earlier_version(version, bump):
    assert version.next(Bump(bump + 1)).core >= version.next(bump).core


@given(versions)
@settings(deadline=None)
def test_a_version_is_no_step_from_itself(version):
    assert version.step_to(version) is Bump.NONE
    assert version.next(Bump.NONE) == version


@given(st.lists(st.sampled_from(["feat: a", "fix: b", "docs: c", "perf!: d"]), max_size=6))
@settings(deadline=None)
def test_the_bump_does_not_depend_on_the_order(messages):
    assert bump_of(read(*messages)) is bump_of(read(*reversed(messages)))


def test_entries_are_grouped_closed_and_told_once():
    lines = changelog_lines(
        read("feat: export orders.", "feat(api): list", "fix: crash", "fix: crash", "docs: x"), "#12"
    )
    assert lines == {"Added": ("- Export orders (#12).", "- api: List (#12)."), "Fixed": ("- Crash (#12).",)}


def test_a_breaking_change_is_told_with_what_breaks():
    lines = changelog_lines(read("refactor: rename port\n\nBREAKING CHANGE: set PORT\nnot LISTEN"))
    assert lines == {"Changed": ("- **Breaking:** Rename port (set PORT not LISTEN).",)}


def test_entries_go_to_the_end_of_their_section_or_make_it():
    whole = with_entries(CHANGELOG, {"Added": ("- Exports.",), "Fixed": ("- A crash.",)})
    assert whole is not None
    unreleased = whole.split("## [1.4.2]")[0]
    assert "### Added\n\n- Imports.\n- Exports.\n" in unreleased
    assert "### Fixed\n\n- A crash.\n" in unreleased
    assert whole.endswith(CHANGELOG.split("## [1.4.2]")[1])
    assert with_entries("# Changelog\n\n## 1.0.0\n", {"Added": ("- x.",)}) is None


def test_a_change_without_an_entry_gets_one_to_take():
    opinions = analyse(
        evidence(file("app/x.py", None, "x = 1\n"), commits=(commit("feat: export orders"),), items=(item(12),))
    )
    (one,) = of(opinions, OpinionKind.CHANGELOG)
    assert "### Added\n\n- Export orders (#12)." in one.message
    assert one.confidence == 0.9
    (version,) = of(opinions, OpinionKind.VERSION)
    assert version.title == "This asks for a minor release"


def test_a_changelog_that_only_loses_lines_is_given_whole():
    kept = file("CHANGELOG.md", CHANGELOG + "\nold\n", CHANGELOG)
    (one,) = of(analyse(evidence(kept, commits=(commit("fix: crash"),))), OpinionKind.CHANGELOG)
    assert one.path == "CHANGELOG.md"
    assert "### Fixed\n\n- Crash.\n" in one.patch["CHANGELOG.md"].split("## [1.4.2]")[0]


@pytest.mark.parametrize(
    "rest",
    [
        {"files": (file("CHANGELOG.md", CHANGELOG, CHANGELOG.replace("- Imports.", "- Imports.\n- Exports.")),)},
        {"files": (file("docs/CHANGES.rst", "a\n", "a\nb\n"),)},
        {"files": (file("CHANGELOG.md", CHANGELOG, CHANGELOG + "x", patch=None),)},
        {"files": UNKNOWN},
        {"commits": (commit("docs: words"), commit("chore: tidy"))},
    ],
)
def test_an_entry_that_is_there_or_not_needed_or_not_seen_is_not_proposed(rest):
    seen = evidence(**({"commits": (commit("feat: export"),), "files": ()} | rest))
    assert of(analyse(seen), OpinionKind.CHANGELOG) == []


@pytest.mark.parametrize(
    ("commits", "title", "confidence"),
    [
        ((commit("feat: a"), commit("wip")), "x", 0.7),
        ((commit("feat: a"), commit("Merge branch 'main'")), "x", 0.9),
        ((commit("wip"),), "feat: a", 0.7),
        (UNKNOWN, "feat: a", 0.7),
    ],
)
def test_the_surer_the_more_commits_say_so(commits, title, confidence):
    seen = evidence(commits=commits, change=a_change(title=title))
    (one,) = of(analyse(seen), OpinionKind.VERSION)
    assert one.title == "This asks for a minor release"
    assert one.confidence == confidence


def test_without_any_form_the_kind_of_the_change_speaks():
    seen = evidence(commits=(commit("wip"),), change=a_change(title="wip"), kinds=(ChangeKind.HOTFIX,))
    (one,) = analyse(seen)
    assert (one.title, one.confidence) == ("This asks for a patch release", 0.4)
    assert analyse(seen.model_copy(update={"kinds": UNKNOWN})) == ()


def pyproject(version: str) -> str:
    return f'[project]\nname = "x"\nversion = "{version}"\n'


@pytest.mark.parametrize(
    ("path", "was", "now", "title"),
    [
        ("pyproject.toml", pyproject("1.4.2"), pyproject("1.4.3"), "The version should be 1.5.0, not 1.4.3"),
        ("package.json", '{"version": "1.4.2"}', '{"version": "1.4.3"}', "The version should be 1.5.0, not 1.4.3"),
        ("pyproject.toml", pyproject("1.4.2"), pyproject("1.4.2") + "x = 1\n", "The next version is 1.5.0"),
        ("CHANGELOG.md", CHANGELOG, CHANGELOG + "x", "The next version is 1.5.0"),
        (
            "pyproject.toml",
            "[tool.poetry]\nversion = '0.3.0'\n",
            "[tool.poetry]\nversion = '0.3.0'\n\n",
            "The next version is 0.4.0",
        ),
    ],
)
def test_a_version_in_the_change_is_held_to_the_commits(path, was, now, title):
    (one,) = of(analyse(evidence(file(path, was, now), commits=(commit("feat: a"),))), OpinionKind.VERSION)
    assert (one.title, one.path) == (title, path)


@pytest.mark.parametrize("now", ["1.5.0", "2.0.0"])
def test_a_version_that_counts_up_enough_is_left_alone(now):
    seen = evidence(file("pyproject.toml", pyproject("1.4.2"), pyproject(now)), commits=(commit("feat: a"),))
    assert of(analyse(seen), OpinionKind.VERSION) == []


@pytest.mark.parametrize("text", ["{", "[project", '["list"]', '{"version": 3}', '[project]\nversion = ["1"]\n', ""])
def test_files_that_say_no_version_are_passed_over(text):
    for path in ("package.json", "pyproject.toml"):
        (one,) = of(analyse(evidence(file(path, text + " ", text), commits=(commit("feat: a"),))), OpinionKind.VERSION)
        assert one.title == "This asks for a minor release"


OLD = "def export(path: str) -> int:\n    return 1\n\n\ndef keep(x: int) -> int:\n    return x\n"
NEW = "def export(path: str, kind: str) -> int:\n    return 1\n"


def test_a_break_that_nobody_declared_is_told_and_counts():
    opinions = analyse(evidence(file("app/x.py", OLD, NEW), commits=(commit("feat: kinds"),)))
    told = of(opinions, OpinionKind.CONCERN)
    assert [(one.title.split(" breaks")[0], one.line) for one in told] == [("export", 1), ("keep", None)]
    assert "is gone" in told[1].message
    assert of(opinions, OpinionKind.VERSION)[0].title == "This asks for a major release"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (file("app/x.py", OLD, NEW), "feat!: kinds"),
        (file("app/_x.py", OLD, NEW), "feat: kinds"),
        (file("tests/test_x.py", OLD, NEW), "feat: kinds"),
        (file("app/x.py", OLD, OLD.replace("path: str", "path: str, kind: str = ''")), "feat: kinds"),
        (file("app/x.py", None, None, status="modified", patch=None), "feat: kinds"),
    ],
)
def test_declared_and_private_breaks_are_no_concern(changed, message):
    assert of(analyse(evidence(changed, commits=(commit(message),))), OpinionKind.CONCERN) == []
