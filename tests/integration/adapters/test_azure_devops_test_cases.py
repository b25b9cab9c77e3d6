"""Planned test cases in Azure Test Plans, against the simulator and the vendor's contract."""

from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from shared.adapters.azure_devops.test_cases import STEPS, TESTS, PlansMirror, steps_xml
from shared.domain.test_case import CaseNature, CaseStep, PlannedCase
from shared.errors import RefusedError, TransientError
from tests.integration.adapters.azure_sandbox import AzureSandbox, sandbox_with_contract


@pytest.fixture(scope="module")
def served() -> Iterator[AzureSandbox]:
    with sandbox_with_contract() as one:
        yield one


@pytest.fixture
def sandbox(served: AzureSandbox) -> Iterator[AzureSandbox]:
    served.faults.clear()
    yield served
    served.faults.clear()
    assert served.violations() == []


def mirror_of(sandbox: AzureSandbox) -> PlansMirror:
    return PlansMirror(sandbox.forge()._client)


def case(number: int, title: str = "", **rest: object) -> PlannedCase:
    usual = {
        "key": f"{number:016x}",
        "title": title or f"price: case {number}",
        "nature": CaseNature.EDGE,
        "steps": (CaseStep(action="Call price with code = '<b>' & more", expected="It answers"),),
        "automated_by": "tests/unit/test_prices_price_proposed.py",
    }
    return PlannedCase.model_validate(usual | rest)


def held(sandbox: AzureSandbox, plan: str, suite: str) -> list[int]:
    plans = [
        one
        for one in sandbox.project()["plans"].values()
        if sandbox.organization["work_items"][str(one["id"])]["fields"]["System.Title"] == plan
    ]
    assert len(plans) == 1
    suites = [one for one in plans[0]["suites"].values() if one["name"] == suite and one["id"] != plans[0]["root"]]
    assert len(suites) == 1
    return suites[0]["cases"]


def fields(sandbox: AzureSandbox, number: int) -> dict:
    return sandbox.organization["work_items"][str(number)]["fields"]


def test_cases_are_made_in_a_plan_and_suite_and_only_once(sandbox):
    cases = [case(1), case(2)]
    first = mirror_of(sandbox).mirror("Shop", "Quality", "Pull request 7", cases)
    again = mirror_of(sandbox).mirror("Shop", "Quality", "Pull request 7", cases)
    assert first == again
    assert held(sandbox, "Quality", "Pull request 7") == list(first)
    made = fields(sandbox, first[0])
    assert made["System.WorkItemType"] == "Test Case"
    assert "edge" in made["System.Tags"]
    assert made["System.Description"] == "Run by tests/unit/test_prices_price_proposed.py"


def test_a_case_that_says_something_else_is_brought_up_to_date(sandbox):
    (number,) = mirror_of(sandbox).mirror("Shop", "Updates", "One", [case(11)])
    rev = sandbox.organization["work_items"][str(number)]["rev"]
    other = case(11, "price: renamed", steps=(CaseStep(action="Do otherwise"),))
    assert mirror_of(sandbox).mirror("Shop", "Updates", "One", [other]) == (number,)
    assert fields(sandbox, number)["System.Title"] == "price: renamed"
    assert "Do otherwise" in fields(sandbox, number)[STEPS]
    assert sandbox.organization["work_items"][str(number)]["rev"] == rev + 1
    mirror_of(sandbox).mirror("Shop", "Updates", "One", [other])
    assert sandbox.organization["work_items"][str(number)]["rev"] == rev + 1


def test_a_suite_of_that_name_in_another_plan_is_another(sandbox):
    (one,) = mirror_of(sandbox).mirror("Shop", "Plan A", "Same", [case(21)])
    (other,) = mirror_of(sandbox).mirror("Shop", "Plan B", "Same", [case(22)])
    assert held(sandbox, "Plan A", "Same") == [one]
    assert held(sandbox, "Plan B", "Same") == [other]


def test_one_case_may_stand_in_two_suites(sandbox):
    (one,) = mirror_of(sandbox).mirror("Shop", "Both", "First", [case(31)])
    assert mirror_of(sandbox).mirror("Shop", "Both", "Second", [case(31)]) == (one,)
    assert held(sandbox, "Both", "First") == held(sandbox, "Both", "Second") == [one]


def test_a_suite_named_as_its_plan_is_not_the_root(sandbox):
    (one,) = mirror_of(sandbox).mirror("Shop", "Twin", "Twin", [case(41)])
    assert held(sandbox, "Twin", "Twin") == [one]


def test_a_case_is_linked_to_the_requirement_it_tests(sandbox):
    (story,) = mirror_of(sandbox).mirror("Shop", "Links", "Story", [case(51)])
    (number,) = mirror_of(sandbox).mirror("Shop", "Links", "Linked", [case(52, requirement=story)])
    (link,) = sandbox.organization["work_items"][str(number)]["links"]
    assert (link["rel"], link["target"]) == (TESTS, story)


def test_a_create_whose_answer_was_lost_is_found_again(sandbox):
    sandbox.lose_answer("POST", r"(?i)/workitems/(\$|%24)Test")
    with pytest.raises(TransientError):
        mirror_of(sandbox).mirror("Shop", "Lost", "One", [case(61)])
    assert sandbox.fired() == 1
    sandbox.faults.clear()
    (number,) = mirror_of(sandbox).mirror("Shop", "Lost", "One", [case(61)])
    twins = [
        one
        for one in sandbox.organization["work_items"].values()
        if f"doneright:case-{61:016x}" in one["fields"].get("System.Tags", "")
    ]
    assert [one["id"] for one in twins] == [number]


def test_no_cases_make_no_plan(sandbox):
    before = len(sandbox.project()["plans"])
    assert mirror_of(sandbox).mirror("Shop", "Nothing", "One", []) == ()
    assert len(sandbox.project()["plans"]) == before


@pytest.mark.parametrize(("plan", "suite"), [("", "One"), ("Plan", " "), ("x" * 256, "One")])
def test_names_that_cannot_be_are_refused(sandbox, plan, suite):
    with pytest.raises(RefusedError, match="names no test plan or suite"):
        mirror_of(sandbox).mirror("Shop", plan, suite, [case(71)])


def test_steps_keep_every_character_of_their_text():
    text = steps_xml(case(1, steps=(CaseStep(action="a < b & 'c' \"d\" ]]> é"), CaseStep(action="x", expected="y"))))
    root = ElementTree.fromstring(text)  # noqa: S314 - our own
    assert root.attrib == {"id": "0", "last": "3"}
    first, second = root.findall("step")
    assert (first.get("type"), second.get("type")) == ("ActionStep", "ValidateStep")
    assert first.findtext("parameterizedString") == "a &lt; b &amp; 'c' \"d\" ]]&gt; é"
    assert [one.text for one in second.findall("parameterizedString")] == ["x", "y"]
