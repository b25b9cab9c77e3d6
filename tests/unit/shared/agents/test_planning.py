from __future__ import annotations

import itertools
import math

import pytest
from gherkin.parser import Parser
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.agents.planning import (
    Candidate,
    Epic,
    ExistingFeature,
    analyse,
    candidate_of,
    decompose,
    gherkin,
    prioritise,
    scenarios,
    stated,
)
from shared.domain.review import OpinionKind
from shared.domain.test_case import CaseNature
from shared.errors import RefusedError
from tests.fakes.changes import UNKNOWN, evidence, item

SHOP = """\
## Cart

- Shoppers can put up to 20 items into a cart
- If an item is sold out, the cart refuses it

## Out of scope

- Gift cards must work

## Payment

As a shopper, I want to pay by card so that I need no cash. The system must not store card numbers. It is blue.
"""


def texts(description: str) -> list[str]:
    return [one.text for one in stated(description)]


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("- one thing\n- two things", ["one thing", "two things"]),
        ("1. first\n2) second", ["first", "second"]),
        ("- [ ] open\n- [x] done", ["open", "done"]),
        ("<ul><li>one &amp; all</li><li>two</li></ul>", ["one & all", "two"]),
        ("<div>It <b>must</b> work.</div><h2>Notes</h2><p>That must not count.</p>", ["It must work"]),
        ("<script>x must y</script><p>It can be used.</p>", ["It can be used"]),
        ("It must work. It is blue. Users can leave!", ["It must work", "Users can leave!"]),
        ("- same\n- Same\n- same.", ["same"]),
        ("- a [link](https://x.example) and `code` and **bold**", ["a link and code and bold"]),
        ("```\n- must not count\n```\n- counts", ["counts"]),
        ("**Background:**\n- it must not count\n**Goals**\n- it counts", ["it counts"]),
        ("A sentence that must\nrun over two lines.", ["A sentence that must run over two lines"]),
        ("", []),
        ("It is blue and large.", []),
        ("- ", []),
    ],
)
def test_what_a_description_asks_for(description, expected):
    assert texts(description) == expected


def test_requirements_are_numbered_and_know_their_heading():
    found = stated(SHOP)
    assert [(one.id, one.heading) for one in found] == [
        ("R1", "Cart"),
        ("R2", "Cart"),
        ("R3", "Payment"),
        ("R4", "Payment"),
    ]


@given(st.text(max_size=400))
@settings(deadline=None)
def test_any_description_is_read(text):
    assert all(one.text.strip() for one in stated(text))


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        (
            "As a shopper, I want to pay by card so that I need no cash",
            ("Given a shopper", "When they pay by card", "Then they need no cash"),
        ),
        (
            "If an item is sold out, the cart refuses it",
            ("Given the system in its usual state", "When an item is sold out", "Then the cart refuses it"),
        ),
        (
            "The system must not store card numbers",
            (
                "Given the system",
                "When something would have it store card numbers",
                "Then it is refused with the reason, and nothing has changed",
            ),
        ),
        (
            "Shoppers can leave a note",
            (
                "Given shoppers, with everything in place",
                "When the time comes to leave a note",
                "Then it is done: leave a note",
            ),
        ),
    ],
)
def test_wordings_become_steps(text, steps):
    assert scenarios(stated(f"- {text}"))[0].lines == steps


def test_each_requirement_has_a_way_that_goes_well_one_that_is_refused_and_its_bounds():
    natures = [one.nature for one in scenarios(stated("- Shoppers can put up to 20 items into a cart"))]
    assert natures == [CaseNature.POSITIVE, CaseNature.NEGATIVE, CaseNature.EDGE]
    assert [one.nature for one in scenarios(stated("- If it is sold out, the cart refuses it"))] == [
        CaseNature.NEGATIVE
    ]


def test_version_numbers_and_the_like_are_no_bounds():
    assert all(one.nature is not CaseNature.EDGE for one in scenarios(stated("- It can read HTTP/1.1 and v2 of #12-3")))


@given(st.lists(st.text(min_size=3, max_size=60), min_size=1, max_size=4))
@settings(deadline=None)
def test_whatever_is_stated_drafts_a_feature_file_that_parses(lines):
    drafted = scenarios(stated("\n".join(f"- {line}" for line in lines)))
    parsed = Parser().parse(gherkin("A feature", drafted, "item-1"))
    assert len(parsed["feature"]["children"]) == len(drafted)


def test_a_ticket_without_criteria_gets_a_draft():
    (one,) = analyse(evidence(items=(item(4, title="Cart", body=SHOP),)))
    assert one.kind is OpinionKind.ACCEPTANCE
    (path,) = one.patch
    assert path == "tests/features/item_4_proposed.feature"
    parsed = Parser().parse(one.patch[path])
    names = [child["scenario"]["name"] for child in parsed["feature"]["children"]]
    assert "If an item is sold out, the cart refuses it" in names
    assert not any("Gift" in name for name in names)


