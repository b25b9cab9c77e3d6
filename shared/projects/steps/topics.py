"""Ensures that the repository carries its topics; those that others gave it stay."""

from __future__ import annotations

from shared.domain.plan import PlanStep, Reversal, StepOutcome
from shared.errors import RefusedError
from shared.projects.steps.step import (
    StepContext,
    StepDefinition,
    applied,
    confirmed,
    failed,
    repository_ref,
    texts,
    waiting,
)
from shared.projects.undoing import goes_along, stands, take_back

MOST_TOPICS = 20
"""https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/classifying-your-repository-with-topics"""


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """Every planned topic is among the repository's."""
    settings = context.repository_settings()
    ref = repository_ref(step)
    planned = texts(step, "topics")

    def missing(found: list[str]) -> list[str]:
        return [topic for topic in planned if topic not in found]

    before = list(settings.topics(ref))
    absent = missing(before)
    if not absent:
        return confirmed(reason=f"{len(planned)} topics", topics=list(before))
    wanted = [*before, *absent]
    if len(wanted) > MOST_TOPICS:
        return failed(
            f"{ref} has {len(before)} topics, and with {', '.join(absent)} would have {len(wanted)} of {MOST_TOPICS}",
            "Remove topics from the repository, then try again.",
        )
    for topic in absent:
        context.ledger.intend(_resource(step, topic))
    try:
        settings.set_topics(ref, wanted)
    except RefusedError:
        for topic in absent:
            context.ledger.withdraw(_resource(step, topic))
        raise
    after = list(settings.topics(ref))
    if lost := missing(after):
        return waiting(f"set and not shown yet: {', '.join(lost)}")
    return applied(reason=f"{len(planned)} topics", topics=list(after))


def reverse(context: StepContext, step: PlanStep) -> Reversal:
    """The topics this run added are gone."""
    if along := goes_along(context, step):
        return along
    settings = context.repository_settings()
    ref = repository_ref(step)
    resources = {topic: _resource(step, topic) for topic in texts(step, "topics")}
    return take_back(
        context.ledger,
        {topic: resource for topic, resource in resources.items() if context.ledger.made_here(resource)},
        lambda: settings.topics(ref),
        lambda topic: settings.set_topics(ref, [other for other in settings.topics(ref) if other != topic]),
        stands=lambda: stands(context, step),
        nothing="no topic was added by this run",
    )


def _resource(step: PlanStep, topic: str) -> str:
    return f"{step.forge}.topic:{str(repository_ref(step)).lower()}:{topic}"


STEP = StepDefinition(
    kind="topics",
    title="Topics",
    ensures="The repository carries the topic doneright and the topics of the request.",
    reads_back="Every topic of the repository.",
    reverses="Goes with the repository when this run made that; else takes off the topics this run added. Topics that others "
    "set stay.",
    ensure=ensure,
    reverse=reverse,
)
