"""Drafts acceptance criteria for tickets without any, breaks epics into features and tasks, and orders work by WSJF.

Reads the work items that a change is for, with those above them. Returns scenarios in Given-When-Then (``acceptance``),
features and tasks with a requirement-coverage matrix (``decomposition``), an order of the work (``priority``) and tickets
that state nothing (``concern``). ``decompose`` and ``prioritise`` serve beyond reviews.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shared.agents import Agent
from shared.agents._decomposing import CoverageRow, Decomposition, Epic, ExistingFeature, decompose, matrix
from shared.agents._prioritising import Candidate, Ranked, prioritise
from shared.agents._requirements import StatedRequirement, plain, stated
from shared.agents._scenarios import Scenario, gherkin, scenarios
from shared.domain.change import ChangeEvidence, LinkedItem, Unknown
from shared.domain.definition import Severity, WorkItemKind
from shared.domain.review import AgentName, Opinion, OpinionKind
from shared.errors import RefusedError

__all__ = [
    "AGENT",
    "Candidate",
    "CoverageRow",
    "Decomposition",
    "Epic",
    "ExistingFeature",
    "Ranked",
    "Scenario",
    "StatedRequirement",
    "analyse",
    "candidate_of",
    "decompose",
    "gherkin",
    "matrix",
    "prioritise",
    "scenarios",
    "stated",
]

_HAS_CRITERIA = re.compile(
    r"^\s*(?:[-*]\s+)?(?:\*\*)?given\b.*|^\s*(?:#{1,6}\s*|\*\*)?acceptance criteria\b.*\n+\s*(?:[-*+]|\d+[.)])\s+\S",
    re.IGNORECASE | re.MULTILINE,
)
_ACCEPTED = frozenset({WorkItemKind.REQUIREMENT, WorkItemKind.FEATURE, WorkItemKind.BUG})
_MOST_ITEMS = 5
_MOST_SCENARIOS = 12
_RISKS = {"1": 8.0, "2": 5.0, "3": 2.0}
"""Azure Boards keeps risk as ``1 - High`` to ``3 - Low``; the figures are of the scale that WSJF is rated on."""
_FIELDS = {
    "business_value": ("BusinessValue",),
    "time_criticality": ("TimeCriticality",),
    "risk_reduction": ("RiskReduction", "RiskReductionOpportunityEnablement", "Risk"),
    "job_size": ("Effort", "StoryPoints", "Size", "JobSize"),
}
"""Rating → last parts of the reference names under which processes keep it."""


def analyse(evidence: ChangeEvidence) -> tuple[Opinion, ...]:
    """The opinions of the planning agent."""
    if isinstance(evidence.items, Unknown):
        return ()
    items = evidence.items[:_MOST_ITEMS]
    return (
        *(
            opinion
            for item in items
            if item.kind in _ACCEPTED and not has_criteria(item)
            for opinion in _accepted(item)
        ),
        *(opinion for item in items if item.kind is WorkItemKind.EPIC for opinion in _decomposed(item)),
        *_ordered(evidence.items),
    )


def has_criteria(item: LinkedItem) -> bool:
    """Whether the item says when it is done: in its own field, as Given-When-Then, or in a list under that heading."""
    return bool(plain(item.acceptance).strip()) or bool(_HAS_CRITERIA.search(plain(item.body)))


def _accepted(item: LinkedItem) -> Iterator[Opinion]:
    told = stated(item.body) or (stated(f"- {item.title}") if len(item.title.split()) > 2 else ())
    drafted = scenarios(told)[:_MOST_SCENARIOS]
    if not drafted:
        yield Opinion(
            agent=AgentName.PLANNING,
            kind=OpinionKind.CONCERN,
            title=f"#{item.id} does not say what is wanted",
            message=f"Neither title nor description of #{item.id} states a requirement, so nobody can say when it is done. "
            "Write who needs what, and why; one requirement a line.",
            severity=Severity.MEDIUM,
            confidence=0.8,
        )
        return
    text = gherkin(item.title or f"Item {item.id}", drafted, f"item-{item.id}")
    yield Opinion(
        agent=AgentName.PLANNING,
        kind=OpinionKind.ACCEPTANCE,
        title=f"Acceptance criteria for #{item.id}: {len(drafted)} scenarios"[:200],
        message=_fitted(
            f"#{item.id} has no acceptance criteria. A draft to correct, from what it says:", f"```gherkin\n{text}```"
        ),
        severity=Severity.MEDIUM,
        confidence=0.6 if stated(item.body) else 0.4,
        patch={f"tests/features/item_{item.id}_proposed.feature": text},
    )


def _decomposed(item: LinkedItem) -> Iterator[Opinion]:
    try:
        found = decompose(Epic(title=item.title, body=item.body))
    except RefusedError as refused:
        yield Opinion(
            agent=AgentName.PLANNING,
            kind=OpinionKind.CONCERN,
            title=f"Epic #{item.id} cannot be broken down",
            message=f"{refused.reason}. {refused.remedy}",
            severity=Severity.MEDIUM,
            confidence=0.9,
        )
        return
    yield Opinion(
        agent=AgentName.PLANNING,
        kind=OpinionKind.DECOMPOSITION,
        title=f"Epic #{item.id} in {len(found.features)} features"[:200],
        message=_fitted(
            f"The change is linked to the epic #{item.id} itself. Link it to a piece that one change can finish; a draft:",
            found.markdown(),
        ),
        severity=Severity.LOW,
        confidence=0.5,
    )


def candidate_of(item: LinkedItem) -> Candidate:
    """What a work item's fields rate of it, by their reference names; what is missing stays ``None``."""
    last = {name.rsplit(".", 1)[-1].casefold(): value for name, value in item.fields.items()}
    ratings = {
        rating: next((number for name in names if (number := _figure(last.get(name.casefold(), ""))) is not None), None)
        for rating, names in _FIELDS.items()
    }
    return Candidate(id=f"#{item.id}", title=item.title, **ratings)