def test_a_title_alone_drafts_less_surely():
    (one,) = analyse(evidence(items=(item(4, title="Shoppers can export orders"),)))
    assert (one.kind, one.confidence) == (OpinionKind.ACCEPTANCE, 0.4)


def test_a_ticket_that_says_nothing_is_a_concern():
    (one,) = analyse(evidence(items=(item(4, "Bug", title="Cart"),)))
    assert (one.kind, one.title) == (OpinionKind.CONCERN, "#4 does not say what is wanted")


@pytest.mark.parametrize(
    "rest",
    [
        {"acceptance": "<ul><li>It works</li></ul>"},
        {"body": "Given a cart\nWhen it is paid\nThen it is empty"},
        {"body": "## Acceptance criteria\n\n- It works"},
        {"type": "Task"},
        {"type": "Epic", "body": SHOP, "acceptance": ""},
    ],
)
def test_what_has_criteria_or_needs_none_gets_none(rest):
    found = analyse(evidence(items=(item(4, rest.pop("type", "User Story"), title="Pay for a cart", **rest),)))
    assert all(one.kind is not OpinionKind.ACCEPTANCE for one in found)


@pytest.mark.parametrize(
    "rest", [{"acceptance": "<div><br></div>"}, {"body": "## Acceptance criteria\n\nTo be written."}]
)
def test_an_empty_field_or_heading_is_no_criterion(rest):
    found = analyse(evidence(items=(item(4, title="Pay for a cart", **rest),)))
    assert [one.kind for one in found] == [OpinionKind.ACCEPTANCE]


def test_unknown_items_say_nothing():
    assert analyse(evidence(items=UNKNOWN)) == ()


def test_an_epic_becomes_features_and_tasks_that_cover_every_requirement():
    found = decompose(Epic(title="Shop", body=SHOP))
    assert [(one.id, one.title, one.requirements) for one in found.features] == [
        ("F1", "Cart", ("R1", "R2")),
        ("F2", "Payment", ("R3", "R4")),
    ]
    assert found.uncovered == ()
    for row in found.matrix:
        natures = {task.nature for feature in found.features for task in feature.tasks if task.id in row.tasks}
        assert {"build", "test", "design", "document"} == natures
    assert "| R1 Shoppers can put up to 20 items into a cart | F1 |" in found.markdown()


def test_what_existing_features_cover_is_not_planned_again():
    existing = ExistingFeature(
        title="Cart", body="Shoppers put up to 20 items into the cart; sold out items are refused"
    )
    found = decompose(Epic(title="Shop", body=SHOP), [existing])
    assert found.features[0].existing
    assert found.features[0].requirements[0] == "R1"
    assert found.features[0].tasks == ()
    assert "R1" not in {id for feature in found.features[1:] for id in feature.requirements}
    assert found.uncovered == ()


def test_requirements_without_headings_stand_together_by_their_words():
    body = "- Orders can be exported as CSV\n- Exported orders name the customer\n- The page must load in 2 seconds"
    found = decompose(Epic(title="Shop", body=body))
    assert [one.requirements for one in found.features] == [("R1", "R2"), ("R3",)]


@pytest.mark.parametrize(
    ("epic", "reason"),
    [
        (Epic(title="", body=SHOP), "no title"),
        (Epic(title="  ", body=SHOP), "no title"),
        (Epic(title="Shop"), "states no requirement"),
        (Epic(title="Shop", body="It is blue."), "states no requirement"),
        (Epic(title="Shop", body="## Out of scope\n- all"), "states no requirement"),
    ],
)
def test_an_empty_epic_is_refused_with_a_remedy(epic, reason):
    with pytest.raises(RefusedError, match=reason) as refused:
        decompose(epic)
    assert refused.value.remedy


@given(st.lists(st.text(alphabet="abcdef ", min_size=3, max_size=30), min_size=1, max_size=30))
@settings(deadline=None)
def test_every_requirement_is_covered_exactly_once(lines):
    epic = Epic(title="Shop", body="\n".join(f"- {line}" for line in lines))
    if not stated(epic.body):
        return
    found = decompose(epic)
    planned = [id for feature in found.features for id in feature.requirements]
    assert sorted(planned) == sorted(row.requirement.id for row in found.matrix)
    assert found.uncovered == ()


def test_a_change_linked_to_an_epic_gets_its_parts_or_hears_that_it_has_none():
    (whole,) = analyse(evidence(items=(item(9, "Epic", title="Shop", body=SHOP),)))
    assert whole.kind is OpinionKind.DECOMPOSITION
    assert "| R4 The system must not store card numbers | F2 |" in whole.message
    (empty,) = analyse(evidence(items=(item(9, "Epic", title="Shop"),)))
    assert (empty.kind, empty.title) == (OpinionKind.CONCERN, "Epic #9 cannot be broken down")


def rated(id: str, value: float, time: float, risk: float, size: float) -> Candidate:
    return Candidate(id=id, business_value=value, time_criticality=time, risk_reduction=risk, job_size=size)


