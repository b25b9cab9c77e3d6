"""Given-When-Then is found in lines, lists, sentences, tables and code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.evidence.prose.placeholders import says_something
from shared.evidence.prose.scenarios import checklist, complete, scenarios

WAYS = {
    "lines": "Given an order\nWhen I export it\nThen I get a file",
    "list": "- Given an order\n- When I export it\n- Then I get a file",
    "bold": "**Given** an order\n**When** I export it\n**Then** I get a file",
    "code": "```gherkin\nFeature: Export\n  Scenario: one\n    Given an order\n    When I export it\n    Then I get a file\n```",
    "sentence": "Given an order, when I export it, then I get a file.",
    "table": "| Given | When | Then |\n|---|---|---|\n| an order | I export it | I get a file |",
    "html": "<div>Given an order</div><div>When I export it</div><div>Then I get a file</div>",
    "html list": "<ul><li><b>Given</b> an order</li><li><b>When</b> I export it</li><li><b>Then</b> I get a file</li></ul>",
}


@pytest.mark.parametrize("text", WAYS.values(), ids=WAYS)
def test_one_scenario_is_read_however_it_is_written(text):
    [found] = scenarios(text)
    assert found.lacks == ()
    assert (found.given, found.when) == (["an order"], ["I export it"])
    assert found.then[0].startswith("I get a file")


def test_scenarios_are_told_apart_by_name_or_by_the_next_given():
    named = "Scenario: a\nGiven x\nWhen y\nThen z\n\nScenario Outline: b\nGiven <x>\nWhen y\nThen z\n"
    assert [one.name for one in scenarios(named)] == ["a", "b"]
    assert len(scenarios("Given x\nWhen y\nThen z\nGiven q\nWhen r\nThen s\n")) == 2
    assert [one.name for one in scenarios("### Scenario 1: a\n\n- Given x\n- When y\n- Then z\n")] == ["a"]


def test_and_and_but_continue_the_step_before():
    [found] = scenarios("Given a\nAnd b\nWhen c\nBut not d\nThen e\nAnd f\n")
    assert (found.given, found.when, found.then) == (["a", "b"], ["c", "not d"], ["e", "f"])


def test_a_background_belongs_to_every_scenario():
    found = scenarios("Background:\nGiven a\nScenario: one\nWhen b\nThen c\nScenario: two\nWhen d\nThen e\n")
    assert [(one.given, one.lacks) for one in found] == [(["a"], ()), (["a"], ())]


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ("Given a\nWhen b\n", ("Then",)),
        ("When b\nThen c\n", ("Given",)),
        ("Given\nWhen b\nThen TBD\n", ("Given", "Then")),
        ("| Given | When | Then |\n|---|---|---|\n| a | | c |", ("When",)),
    ],
)
def test_what_a_scenario_lacks_is_told(text, lacks):
    [found] = scenarios(text)
    assert found.lacks == lacks
    assert complete([found]) == ()


@pytest.mark.parametrize(
    "text", ["", "It works when I try.", "Whenever it rains.", "```python\nGiven = 1\n```", "And then nothing"]
)
def test_prose_and_code_are_none(text):
    assert complete(scenarios(text)) == ()


def test_a_checklist_stands_below_a_heading_about_acceptance():
    text = "## Tasks\n- [ ] no\n\n## Acceptance criteria\n- [ ] yes\n- also\n- Given a\n- TBD\n\n### Further\n- still\n"
    assert checklist(text) == ("yes", "also", "still")
    assert checklist(text, whole=True) == ("no", "yes", "also", "still")
    assert checklist("Acceptance criteria:\n\n- one\n") == ("one",)
    assert checklist("We discussed acceptance at length.\n\n- one\n") == ()


# A step that says something: "xxx" and the like are what a form leaves to be filled in.
STEP = st.text("abc yz", min_size=1, max_size=12).filter(says_something)


@given(st.lists(st.tuples(STEP, STEP, STEP), min_size=1, max_size=6), st.sampled_from(["", "- ", "* "]))
def test_as_many_are_found_as_were_written(steps, mark):
    text = "\n".join(f"{mark}Given {a}\n{mark}When {b}\n{mark}Then {c}" for a, b, c in steps)
    assert len(complete(scenarios(text))) == len(steps)


@given(st.text(max_size=300))
def test_any_text_is_read(text):
    assert all(one.given or one.when or one.then for one in scenarios(text))