def _figure(text: str) -> float | None:
    text = text.strip()
    ranked = re.fullmatch(r"([123]) - \w+", text)
    if ranked:
        return _RISKS[ranked[1]]
    return float(text) if re.fullmatch(r"\d{1,6}(?:\.\d{1,6})?", text) else None


def _ordered(items: tuple[LinkedItem, ...]) -> Iterator[Opinion]:
    every = {one.id: one for item in items for one in (item, *item.parents) if one.kind is not WorkItemKind.TASK}
    candidates = [candidate_of(one) for one in every.values()]
    rated = [one for one in candidates if None not in _ratings(one)]
    if len(rated) < 2:
        return
    try:
        ranked = prioritise(rated)
    except RefusedError:
        # A rating that nobody can use, such as a size of 0; the others alone would be another comparison.
        return
    lines = [
        f"{one.rank}. {one.id} {one.title}: {one.cost_of_delay:g} / {one.job_size:g} = {one.score:.2f}"
        for one in ranked
    ]
    unrated = [one.id for one in candidates if one not in rated]
    if unrated:
        lines.append(f"\nNot all ratings: {', '.join(unrated)}.")
    yield Opinion(
        agent=AgentName.PLANNING,
        kind=OpinionKind.PRIORITY,
        title="Order of the linked work by weighted shortest job first",
        message=_fitted("Cost of delay by size of the job, the highest first:", "\n".join(lines)),
        severity=Severity.LOW,
        confidence=0.8,
    )


def _ratings(one: Candidate) -> tuple[float | None, ...]:
    return (one.business_value, one.time_criticality, one.risk_reduction, one.job_size)


def _fitted(first: str, rest: str) -> str:
    whole = f"{first}\n\n{rest}"
    return whole if len(whole) <= 4_000 else whole[:3_990].rsplit("\n", 1)[0] + "\n…"


AGENT = Agent(
    name=AgentName.PLANNING,
    examines="The tickets behind a change: whether they say when they are done, whether an epic is broken down, and what of "
    "the linked work should come first.",
    reads=("change", "items"),
    returns=(OpinionKind.ACCEPTANCE, OpinionKind.DECOMPOSITION, OpinionKind.PRIORITY, OpinionKind.CONCERN),
    analyse=analyse,
    asks="Write acceptance criteria in Given-When-Then that the tickets imply and do not state, among them refusals and "
    "bounds. Name requirements of the tickets that the change does not touch.",
)
