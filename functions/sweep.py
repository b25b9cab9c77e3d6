"""Wakes on timers: to find what webhooks missed, and to look for drift."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import timedelta

import azure.durable_functions as df
import azure.functions as func

from functions.starting import Begun, begin
from orchestrations.drift import DriftRound
from orchestrations.durable import ended, start
from shared.domain.run import RunInput
from shared.errors import TransientError
from shared.intake.sweeping import sweep
from shared.services import Services, services

blueprint = df.Blueprint()
_log = logging.getLogger(__name__)


@blueprint.function_name("sweep")
@blueprint.timer_trigger(arg_name="timer", schedule="%DONERIGHT_SWEEP_SCHEDULE%", run_on_startup=False)
@blueprint.durable_client_input(client_name="client")
def sweep_deliveries(timer: func.TimerRequest, client: df.SyncDurableFunctionsClient) -> None:
    """Every few minutes, as ``DONERIGHT_SWEEP_SCHEDULE`` says (NCRONTAB, six fields)."""
    app = services()
    found = sweep(
        app.project_ports,
        app.keeper,
        lookback=timedelta(hours=app.settings.sweep_lookback_hours),
        large=app.settings.large_body_bytes,
        quiet=timedelta(seconds=app.settings.lost_after_seconds),
    )
    begun = Counter(_offer(client, app, run) for run in found.quiet)
    for problem in found.problems:
        _log.warning("the sweep could not look at %s", problem)
    _log.info(
        "the sweep queued %d requests, asked for %d deliveries again and took up %d of %d runs",
        len(found.queued),
        found.redelivered,
        begun[Begun.TAKEN_UP],
        len(found.quiet),
    )


@blueprint.function_name("sweep_reviews")
@blueprint.timer_trigger(arg_name="timer", schedule="%DONERIGHT_SWEEP_SCHEDULE%", run_on_startup=False)
@blueprint.durable_client_input(client_name="client")
def sweep_pull_requests(timer: func.TimerRequest, client: df.SyncDurableFunctionsClient) -> None:
    """By itself, since it asks about every repository and must not hold up lost requests."""
    app = services()
    reviews = _sweep_reviews(client, app)
    simulations = _sweep_simulations(client, app)
    _log.info("the sweep began %d reviews and took up %d simulations", reviews, simulations)


def _sweep_reviews(client: df.SyncDurableFunctionsClient, app: Services) -> int:
    from shared.intake.review_sweep import sweep_reviews

    quiet = timedelta(seconds=app.settings.lost_after_seconds)
    found = sweep_reviews(app.project_ports, app.review_ports, quiet=quiet)
    for problem in found.problems:
        _log.warning("the sweep could not look at the pull requests of %s", problem)
    return sum(start(client, "review", run.instance, run) for run in found.start)


def _sweep_simulations(client: df.SyncDurableFunctionsClient, app: Services) -> int:
    from shared.reviews.simulations import RUNBOOK, break_off, quiet

    taken_up = 0
    for asked in quiet(app.review_ports, app.clock.now() - timedelta(seconds=app.settings.lost_after_seconds)):
        try:
            if how := ended(client, asked.id):
                break_off(app.review_ports, asked, f"its run ended as {how.lower()}")
            elif start(client, RUNBOOK, asked.id, asked):
                _log.warning("the simulation %s was not under way: taken up", asked.id)
                taken_up += 1
        except TransientError as error:
            # The next sweep looks at it again.
            _log.warning("the simulation %s could not be taken up: %s", asked.id, error.reason)
    return taken_up


def _offer(client: df.SyncDurableFunctionsClient, app: Services, run: RunInput) -> Begun | None:
    try:
        begun = begin(client, app.project_ports, run, again=True)
    except Exception:
        # One that cannot be taken up is looked at again by the next sweep, and must not stop the others.
        _log.exception("the run %s could not be taken up", run.instance)
        return None
    if begun is not Begun.UNDER_WAY:
        _log.warning("the run %s was not under way: %s", run.instance, begun)
    return begun


@blueprint.function_name("look_for_drift_daily")
@blueprint.timer_trigger(arg_name="timer", schedule="%DONERIGHT_DRIFT_SCHEDULE%", run_on_startup=False)
@blueprint.durable_client_input(client_name="client")
def look_for_drift_daily(timer: func.TimerRequest, client: df.SyncDurableFunctionsClient) -> None:
    """Once a day, as ``DONERIGHT_DRIFT_SCHEDULE`` says; a second time the same day changes nothing."""
    day = services().clock.now().date().isoformat()
    if start(client, "drift", f"drift-{day}", DriftRound(day=day)):
        _log.info("the look for drift of %s has begun", day)
