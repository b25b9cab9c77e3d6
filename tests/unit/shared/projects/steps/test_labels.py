"""The labels step: every label is there once, and what others made keeps its looks."""

from __future__ import annotations

import pytest
import yaml

from shared.domain.forge import Label
from shared.domain.plan import ReversalState, StepState
from shared.errors import DefectError, RefusedError, TransientError
from shared.projects import scaffold
from shared.projects.labels import labels
from tests.fakes.code_host import GITHUBS_OWN
from tests.fakes.forges import Fault

STEP = "github.labels"


@pytest.fixture
def made(bench):
    bench.made("github.repository")
    return bench


def stored(bench):
    return bench.app.github.label_store[str(bench.ref(STEP)).lower()]


def test_they_are_made_as_defined_and_read_back(made):
    outcome = made.attempt(STEP)
    assert outcome.state is StepState.APPLIED
    assert outcome.observed["labels"] == [label.name for label in labels()]
    for label in labels():
        assert stored(made)[label.name.lower()] == (GITHUBS_OWN if label.name == "bug" else label)


def test_the_second_time_they_are_confirmed(made):
    assert made.twice(STEP).state is StepState.CONFIRMED


def test_a_label_somebody_else_made_keeps_its_colour_in_any_case(made):
    theirs = Label(name="FEATURE", color="123456", description="theirs")
    stored(made)["feature"] = theirs
    made.twice(STEP)
    assert stored(made)["feature"] == theirs


def test_our_own_label_that_changed_is_set_again(made):
    made.made(STEP)
    stored(made)["p0"] = Label(name="P0", color="000000", description="")
    assert made.attempt(STEP).state is StepState.APPLIED
    assert stored(made)["p0"] == next(label for label in labels() if label.name == "P0")


def test_an_answer_lost_after_the_effect_is_found_made(made):
    made.app.github.fail("create_label", Fault.LOST)
    with pytest.raises(TransientError):
        made.attempt(STEP)
    made.made(STEP)
    assert len(stored(made)) == len(labels())


def test_labels_that_do_not_show_are_waited_for(made):
    made.app.github.deaf = True
    outcome = made.attempt(STEP)
    assert outcome.state is StepState.WAITING
    assert "new-project" in outcome.reason


def test_looks_that_do_not_stay_fail_with_the_remedy(made):
    made.made(STEP)
    stored(made)["p0"] = Label(name="P0", color="000000")
    made.app.github.deaf = True
    outcome = made.attempt(STEP)
    assert (outcome.state, outcome.reason) == (StepState.FAILED, "set, and read back otherwise: P0")
    assert outcome.remedy


def test_labels_that_are_no_list_are_a_defect_of_the_plan(made):
    with pytest.raises(DefectError, match="not a list"):
        made.attempt(STEP, labels="bug")


def test_every_label_of_an_issue_form_is_defined():
    forms = scaffold.SCAFFOLDS / "base" / scaffold.REQUEST_FORM.parent
    wanted = {name for form in forms.glob("*.yml") for name in yaml.safe_load(form.read_text()).get("labels", ())}
    assert {"bug", "feature", "new-project"} <= wanted
    assert wanted <= {label.name for label in labels()}


def test_names_are_unique_in_any_case():
    names = [label.name.lower() for label in labels()]
    assert len(names) == len(set(names))


def test_taken_back_labels_that_were_there_before_stay(made):
    made.of_an_earlier_run()
    theirs = Label(name="p0: now", color="000000", description="Ours.")
    stored(made)["p0: now"] = theirs
    made.made(STEP)
    reversal = made.reversed(STEP)
    assert reversal.state is ReversalState.REMOVED
    assert " more" in reversal.reason
    assert stored(made) == {"bug": GITHUBS_OWN, "p0: now": theirs}


def test_of_a_repository_that_somebody_removed_no_label_is_left(made):
    made.of_an_earlier_run()
    made.made(STEP)
    made.app.github.delete_repository(made.ref(STEP))
    assert made.reversed(STEP).state is ReversalState.REMOVED
    assert "delete_label" not in made.app.github.calls


def test_a_refused_label_is_not_ours(made):
    before = made.intents()
    made.app.github.fail("create_label", Fault.REFUSED)
    with pytest.raises(RefusedError):
        made.attempt(STEP)
    assert made.intents() == before