def test_the_highest_cost_of_delay_by_size_comes_first():
    ranked = prioritise([rated("big", 20, 8, 5, 13), rated("small", 3, 2, 1, 1), rated("late", 8, 13, 8, 5)])
    assert [(one.rank, one.id, one.score) for one in ranked] == [
        (1, "small", 6.0),
        (2, "late", 5.8),
        (3, "big", 33 / 13),
    ]
    assert ranked[0].cost_of_delay == 6


def test_of_equal_scores_the_smaller_job_comes_first_then_the_id():
    ranked = prioritise([rated("c", 2, 2, 2, 2), rated("b", 1, 1, 1, 1), rated("a", 1, 1, 1, 1)])
    assert [one.id for one in ranked] == ["a", "b", "c"]


def test_nothing_to_prioritise_is_refused():
    with pytest.raises(RefusedError, match="nothing to prioritise"):
        prioritise([])


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (Candidate(id="a", business_value=1, time_criticality=1, job_size=1), "a has no risk_reduction"),
        (Candidate(id="a"), "a has no business_value"),
        (rated("a", 1, 1, 1, 0), "a has job_size 0"),
        (rated("a", 1, -1, 1, 1), "a has time_criticality -1"),
        (rated("a", math.nan, 1, 1, 1), "a has business_value nan"),
        (rated("a", 1, 1, math.inf, 1), "a has risk_reduction inf"),
        (rated("a", 1, 1, 2000, 1), "a has risk_reduction 2000"),
        (rated(" ", 1, 1, 1, 1), "an item has no id"),
    ],
)
def test_what_cannot_be_compared_is_refused_by_name(wrong, told):
    with pytest.raises(RefusedError, match=told):
        prioritise([rated("good", 1, 1, 1, 1), wrong])


def test_an_id_given_twice_is_refused():
    with pytest.raises(RefusedError, match="a comes 2 times"):
        prioritise([rated("a", 1, 1, 1, 1), rated("a", 2, 1, 1, 1)])


ratings = st.integers(0, 1000) | st.floats(0, 1000, allow_nan=False)
candidates = st.lists(
    st.builds(
        rated,
        st.uuids().map(str),
        ratings,
        ratings,
        ratings,
        st.integers(1, 1000) | st.floats(0.01, 1000),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda one: one.id,
)


@given(candidates, st.randoms())
@settings(deadline=None)
def test_the_order_is_total_and_does_not_depend_on_the_order_given(items, random):
    ranked = prioritise(items)
    assert sorted(one.id for one in ranked) == sorted(one.id for one in items)
    assert [one.rank for one in ranked] == list(range(1, len(items) + 1))
    assert all(one.score >= other.score for one, other in itertools.pairwise(ranked))
    shuffled = list(items)
    random.shuffle(shuffled)
    assert prioritise(shuffled) == ranked


@given(candidates, st.integers(1, 100))
@settings(deadline=None)
def test_more_value_never_ranks_lower(items, more):
    first = items[0]
    raised = first.model_copy(update={"business_value": min(1000, (first.business_value or 0) + more)})
    before = next(one.rank for one in prioritise(items) if one.id == first.id)
    after = next(one.rank for one in prioritise([raised, *items[1:]]) if one.id == first.id)
    assert after <= before


FIELDS = {
    "Microsoft.VSTS.Common.BusinessValue": "8",
    "Microsoft.VSTS.Common.TimeCriticality": "5.0",
    "Microsoft.VSTS.Scheduling.StoryPoints": "3",
    "Microsoft.VSTS.Common.Risk": "2 - Medium",
}


def test_ratings_are_read_from_the_fields_of_the_work_items():
    assert candidate_of(item(4, fields=FIELDS)) == Candidate(
        id="#4", title="User Story 4", business_value=8, time_criticality=5, risk_reduction=5, job_size=3
    )
    unrated = candidate_of(item(4, fields={"Microsoft.VSTS.Common.BusinessValue": "a lot"}))
    assert (unrated.business_value, unrated.job_size) == (None, None)


def test_rated_work_is_ordered_and_what_is_not_rated_is_named():
    done = {"acceptance": "It works"}
    rich = FIELDS | {"Microsoft.VSTS.Common.BusinessValue": "20"}
    items = (item(4, fields=FIELDS, **done), item(5, fields=rich, **done), item(6, **done))
    (one,) = analyse(evidence(items=items))
    assert one.kind is OpinionKind.PRIORITY
    assert one.message.index("1. #5") < one.message.index("2. #4")
    assert "Not all ratings: #6." in one.message


@pytest.mark.parametrize("size", ["0", "2000"])
def test_ratings_nobody_can_use_give_no_order(size):
    done = {"acceptance": "It works"}
    wrong = FIELDS | {"Microsoft.VSTS.Scheduling.StoryPoints": size}
    assert analyse(evidence(items=(item(4, fields=FIELDS, **done), item(5, fields=wrong, **done)))) == ()
