"""No delivery is lost: what failed is kept with its reason, what was held is released, anything can be replayed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.audit import TENANT, AuditTag
from shared.domain.delivery import DeliveryState, Envelope
from shared.domain.forge import ForgeName
from shared.errors import ConflictError, RefusedError
from shared.intake.handling import Handling
from tests.fakes.app import App, an_issue


@pytest.fixture
def app():
    return App()


def an_envelope(app: App, ident: str = "d-1", **changes):
    given = {"forge": ForgeName.GITHUB, "id": ident, "event": "issues", "received_at": app.clock.now(), "body": "{}"}
    return Envelope.model_validate(given | changes)


def test_what_became_of_a_delivery_is_kept(app):
    run = app.run_for(an_issue())
    handling = Handling(state=DeliveryState.HANDLED, subject=run.subject, connection="acme", start=run)
    app.keeper.handled(an_envelope(app), handling, 2)
    record = app.keeper.find("d-1")
    assert record
    assert (record.state, record.instance, record.attempts) == (DeliveryState.HANDLED, run.instance, 2)
    assert app.keeper.find("d-2") is None


def test_a_poisoned_delivery_carries_the_reason_of_its_last_try(app):
    envelope = an_envelope(app)
    app.keeper.failing(envelope, "RefusedError: the payload is wrong", 5)
    for _ in range(2):
        record = app.keeper.poisoned(envelope.model_dump_json())
    assert (record.state, record.reason, record.attempts) == (
        DeliveryState.POISONED,
        "RefusedError: the payload is wrong",
        5,
    )
    assert app.tags(TENANT) == [AuditTag.DELIVERY_POISONED]


def test_a_delivery_that_never_came_to_a_try_says_so(app):
    assert "stopped during every try" in app.keeper.poisoned(an_envelope(app).model_dump_json()).reason


@pytest.mark.parametrize("message", ["", "no json", "{}", '{"forge": "gitlab", "id": "x"}', "\ufffd\x00"])
def test_a_message_that_is_no_envelope_is_kept_as_it_came(app, message):
    record = app.keeper.poisoned(message)
    assert record.id.startswith("unreadable-")
    assert record.reason.startswith("the message is no envelope")
    assert app.artifacts.get(record.raw).decode() == message
    with pytest.raises(RefusedError, match="never readable"):
        app.keeper.replay(record.id, "p-1")
    assert app.queue.messages == []


def test_replays_are_counted_recorded_and_queued(app):
    app.keeper.poisoned(an_envelope(app).model_dump_json())
    for count in (1, 2):
        record = app.keeper.replay("d-1", "p-casey")
        assert record.state is DeliveryState.QUEUED_AGAIN
        assert Envelope.model_validate_json(app.queue.messages[-1]).replay == count
    replays = [event for event in app.events(TENANT) if event.tag is AuditTag.DELIVERY_REPLAYED]
    assert [event.detail and event.detail["was"] for event in replays] == ["poisoned", "queued_again"]
    assert {event.actor for event in replays} == {"p-casey"}


def test_a_delivery_poisoned_again_after_a_replay_is_recorded_again(app):
    app.keeper.poisoned(an_envelope(app).model_dump_json())
    app.keeper.replay("d-1", "p")
    app.keeper.poisoned(app.queue.messages[-1])
    assert app.tags(TENANT).count(AuditTag.DELIVERY_POISONED) == 2


def test_an_unknown_delivery_cannot_be_replayed(app):
    with pytest.raises(RefusedError, match="no delivery nothing"):
        app.keeper.replay("nothing", "p")


def test_a_replay_reads_again_when_the_record_changed_in_between(app, monkeypatch):
    app.keeper.poisoned(an_envelope(app).model_dump_json())
    replace, refused = app.deliveries.replace, []

    def once(*given):
        if not refused:
            refused.append(True)
            raise ConflictError("changed")
        return replace(*given)

    monkeypatch.setattr(app.deliveries, "replace", once)
    app.keeper.replay("d-1", "p")
    assert len(app.queue.messages) == 1


def test_release_queues_what_was_held_for_that_connection_alone(app):
    for ident, connection, state in [
        ("a", "acme", DeliveryState.HELD),
        ("b", "other", DeliveryState.HELD),
        ("c", "acme", DeliveryState.HANDLED),
    ]:
        app.keeper.handled(an_envelope(app, ident), Handling(state=state, connection=connection), 1)
    assert app.keeper.release("acme") == 1
    assert [Envelope.model_validate_json(m).id for m in app.queue.messages] == ["a"]


def test_lists_show_the_latest_first(app):
    for ident in "abc":
        app.keeper.handled(an_envelope(app, ident), Handling(state=DeliveryState.IGNORED), 1)
        app.clock.advance(timedelta(seconds=1))
    app.keeper.failing(an_envelope(app, "d"), "x", 1)
    assert [record.id for record in app.keeper.listed()] == ["d", "c", "b", "a"]
    assert [record.id for record in app.keeper.listed(DeliveryState.IGNORED, 2)] == ["c", "b"]
