"""Keeps work that waits for a worker, so that taking the next item costs the number of names, not of items."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable

NameKey = tuple[str, str | None]
"""A function's name and version: what a worker's filter looks at."""


class ReadyQueue[T: Hashable]:
    """First in, first out for each name; names take turns; an item waits at most once."""

    def __init__(self) -> None:
        self._by_name: OrderedDict[NameKey, deque[T]] = OrderedDict()
        self._waiting: set[T] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    def push(self, key: NameKey, item: T, *, first: bool = False) -> bool:
        """Add an item (at the front with `first`); False when it already waits."""
        if item in self._waiting:
            return False
        self._waiting.add(item)
        line = self._by_name.setdefault(key, deque())
        if first:
            line.appendleft(item)
        else:
            line.append(item)
        return True

    def pop(self, accepts: Callable[[str, str | None], bool]) -> T | None:
        """Take the next item whose name and version the worker accepts, or None."""
        for key in self._by_name:
            if accepts(*key):
                line = self._by_name[key]
                item = line.popleft()
                if line:
                    self._by_name.move_to_end(key)
                else:
                    del self._by_name[key]
                self._waiting.discard(item)
                return item
        return None

    def clear(self) -> None:
        """Drop everything."""
        self._by_name.clear()
        self._waiting.clear()
