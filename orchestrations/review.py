"""Reviews one head of one pull request: evidence is collected, agents are heard, the change is judged, the forge is told.

Whoever asks again while a round runs is answered by another round of the same run, so that there is one voice for a head.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from durabletask.task import OrchestrationContext

from orchestrations.durable import BROKEN, Yields, call, dump, in_words
from shared.domain.publication import MergeOutcome
from shared.domain.review import Collected, ReviewEnd, ReviewInput, ReviewTask, Verdict

SETTLING = timedelta(seconds=2)
"""Between the rounds of one run. The first begins at once."""
MOST_ROUNDS = 20
"""Rounds of one history; a longer one begins anew, so that a pull request discussed for months stays cheap to replay."""


def review(context: OrchestrationContext, payload: dict[str, Any]) -> Yields[dict[str, Any]]:
    """Rounds until nobody asked for another."""
    run = ReviewInput.model_validate(payload)
    for number in range(MOST_ROUNDS):
        if number:
            # Events come in swarms: a moment's patience lets one look answer them all.
            yield context.create_timer(SETTLING)
        end = yield from _round(context, run)
        following = yield from call(context, "conclude_review", end, int)
        if not following:
            return {
                "review": run.review,
                "ruling": end.verdict.ruling.value if end.verdict else "",
                "reason": end.ended or end.broken or (end.verdict.reason if end.verdict else ""),
                "merged": end.merged,
            }
        run = run.model_copy(update={"round": following})
    context.continue_as_new(dump(run))
    return {"review": run.review, "ruling": "", "reason": "goes on in a new history", "merged": ""}


def _round(context: OrchestrationContext, run: ReviewInput) -> Yields[ReviewEnd]:
    verdict: Verdict | None = None
    try:
        context.set_custom_status({"review": run.review, "round": run.round, "doing": "collecting evidence"})
        collected = yield from call(context, "collect_evidence", run, Collected)
        run = run.model_copy(update={"round": collected.round})
        if collected.ended:
            return ReviewEnd(run=run, ended=collected.ended, superseded=collected.superseded)
        task = ReviewTask(run=run, collected=collected)
        for agent in collected.agents:
            context.set_custom_status({"review": run.review, "round": run.round, "doing": f"hearing {agent}"})
            report = yield from call(context, "hear_agent", task.model_copy(update={"agent": agent}), str)
            task = task.model_copy(update={"reports": (*task.reports, report)})
        context.set_custom_status({"review": run.review, "round": run.round, "doing": "judging"})
        verdict = yield from call(context, "judge_change", task, Verdict)
        task = task.model_copy(update={"reviewed": verdict.reviewed})
        context.set_custom_status({"review": run.review, "round": run.round, "ruling": verdict.ruling.value})
        current = yield from call(context, "publish_review", task, bool)
        if not current:
            return ReviewEnd(
                run=run, verdict=verdict, ended="another head was pushed before the verdict was told", superseded=True
            )
        if verdict.offer and (unoffered := (yield from _offer(context, task))):
            return ReviewEnd(run=run, verdict=verdict, unoffered=unoffered)
        if verdict.merge:
            outcome = yield from call(context, "merge_change", task, MergeOutcome)
            return ReviewEnd(run=run, verdict=verdict, merged=outcome.commit if outcome.merged else "")
    except BROKEN as error:
        return ReviewEnd(run=run, verdict=verdict, broken=in_words(error))
    return ReviewEnd(run=run, verdict=verdict)


def _offer(context: OrchestrationContext, task: ReviewTask) -> Yields[str]:
    """Why what agents proposed could not be offered; the verdict was told, and stands."""
    try:
        yield from call(context, "offer_proposals", task, str)
    except BROKEN as error:
        return in_words(error)
    return ""
