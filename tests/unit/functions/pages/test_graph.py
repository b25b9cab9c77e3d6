"""The picture of any plan: no two boxes touch, arrows lead forward, and none runs over a box."""

from __future__ import annotations

from graphlib import CycleError
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.pages.graph import BOX_HEIGHT, BOX_WIDTH, Box, Edge, Layout, layout
from shared.domain.forge import Frozen

LANES = ("azure_devops", "github")


class Step(Frozen):
    id: str
    forge: str = "github"
    depends_on: tuple[str, ...] = ()


@st.composite
def dags(draw: st.DrawFn) -> list[Step]:
    """Steps in any order, each depending on some drawn before it."""
    count = draw(st.integers(0, 14))
    steps = []
    for n in range(count):
        needs = draw(st.lists(st.integers(0, n - 1), unique=True, max_size=4)) if n else []
        steps.append(
            Step(id=f"s{n}", forge=draw(st.sampled_from(LANES)), depends_on=tuple(f"s{need}" for need in needs))
        )
    return draw(st.permutations(steps))


@given(dags())
def test_boxes_stand_apart_inside_their_lane(steps: list[Step]) -> None:
    drawn = layout(steps, LANES)
    assert sorted(box.id for box in drawn.boxes) == sorted(step.id for step in steps)
    for one, other in combinations(drawn.boxes, 2):
        assert one.right <= other.x or other.right <= one.x or abs(one.y - other.y) >= BOX_HEIGHT
    lanes = {lane.name: lane for lane in drawn.lanes}
    for step in steps:
        box = box_of(drawn, step.id)
        assert box.lane == step.forge
        assert lanes[box.lane].y < box.y
        assert box.y + BOX_HEIGHT < lanes[box.lane].y + lanes[box.lane].height <= drawn.height
        assert 0 < box.x < box.right < drawn.width
    for above, below in pairwise(drawn.lanes):
        assert above.y + above.height < below.y


@given(dags())
def test_edges_are_those_of_the_plan_and_lead_forward(steps: list[Step]) -> None:
    drawn = layout(steps, LANES)
    assert {(edge.source, edge.target) for edge in drawn.edges} == {(n, s.id) for s in steps for n in s.depends_on}
    for edge in drawn.edges:
        source, target = box_of(drawn, edge.source), box_of(drawn, edge.target)
        assert source.layer < target.layer
        assert edge.points[0] == (source.right, source.middle)
        assert edge.points[-1] == (target.x, target.middle)
        assert all(before[0] < after[0] for before, after in pairwise(edge.points))


@given(dags())
def test_no_edge_runs_over_a_box(steps: list[Step]) -> None:
    drawn = layout(steps, LANES)
    for edge in drawn.edges:
        for x, y in along(edge):
            assert not any(box.x < x < box.right and box.y < y < box.y + BOX_HEIGHT for box in drawn.boxes), (
                f"{edge.source} -> {edge.target} at {x}, {y}"
            )


def along(edge: Edge) -> list[tuple[float, float]]:
    """Points on the drawn path: Bézier curves in the gaps, straight lines in cells."""
    found = []
    for index, ((x0, y0), (x1, y1)) in enumerate(pairwise(edge.points)):
        for t in (n / 16 for n in range(17)):
            if index % 2:
                assert y0 == y1
                found.append((x0 + t * (x1 - x0), y0))
            else:
                half, u = (x0 + x1) / 2, 1 - t
                x = u**3 * x0 + 3 * u * u * t * half + 3 * u * t * t * half + t**3 * x1
                found.append((x, (u**3 + 3 * u * u * t) * y0 + (3 * u * t * t + t**3) * y1))
    return found


def box_of(drawn: Layout, step: str) -> Box:
    return next(box for box in drawn.boxes if box.id == step)


def test_a_chain_is_straight() -> None:
    drawn = layout([Step(id="a"), Step(id="b", depends_on=("a",)), Step(id="c", depends_on=("b",))], LANES)
    assert len({box.y for box in drawn.boxes}) == 1
    assert [box.layer for box in sorted(drawn.boxes, key=lambda box: box.x)] == [0, 1, 2]
    assert [lane.name for lane in drawn.lanes] == ["github"]


def test_a_long_edge_passes_beside_the_step_between() -> None:
    steps = [Step(id="a"), Step(id="b", depends_on=("a",)), Step(id="c", depends_on=("a", "b"))]
    drawn = layout(steps, LANES)
    long = next(edge for edge in drawn.edges if (edge.source, edge.target) == ("a", "c"))
    between = box_of(drawn, "b")
    assert len(long.points) == 4
    assert abs(long.points[1][1] - between.middle) >= BOX_HEIGHT
    assert long.points[2][0] - long.points[1][0] == BOX_WIDTH
    assert long.path.count("C") == 2
    assert long.path.count("H") == 1


def test_neighbours_are_uncrossed() -> None:
    steps = [Step(id="a"), Step(id="b"), Step(id="c", depends_on=("b",)), Step(id="d", depends_on=("a",))]
    drawn = layout(steps, LANES)
    assert (box_of(drawn, "a").y < box_of(drawn, "b").y) == (box_of(drawn, "d").y < box_of(drawn, "c").y)


def test_lanes_stand_in_the_order_given() -> None:
    drawn = layout([Step(id="a"), Step(id="b", forge="azure_devops")], LANES)
    assert [lane.name for lane in drawn.lanes] == ["azure_devops", "github"]
    assert box_of(drawn, "b").y < box_of(drawn, "a").y


def test_nothing_is_a_picture_too() -> None:
    assert layout([], LANES).boxes == ()
    assert layout([], LANES).height == 0


def test_an_unknown_dependency_is_not_drawn() -> None:
    drawn = layout([Step(id="a", depends_on=("gone",))], LANES)
    assert drawn.edges == ()
    assert drawn.boxes[0].layer == 0


def test_a_cycle_is_refused() -> None:
    with pytest.raises(CycleError):
        layout([Step(id="a", depends_on=("b",)), Step(id="b", depends_on=("a",))], LANES)
