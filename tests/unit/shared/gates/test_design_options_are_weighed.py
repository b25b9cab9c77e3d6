"""Options are read from tickets and documents; each criterion asks for its own part of the weighing."""

from __future__ import annotations

import pytest

from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, asked, evidence, file, item, judged, thread

GATE = "design_options_are_weighed"
ASPECTS = {
    "option_effort_is_estimated": "Effort",
    "option_vulnerabilities_are_named": "Vulnerabilities",
    "option_cleanliness_is_rated": "Cleanliness",
    "option_familiarity_is_stated": "Familiarity",
    "option_execution_impact_is_stated": "Execution impact",
    "option_cost_is_stated": "Cost",
    "option_testability_is_stated": "Testability",
}
HEAD = f"| Option | {' | '.join(ASPECTS.values())} |\n|{'---|' * 8}\n"
TABLE = HEAD + (
    "| CSV | 3 days | formulas in cells | 4: one module | like the import | none | none | easy |\n"
    "| Excel | 8 days | none | 2: a large library | new | 50 ms a file | a licence | hard |\n"
)
DECISION = "\n## Decision\n\nCSV, because every tool reads it.\n"
WHOLE = "## Design options\n\n" + TABLE + DECISION


def found(criterion=GATE, /, *files, limits=None, **rest):
    return judged(
        GATE, evidence(*files, **({"items": (item(12, body=WHOLE),)} | rest)), asked(criterion, **(limits or {}))
    )


@pytest.mark.parametrize("criterion", [GATE, *ASPECTS, "design_choice_is_recorded"])
def test_a_whole_design_meets_every_criterion(criterion):
    one = found(criterion)
    assert one.outcome is Outcome.MET, one.reason
    assert one.measured == {"options": 2}


@pytest.mark.parametrize(("criterion", "aspect"), ASPECTS.items())
def test_an_aspect_that_one_option_lacks_is_named_with_the_option(criterion, aspect):
    place = list(ASPECTS.values()).index(aspect)
    cells = TABLE.splitlines()[-1].split("|")
    cells[place + 2] = " TBD "
    text = WHOLE.replace(TABLE.splitlines()[-1], "|".join(cells))
    one = found(criterion, items=(item(12, body=text),))
    assert one.outcome is Outcome.UNMET
    assert "'Excel' says nothing of" in one.reason
    others = [name for name in ASPECTS if name != criterion]
    assert {found(name, items=(item(12, body=text),)).outcome for name in others} == {Outcome.MET}


def test_one_option_is_no_choice():
    one = found(items=(item(12, body=WHOLE.replace(TABLE.splitlines()[-1] + "\n", "")),))
    assert one.outcome is Outcome.UNMET
    assert "1 of 2 options is weighed" in one.reason


def test_options_that_are_only_named_are_not_weighed():
    one = found(items=(item(12, body="## Options\n\n- CSV\n- Excel\n"),))
    assert one.outcome is Outcome.UNMET
    assert "2 more are only named" in one.reason
    assert one.measured == {"options": 0}


@pytest.mark.parametrize(("wanted", "outcome"), [(2, Outcome.MET), (3, Outcome.UNMET)])
def test_a_policy_may_ask_for_more_options(wanted, outcome):
    assert found(limits={"options": wanted}).outcome is outcome


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        (WHOLE.replace(DECISION, ""), ("no option is marked", "no reason")),
        (WHOLE.replace(", because every tool reads it", ""), ("no reason",)),
        (WHOLE.replace(DECISION, "\n## Decision\n\nPDF, because it prints well.\n"), ("no option is marked",)),
        (WHOLE.replace(DECISION, "\n## Decision\n\nTBD\n"), ("no option is marked", "no reason")),
    ],
)
def test_the_choice_names_an_option_and_has_a_reason(text, missing):
    one = found("design_choice_is_recorded", items=(item(12, body=text),))
    assert one.outcome is Outcome.UNMET
    for words in missing:
        assert words in one.reason


def test_the_choice_may_stand_in_a_later_comment():
    ticket = item(12, body=WHOLE.replace(DECISION, ""), comments=("Decision: Excel\n\nReason: the accountant insists",))
    assert found("design_choice_is_recorded", items=(ticket,)).outcome is Outcome.MET


def test_a_choice_by_command_counts_once_somebody_entitled_made_it():
    ticket = item(12, body=WHOLE.replace(DECISION, ""))
    said = thread(("noor", "/doneright choose design 2\nbecause the accountant insists"))
    criterion = "design_choice_is_recorded"
    assert found(criterion, items=(ticket,), threads=(said,)).outcome is Outcome.UNMET
    assert found(criterion, items=(ticket,), threads=(said,), design=2).outcome is Outcome.MET
    assert found(criterion, items=(ticket,), threads=(), design=2).outcome is Outcome.UNMET
    assert found(criterion, items=(ticket,), threads=(said,), design=9).outcome is Outcome.UNMET


def test_a_document_of_the_change_does_as_well():
    document = file("docs/design/export.md", None, WHOLE)
    assert found(GATE, document, items=(item(12),)).outcome is Outcome.MET
    assert found(GATE, file("src/export.md", None, WHOLE), items=(item(12),)).outcome is Outcome.UNMET


def test_what_a_document_lacks_is_said_in_it():
    document = file("docs/decisions/0007.md", None, WHOLE.replace("| 8 days |", "| |"))
    one = found("option_effort_is_estimated", document, items=(item(12),))
    assert one.outcome is Outcome.UNMET
    assert [remark.path for remark in one.remarks] == ["docs/decisions/0007.md"]


def test_the_design_of_the_feature_holds_for_its_requirements():
    ticket = item(20, "Task", parents=(item(12), item(5, "Feature", body=WHOLE)))
    assert found(items=(ticket,)).outcome is Outcome.MET


def test_each_ticket_needs_its_own():
    one = found(items=(item(12, body=WHOLE), item(13)))
    assert one.outcome is Outcome.UNMET
    assert "#13" in one.reason


def test_bugs_are_not_asked():
    assert found(items=(item(12, "Bug"),)).outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    "hidden",
    [{"files": UNKNOWN}, {"files": (file("docs/design/a.md", None, "x", content=None, patch=None),)}],
)
def test_a_design_that_nobody_could_read_is_neither_there_nor_missing(hidden):
    assert judged(GATE, evidence(items=(item(12),), **hidden), asked(GATE)).outcome is Outcome.NOT_AVAILABLE
    # What the ticket says was seen.
    assert judged(GATE, evidence(items=(item(12, body=WHOLE),), **hidden), asked(GATE)).outcome is Outcome.MET


def test_unknown_tickets_have_no_design_that_anybody_saw():
    assert found(items=UNKNOWN).outcome is Outcome.NOT_AVAILABLE


def test_an_aspect_nobody_knows_is_never_met():
    one = found("option_cost_is_stated", limits={"aspects": ("cost", "beauty")})
    assert one.outcome is Outcome.UNMET
    assert "'beauty'" in one.reason
