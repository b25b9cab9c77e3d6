"""What decides which criteria are asked of a change: everything that says something counts, and silence lets none go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.change import Unknown
from shared.domain.definition import AppliesWhen, ChangeKind, WorkItemKind
from shared.policies.applying import Applicability, applied
from shared.reviews.facts import facts_of, kinds_of
from tests.fakes.changes import UNKNOWN, UNSUPPORTED, a_change, commit, evidence, file, item

SILENT = {"title": "Export orders", "source": "export", "labels": ()}


@pytest.mark.parametrize(
    ("title", "kinds"),
    [
        ("feat: export orders", {ChangeKind.FEATURE}),
        ("fix(api): refuse empty names", {ChangeKind.BUG_FIX}),
        ("docs: say how to export", {ChangeKind.DOCUMENTATION}),
        ("chore: raise versions", {ChangeKind.MAINTENANCE}),
        ("feat!: drop the old export", {ChangeKind.FEATURE, ChangeKind.BREAKING}),
        ("hotfix: mend sign-in", {ChangeKind.HOTFIX, ChangeKind.BUG_FIX}),
    ],
)
def test_the_title_says_what_a_change_is_for(title, kinds):
    assert set(kinds_of(a_change(**SILENT | {"title": title}), (), ())) == kinds


@pytest.mark.parametrize(
    ("said", "kinds"),
    [
        ({"labels": ("Bug",)}, (ChangeKind.BUG_FIX,)),
        ({"labels": ("kind: breaking-change",)}, (ChangeKind.BREAKING,)),
        ({"labels": ("category: documentation",)}, (ChangeKind.DOCUMENTATION,)),
        ({"source": "feature/12-export"}, (ChangeKind.FEATURE,)),
        ({"source": "hotfix/3"}, (ChangeKind.BUG_FIX, ChangeKind.HOTFIX)),
    ],
)
def test_labels_and_branches_say_it_as_well(said, kinds):
    assert kinds_of(a_change(**SILENT | said), (), ()) == kinds


def test_a_footer_of_any_commit_makes_the_change_breaking():
    message = "refactor: read settings once\n\nBREAKING CHANGE: OLD_NAME is gone"
    assert ChangeKind.BREAKING in kinds_of(a_change(**SILENT), (commit("fix: x"), commit(message)), ())


def test_a_task_is_for_what_it_is_part_of():
    story = item(5, "User Story")
    assert kinds_of(a_change(**SILENT), (), (item(6, "Task", parents=(story,)),)) == (ChangeKind.FEATURE,)
    assert isinstance(kinds_of(a_change(**SILENT), (), (item(6, "Task"),)), Unknown)


def test_all_that_is_said_counts_together():
    change = a_change(title="docs: explain", source="feature/1", labels=("bug",))
    assert set(kinds_of(change, (), ())) == {ChangeKind.DOCUMENTATION, ChangeKind.FEATURE, ChangeKind.BUG_FIX}


def test_silence_is_not_nothing():
    found = kinds_of(a_change(**SILENT), (commit("wip"),), (item(type="", kind=None),))
    assert isinstance(found, Unknown)
    assert "title" in found.reason


@pytest.mark.parametrize("parts", [(UNKNOWN, ()), ((), UNKNOWN)])
def test_what_could_not_be_had_might_have_said_more(parts):
    found = kinds_of(a_change(), *parts)
    assert isinstance(found, Unknown)
    assert "403" in found.reason


def test_a_forge_without_work_items_has_none_to_ask():
    assert kinds_of(a_change(), (), UNSUPPORTED) == (ChangeKind.FEATURE,)
    facts = facts_of(evidence(items=UNSUPPORTED, kinds=(ChangeKind.FEATURE,)))
    assert facts.work_item_kinds == ()
    assert facts.labels == ()


def test_facts_are_what_the_evidence_says():
    seen = evidence(
        file("src/new.py", "a", "a", previous_path="src/old.py"),
        change=a_change(labels=("bug",)),
        items=(item(5, "Task", tags=("urgent",), parents=(item(4, "User Story"),)),),
        kinds=(ChangeKind.BUG_FIX,),
    )
    facts = facts_of(seen)
    assert facts.labels == ("bug", "urgent")
    assert facts.paths == ("src/new.py", "src/old.py")
    assert facts.change_kinds == (ChangeKind.BUG_FIX,)
    assert facts.work_item_kinds == (WorkItemKind.REQUIREMENT, WorkItemKind.TASK)


def test_unknown_parts_stay_unknown_and_let_no_criterion_go():
    facts = facts_of(evidence(files=UNKNOWN, items=UNKNOWN, kinds=UNKNOWN))
    assert (facts.labels, facts.paths, facts.change_kinds, facts.work_item_kinds) == (None, None, None, None)
    for when in (
        AppliesWhen(paths=("**/*.py",)),
        AppliesWhen(labels=("bug",)),
        AppliesWhen(change_kinds=(ChangeKind.FEATURE,)),
        AppliesWhen(work_item_kinds=(WorkItemKind.FEATURE,)),
    ):
        assert applied(when, facts).applicability is Applicability.UNKNOWN


def test_one_ticket_of_no_known_level_leaves_the_levels_open():
    assert facts_of(evidence(items=(item(), item(13, "Wish", kind=None)))).work_item_kinds is None
    assert facts_of(evidence(items=())).work_item_kinds == ()


@pytest.mark.parametrize("label", ["type: User-Story", "Story", "bug", "kind/feature"])
def test_an_issue_names_its_level_by_a_label(label):
    assert facts_of(evidence(items=(item(type="", kind=None, tags=(label,)),))).work_item_kinds


def test_code_called_documentation_is_not_let_go():
    docs = (ChangeKind.DOCUMENTATION,)
    assert facts_of(evidence(file("docs/a.md", None, "x"), kinds=docs)).change_kinds == docs
    assert facts_of(evidence(file("src/a.py", None, "x = 1\n"), kinds=docs)).change_kinds is None
    assert facts_of(evidence(file("docs/a.md", "x", "x", previous_path="src/a.py"), kinds=docs)).change_kinds is None
    assert facts_of(evidence(files=UNKNOWN, kinds=docs)).change_kinds is None


@given(st.text(max_size=80), st.text(max_size=40), st.lists(st.text(max_size=20), max_size=3))
def test_any_words_are_read(title, branch, labels):
    found = kinds_of(a_change(title=title, source=branch, labels=tuple(labels)), (), ())
    assert isinstance(found, Unknown) or (found and len(set(found)) == len(found))
