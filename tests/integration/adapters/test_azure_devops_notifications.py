"""Subscriptions to e-mail against the simulator, with answers lost."""

import pytest

from shared.domain.forge import Notification, NotificationEvent
from shared.errors import RefusedError, TransientError

PATH = "(?i)/notification/subscriptions"


@pytest.fixture
def forge(sandbox):
    return sandbox.forge()


@pytest.mark.parametrize("event", NotificationEvent)
@pytest.mark.parametrize("address", ["", "crew@acme.example"])
def test_each_event_is_told_once_to_the_team_or_an_address(sandbox, forge, event, address):
    wanted = Notification(event=event, address=address)
    assert forge.notifications("Shop") == ()
    sandbox.lose_answer("POST", PATH)
    with pytest.raises(TransientError):
        forge.create_notification("Shop", wanted)
    assert sandbox.fired() == 1
    made = forge.create_notification("Shop", wanted.model_copy(update={"address": address.upper()}))
    assert forge.notifications("Shop") == (made,)
    assert (made.event, made.address) == (event, address)
    (held,) = sandbox.organization["mail_subscriptions"].values()
    assert held["subscriber"] == sandbox.project()["default_team"]
    assert held["scope"]["id"] == sandbox.project()["id"]


def test_one_is_ended_once_and_others_stay(sandbox, forge):
    mine = forge.create_notification("Shop", Notification(event=NotificationEvent.BUILD_FAILED))
    other = forge.create_notification("Shop", Notification(event=NotificationEvent.PULL_REQUEST_CREATED))
    sandbox.lose_answer("DELETE", PATH)
    with pytest.raises(TransientError):
        forge.delete_notification(mine)
    forge.delete_notification(mine)
    assert forge.notifications("Shop") == (other,)


@pytest.mark.parametrize("change", ["narrowed", "of another value", "in another project"])
def test_what_people_made_otherwise_is_not_taken_for_ours(sandbox, forge, change):
    forge.create_notification("Shop", Notification(event=NotificationEvent.BUILD_FAILED))
    (held,) = sandbox.organization["mail_subscriptions"].values()
    clauses = held["filter"]["criteria"]["clauses"]
    if change == "narrowed":
        clauses.append({"fieldName": "Definition name", "operator": "=", "value": "nightly"})
    elif change == "of another value":
        clauses[0]["value"] = "Succeeded"
    else:
        held["scope"]["id"] = "elsewhere"
    assert forge.notifications("Shop") == ()


def test_nothing_is_told_where_there_is_no_project(forge):
    assert forge.notifications("Nowhere") == ()


def test_what_the_service_cannot_deliver_to_or_the_caller_may_not_set_is_refused(sandbox, forge):
    with pytest.raises(RefusedError, match="not an e-mail address"):
        forge.create_notification("Shop", Notification(event=NotificationEvent.BUILD_FAILED, address="nobody"))
    with pytest.raises(RefusedError):
        sandbox.forge("ada-pat").create_notification("Shop", Notification(event=NotificationEvent.BUILD_FAILED))
    made = forge.create_notification("Shop", Notification(event=NotificationEvent.BUILD_FAILED))
    with pytest.raises(RefusedError):
        sandbox.forge("ada-pat").delete_notification(made)
