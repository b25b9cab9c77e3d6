"""Guarantees that a snapshot file is read back as it was written, as a whole, or refused with a reason.

Format, version 1 (integers are big-endian, 4 bytes unsigned unless said otherwise):

    DONERIGHT-ENGINE-SNAPSHOT\\n          18-byte name of the format, and a line end
    {"version": 1, "records": N}\\n       one line of JSON
    N times a record:
        length, JSON                     the record's facts (see snapshot_records; "record" names the kind)
        length, protobuf                 OrchestratorRequest of an instance: pastEvents is its history, newEvents what
                                         it has not processed (events in a worker's hands are among them);
                                         EntityRequest of an entity: operationRequests is its queue, lock requests
                                         included; TraceContext of an activity; HistoryEvent of an entity's timer;
                                         empty where there is nothing to say
    SHA-256 of everything before         32 bytes

A file is written beside its destination, flushed to disk and renamed over it, so a crash leaves the old or the new.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import struct
import tempfile
from collections.abc import Iterable
from pathlib import Path

from pydantic import Field, ValidationError

from .snapshot_records import RECORDS, AnyRecord, Record

MAGIC = b"DONERIGHT-ENGINE-SNAPSHOT\n"
VERSION = 1
_LENGTH = struct.Struct(">I")
_DIGEST_BYTES = 32


class SnapshotError(Exception):
    """A snapshot cannot be used; the message says why."""


class Header(Record):
    """The file's second line."""

    version: int
    records: int = Field(ge=0)


def encode(records: Iterable[tuple[AnyRecord, bytes]]) -> bytes:
    """The file's content."""
    frames = [_frame(record, payload) for record, payload in records]
    header = json.dumps({"version": VERSION, "records": len(frames)}).encode()
    body = b"".join([MAGIC, header, b"\n", *frames])
    return body + hashlib.sha256(body).digest()


def _frame(record: Record, payload: bytes) -> bytes:
    facts = record.model_dump_json().encode()
    return b"".join([_LENGTH.pack(len(facts)), facts, _LENGTH.pack(len(payload)), payload])


def write(path: Path, content: bytes) -> None:
    """Replace the file's content as a whole.

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    with contextlib.suppress(OSError):  # not every system can flush a directory; the rename itself is done
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def decode(content: bytes) -> list[tuple[AnyRecord, bytes]]:
    """The records of a snapshot with their protobuf payloads.

    Raises:
        SnapshotError: the content is damaged, not a snapshot, or of a newer version.
    """
    if not content.startswith(MAGIC):
        raise SnapshotError("it is not an engine snapshot")
    line_end = content.find(b"\n", len(MAGIC))
    try:
        header = Header.model_validate_json(content[len(MAGIC) : line_end])
    except ValidationError as error:
        raise SnapshotError("its header cannot be read") from error
    if header.version != VERSION:
        raise SnapshotError(f"it has version {header.version} and this engine reads version {VERSION}")
    body, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
    if hashlib.sha256(body).digest() != digest:
        raise SnapshotError("its checksum does not match: it is damaged or cut short")
    records: list[tuple[AnyRecord, bytes]] = []
    offset = line_end + 1
    try:
        for _ in range(header.records):
            facts, offset = _block(body, offset)
            payload, offset = _block(body, offset)
            records.append((RECORDS.validate_json(facts), payload))
    except (ValidationError, struct.error) as error:
        raise SnapshotError(f"record {len(records) + 1} of {header.records} cannot be read") from error
    return records


def _block(body: bytes, offset: int) -> tuple[bytes, int]:
    (length,) = _LENGTH.unpack_from(body, offset)
    start = offset + _LENGTH.size
    return body[start : start + length], start + length
