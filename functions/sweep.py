"""Wakes on a timer to find what webhooks missed."""

from __future__ import annotations

import logging
from datetime import timedelta

import azure.functions as func

from shared.intake.sweeping import sweep
from shared.services import services

blueprint = func.Blueprint()
_log = logging.getLogger(__name__)


@blueprint.function_name("sweep")
@blueprint.timer_trigger(arg_name="timer", schedule="%DONERIGHT_SWEEP_SCHEDULE%", run_on_startup=False)
def sweep_deliveries(timer: func.TimerRequest) -> None:
    """Every few minutes, as ``DONERIGHT_SWEEP_SCHEDULE`` says (NCRONTAB, six fields)."""
    app = services()
    found = sweep(
        app.project_ports,
        app.keeper,
        lookback=timedelta(hours=app.settings.sweep_lookback_hours),
        large=app.settings.large_body_bytes,
    )
    for problem in found.problems:
        _log.warning("the sweep could not look at %s", problem)
    _log.info("the sweep queued %d requests and asked for %d deliveries again", len(found.queued), found.redelivered)
