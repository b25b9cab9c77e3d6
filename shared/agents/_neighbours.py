"""Finds which of many groups of files lies nearest to another by its folders, without holding each against each."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

type _Folder = tuple[str, ...]


class Neighbours:
    """Groups of paths, known by their folders. A group is found again by the number it was added under."""

    def __init__(self, groups: Iterable[set[str]] = ()) -> None:
        self._groups: dict[int, set[str]] = {}
        self._least: dict[int, str] = {}
        self._folders: dict[int, set[_Folder]] = {}
        self._within: dict[_Folder, set[int]] = defaultdict(set)
        for number, group in enumerate(groups):
            self._least[number] = min(group)
            self._groups[number] = set()
            self._folders[number] = set()
            self._put(number, group, {PurePosixPath(path).parts[:-1] for path in group})

    def nearest(self, group: set[str]) -> int:
        """The group that shares the most folders with ``group``; of several, that whose first path is the last.

        The name settles ties, so that the same change is always cut the same way.
        """
        return self._nearest({PurePosixPath(path).parts[:-1] for path in group}, leaving=-1)

    def join(self, number: int, group: set[str]) -> None:
        """Let ``group`` become part of that one."""
        self._least[number] = min(self._least[number], *group)
        self._put(number, group, {PurePosixPath(path).parts[:-1] for path in group})

    def groups(self) -> list[set[str]]:
        """All there are."""
        return list(self._groups.values())

    def without_small(self, lines: Mapping[str, int], *, least: float, most: int) -> list[set[str]]:
        """The groups once each of less than ``least`` lines went to its nearest neighbour, and ``most`` at most are left."""
        weights = {number: sum(lines[path] for path in group) for number, group in self._groups.items()}
        waiting = [(weight, self._least[number], number) for number, weight in weights.items()]
        heapq.heapify(waiting)
        while len(self._groups) > 1:
            weight, first, number = heapq.heappop(waiting)
            if number not in self._groups or (weight, first) != (weights[number], self._least[number]):
                continue  # it became another since
            if weight >= least and len(self._groups) <= most:
                break
            into = self._nearest(self._folders[number], leaving=number)
            weights[into] += weight
            self._move(number, into)
            heapq.heappush(waiting, (weights[into], self._least[into], into))
        return self.groups()

    def _nearest(self, folders: set[_Folder], *, leaving: int) -> int:
        for depth in range(max(map(len, folders)), -1, -1):
            prefixes = {folder[:depth] for folder in folders if len(folder) >= depth}
            found: set[int] = set().union(*(self._within.get(prefix, ()) for prefix in prefixes)) - {leaving}
            if found:
                return max(found, key=self._least.__getitem__)
        raise ValueError("there is no other group")

    def _move(self, number: int, into: int) -> None:
        folders = self._folders.pop(number)
        for prefix in {folder[:depth] for folder in folders for depth in range(len(folder) + 1)}:
            self._within[prefix].discard(number)
        self._least[into] = min(self._least[into], self._least.pop(number))
        self._put(into, self._groups.pop(number), folders)

    def _put(self, number: int, group: Iterable[str], folders: set[_Folder]) -> None:
        self._groups[number].update(group)
        self._folders[number] |= folders
        for prefix in {folder[:depth] for folder in folders for depth in range(len(folder) + 1)}:
            self._within[prefix].add(number)
