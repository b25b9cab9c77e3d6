"""Takes deliveries off the queue, keeps those that cannot be handled, lists them and handles them again on request."""

from __future__ import annotations

import logging
from http import HTTPStatus

import azure.durable_functions as df
import azure.functions as func

from functions.problems import ProblemError, actor_of, answer, number, refusals
from functions.starting import Begun, begin
from orchestrations.durable import start, wake
from shared.domain.audit import TENANT
from shared.domain.delivery import DeliveryState, Envelope
from shared.domain.issue_category import IssueToSort
from shared.errors import RefusedError
from shared.intake.handling import Handling, handle
from shared.planning import sorting
from shared.planning.ports import Asker
from shared.services import DELIVERIES_QUEUE, Services, services

blueprint = df.Blueprint()
_log = logging.getLogger(__name__)

STORAGE = "AzureWebJobsStorage"


@blueprint.function_name("handle_delivery")
@blueprint.queue_trigger(arg_name="message", queue_name=DELIVERIES_QUEUE, connection=STORAGE)
@blueprint.durable_client_input(client_name="client")
def handle_delivery(message: func.QueueMessage, client: df.SyncDurableFunctionsClient) -> None:
    """One delivery. A failure is written down with its reason and raised, so that the queue tries again."""
    app = services()
    # A message that is no envelope fails here and reaches the poison queue, where its bytes are kept.
    envelope = Envelope.model_validate_json(message.get_body())
    attempts = message.dequeue_count or 1
    try:
        handling, begun = _handle(app, envelope, client)
        if begun is Begun.ENDED:
            # The end of that run is on record now, and what follows from this delivery may be another.
            handling, begun = _handle(app, envelope, client)
        if begun is Begun.UNDER_WAY:
            handling = handling.model_copy(
                update={"state": DeliveryState.DUPLICATE, "reason": "the run had begun already", "start": None}
            )
        if handling.news:
            handling = handling.model_copy(update={"reason": _review(app, client, envelope, handling)})
        if handling.case:
            handling = handling.model_copy(update={"reason": _sort(app, envelope, handling.case)})
        app.keeper.handled(envelope, handling, attempts)
    except RefusedError as error:
        # No further try can help: it is kept at once, with its reason, and replayed when what is wrong is mended.
        app.keeper.failing(envelope, error.reason, attempts)
        record = app.keeper.poisoned(message.get_body().decode("utf-8", "replace"))
        _log.error("delivery %s is poisoned: %s", record.id, record.reason, extra={"correlation": envelope.correlation})
        return
    except Exception as error:
        app.keeper.failing(envelope, f"{type(error).__name__}: {error}", attempts)
        raise
    _log.info(
        "delivery %s (%s %s): %s %s",
        envelope.id,
        envelope.forge,
        envelope.event,
        handling.state,
        handling.reason,
        extra={"correlation": envelope.correlation},
    )


def _review(app: Services, client: df.SyncDurableFunctionsClient, envelope: Envelope, handling: Handling) -> str:
    """Let what happened to a pull request have its consequences; in words, which."""
    # Gates and commands are loaded by the first pull request, not by every cold start.
    from shared.intake.reviewing import what_follows

    if handling.news is None:
        return handling.reason
    follows = what_follows(
        app.review_ports,
        handling.news,
        project=handling.project,
        connection=handling.connection,
        at=envelope.received_at,
        moved=lambda run, reviewed, merged: app.review_room().moved(run, reviewed, merged),
    )
    for run in follows.start:
        start(client, "review", run.instance, run)
    return follows.reason


def _sort(app: Services, envelope: Envelope, case: IssueToSort) -> str:
    """Categorise an issue; in words, what became of it."""
    item = sorting.sort_delivered(
        app.planning_ports, case, Asker(f"delivery-{envelope.id}.{envelope.replay}", "doneright")
    )
    return f"{item.verdict.category or 'uncategorised'}: {item.reason or item.verdict.explanation}"


def _handle(app: Services, envelope: Envelope, client: df.SyncDurableFunctionsClient) -> tuple[Handling, Begun | None]:
    handling = handle(
        app.project_ports,
        envelope,
        deadline_seconds=app.settings.step_deadline_seconds,
        pause_seconds=app.settings.step_pause_seconds,
        decision_seconds=app.settings.decision_deadline_seconds,
    )
    if handling.wake:
        wake(client, handling.wake.instance, handling.wake.event)
    begun = begin(client, app.project_ports, handling.start, again=handling.again) if handling.start else None
    return handling, begun


@blueprint.function_name("keep_poisoned")
@blueprint.queue_trigger(arg_name="message", queue_name=f"{DELIVERIES_QUEUE}-poison", connection=STORAGE)
def keep_poisoned(message: func.QueueMessage) -> None:
    """One delivery whose tries are used up: kept with its reason."""
    record = services().keeper.poisoned(message.get_body().decode("utf-8", "replace"))
    _log.error("delivery %s is poisoned: %s", record.id, record.reason)


@blueprint.function_name("list_deliveries")
@blueprint.route(route="deliveries", methods=["GET"])
@refusals
def list_deliveries(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/deliveries?state=poisoned&limit=50``."""
    wanted = req.params.get("state")
    if wanted and wanted not in list(DeliveryState):
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"state is {wanted!r}; it may be: {', '.join(DeliveryState)}")
    limit = number(req, "limit", 100, 1, 1000)
    rows = services().keeper.listed(DeliveryState(wanted) if wanted else None, limit)
    return answer({"deliveries": [row.model_dump(mode="json", exclude={"envelope": {"body"}}) for row in rows]})


@blueprint.function_name("show_delivery")
@blueprint.route(route="deliveries/{id}", methods=["GET"])
@refusals
def show_delivery(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/deliveries/{id}``."""
    record = services().keeper.find(req.route_params["id"])
    if record is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no delivery {req.route_params['id']}")
    return answer(record)


@blueprint.function_name("replay_delivery")
@blueprint.route(route="deliveries/{id}/replay", methods=["POST"])
@refusals
def replay_delivery(req: func.HttpRequest) -> func.HttpResponse:
    """``POST /api/deliveries/{id}/replay``: handle it again, also when its run has ended."""
    delivery = req.route_params["id"]
    if services().keeper.find(delivery) is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no delivery {delivery}")
    actor = services().project_ports.pseudonyms.of(actor_of(req), TENANT)
    record = services().keeper.replay(delivery, actor)
    return answer(record, HTTPStatus.ACCEPTED)
