"""Keeps what was asked of a forge before anybody needs it, until somebody does or it is too old."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from shared.domain.change import ChangeRef
from shared.domain.forge import RepositoryRef


class Ahead[A]:
    """What is under way about heads of pull requests."""

    def __init__(self, now: Callable[[], datetime], longest: timedelta) -> None:
        """``longest`` is for how long it counts; older ones go with the next that comes."""
        self._now = now
        self._longest = longest
        self._asked: dict[tuple[str, str], tuple[datetime, A]] = {}
        self._lock = Lock()

    def put(self, ref: ChangeRef, head: str, asked: A) -> A:
        """Keep ``asked``, in the place of what was asked about that head before."""
        now = self._now()
        with self._lock:
            for key in [key for key, (at, _) in self._asked.items() if now - at > self._longest]:
                del self._asked[key]
            self._asked[ref.key, head] = (now, asked)
        return asked

    def get(self, ref: ChangeRef, head: str) -> A | None:
        """What was asked about that head, for others to get as well."""
        with self._lock:
            found = self._asked.get((ref.key, head))
        return None if found is None or self._now() - found[0] > self._longest else found[1]

    def take(self, ref: ChangeRef, head: str) -> A | None:
        """What was asked about that head, for the last time: an answer is not told twice."""
        found = self.get(ref, head)
        with self._lock:
            self._asked.pop((ref.key, head), None)
        return found


def files_expected(ref: ChangeRef) -> tuple[str, str]:
    """Under which a look at a change finds the paths at its base that somebody will want."""
    return "files expected", ref.key


def file_there(repository: RepositoryRef, path: str, commit: str) -> tuple[str, ...]:
    """Under which a file at a commit is remembered: a tuple of its bytes, or of ``None`` where there is none."""
    return "file", str(repository).lower(), path, commit
