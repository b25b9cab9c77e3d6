"""What is wrong with a backlog is found, explained and mended without guessing, and mending it ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.backlog import BacklogLevel, Entry, FindingKind, Ladder, Standing
from shared.domain.project import Process
from shared.planning.forest import UNSORTED, Forest, after
from shared.planning.hierarchy import STRUCTURAL, judge, ladder_of, tree
from tests.fakes.backlogs import a_backlog, entry

K = FindingKind


def kinds(backlog, **options):
    return {(finding.kind, finding.item) for finding in judge(backlog, **options)}


def only(backlog, **options):
    (finding,) = judge(backlog, **options)
    return finding


TIDY = (
    entry(1, "Epic", "Shop"),
    entry(2, "Feature", "Payments", 1),
    entry(3, "User Story", "Take a card payment", 2),
    entry(4, "Task", "Draw the form", 3),
)


@pytest.mark.parametrize(
    ("process", "types"),
    [
        (Process.AGILE, ("Epic", "Feature", "User Story", "Task")),
        (Process.CMMI, ("Epic", "Feature", "Requirement", "Task")),
        (Process.SCRUM, ("Epic", "Feature", "Product Backlog Item", "Task")),
        (Process.BASIC, ("Epic", "Issue", "Task")),
    ],
)
def test_each_process_in_its_own_order_is_in_order(process, types):
    entries = [entry(n, type_, parent=n - 1 or None) for n, type_ in enumerate(types, 1)]
    assert judge(a_backlog(*entries, ladder=ladder_of(process))) == ()


@pytest.mark.parametrize("type_", ["Feature", "User Story", "Task"])
def test_an_orphan_is_found_and_the_top_is_none(type_):
    found = only(a_backlog(entry(9, type_)))
    assert (found.kind, found.item, found.fix) == (K.ORPHAN, 9, None)
    assert "hangs on nothing" in found.explanation
    assert "Nothing is proposed" in found.remedy
    assert judge(a_backlog(entry(9, "Epic"))) == ()


def test_a_wrong_parent_is_explained_by_what_it_is_and_what_it_should_be():
    found = only(a_backlog(*TIDY, entry(5, "Task", "Draw it again", 2)))
    assert found.kind is K.LEVEL_SKIPPED
    assert "leaves out User Story" in found.explanation
    assert found.fix is not None
    assert found.fix.parent == 3
    wrong = only(a_backlog(*TIDY, entry(6, "User Story", "Refund a payment", 3)))
    assert wrong.kind is K.WRONG_PARENT
    assert "stands on the same level" in wrong.explanation
    assert "Epic > Feature > User Story > Task" in wrong.explanation
    assert wrong.fix is not None
    assert wrong.fix.parent == 2
    below = only(a_backlog(*TIDY, entry(7, "User Story", "Refund", 4)))
    assert "stands below it" in below.explanation
    outside = only(a_backlog(*TIDY, entry(8, "Test Case"), entry(9, "User Story", "Refund", 8)))
    assert "outside of the hierarchy" in outside.explanation


def test_a_top_item_below_another_is_taken_off():
    found = only(a_backlog(*TIDY, entry(5, "Epic", "Back office", 1)))
    assert found.kind is K.WRONG_PARENT
    assert found.fix is not None
    assert (found.fix.id, found.fix.parent, found.fix.before) == ("azure_devops:5-alone", None, 1)


FEATURES = (entry(1, "Epic", "Shop"), entry(2, "Feature", "Payments", 1), entry(3, "Feature", "Shipping", 1))


@pytest.mark.parametrize(
    ("orphan", "features", "parent", "reason"),
    [
        ({"title": "Parcels", "tags": ("web",)}, tuple(one.model_copy(update={"tags": ("Web",)}) for one in FEATURES), None, "#2 and #3 are as plausible as each other; choose #2 or #3"),
        ({"title": "Parcels", "tags": ("parcel",)}, (FEATURES[0], FEATURES[1], entry(3, "Feature", "Shipping", 1, tags=("Parcel",))), 3, "the same tags: parcel"),
        ({"title": "Parcels", "area": "Order Desk\\Depot"}, (FEATURES[0], FEATURES[1], entry(3, "Feature", "Shipping", 1, area="order desk\\depot")), 3, "the same area"),
        ({"title": "Shipping of Sunday parcels"}, (FEATURES[0], FEATURES[1], entry(3, "Feature", "Shipping parcels", 1)), 3, "words of the title: parcel, shipping"),
        ({"title": "Shipping"}, FEATURES, None, "nothing it has in common"),
        ({"title": "Whatever"}, FEATURES[:2], 2, "the only open Feature"),
    ],
)  # fmt: skip
def test_an_orphan_goes_where_the_evidence_says_and_nowhere_on_a_guess(orphan, features, parent, reason):
    found = only(a_backlog(*features, entry(9, "User Story", **orphan)))
    assert (found.fix.parent if found.fix else None) == parent
    assert reason in (found.fix.reason if found.fix else found.remedy)


def test_an_item_that_skipped_a_level_goes_to_what_hangs_on_its_present_parent():
    backlog = a_backlog(*TIDY, entry(5, "Epic"), entry(6, "Feature", "Other", 5), entry(7, "User Story", "Misc", 1))
    found = only(backlog)
    assert found.fix is not None
    assert found.fix.parent == 2
    assert "below #1" in found.fix.reason


def test_finished_parents_ask_people_and_removed_ones_are_left():
    closed = only(
        a_backlog(TIDY[0], entry(2, "Feature", "Payments", 1, state="Closed"), entry(3, "User Story", "x", 2))
    )
    assert (closed.kind, closed.fix) == (K.PARENT_CLOSED, None)
    assert "Reopen #2, or finish #3" in closed.remedy
    removed = only(
        a_backlog(TIDY[0], entry(2, "Feature", "Gone", 1, state="Removed"), TIDY[1].model_copy(update={"id": 5}), entry(3, "User Story", "x", 2))
    )  # fmt: skip
    assert removed.kind is K.PARENT_REMOVED
    assert removed.fix is not None
    assert removed.fix.parent == 5


def test_what_is_finished_or_outside_of_the_hierarchy_is_not_judged():
    assert (
        judge(a_backlog(entry(1, "User Story", state="Closed"), entry(2, "Task", state="Removed"), entry(3, "Risk")))
        == ()
    )


def test_a_parent_in_another_project_is_told_and_left():
    portfolio = entry(90, "Epic", "Portfolio", project="Group")
    fitting = only(a_backlog(entry(2, "Feature", "x", 90), elsewhere=(portfolio,)))
    assert (fitting.kind, fitting.fix) == (K.PARENT_ELSEWHERE, None)
    assert "of Group, in another project" in fitting.explanation
    assert "would hang" not in fitting.explanation
    assert (
        "It would hang on a User Story"
        in only(a_backlog(entry(2, "Task", "x", 90), elsewhere=(portfolio,))).explanation
    )
    assert "not shown to Doneright" in only(a_backlog(entry(2, "Feature", "x", 90))).explanation


def test_a_circle_is_cut_once_where_its_link_is_wrong():
    circle = a_backlog(entry(1, "Epic", "e", 3), entry(2, "Feature", "f", 1), entry(3, "User Story", "s", 2))
    found = only(circle)
    assert (found.kind, found.item, found.others) == (K.CYCLE, 1, (2, 3))
    assert judge(after(circle, [found.fix])) == ()
    itself = only(a_backlog(entry(5, "Task", "t", 5)))
    assert "its own parent" in itself.explanation
    outside = only(a_backlog(entry(1, "Risk", "r", 2), entry(2, "Risk", "q", 1)))
    assert outside.fix is not None
    assert outside.fix.id == "azure_devops:1-alone"
    assert judge(a_backlog(entry(1, "Risk", "r", 2, state="Closed"), entry(2, "Risk", "q", 1, state="Closed"))) == ()


def test_the_same_title_twice_under_one_parent_is_for_people_to_merge():
    twins = (entry(5, "Task", "Draw  the FORM", 3), entry(6, "Task", "Draw the form", 3, state="Closed"))
    found = only(a_backlog(*TIDY, *twins))
    assert (found.kind, found.item, found.others, found.fix) == (K.DUPLICATE_TITLE, 5, (4,), None)
    assert kinds(a_backlog(entry(1, "Epic", "A"), entry(2, "Epic", "a"))) == {(K.DUPLICATE_TITLE, 2)}


def test_custom_types_stand_on_their_level_and_free_ones_need_no_parent():
    levels = [BacklogLevel(types=one) for one in (("Epic",), ("Feature",), ("User Story", "Incident"), ("Task",))]
    ladder = Ladder(levels=tuple(levels), free=("incident",))
    feature = entry(2, "Feature", "f", 1)
    assert (
        judge(
            a_backlog(entry(1, "Epic"), feature, entry(3, "Incident", "i", 2), entry(4, "Task", "t", 3), ladder=ladder)
        )
        == ()
    )
    assert judge(a_backlog(entry(3, "Incident"), ladder=ladder)) == ()
    wrong = only(a_backlog(entry(1, "Incident"), entry(3, "Incident", "x", 1), ladder=ladder))
    assert wrong.fix is not None
    assert wrong.fix.id == "azure_devops:3-alone"


def test_what_no_evidence_places_goes_to_unsorted_when_asked():
    backlog = a_backlog(entry(9, "Task", "t"), entry(8, "Task", "u"))
    assert all(finding.fix is None for finding in judge(backlog))
    findings = judge(backlog, containers=True)
    assert [finding.fix.container for finding in findings if finding.fix] == ["User Story", "User Story"]
    made = after(backlog, [finding.fix for finding in findings if finding.fix])
    assert judge(made) == ()
    containers = [one for one in made.entries if one.id < 0]
    assert [(one.type, one.title) for one in sorted(containers, key=lambda one: -one.id)] == [
        ("Epic", UNSORTED), ("Feature", UNSORTED), ("User Story", UNSORTED),
    ]  # fmt: skip


def test_a_container_that_is_closed_takes_nothing():
    shut = entry(1, "User Story", "Unsorted", state="Closed", tags=("doneright:unsorted-user-story",))
    assert only(a_backlog(shut, entry(9, "Task", "t")), containers=True).fix is None


def test_a_container_is_never_the_plausible_parent_and_takes_more_later():
    box = entry(1, "Epic", "Unsorted", tags=("doneright:unsorted-epic",))
    assert only(a_backlog(box, entry(9, "Feature", "f"))).fix is None
    fix = only(a_backlog(box, entry(9, "Feature", "f")), containers=True).fix
    assert fix is not None
    assert after(a_backlog(box, entry(9, "Feature", "f")), [fix]).entries[1].parent == 1


def test_the_tree_shows_every_item_once_with_what_is_wrong():
    backlog = a_backlog(*TIDY, entry(5, "Epic", "c", 6), entry(6, "Feature", "d", 5), entry(7, "Risk", "r", 8), entry(8, "Risk", "s", 7, state="Closed"))  # fmt: skip
    shown = tree(backlog, judge(backlog))
    seen: list[int] = []
    waiting = list(shown)
    while waiting:
        node = waiting.pop()
        seen.append(node.id)
        waiting += node.children
    assert sorted(seen) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert next(node for node in shown if node.id == 5).findings == (K.CYCLE,)
    assert [node.type for node in shown] == ["Epic", "Epic", "Risk"]
    closed = a_backlog(entry(1, "Risk", "r", 2, state="Closed"), entry(2, "Risk", "s", 1, state="Closed"))
    assert [node.id for node in tree(closed, ())] == [1]


TYPES = ("Epic", "Feature", "User Story", "Task", "Risk")
STATES = ("New", "New", "New", "Closed", "Removed")


@st.composite
def forests(draw: st.DrawFn, circles: bool = True) -> tuple[Entry, ...]:
    count = draw(st.integers(0, 12))
    entries = []
    for number in range(1, count + 1):
        most = count + 2 if circles else number - 1
        parent = draw(st.none() | st.integers(1, most)) if most else None
        entries.append(
            entry(
                number,
                draw(st.sampled_from(TYPES)),
                draw(st.sampled_from(["Card payment", "Shipping label", "Payment terms", "x"])),
                parent,
                state=draw(st.sampled_from(STATES)),
                tags=draw(st.sampled_from([(), ("cards",), ("parcels",)])),
            )
        )
    shuffled = draw(st.permutations(range(1, count + 1)))
    renamed = dict(zip(range(1, count + 1), shuffled, strict=True))
    return tuple(
        one.model_copy(
            update={"id": renamed[one.id], "parent": renamed.get(one.parent, one.parent) if one.parent else None}
        )
        for one in entries
    )


@given(forests(), st.booleans())
def test_fixes_never_close_a_circle_and_mending_ends(entries, containers):
    backlog = a_backlog(*entries)
    before = Forest(backlog).cycles()
    for _ in range(5):
        fixes = [finding.fix for finding in judge(backlog, containers=containers) if finding.fix]
        if not fixes:
            break
        for count in range(len(fixes) + 1):
            assert set(Forest(after(backlog, fixes[:count])).cycles()) <= set(before)
        backlog = after(backlog, fixes)
    assert [finding.fix for finding in judge(backlog, containers=containers) if finding.fix] == []
    if containers:
        assert {finding.kind for finding in judge(backlog)} & STRUCTURAL == set()


@given(forests(circles=False), st.booleans())
def test_without_circles_one_call_mends_all_that_can_be_and_another_changes_nothing(entries, containers):
    backlog = a_backlog(*entries)
    mended = after(backlog, [finding.fix for finding in judge(backlog, containers=containers) if finding.fix])
    left = judge(mended, containers=containers)
    assert [finding.fix for finding in left if finding.fix] == []
    if containers:
        assert {finding.kind for finding in left} & STRUCTURAL == set()


@given(forests(circles=False), st.data())
def test_any_choice_of_fixes_leaves_a_forest(entries, data):
    backlog = a_backlog(*entries)
    fixes = [finding.fix for finding in judge(backlog) if finding.fix]
    chosen = [fix for fix in fixes if data.draw(st.booleans())]
    mended = after(backlog, chosen)
    assert Forest(mended).cycles() == []
    moved = {fix.item for fix in chosen}
    assert {one.id: one.parent for one in mended.entries if one.id not in moved} == {
        one.id: one.parent for one in entries if one.id not in moved
    }


@given(forests())
def test_every_finding_has_words_and_is_of_an_open_item(entries):
    backlog = a_backlog(*entries)
    standing = {one.id: one.standing for one in entries}
    found = judge(backlog)
    assert len({finding.id for finding in found}) == len(found)
    for finding in found:
        assert finding.explanation
        assert finding.remedy
        assert standing[finding.item] is Standing.OPEN
