"""Places each step's time on one scale, from the start of a run to its end or to the last moment known of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.domain.forge import Frozen
from shared.projects.status import StatusView, StepView

ROW_HEIGHT = 32
AXIS_HEIGHT = 24
_INTERVALS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_MOST_TICKS = 6
_THINNEST = 0.6
"""Percent; a bar thinner than this cannot be seen."""


class Bar(Frozen):
    """When a step ran; ``start`` and ``width`` in percent of the whole."""

    step: StepView
    start: float
    width: float


class Tick(Frozen):
    """A mark on the scale: seconds since the start, and where in percent."""

    seconds: int
    at: float


class Timeline(Frozen):
    """The strip of bars."""

    span: float
    """Seconds from end to end."""
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]

    @property
    def height(self) -> int:
        """CSS pixels."""
        return len(self.bars) * ROW_HEIGHT + AXIS_HEIGHT


def last_moment(view: StatusView) -> datetime:
    """When the run ended; while it runs, the latest moment the view knows of (it carries no clock of its own)."""
    if view.finished_at:
        return view.finished_at
    moments = [view.started_at, *(event.at for event in view.record.latest)]
    for step in view.steps:
        if step.started_at:
            moments.append(step.started_at + timedelta(seconds=step.seconds or 0))
    return max(moments)


def elapsed(view: StatusView) -> float:
    """Seconds from the start of the run to ``last_moment``."""
    return max(0.0, (last_moment(view) - view.started_at).total_seconds())


def timeline(view: StatusView) -> Timeline:
    """A bar for each step that began, in the order of the plan."""
    began = [step for step in view.steps if step.started_at]
    begin = min([view.started_at, *(step.started_at for step in began if step.started_at)])
    end = max([last_moment(view), *(step.finished_at for step in began if step.finished_at)])
    span = max((end - begin).total_seconds(), 0.001)
    bars = []
    for step in began:
        assert step.started_at  # noqa: S101 - narrows the type; `began` holds no other
        width = min(100.0, max(_THINNEST, (step.seconds or 0) / span * 100))
        start = min(100 - width, (step.started_at - begin).total_seconds() / span * 100)
        bars.append(Bar(step=step, start=round(max(0.0, start), 2), width=round(width, 2)))
    return Timeline(span=span, bars=tuple(bars), ticks=_ticks(span))


def _ticks(span: float) -> tuple[Tick, ...]:
    interval = next((i for i in _INTERVALS if span / i <= _MOST_TICKS), None)
    if interval is None:
        days = 86400
        interval = days * -(-int(span) // (days * _MOST_TICKS))
    return tuple(Tick(seconds=s, at=round(s / span * 100, 2)) for s in range(0, int(span) + 1, interval))
