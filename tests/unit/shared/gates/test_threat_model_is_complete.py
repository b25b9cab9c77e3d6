"""Every part of a threat model is asked for by itself, and together they are a whole one."""

from __future__ import annotations

import pytest

from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, asked, asked_for, evidence, file, item, judged

GATE = "threat_model_is_complete"
PARTS = {
    "data_flow_is_drawn_before_change": "## Data flow before\n\n```mermaid\nflowchart LR\n  a --> b\n```\n",
    "data_flow_is_drawn_after_change": "## Data flow after\n\n![the new flow](flow.png)\n",
    "threats": (
        "## Threats\n\n| Threat | Control | Test |\n|---|---|---|\n"
        "| Somebody reads another's orders | The owner is checked | test_orders_of_others_are_refused |\n"
        "| A cell holds a formula | Cells are quoted | test_formulas_are_quoted |\n"
    ),
    "residual_risk_is_accepted": (
        "## Residual risk\n\nA spreadsheet may still run macros of its own.\n\nAccepted by: Ines Mora, product owner\n"
    ),
}
WHOLE = "# Threat model\n\n" + "\n".join(PARTS.values())
CRITERIA = (
    "data_flow_is_drawn_before_change",
    "data_flow_is_drawn_after_change",
    "threats_are_enumerated",
    "threats_have_controls",
    "residual_risk_is_accepted",
)


def found(text, wanted=None, **rest):
    return judged(GATE, evidence(items=(item(12, body=text),), **rest), wanted)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_a_whole_model_meets_every_criterion(criterion):
    assert found(WHOLE, asked(criterion)).outcome is Outcome.MET


def test_a_whole_model_meets_all_parts_together():
    one = found(WHOLE)
    assert one.outcome is Outcome.MET
    assert one.measured == {"threats": 2, "controlled": 2}


@pytest.mark.parametrize(
    ("left_out", "unmet"),
    [
        ("data_flow_is_drawn_before_change", {"data_flow_is_drawn_before_change"}),
        ("data_flow_is_drawn_after_change", {"data_flow_is_drawn_after_change"}),
        ("threats", {"threats_are_enumerated", "threats_have_controls"}),
        ("residual_risk_is_accepted", {"residual_risk_is_accepted"}),
    ],
)
def test_what_is_left_out_is_missed_by_its_criterion_alone(left_out, unmet):
    text = WHOLE.replace(PARTS[left_out], "")
    assert {one for one in CRITERIA if found(text, asked(one)).outcome is Outcome.UNMET} == unmet
    assert found(text).outcome is Outcome.UNMET


@pytest.mark.parametrize("said", ["", "-", "TBD", "none", "to do"])
def test_a_threat_without_a_control_is_named(said):
    one = found(WHOLE.replace("Cells are quoted", said), asked("threats_have_controls"))
    assert one.outcome is Outcome.UNMET
    assert "1 of 2 threats without a control: 'A cell holds a formula'" in one.reason


def test_a_control_without_a_test_is_named():
    one = found(WHOLE.replace("test_formulas_are_quoted", ""))
    assert one.outcome is Outcome.UNMET
    assert "test of its control: 'A cell holds a formula'" in one.reason
    assert found(WHOLE.replace("test_formulas_are_quoted", ""), asked("threats_have_controls")).outcome is Outcome.MET


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Accepted by:", "nobody is named"),
        ("Accepted by: TBD", "nobody is named"),
        ("Accepted by: Ines Mora", "no role is given"),
        ("Accepted by: the product owner", "nobody is named"),
    ],
)
def test_acceptance_needs_somebody_and_a_role(said, words):
    one = found(WHOLE.replace("Accepted by: Ines Mora, product owner", said), asked("residual_risk_is_accepted"))
    assert one.outcome is Outcome.UNMET
    assert words in one.reason


@pytest.mark.parametrize(
    "said",
    [
        "Accepted by: @ines (product owner)",
        "Accepted on 3 May by Ines Mora, CISO",
        "Ines Mora, head of sales, accepts it.",
    ],
)
def test_acceptance_reads_as_people_write_it(said):
    text = WHOLE.replace("Accepted by: Ines Mora, product owner", said)
    assert found(text, asked("residual_risk_is_accepted")).outcome is Outcome.MET


def test_a_login_that_does_not_hold_the_role_accepts_nothing():
    text = WHOLE.replace("Ines Mora, product owner", "@otis, product owner")
    held = {"product_owner": ("ines",)}
    one = found(text, asked("residual_risk_is_accepted"), roles=held)
    assert one.outcome is Outcome.UNMET
    assert "otis" in one.reason
    assert found(text.replace("@otis", "@Ines"), asked("residual_risk_is_accepted"), roles=held).outcome is Outcome.MET


def test_ticket_and_document_complete_each_other():
    ticket = item(12, comments=(PARTS["residual_risk_is_accepted"],))
    model = file("docs/threat-model.md", None, WHOLE.replace(PARTS["residual_risk_is_accepted"], ""))
    assert judged(GATE, evidence(model, items=(ticket,))).outcome is Outcome.MET
    assert judged(GATE, evidence(file("src/threat.py", None, WHOLE), items=(item(12),))).outcome is Outcome.UNMET


def test_what_a_threat_of_the_document_lacks_is_said_beside_it():
    text = WHOLE.replace("Cells are quoted", "")
    one = judged(GATE, evidence(file("docs/threat-model.md", None, text), items=(item(12),)))
    assert one.outcome is Outcome.UNMET
    [remark] = one.remarks
    assert (remark.path, remark.line) == (
        "docs/threat-model.md",
        1 + text.splitlines().index(next(line for line in text.splitlines() if "formula" in line)),
    )


def test_bugs_are_not_asked():
    assert judged(GATE, evidence(items=(item(12, "Bug"),))).outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    "hidden", [{"files": UNKNOWN}, {"files": (file("docs/threat-model.md", None, "x", content=None, patch=None),)}]
)
def test_a_model_that_nobody_could_read_is_neither_there_nor_missing(hidden):
    assert judged(GATE, evidence(items=(item(12),), **hidden)).outcome is Outcome.NOT_AVAILABLE
    assert judged(GATE, evidence(items=(item(12, body=WHOLE),), **hidden)).outcome is Outcome.MET


def test_unknown_tickets_have_no_model_that_anybody_saw():
    assert judged(GATE, evidence(items=UNKNOWN)).outcome is Outcome.NOT_AVAILABLE


def test_a_part_nobody_knows_is_never_met():
    one = found(WHOLE, asked_for(parts=("threats", "incantations")))
    assert one.outcome is Outcome.UNMET
    assert "'incantations'" in one.reason
