"""Bars keep the order and share of time of what they show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from functions.pages.timeline import elapsed, last_moment, timeline
from shared.domain.plan import StepState
from shared.domain.run import ProjectState
from shared.projects.status import StatusView


def test_bars_stay_on_the_scale(example: StatusView) -> None:
    drawn = timeline(example)
    assert {bar.step.id for bar in drawn.bars} == {step.id for step in example.steps if step.started_at}
    for bar in drawn.bars:
        assert bar.start >= 0
        assert bar.width > 0
        assert bar.start + bar.width <= 100.01
    assert [tick.at for tick in drawn.ticks] == sorted({tick.at for tick in drawn.ticks})
    assert 1 <= len(drawn.ticks) <= 7


def test_a_bar_is_where_its_step_ran(examples: dict[str, Callable[[], StatusView]]) -> None:
    drawn = timeline(examples["completed"]())
    bar = next(bar for bar in drawn.bars if bar.step.id == "azure_devops.project")
    assert drawn.span == 14
    assert bar.start == pytest.approx(0.4 / 14 * 100, abs=0.01)
    assert bar.width == pytest.approx(6.1 / 14 * 100, abs=0.01)


def test_elapsed_is_to_the_end_or_to_what_is_known(examples: dict[str, Callable[[], StatusView]]) -> None:
    assert elapsed(examples["completed"]()) == 14
    running = examples["running"]()
    assert running.finished_at is None
    assert elapsed(running) == pytest.approx(4.2)
    assert elapsed(examples["drawing"]()) == 0


def test_an_event_may_be_the_latest_known(view_of: Callable[..., StatusView]) -> None:
    view = view_of(ProjectState.RUNNING, default=StepState.APPLIED)
    assert last_moment(view) == max(event.at for event in view.record.latest)


@pytest.mark.parametrize(
    ("seconds", "interval"), [(0.2, 1), (6, 1), (7, 2), (61, 15), (1800, 300), (90_000, 43_200), (6e6, 1_036_800)]
)
def test_ticks_are_few_and_round(view_of: Callable[..., StatusView], seconds: float, interval: int) -> None:
    view = view_of(ProjectState.COMPLETED, default=StepState.PENDING, until=seconds)
    drawn = timeline(view)
    assert len(drawn.ticks) <= 7
    if len(drawn.ticks) > 1:
        assert drawn.ticks[1].seconds == interval


def test_a_step_that_took_no_time_can_be_seen(view_of: Callable[..., StatusView]) -> None:
    view = view_of(ProjectState.COMPLETED)
    step = view.steps[0].model_copy(
        update={"seconds": 0.0, "started_at": view.finished_at, "finished_at": view.finished_at}
    )
    (bar,) = timeline(view.model_copy(update={"steps": (step,)})).bars
    assert bar.width > 0
    assert bar.start + bar.width <= 100


def test_a_clock_that_ran_back_breaks_nothing(view_of: Callable[..., StatusView]) -> None:
    view = view_of(ProjectState.COMPLETED)
    early = view.steps[0].model_copy(update={"started_at": view.started_at - timedelta(seconds=3)})
    drawn = timeline(view.model_copy(update={"steps": (early,), "finished_at": view.started_at - timedelta(seconds=1)}))
    assert drawn.bars[0].start == 0
    assert elapsed(view.model_copy(update={"finished_at": view.started_at - timedelta(seconds=1)})) == 0
