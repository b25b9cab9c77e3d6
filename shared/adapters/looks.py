"""Guarantees that one use case does not ask a forge twice what it was just told, and never misses its own changes.

A step looks at what is there, then calls a port that looks again before it changes anything, since a port must be right
by itself. Within one use case, in one thread, the second look is answered by the first, until that thread changes
something on the forge. What others change meanwhile may be seen that much later, as if the first look had been the last.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import wait
from contextvars import copy_context
from typing import Any, NamedTuple

from shared.adapters.later import later
from shared.ports import Clock

LONGEST = 10.0
"""Seconds for which a look counts; no use case relies on an older one."""

_thread = threading.local()


class _Look(NamedTuple):
    at: float
    answer: Any


class _Lasting(NamedTuple):
    question: Hashable


def begin() -> None:
    """A use case begins in this thread, and knows nothing yet. In a thread without one, every look is made."""
    _thread.seen = {}


def end() -> None:
    """From here on, every look of this thread is made."""
    _thread.seen = None


def carried[A](work: Callable[[], A]) -> Callable[[], A]:
    """``work``, for another thread, which knows what this one was told until now; what it is told stays its own."""
    return _knowing(work, getattr(_thread, "seen", None))


def _knowing[A](work: Callable[[], A], seen: dict[Looks, dict[Hashable, _Look]] | None) -> Callable[[], A]:
    told = None if seen is None else {client: dict(known) for client, known in seen.items()}
    context = copy_context()

    def run() -> A:
        _thread.seen = told
        try:
            return work()
        finally:
            end()

    return lambda: context.run(run)


AT_ONCE = 8
"""Pieces of work of all use cases of this process that are under way beside one another."""


def together[A](works: Sequence[Callable[[], A]]) -> list[A]:
    """What each of ``works`` comes to, done at the same time; each knows of this use case's looks those that last.

    All have ended when this returns, or raises what the first of them that failed did: who tries again must find what was
    done. They must not wait for one another.
    """
    seen: dict[Looks, dict[Hashable, _Look]] | None = getattr(_thread, "seen", None)
    lasting: dict[Looks, dict[Hashable, _Look]] = {
        client: {question: look for question, look in known.items() if isinstance(question, _Lasting)}
        for client, known in (seen or {}).items()
    }

    under_way = [later(_knowing(work, None if seen is None else lasting), AT_ONCE) for work in works]
    wait(under_way)
    for client in seen or ():
        # They may have changed what was looked at.
        client.forget()
    return [one.result() for one in under_way]


class Looks:
    """What the threads of one client have just been told."""

    def __init__(self, clock: Clock) -> None:
        """Times are of ``clock``."""
        self._clock = clock

    def remembered(self, question: Hashable) -> Any:
        """The answer to ``question``; ``None`` when it has to be asked."""
        look: _Look | None = (self._seen() or {}).get(question)
        if look is None or not 0 <= self._clock.now().timestamp() - look.at <= LONGEST:
            return None
        return look.answer

    def keep(self, question: Hashable, answer: Any) -> None:
        """``question`` was answered so."""
        seen = self._seen()
        if seen is not None:
            seen[question] = _Look(self._clock.now().timestamp(), answer)

    def lasting[A](self, question: Hashable, ask: Callable[[], A]) -> A:
        """The answer to ``question``, which no change but a removal makes another: the id behind a name.

        A table of what is there may last too, where whoever makes one more enters it: a use case that makes ten looks
        once, not ten times. ``None`` is asked again.
        """
        known: A | None = self.entered(question)
        if known is None:
            known = ask()
            self.enter(question, known)
        return known

    def enter(self, question: Hashable, answer: Any) -> None:
        """The answer to ``question`` is known, or is another from now on; it lasts as one of ``lasting`` does."""
        self.keep(_Lasting(question), answer)

    def entered(self, question: Hashable) -> Any:
        """What was entered; ``None`` for nothing."""
        return self.remembered(_Lasting(question))

    def forget(self, *, removal: bool = False) -> None:
        """Something is about to change, or to be removed."""
        seen = self._seen()
        if seen is not None:
            for question in [one for one in seen if removal or not isinstance(one, _Lasting)]:
                del seen[question]

    def _seen(self) -> dict[Hashable, _Look] | None:
        by_client: dict[Looks, dict[Hashable, _Look]] | None = getattr(_thread, "seen", None)
        return None if by_client is None else by_client.setdefault(self, {})
