"""Ensures that the repository carries its topics; those that others gave it stay."""

from __future__ import annotations

from shared.domain.plan import PlanStep, StepOutcome
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
    settings.set_topics(ref, wanted)
    after = list(settings.topics(ref))
    if lost := missing(after):
        return waiting(f"set and not shown yet: {', '.join(lost)}")
    return applied(reason=f"{len(planned)} topics", topics=list(after))


STEP = StepDefinition(
    kind="topics",
    title="Topics",
    ensures="The repository carries the topic doneright and the topics of the request.",
    reads_back="Every topic of the repository.",
    reverses="Nothing of its own: the repository's reversal removes it.",
    ensure=ensure,
)
