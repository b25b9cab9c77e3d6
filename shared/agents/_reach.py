"""Decides how near a finding is to what a change does: in its lines, in a function it touches, called from one, or apart."""

from __future__ import annotations

import ast
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from shared.agents._dependencies import needs, text_of
from shared.domain.change import ChangedFile, Unknown
from shared.domain.evidence import Finding
from shared.evidence.changes.functions import Declaration, declared
from shared.evidence.changes.lines import added

MOST_STEPS = 4
"""Calls from a touched function to the finding that are followed; beyond, names say too little."""

type _Place = tuple[str, str]
"""Path and qualified name of a function."""


class Reach(IntEnum):
    """How near, the nearest first."""

    ADDED = 0
    TOUCHED = 1
    CALLED = 2
    SAME_FILE = 3
    APART = 4


@dataclass(frozen=True)
class Reached:
    """How near one finding is, and along which functions."""

    reach: Reach
    way: tuple[str, ...] = ()
    """From the touched function to that of the finding, by name."""
    routes: tuple[str, ...] = ()
    """HTTP routes from which it can be reached."""


class Reachability:
    """The functions of the changed files with their calls, as far as names tell."""

    def __init__(self, files: tuple[ChangedFile, ...]) -> None:
        self._paths = {file.path for file in files}
        self._added = {file.path: {line.number for line in added(file)} for file in files}
        self._functions: dict[_Place, Declaration] = {}
        self._calls: dict[_Place, frozenset[_Place]] = {}
        self._read(files)

    def of(self, finding: Finding) -> Reached:
        """How near ``finding`` is."""
        if not finding.path or finding.path not in self._paths:
            return Reached(Reach.APART)
        if finding.line is None:
            return Reached(Reach.SAME_FILE)
        lines = range(finding.line, (finding.end_line or finding.line) + 1)
        holder = self._holder(finding.path, finding.line)
        routes = tuple(sorted(self._routes_to(holder))) if holder else ()
        if any(line in self._added[finding.path] for line in lines):
            return Reached(Reach.ADDED, (holder[1],) if holder else (), routes)
        if holder is None:
            return Reached(Reach.SAME_FILE)
        touched = set(self._touched())
        if holder in touched:
            return Reached(Reach.TOUCHED, (holder[1],), routes)
        way = next(self._ways(touched, holder), ())
        return Reached(Reach.CALLED, way, routes) if way else Reached(Reach.SAME_FILE, (), routes)

    def _read(self, files: tuple[ChangedFile, ...]) -> None:
        needed = needs(files)
        by_name: dict[str, dict[str, set[_Place]]] = defaultdict(lambda: defaultdict(set))
        nodes: dict[_Place, ast.AST] = {}
        for file in files:
            text = text_of(file)
            told = declared(file.path, text) if text else Unknown(reason="no text")
            if isinstance(told, Unknown):
                continue
            trees = _functions(text) if file.path.endswith(".py") else {}
            for one in told.declarations:
                if one.callable:
                    place = (file.path, one.name)
                    self._functions[place] = one
                    by_name[file.path][one.name.rpartition(".")[2]].add(place)
                    if one.line in trees:
                        nodes[place] = trees[one.line]
        for place, node in nodes.items():
            near = [place[0], *needed.get(place[0], ())]
            self._calls[place] = frozenset(
                found for name in _called(node) for path in near for found in by_name[path][name] if found != place
            )

    def _holder(self, path: str, line: int) -> _Place | None:
        inside = [
            (place, one) for place, one in self._functions.items() if place[0] == path and one.start <= line <= one.end
        ]
        return max(inside, key=lambda pair: pair[1].start)[0] if inside else None

    def _touched(self) -> Iterator[_Place]:
        for place, one in self._functions.items():
            if any(one.start <= line <= one.end for line in self._added[place[0]]):
                yield place

    def _ways(self, starts: set[_Place], end: _Place) -> Iterator[tuple[str, ...]]:
        """The shortest ways from any of ``starts`` to ``end``."""
        waiting: deque[tuple[_Place, tuple[str, ...]]] = deque((start, (start[1],)) for start in sorted(starts))
        seen = set(starts)
        while waiting:
            place, way = waiting.popleft()
            if place == end:
                yield way
                return
            if len(way) <= MOST_STEPS:
                for other in sorted(self._calls.get(place, ())):
                    if other not in seen:
                        seen.add(other)
                        waiting.append((other, (*way, other[1])))

    def _routes_to(self, end: _Place) -> Iterator[str]:
        for place, one in self._functions.items():
            if one.routes and (place == end or next(self._ways({place}, end), ())):
                yield from (route.text for route in one.routes)


def _functions(text: str) -> Mapping[int, ast.AST]:
    # ``declared`` has parsed it before.
    return {
        one.lineno: one for one in ast.walk(ast.parse(text)) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def _called(node: ast.AST) -> frozenset[str]:
    """Last names of what is called inside; also of functions that are handed on."""
    names: set[str] = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Call):
            for part in (one.func, *one.args):
                if isinstance(part, ast.Name):
                    names.add(part.id)
                elif isinstance(part, ast.Attribute):
                    names.add(part.attr)
    return frozenset(names)
