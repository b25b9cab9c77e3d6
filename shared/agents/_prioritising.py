"""Orders work by weighted shortest job first: the cost of delay by the size of the job."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from pydantic import Field

from shared.domain.forge import Frozen
from shared.errors import RefusedError

HIGHEST = 1_000
"""The highest rating: ratings compare neighbours, and no neighbour is worth a million."""
SMALLEST_JOB = 0.01
_MEANS = {
    "business_value": "value to users and business",
    "time_criticality": "how fast the value fades",
    "risk_reduction": "risk reduced or opportunity opened",
    "job_size": "size of the job",
}


class Candidate(Frozen):
    """Work that waits, rated against its neighbours; ``None`` is *nobody rated it*."""

    id: str
    title: str = ""
    business_value: float | None = None
    time_criticality: float | None = None
    risk_reduction: float | None = None
    job_size: float | None = None


class Ranked(Frozen):
    """A candidate in its place."""

    rank: int = Field(ge=1)
    id: str
    title: str = ""
    cost_of_delay: float
    job_size: float
    score: float = Field(description="Cost of delay by job size.")


def prioritise(items: Sequence[Candidate]) -> tuple[Ranked, ...]:
    """``items``, the highest score first; of equal scores the smaller job, then by id.

    Cost of delay is value, time criticality and risk reduction together: https://framework.scaledagile.com/wsjf

    Raises:
        RefusedError: there is nothing to order, an id comes twice, or a rating is missing, negative or above
            ``HIGHEST``, or a job has no size. Every item at fault is named.
    """
    if not items:
        raise RefusedError("there is nothing to prioritise", "Name at least one piece of work with its four ratings.")
    faults = [f"{name} comes {count} times" for name, count in Counter(one.id for one in items).items() if count > 1]
    faults += [fault for one in items for fault in _faults(one)]
    if faults:
        raise RefusedError(
            "; ".join(faults)[:2_000],
            f"Rate each piece of work against the others, from 0 to {HIGHEST}; sizes above 0.",
        )
    scored = [(_cost(one) / Fraction(one.job_size or 1), one) for one in items]
    scored.sort(key=lambda pair: (-pair[0], pair[1].job_size or 0, pair[1].id))
    return tuple(
        Ranked(
            rank=rank,
            id=one.id,
            title=one.title,
            cost_of_delay=float(_cost(one)),
            job_size=float(one.job_size or 0),
            score=float(score),
        )
        for rank, (score, one) in enumerate(scored, 1)
    )


def _faults(item: Candidate) -> list[str]:
    told = []
    for name, meaning in _MEANS.items():
        value = getattr(item, name)
        if value is None:
            told.append(f"{item.id or 'an item without id'} has no {name} ({meaning})")
        elif not math.isfinite(value) or not (SMALLEST_JOB if name == "job_size" else 0) <= value <= HIGHEST:
            told.append(f"{item.id or 'an item without id'} has {name} {value:g}")
    if not item.id.strip():
        told.append("an item has no id")
    return told


def _cost(item: Candidate) -> Fraction:
    # Exact, so that equal scores are equal.
    parts = (item.business_value, item.time_criticality, item.risk_reduction)
    return sum((Fraction(part) for part in parts if part is not None), Fraction(0))
