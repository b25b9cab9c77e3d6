"""Remembers what was read of a changed file for as long as somebody holds the file, so that many gates read it once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import Lock
from weakref import WeakKeyDictionary

from shared.domain.change import ChangedFile


def remembered[T](read: Callable[[ChangedFile], T]) -> Callable[[ChangedFile], T]:
    """``read``, called once for each file. What it returns must not hold the file, and nobody may change it."""
    known: WeakKeyDictionary[ChangedFile, T] = WeakKeyDictionary()
    lock = Lock()

    @wraps(read)
    def look(file: ChangedFile) -> T:
        with lock:
            if file in known:
                return known[file]
        found = read(file)
        with lock:
            known[file] = found
        return found

    return look
