"""The order of commits decides: what documents, then what it documents."""

from __future__ import annotations

import pytest

from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, asked, commit, evidence, file, judged

GATE = "docs_before_code"
CODE = file("src/api.py", None, "x = 1\n")


def found(*commits, files=(CODE,)):
    return judged(GATE, evidence(commits=commits, files=files), asked("api_is_documented_before_code"))


@pytest.mark.parametrize(
    "path", ["docs/reference/export.md", "openapi.yaml", "features/export.feature", "api/export.proto"]
)
def test_documentation_ahead_of_code_is_met(path):
    one = found(commit("docs: describe the export", path), commit("feat: export", "src/api.py"))
    assert one.outcome is Outcome.MET
    assert "describe the export" in one.reason


def test_code_ahead_of_documentation_is_not():
    one = found(commit("feat: export", "src/api.py"), commit("docs: describe it", "docs/api.md"))
    assert one.outcome is Outcome.UNMET
    assert "afterwards" in one.reason


def test_code_alone_is_not():
    assert "nothing documents it" in found(commit("feat: export", "src/api.py")).reason


def test_both_at_once_is_not_ahead():
    one = found(commit("feat: export", "src/api.py", "docs/api.md"))
    assert one.outcome is Outcome.UNMET
    assert "at once" in one.reason


@pytest.mark.parametrize("path", ["CHANGELOG.md", "LICENSE.md", "docs/release-notes/1.0.md"])
def test_what_is_written_afterwards_is_no_specification(path):
    assert found(commit("docs: note it", path), commit("feat: export", "src/api.py")).outcome is Outcome.UNMET


def test_commits_of_neither_and_merges_are_passed_over():
    commits = (
        commit("Merge branch 'main'", "src/other.py"),
        commit("test: try", "tests/test_api.py"),
        commit("docs: describe", "docs/api.md"),
        commit("feat: export", "src/api.py"),
    )
    assert found(*commits).outcome is Outcome.MET


def test_where_paths_were_not_asked_for_the_type_speaks():
    docs, code = commit("docs: describe"), commit("feat: export")
    assert found(docs, code).outcome is Outcome.MET
    assert found(code, docs).outcome is Outcome.UNMET
    assert found(commit("chore: set up"), docs, code).outcome is Outcome.MET


def test_a_commit_that_says_nothing_leaves_it_open_unless_it_is_settled_before():
    assert found(commit("Start"), commit("docs: describe")).outcome is Outcome.NOT_AVAILABLE
    assert found(commit("docs: describe"), commit("Start")).outcome is Outcome.MET
    assert found(commit("feat: export"), commit("More")).outcome is Outcome.UNMET


def test_a_change_without_code_is_not_asked():
    page = file("docs/api.md", None, "x")
    assert found(commit("docs: x", "docs/api.md"), files=(page,)).outcome is Outcome.NOT_APPLICABLE
    assert found(commit("ci: x", "ci.yml"), files=(file("ci.yml", None, "x"),)).outcome is Outcome.NOT_APPLICABLE


def test_code_that_no_known_commit_brings_is_not_passed():
    assert found().outcome is Outcome.NOT_AVAILABLE
    assert found(commit("ci: x", "ci.yml"), files=UNKNOWN).outcome is Outcome.NOT_AVAILABLE


def test_unknown_commits_have_no_order():
    assert (
        judged(GATE, evidence(CODE, commits=UNKNOWN), asked("api_is_documented_before_code")).outcome
        is Outcome.NOT_AVAILABLE
    )
