"""In-memory storage with the contracts of the real adapters; the contract suite runs over both."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from shared.adapters.key_vault import check_name
from shared.adapters.storage.artifacts import DEFAULT_LIMIT, check_digest, digest_of
from shared.adapters.storage.audit_rows import at_sequence, dedupe_key, new_event
from shared.adapters.storage.queue import check_message
from shared.adapters.storage.records import pieces_of
from shared.audit.merkle import Frontier
from shared.domain.audit import AuditEvent, AuditHead, NewAuditEvent, Recorded
from shared.domain.keys import encode_key
from shared.errors import ConflictError, DefectError, RefusedError, TransientError


class MemoryClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, now: datetime = datetime(2026, 1, 31, 8, 0, tzinfo=UTC)) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += by


class MemoryAuditLog:
    """An audit log in dictionaries. ``lose_answers(n)`` makes the next n appends fail after their effect."""

    def __init__(self, clock: MemoryClock | None = None) -> None:
        self._clock = clock or MemoryClock()
        self._events: dict[str, list[AuditEvent]] = {}
        self._frontiers: dict[str, Frontier] = {}
        self._seen: dict[tuple[str, str], Recorded] = {}
        self._lock = threading.Lock()
        self._to_lose = 0

    def lose_answers(self, count: int) -> None:
        self._to_lose = count

    def append(self, project: str, event: NewAuditEvent) -> Recorded:
        encode_key(project)
        drafted = new_event(project, event, self._clock.now())
        with self._lock:
            frontier = self._frontiers.setdefault(project, Frontier())
            seen = (project, dedupe_key(event.instance, event.step))
            answer = self._seen.get(seen)
            if answer is not None:
                answer = answer.model_copy(update={"root": frontier.root().hex(), "repeated": True})
            else:
                placed, leaf = at_sequence(drafted, frontier.size)
                frontier.append(leaf)
                self._events.setdefault(project, []).append(placed)
                answer = Recorded(sequence=placed.sequence, leaf=leaf.hex(), root=frontier.root().hex())
                self._seen[seen] = answer
            if self._to_lose:
                self._to_lose -= 1
                raise TransientError("the answer was lost")
            return answer

    def head(self, project: str) -> AuditHead:
        with self._lock:
            frontier = self._frontiers.get(project, Frontier())
            return AuditHead(
                project=project, size=frontier.size, root=frontier.root().hex(), frontier=frontier.to_hex()
            )

    def events(self, project: str, start: int = 0, limit: int = 100) -> Sequence[AuditEvent]:
        if start < 0 or limit < 1:
            raise RefusedError(f"no events from {start}, {limit} at most", "start at 0 or above and ask for 1 or more")
        return self._events.get(project, [])[start : start + limit]

    def erase_detail(self, project: str, sequence: int) -> None:
        events = self._events.get(project, [])
        if not 0 <= sequence < len(events):
            raise RefusedError(f"the log of {project!r} has no event {sequence}", "look the number up in the log")
        events[sequence] = events[sequence].model_copy(update={"detail": None})

    def tamper(self, project: str, sequence: int, **changed: Any) -> None:
        """Alter a stored event behind the log's back."""
        self._events[project][sequence] = self._events[project][sequence].model_copy(update=changed)


class MemoryArtifacts:
    """Content-addressed bytes in a dictionary."""

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._stored: dict[str, tuple[bytes, str]] = {}
        self._limit = limit

    def put(self, content: bytes, media_type: str) -> str:
        if len(content) > self._limit:
            raise RefusedError(f"an artifact of {len(content)} bytes is over the limit of {self._limit}", "store less")
        digest = digest_of(content)
        self._stored.setdefault(digest, (content, media_type))
        return digest

    def claim(self, content: bytes) -> str:
        return self.put(content, "application/octet-stream")

    def get(self, digest: str) -> bytes:
        content = self._find(digest)[0]
        if digest_of(content) != digest:
            raise DefectError(f"artifact {digest} was altered in storage")
        return content

    def media_type(self, digest: str) -> str:
        return self._find(digest)[1]

    def tamper(self, digest: str, content: bytes) -> None:
        """Alter a stored artifact behind the store's back."""
        self._stored[digest] = (content, self._stored[digest][1])

    def _find(self, digest: str) -> tuple[bytes, str]:
        check_digest(digest)
        if digest not in self._stored:
            raise RefusedError(f"there is no artifact {digest}", "check the digest; it may be past its retention")
        return self._stored[digest]


class MemoryRecords[M: BaseModel]:
    """Records as JSON in a dictionary, so that nothing survives that JSON would lose."""

    def __init__(self, model: type[M]) -> None:
        self._model = model
        self._rows: dict[tuple[str, str], tuple[str, str, str, str]] = {}
        self._versions = 0
        self._lock = threading.Lock()

    def get(self, partition: str, key: str) -> tuple[M, str] | None:
        row = self._rows.get((encode_key(partition), encode_key(key)))
        return None if row is None else (self._model.model_validate_json(row[2]), row[3])

    def create(self, partition: str, key: str, record: M) -> str:
        with self._lock:
            if (encode_key(partition), encode_key(key)) in self._rows:
                raise ConflictError(f"record {key!r} exists")
            return self._write(partition, key, record)

    def replace(self, partition: str, key: str, record: M, etag: str) -> str:
        with self._lock:
            row = self._rows.get((encode_key(partition), encode_key(key)))
            if row is None or row[3] != etag:
                raise ConflictError(f"record {key!r} changed or is gone")
            return self._write(partition, key, record)

    def put(self, partition: str, key: str, record: M) -> None:
        with self._lock:
            self._write(partition, key, record)

    def list(self, partition: str | None = None, limit: int = 1000) -> Sequence[tuple[str, str, M]]:
        if limit < 1:
            raise RefusedError(f"no list of at most {limit} records", "ask for 1 or more")
        only = None if partition is None else encode_key(partition)
        rows = [self._rows[keys] for keys in sorted(self._rows) if only in (None, keys[0])]
        return [(name, key, self._model.model_validate_json(text)) for name, key, text, _ in rows[:limit]]

    def _write(self, partition: str, key: str, record: M) -> str:
        text = "".join(pieces_of(record, f"record {key!r}").values())
        self._versions += 1
        etag = f'W/"{self._versions}"'
        self._rows[encode_key(partition), encode_key(key)] = (partition, key, text, etag)
        return etag


class MemorySecrets:
    """Secrets in a dictionary; names do not count case, as in Key Vault."""

    def __init__(self, **values: str) -> None:
        self._values = {name.lower().replace("_", "-"): value for name, value in values.items()}

    def __repr__(self) -> str:
        return "MemorySecrets(…)"

    def get(self, name: str) -> str:
        check_name(name)
        if name.lower() not in self._values:
            raise RefusedError(f"there is no secret {name}", f"set the secret {name}")
        return self._values[name.lower()]

    def set(self, name: str, value: str) -> None:
        check_name(name)
        if not value:
            raise RefusedError(f"secret {name} cannot be empty", "give its value")
        self._values[name.lower()] = value


class MemoryQueue:
    """A queue as the list ``messages``."""

    def __init__(self, name: str = "memory") -> None:
        self._name = name
        self.messages: list[str] = []

    def send(self, message: str) -> None:
        check_message(self._name, message)
        self.messages.append(message)
