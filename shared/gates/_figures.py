"""Holds figures against the thresholds that a criterion asks for; a figure that nobody could see never keeps one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shared.domain.review import Judgement, Remark
from shared.domain.threshold import Direction, Threshold, Unit
from shared.gates import Asked

_DIGITS = 4
_SLACK = 1e-9


def at_most(figure: float, unit: Unit = Unit.COUNT) -> Threshold:
    """A ceiling."""
    return Threshold(at_most=figure, unit=unit)


def at_least(figure: float, unit: Unit = Unit.PERCENT) -> Threshold:
    """A floor."""
    return Threshold(at_least=figure, unit=unit)


def asked_or(asked: Asked, usual: Mapping[str, Threshold]) -> Mapping[str, Threshold]:
    """What the criterion asks, or ``usual`` where it asks nothing in particular."""
    return asked.thresholds or usual


def keeps(threshold: Threshold, figure: float) -> bool:
    """Whether ``figure`` is on the right side. Sums of floating-point numbers may be off by a billionth."""
    bound = threshold.value
    if isinstance(bound, tuple):
        raise TypeError("a figure cannot be held against a list")
    return figure >= bound - _SLACK if threshold.direction is Direction.AT_LEAST else figure <= bound + _SLACK


def shown(figure: float) -> float:
    """As it is told: never rounded across a bound that people set, which have fewer digits."""
    return round(figure, _DIGITS)


def judged(
    thresholds: Mapping[str, Threshold],
    figures: Mapping[str, float],
    gaps: Mapping[str, str],
    *,
    of: str,
    remarks: Iterable[Remark] = (),
    evidence: Iterable[str] = (),
    remedy: str = "",
) -> Judgement:
    """What the figures come to.

    Args:
        thresholds: what is asked.
        figures: what was measured. One that has a gap as well is what was counted so far: it can only grow.
        gaps: name of a threshold → why its figure could not be had, or not in full.
        of: what was looked at, for the reason of a criterion that holds.
        remarks: told whatever it comes to.
        evidence: digests of the reports it rests on.
        remedy: for this very case.
    """
    broken: list[str] = []
    missing: list[str] = []
    for name, threshold in thresholds.items():
        figure = figures.get(name)
        whole = name not in gaps
        if figure is not None and not keeps(threshold, figure) and (whole or threshold.direction is Direction.AT_MOST):
            told = f"{shown(figure):g}" if shown(figure) != threshold.value else f"{figure:.10g}"
            already = "" if whole else "already "
            broken.append(f"{_words(name)}: {already}{told}{_unit(threshold)} where {threshold.text} is asked")
        elif not whole:
            missing.append(gaps[name])
        elif figure is None:
            missing.append(f"no evidence tells {_words(name)}")
    rest = {
        "measured": {name: shown(figure) for name, figure in figures.items()},
        "remarks": tuple(remarks),
        "evidence": tuple(dict.fromkeys(evidence)),
        "remedy": remedy,
    }
    if broken:
        return Judgement.unmet("; ".join(broken)[:2_000], **rest)
    if missing:
        return Judgement.not_available("; ".join(dict.fromkeys(missing))[:2_000], **rest)
    told = ", ".join(f"{_words(name)} {shown(figures[name]):g}{_unit(one)}" for name, one in thresholds.items())
    return Judgement.met(f"{told}; {of}"[:2_000], **rest)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _unit(threshold: Threshold) -> str:
    return f" {threshold.unit}" if threshold.unit and threshold.unit is not Unit.COUNT else ""
