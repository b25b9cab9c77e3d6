"""The scaffold's own template, and any other, is held against what was made of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, UNSUPPORTED, a_change, asked, evidence, judged

GATE = "change_is_described"
TEMPLATE = (Path(__file__).resolve().parents[4] / "shared/scaffolds/base/.github/pull_request_template.md").read_text(
    encoding="utf-8"
)
FILLED = (
    TEMPLATE.replace("- [ ]", "- [x]")
    .replace("## What changes, and why\n", "## What changes, and why\n\nOrders can be exported as CSV.\n")
    .replace("## How it was checked\n", "## How it was checked\n\nBy hand, and by the tests of the export.\n")
)


def found(body, template=TEMPLATE, title="Export orders", criterion=GATE, **limits):
    return judged(
        GATE, evidence(change=a_change(body=body, title=title), template=template), asked(criterion, **limits)
    )


def test_the_scaffolds_template_filled_in_is_a_description():
    assert found(FILLED).outcome is Outcome.MET


def test_the_scaffolds_template_as_it_comes_is_none():
    one = found(TEMPLATE)
    assert one.outcome is Outcome.UNMET
    assert "'What changes, and why' is empty" in one.reason
    assert "is not answered" in one.reason


@pytest.mark.parametrize(
    "words", ["", "TBD", "TODO", "<!-- what changes -->", "...", "<what you did>", "Describe the change here."]
)
def test_placeholders_fill_nothing(words):
    one = found(FILLED.replace("Orders can be exported as CSV.", words))
    assert one.outcome is Outcome.UNMET
    assert "'What changes, and why' is empty" in one.reason


def test_a_section_that_was_taken_out_is_missed():
    one = found(FILLED.replace("## How it was checked", ""))
    assert one.outcome is Outcome.UNMET
    assert "'How it was checked' is missing" in one.reason


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("- [x] A work item or issue is linked", Outcome.MET),
        ("- [X] A work item or issue is linked: #12", Outcome.MET),
        ("- [ ] ~~A work item or issue is linked~~", Outcome.MET),
        ("- ~~[ ] A work item or issue is linked~~", Outcome.MET),
        ("- [ ] A work item or issue is linked (n/a: a typo)", Outcome.MET),
        ("- [ ] A work item or issue is linked", Outcome.UNMET),
        ("- [ ] A work item or issue is linked: TODO", Outcome.UNMET),
        ("", Outcome.UNMET),
    ],
)
def test_each_box_is_answered(answer, outcome):
    body = FILLED.replace("- [x] A work item or issue is linked", answer)
    assert found(body).outcome is outcome


def test_a_box_is_not_answered_by_another_that_begins_alike():
    template = "## What\n\n- [ ] Tests\n- [ ] Tests of limits\n"
    one = found("Exports all orders.\n\n## What\n\n- [x] Tests of limits\n- [ ] Tests\n", template)
    assert one.outcome is Outcome.UNMET
    assert one.reason == "the box 'Tests' is not answered"
    assert (
        found("Exports all orders.\n\n## What\n\n- [x] Testsuite\n", "## What\n\n- [ ] Tests\n").outcome
        is Outcome.UNMET
    )


def test_of_a_list_of_types_one_is_ticked():
    template = "## What\n\n## Type of change\n\n- [ ] Bug fix\n- [ ] Feature\n"
    assert (
        found("## What\n\nA new export.\n\n## Type of change\n\n- [ ] Bug fix\n- [x] Feature\n", template).outcome
        is Outcome.MET
    )
    one = found("## What\n\nA new export.\n\n## Type of change\n\n- [ ] Bug fix\n- [ ] Feature\n", template)
    assert "no box of 'Type of change'" in one.reason


def test_words_of_the_template_itself_fill_nothing():
    template = "## What\n\nDescribe what users will see.\n"
    assert found(template, template).outcome is Outcome.UNMET
    assert found(template + "\nA button to export orders.\n", template).outcome is Outcome.MET


def test_a_picture_or_code_fills_a_section_and_so_does_what_stands_below():
    template = "## What\n\n## Proof\n"
    assert found("## What\n\nA new button.\n\n## Proof\n\n![after](a.png)\n", template).outcome is Outcome.MET
    assert (
        found("## What\n\n### Before\n\nNothing.\n\n## Proof\n\n```\n3 passed\n```\n", template).outcome is Outcome.MET
    )


def test_headings_count_however_they_are_written():
    assert found(FILLED.replace("## How it was checked", "**How it was checked:**")).outcome is Outcome.MET


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("Exports orders as CSV.", Outcome.MET),
        ("Export.", Outcome.UNMET),
        ("", Outcome.UNMET),
        ("<!-- x -->", Outcome.UNMET),
    ],
)
@pytest.mark.parametrize("template", ["", UNSUPPORTED])
def test_without_a_template_a_few_words_do(body, outcome, template):
    assert found(body, template).outcome is outcome


def test_an_unknown_template_may_ask_for_more_but_an_empty_description_is_empty():
    assert found("Exports orders as CSV.", UNKNOWN).outcome is Outcome.NOT_AVAILABLE
    assert found("", UNKNOWN).outcome is Outcome.UNMET


TYPE = "change_type_is_stated"


@pytest.mark.parametrize(
    ("title", "body", "outcome"),
    [
        ("feat: export orders", "", Outcome.MET),
        ("fix(api)!: refuse empty names", "", Outcome.MET),
        ("Export orders", "## Type of change\n\n- [x] Feature\n", Outcome.MET),
        ("Export orders", "## Type\n\nA bug fix.\n", Outcome.MET),
        ("Export orders", "## Type of change\n\n- [ ] Feature\n", Outcome.UNMET),
        ("Export orders", "## Type\n\nTBD\n", Outcome.UNMET),
        ("Export orders", "## What\n\nSomething typed.\n", Outcome.UNMET),
        ("Note: export orders", "", Outcome.UNMET),
    ],
)
def test_the_type_is_stated_in_the_title_or_in_its_section(title, body, outcome):
    assert found(body, "", title, TYPE).outcome is outcome


def test_a_policy_may_ask_for_further_sections():
    limits = {"sections": ("type", "rollback")}
    one = found("Exports orders.", "", "feat: export", TYPE, **limits)
    assert one.outcome is Outcome.UNMET
    assert one.reason == "the description does not say: rollback"
    assert (
        found("## How to roll back\n\n## Rollback\n\nDeploy the tag before.\n", "", "feat: x", TYPE, **limits).outcome
        is Outcome.MET
    )
