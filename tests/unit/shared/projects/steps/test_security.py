"""The security step: what the plan offers is on, and what it does not offer is named."""

from __future__ import annotations

import pytest

from shared.domain.forge import SecurityFeature
from shared.domain.plan import ReversalState, StepState
from shared.errors import NotSupportedError, TransientError
from shared.projects.steps.security import NAMES
from tests.fakes.forges import Fault

STEP = "github.security"


@pytest.fixture
def made(bench):
    bench.made("github.repository")
    return bench


def on(bench):
    return bench.app.github.security_store[str(bench.ref(STEP)).lower()]


def test_everything_is_switched_on_and_read_back(made):
    outcome = made.attempt(STEP)
    assert outcome.state is StepState.APPLIED
    assert on(made) == set(SecurityFeature)
    assert "not offered" not in outcome.reason


def test_the_second_time_it_is_confirmed(made):
    assert made.twice(STEP).state is StepState.CONFIRMED


def test_what_the_plan_lacks_is_named_and_the_rest_is_on(made):
    made.app.github.offered = {SecurityFeature.VULNERABILITY_ALERTS}
    outcome = made.attempt(STEP)
    assert outcome.state is StepState.APPLIED
    assert outcome.reason.endswith("not offered by the forge's plan: secret scanning, push protection")
    assert on(made) == {SecurityFeature.VULNERABILITY_ALERTS}
    assert made.twice(STEP).state is StepState.CONFIRMED


def test_what_is_refused_only_when_tried_is_named_too(made, monkeypatch):
    switch = made.app.github.enable_security

    def refusing(ref, feature):
        if feature is SecurityFeature.PUSH_PROTECTION:
            raise NotSupportedError("not available for this repository")
        switch(ref, feature)

    monkeypatch.setattr(made.app.github, "enable_security", refusing)
    outcome = made.attempt(STEP)
    assert outcome.state is StepState.APPLIED
    assert outcome.reason == (
        "on: vulnerability alerts, secret scanning; not offered by the forge's plan: push protection"
    )


def test_a_plan_that_offers_nothing_ends_unsupported_with_the_reason(made):
    made.app.github.offered = set()
    outcome = made.attempt(STEP)
    assert outcome.state is StepState.UNSUPPORTED
    assert all(name in outcome.reason for name in NAMES.values())
    assert outcome.remedy
    assert made.app.github.changes() == ["create_repository"]


def test_what_is_switched_off_again_is_switched_on(made):
    made.made(STEP)
    on(made).discard(SecurityFeature.SECRET_SCANNING)
    assert made.attempt(STEP).state is StepState.APPLIED
    assert on(made) == set(SecurityFeature)


def test_what_does_not_stay_on_fails_with_the_remedy(made):
    made.app.github.deaf = True
    outcome = made.attempt(STEP)
    assert outcome.state is StepState.FAILED
    assert "read back off" in outcome.reason
    assert outcome.remedy


def test_an_answer_lost_after_the_effect_is_found_on(made):
    made.app.github.fail("enable_security", Fault.LOST)
    with pytest.raises(TransientError):
        made.attempt(STEP)
    made.made(STEP)
    assert on(made) == set(SecurityFeature)


def test_taken_back_what_was_on_before_stays_on(made):
    made.of_an_earlier_run()
    on(made).add(SecurityFeature.SECRET_SCANNING)
    made.made(STEP)
    assert made.reversed(STEP).state is ReversalState.REMOVED
    assert on(made) == {SecurityFeature.SECRET_SCANNING}


def test_taken_back_what_hangs_on_another_goes_off_first(made, monkeypatch):
    made.of_an_earlier_run()
    made.made(STEP)
    off = []
    github = made.app.github
    disable = github.disable_security
    monkeypatch.setattr(github, "disable_security", lambda ref, feature: (off.append(feature), disable(ref, feature)))
    made.reversed(STEP)
    assert off.index(SecurityFeature.PUSH_PROTECTION) < off.index(SecurityFeature.SECRET_SCANNING)


def test_what_the_plan_refused_is_not_ours(made):
    made.of_an_earlier_run()
    before = made.intents()
    made.app.github.fail("enable_security", Fault.UNSUPPORTED, times=3)
    made.attempt(STEP)
    assert made.intents() == before
    assert made.reversed(STEP).state is ReversalState.KEPT
