"""Lays a plan out as a picture: layers left to right, one swim lane a forge, no two boxes touching, no arrow over a box."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from graphlib import TopologicalSorter
from itertools import pairwise
from typing import Protocol

from shared.domain.forge import Frozen

BOX_WIDTH, BOX_HEIGHT = 224.0, 70.0
COLUMN_GAP, ROW_GAP = 40.0, 14.0
LANE_HEAD, LANE_PADDING, LANE_GAP = 30.0, 14.0, 12.0
_SWEEPS = 4


class Node(Protocol):
    """What the layout needs of a step."""

    @property
    def id(self) -> str: ...
    @property
    def forge(self) -> str: ...
    @property
    def depends_on(self) -> tuple[str, ...]: ...


class Box(Frozen):
    """Where a step stands; lengths in CSS pixels, y downwards."""

    id: str
    lane: str
    layer: int
    x: float
    y: float

    @property
    def right(self) -> float:
        """The x where its arrows leave."""
        return self.x + BOX_WIDTH

    @property
    def middle(self) -> float:
        """The y where arrows meet it."""
        return self.y + BOX_HEIGHT / 2


class Edge(Frozen):
    """An arrow from a step to one that waits for it."""

    source: str
    target: str
    points: tuple[tuple[float, float], ...]
    """From the source's right side to the target's left side; every second stretch crosses a gap between columns,
    those between them run straight through a free cell."""

    @property
    def path(self) -> str:
        """The SVG path data."""
        (x, y), *rest = self.points
        parts = [f"M{x:g} {y:g}"]
        for index, (to_x, to_y) in enumerate(rest):
            if index % 2:
                parts.append(f"H{to_x:g}")
            else:
                half = (x + to_x) / 2
                parts.append(f"C{half:g} {y:g} {half:g} {to_y:g} {to_x:g} {to_y:g}")
            x, y = to_x, to_y
        return "".join(parts)


class Lane(Frozen):
    """The band of one forge."""

    name: str
    y: float
    height: float


class Layout(Frozen):
    """A whole picture."""

    width: float
    height: float
    lanes: tuple[Lane, ...]
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]


type _Cell = tuple[str, str, int]
"""A box is (id, "", layer); a free cell that an arrow runs through is (source, target, layer)."""


def layout(nodes: Sequence[Node], lanes: Sequence[str]) -> Layout:
    """The picture of ``nodes``, lanes in the order given and only those in use.

    A dependency that is not among the nodes is not drawn. Raises ``graphlib.CycleError`` when they are no DAG.
    """
    needs = _needs(nodes)
    layers = _layers(needs)
    used = [lane for lane in lanes if any(node.forge == lane for node in nodes)]
    lane_of = {node.id: str(node.forge) for node in nodes}
    chains = {
        (source, target): _chain(source, target, layers) for target, sources in needs.items() for source in sources
    }
    columns = _columns(layers, lane_of, chains, used)
    _uncross(columns, chains, used)
    return _placed(columns, chains, used)


def _needs(nodes: Sequence[Node]) -> dict[str, tuple[str, ...]]:
    known = {node.id for node in nodes}
    return {node.id: tuple(dict.fromkeys(need for need in node.depends_on if need in known)) for node in nodes}


def _layers(needs: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    layers: dict[str, int] = {}
    for node in TopologicalSorter(needs).static_order():
        layers[node] = 1 + max((layers[need] for need in needs[node]), default=-1)
    return layers


def _chain(source: str, target: str, layers: Mapping[str, int]) -> list[_Cell]:
    between = [(source, target, layer) for layer in range(layers[source] + 1, layers[target])]
    return [(source, "", layers[source]), *between, (target, "", layers[target])]


type _Columns = dict[tuple[str, int], list[_Cell]]


def _columns(
    layers: Mapping[str, int],
    lane_of: Mapping[str, str],
    chains: Mapping[tuple[str, str], list[_Cell]],
    lanes: Sequence[str],
) -> _Columns:
    depth = 1 + max(layers.values(), default=-1)
    columns: _Columns = {(lane, layer): [] for lane in lanes for layer in range(depth)}
    for node, lane in lane_of.items():
        columns[lane, layers[node]].append((node, "", layers[node]))
    for (_, target), chain in chains.items():
        for cell in chain[1:-1]:
            columns[lane_of[target], cell[2]].append(cell)
    return columns


def _uncross(columns: _Columns, chains: Mapping[tuple[str, str], list[_Cell]], lanes: Sequence[str]) -> None:
    # The barycentre heuristic of layered drawing: a cell goes to the mean height of its neighbours, sweep by sweep.
    before: dict[_Cell, list[_Cell]] = {}
    after: dict[_Cell, list[_Cell]] = {}
    for left, right in _neighbours(chains):
        before.setdefault(right, []).append(left)
        after.setdefault(left, []).append(right)
    depth = 1 + max((layer for _, layer in columns), default=-1)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 1
        for layer in range(depth) if forward else reversed(range(depth)):
            height = _heights(columns, lanes)
            for lane in lanes:
                columns[lane, layer].sort(key=_by_mean_height(before if forward else after, height))


def _neighbours(chains: Mapping[tuple[str, str], list[_Cell]]) -> Iterator[tuple[_Cell, _Cell]]:
    for chain in chains.values():
        yield from pairwise(chain)


def _heights(columns: _Columns, lanes: Sequence[str]) -> dict[_Cell, float]:
    height: dict[_Cell, float] = {}
    top = 0
    for lane in lanes:
        stacks = [cells for (of, _), cells in columns.items() if of == lane]
        for cells in stacks:
            height |= {cell: float(top + row) for row, cell in enumerate(cells)}
        top += max(map(len, stacks))
    return height


def _by_mean_height(neighbours: Mapping[_Cell, list[_Cell]], height: Mapping[_Cell, float]) -> Callable[[_Cell], float]:
    def key(cell: _Cell) -> float:
        beside = neighbours.get(cell)
        return sum(height[c] for c in beside) / len(beside) if beside else height[cell]

    return key


def _placed(columns: _Columns, chains: Mapping[tuple[str, str], list[_Cell]], lanes: Sequence[str]) -> Layout:
    depth = 1 + max((layer for _, layer in columns), default=-1)
    bands: list[Lane] = []
    boxes: list[Box] = []
    places: dict[_Cell, tuple[float, float]] = {}
    y = 0.0
    for lane in lanes:
        rows = max(len(columns[lane, layer]) for layer in range(depth))
        height = LANE_HEAD + rows * BOX_HEIGHT + (rows - 1) * ROW_GAP + LANE_PADDING
        for layer in range(depth):
            for row, cell in enumerate(columns[lane, layer]):
                left = LANE_PADDING + layer * (BOX_WIDTH + COLUMN_GAP)
                top = y + LANE_HEAD + row * (BOX_HEIGHT + ROW_GAP)
                places[cell] = (left, top + BOX_HEIGHT / 2)
                if not cell[1]:
                    boxes.append(Box(id=cell[0], lane=lane, layer=layer, x=left, y=top))
        bands.append(Lane(name=lane, y=y, height=height))
        y += height + LANE_GAP
    edges = [
        Edge(source=source, target=target, points=tuple(_points(chain, places)))
        for (source, target), chain in chains.items()
    ]
    return Layout(
        width=2 * LANE_PADDING + depth * BOX_WIDTH + max(0, depth - 1) * COLUMN_GAP,
        height=max(0.0, y - LANE_GAP),
        lanes=tuple(bands),
        boxes=tuple(boxes),
        edges=tuple(edges),
    )


def _points(chain: Sequence[_Cell], places: Mapping[_Cell, tuple[float, float]]) -> Iterator[tuple[float, float]]:
    for index, cell in enumerate(chain):
        x, y = places[cell]
        if index:
            yield x, y
        if index < len(chain) - 1:
            yield x + BOX_WIDTH, y
