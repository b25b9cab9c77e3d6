"""Simulations: what a policy would have decided on the last pull requests, read from what is kept and changing nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.definitions.load import definition_of_done
from shared.domain.audit import AuditTag
from shared.domain.forge import ForgeName
from shared.domain.policy import Enforcement, Level
from shared.domain.project import RequestOrigin
from shared.domain.pull_request import PullRequestState
from shared.domain.review import Outcome, Ruling
from shared.domain.run import ProjectRecord, ProjectState
from shared.domain.simulation import AskedSimulation, SimulationState
from shared.domain.threshold import Threshold, Unit
from shared.errors import RefusedError, TransientError
from shared.policies.parsing import POLICY_FILE
from shared.reviews import standing
from shared.reviews.simulating import simulate
from shared.reviews.simulations import begin, break_off, carry_out, view_of
from tests.fakes.app import a_request
from tests.fakes.changes import HEAD, NOW, a_change, a_ref, evidence, file
from tests.fakes.forges import Fault
from tests.fakes.talk import Talk, a_finding

STRICT = "stages: {development: {change_is_small: enforced}}"
TIGHT = "stages: {integration: {overall_coverage_holds: {thresholds: {overall: 90}}}}"
COVERAGE = {"overall": Threshold(at_least=85, unit=Unit.PERCENT)}
LINES = {"changed_lines": Threshold(at_most=500, unit=Unit.LINES)}


class Trial:
    """A project ``desk`` of one repository on GitHub, whose pull request 7 a review may have looked at."""

    def __init__(self):
        self.talk = Talk()
        self.talk.connect(github={"organization": "contoso", "credential": {"kind": "pat", "token_secret": "gh"}})
        self.ports = self.talk.ports
        request = a_request(name="Desk", forges=["github"])
        record = ProjectRecord(
            id="desk", name="Desk", connection="acme", subject="s", run=1, instance="s.1", state=ProjectState.COMPLETED,
            request=request, origin=RequestOrigin(subject="s", requester="casey"), created_at=NOW, started_at=NOW,
        )  # fmt: skip
        self.talk.ports.projects.put("projects", "desk", record)

    def asked(self, text, **rest):
        digest = self.talk.ports.artifacts.put(text.encode(), "application/yaml")
        return AskedSimulation.model_validate({"id": "sim-1", "project": "desk", "policy": digest} | rest)

    def tried(self, text, **rest):
        return simulate(self.talk.ports, self.asked(text, **rest))

    def reviewed(self, *findings, **rest):
        """A review whose other criteria were all met."""
        named = {one.criterion for one in findings}
        shipped = standing.wider_policies(self.talk.ports, connection="acme", project="desk")
        assert shipped[2] == []
        from shared.policies.parsing import shipped_policy
        from shared.policies.resolving import resolve
        from shared.reviews.judging import asked_of_a_change

        known = definition_of_done().by_id()
        others = [
            a_finding(rule.criterion, Outcome.MET, enforcement=rule.enforcement, thresholds=rule.thresholds)
            for rule in resolve(definition_of_done(), shipped_policy()).policy.rules
            if rule.criterion not in named
            and rule.enforcement is not Enforcement.OFF
            and asked_of_a_change(known[rule.criterion])
        ]
        return self.talk.reviewed(*findings, *others, **rest)


@pytest.fixture
def trial():
    return Trial()


def too_large():
    return a_finding(
        "change_is_small", enforcement=Enforcement.ADVISORY, measured={"changed_lines": 900}, thresholds=LINES
    )


def test_advice_that_becomes_a_rule_blocks(trial):
    trial.reviewed(too_large())
    found = trial.tried(STRICT)
    (change,) = found.changes
    assert (change.before, change.after, change.head) == (Ruling.PASSED, Ruling.FAILED, HEAD)
    assert "change_is_small is not met" in change.reason
    (difference,) = change.differences
    assert (difference.criterion, difference.before, difference.after) == (
        "change_is_small", Enforcement.ADVISORY, Enforcement.ENFORCED,
    )  # fmt: skip
    assert (difference.blocks_before, difference.blocks_after) == (False, True)
    assert found.counts == {"passed → failed": 1}


def test_an_empty_policy_changes_nothing(trial):
    trial.reviewed(too_large())
    found = trial.tried("")
    assert (found.changes[0].before, found.changes[0].after) == (Ruling.PASSED, Ruling.PASSED)
    assert found.changes[0].differences == ()


def test_a_bound_that_moves_is_decided_by_what_was_measured(trial):
    trial.reviewed(a_finding("overall_coverage_holds", Outcome.MET, measured={"overall": 88}, thresholds=COVERAGE))
    (change,) = trial.tried(TIGHT).changes
    assert change.after is Ruling.FAILED
    assert change.differences[0].reason == "overall was 88, and at least 90 percent is asked"


def test_what_nobody_knows_is_told_and_is_inconclusive(trial):
    trial.reviewed(a_finding("overall_coverage_holds", Outcome.MET, thresholds=COVERAGE))
    (change,) = trial.tried(TIGHT).changes
    assert (change.after, change.unknown) == (Ruling.INCONCLUSIVE, ("overall_coverage_holds",))


def test_what_was_off_is_asked_of_the_evidence_that_was_kept(trial):
    long = file("a.py", "", "x = 1\n" * 900)
    kept = trial.talk.ports.artifacts.put(evidence(long).model_dump_json().encode(), "application/json")
    then = trial.reviewed(evidence=kept)
    without = tuple(one for one in then.findings if one.criterion != "change_is_small")
    trial.talk.reviewed(*without, evidence=kept)
    (change,) = trial.tried(STRICT).changes
    assert change.after is Ruling.FAILED
    (difference,) = change.differences
    assert (difference.before, difference.outcome_after) == (Enforcement.OFF, Outcome.UNMET)
    assert "900 changed lines" in difference.reason


def test_a_pull_request_without_a_review_is_told(trial):
    (change,) = trial.tried(STRICT).changes
    assert (change.before, change.after, change.reason) == (None, None, "there is no review of it")


def test_only_the_last_are_looked_at_newest_first(trial):
    for number in range(8, 13):
        trial.talk.forge.open(
            a_change(ref=a_ref(number=number), created_at=NOW + timedelta(days=number), state=PullRequestState.MERGED)
        )
    found = trial.tried("", last=3)
    assert [change.ref.number for change in found.changes] == [12, 11, 10]
    assert found.counts == {"not reviewed": 3}
    assert trial.tried("", forge=ForgeName.AZURE_DEVOPS).changes == ()


def test_what_weakens_is_told_and_has_no_effect(trial):
    none = {"secrets": Threshold(at_most=0, unit=Unit.COUNT)}
    trial.reviewed(a_finding("no_secrets", measured={"secrets": 1}, thresholds=none))
    weak = "stages: {integration: {no_secrets: off}}"
    found = trial.tried(weak)
    assert [one.criterion for one in found.weakenings] == ["no_secrets"]
    assert found.changes[0].after is Ruling.FAILED
    assert trial.tried(weak, level=Level.ORGANISATION).changes[0].after is Ruling.PASSED


def test_the_other_levels_stay_in_force(trial):
    trial.reviewed(too_large())
    standing.set_policy(trial.talk.ports, Level.PROJECT, "desk", STRICT, actor="p-1")
    assert trial.tried("").changes[0].after is Ruling.FAILED
    assert trial.tried("", level=Level.PROJECT).changes[0].after is Ruling.PASSED
    trial.talk.forge.contents["contoso/desk", POLICY_FILE, "main"] = STRICT.encode()
    assert trial.tried("", level=Level.PROJECT).changes[0].after is Ruling.FAILED


def test_a_repository_whose_policy_cannot_be_read_is_told(trial):
    trial.reviewed(too_large())
    trial.talk.forge.contents["contoso/desk", POLICY_FILE, "main"] = b"stages: {nowhere: {}}"
    (fault,) = trial.tried("", level=Level.PROJECT).faults
    assert f"{POLICY_FILE} of contoso/desk on main, line 1" in fault
    trial.talk.forge.fail("file_at", Fault.REFUSED)
    assert "the forge refuses" in trial.tried("", level=Level.PROJECT).faults[0]


def test_a_branch_is_asked_for_its_policy_once(trial):
    for number in range(8, 13):
        trial.talk.forge.open(a_change(ref=a_ref(number=number)))
        trial.talk.ref = a_ref(number=number)
        trial.reviewed(too_large())
    trial.talk.forge.called.clear()
    trial.tried("", level=Level.PROJECT)
    assert trial.talk.forge.called == ["changes", "file_at"]


def test_a_forge_that_refuses_is_told_and_one_that_is_away_is_asked_again(trial):
    trial.talk.forge.fail("changes", Fault.REFUSED)
    found = trial.tried("")
    assert found.changes == ()
    assert "GitHub contoso/desk: changes: the forge refuses" in found.faults[0]
    trial.talk.forge.fail("changes", Fault.TRANSIENT)
    with pytest.raises(TransientError):
        trial.tried("")


@pytest.mark.parametrize(
    ("text", "rest", "says"),
    [("stages: [", {}, "line 2"), ("", {"project": "gone"}, "no project gone")],
)
def test_what_cannot_be_simulated_is_refused(trial, text, rest, says):
    with pytest.raises(RefusedError, match=says):
        trial.tried(text, **rest)


# Kept and shown.


def test_a_simulation_is_kept_from_question_to_answer(trial):
    trial.reviewed(too_large())
    asked = begin(trial.ports, trial.asked("").model_copy(update={"policy": ""}), STRICT)
    assert trial.talk.ports.artifacts.get(asked.policy) == STRICT.encode()
    running = view_of(trial.ports, "sim-1")
    assert (running.state, running.result) == (SimulationState.RUNNING, None)
    assert carry_out(trial.ports, asked) == carry_out(trial.ports, asked)
    shown = view_of(trial.ports, "sim-1")
    assert (shown.state, shown.result.changes[0].after) == (SimulationState.COMPLETED, Ruling.FAILED)
    events = trial.talk.audit.events("desk", 0, 10)
    assert [event.tag for event in events] == [AuditTag.POLICY_SIMULATED]
    assert events[0].detail["counts"] == {"passed → failed": 1}


def test_a_simulation_that_breaks_off_says_why_and_one_that_ended_stays(trial):
    asked = begin(trial.ports, trial.asked(""), "")
    break_off(trial.ports, asked, "the forge was away")
    shown = view_of(trial.ports, "sim-1")
    assert (shown.state, shown.reason) == (SimulationState.FAILED, "the forge was away")
    carry_out(trial.ports, asked)
    assert view_of(trial.ports, "sim-1").state is SimulationState.FAILED
    assert view_of(trial.ports, "sim-2") is None


def test_nothing_is_changed_on_the_forge(trial):
    trial.reviewed(too_large())
    trial.tried(STRICT)
    assert trial.talk.forge.written() == []
