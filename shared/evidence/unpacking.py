"""Unpacks what was sent, gzip or zip or neither, stopping at the first byte over a limit and never trusting a header."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator

from shared.errors import RefusedError
from shared.evidence.limits import LIMITS, MIB, Limits

GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
_CHUNK = 64 * 1024
_KINDS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError, OSError)
"""What ``zipfile`` raises over bytes that are no whole archive."""


class TooLargeError(RefusedError):
    """More bytes than are taken."""


def unpacked(content: bytes, limits: Limits = LIMITS) -> list[bytes]:
    """The reports in ``content``: one, or those of a zip archive.

    Raises:
        TooLargeError: it is, or becomes, larger than ``limits`` allow.
        RefusedError: it is empty, broken, or packed more than once.
    """
    if len(content) > limits.body:
        raise _too_large("the body", len(content), limits.body)
    if content.startswith(ZIP):
        reports = list(_members(content, limits))
    elif content.startswith(GZIP):
        reports = [_inflated(content, limits)]
    else:
        reports = [_bounded(content, limits)]
    for report in reports:
        if report.startswith((GZIP, ZIP)):
            raise RefusedError("a report is packed more than once", "Send it as it is, or packed once.")
        if not report.strip():
            raise RefusedError("a report is empty", "Send what the tool wrote.")
    if not reports:
        raise RefusedError("the archive holds no report", "Put the reports into it, or send them as they are.")
    return reports


def _bounded(report: bytes, limits: Limits) -> bytes:
    if len(report) > limits.report:
        raise _too_large("a report", len(report), limits.report)
    return report


def _inflated(content: bytes, limits: Limits) -> bytes:
    """RFC 1952, members one after another as ``cat a.gz b.gz`` makes them."""
    grown = _Growth(len(content), limits)
    rest: bytes = content
    while rest.startswith(GZIP):
        engine = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        source = io.BytesIO(rest)
        while not engine.eof and (chunk := engine.unconsumed_tail or source.read(_CHUNK)):
            try:
                grown.take(engine.decompress(chunk, _CHUNK))
            except zlib.error as error:
                raise _broken("gzip", error) from error
        grown.take(engine.flush())  # at most a window of 32 KiB
        if not engine.eof:
            raise _broken("gzip", "it ends too early")
        rest = engine.unused_data + source.read()
    if rest.strip(b"\0"):
        raise _broken("gzip", "something else follows it")
    return grown.whole()


def _members(content: bytes, limits: Limits) -> Iterator[bytes]:
    total = 0
    with _archive(content) as archive:
        files = [info for info in archive.infolist() if not info.is_dir()]
        if len(files) > limits.reports:
            raise TooLargeError(
                f"the archive holds {len(files)} files; {limits.reports} are the most", "Send several archives."
            )
        for info in files:
            if info.flag_bits & _ENCRYPTED or info.compress_type not in _KINDS:
                raise RefusedError("a file in the archive is encrypted, or packed in a way that is not read", _PACK)
            grown = _Growth(len(content), limits)
            _drain(archive, info, grown)
            report = grown.whole()
            total += len(report)
            if total > limits.unpacked:
                raise _too_large("the archive's content", total, limits.unpacked)
            yield report


def _archive(content: bytes) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(io.BytesIO(content))
    except _BROKEN as error:
        raise _broken("zip", error) from error


def _drain(archive: zipfile.ZipFile, info: zipfile.ZipInfo, grown: _Growth) -> None:
    try:
        with archive.open(info) as source:
            while chunk := source.read(_CHUNK):
                grown.take(chunk)
    except _BROKEN as error:
        raise _broken("zip", error) from error


class _Growth:
    """Bytes as they come, refused as soon as they are too many or too many for what was sent."""

    def __init__(self, packed: int, limits: Limits) -> None:
        self._limits = limits
        self._most = min(limits.report, max(MIB, packed * limits.ratio))
        self._pieces: list[bytes] = []
        self._size = 0

    def take(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limits.report:
            raise _too_large("a report, unpacked,", self._size, self._limits.report)
        if self._size > self._most:
            raise TooLargeError(
                f"a report grows more than {self._limits.ratio} times when it is unpacked",
                "Send it as it is: no tool's report repeats itself that much.",
            )
        self._pieces.append(piece)

    def whole(self) -> bytes:
        return b"".join(self._pieces)


_PACK = "Pack it with gzip, or with zip and deflate and no password."


def _too_large(what: str, size: int, most: int) -> TooLargeError:
    return TooLargeError(
        f"{what} takes {size} bytes or more; {most} are the most",
        "Pack it with gzip, send the reports one by one, or leave out what the tool adds for reading.",
    )


def _broken(kind: str, why: object) -> RefusedError:
    return RefusedError(f"the {kind} cannot be unpacked: {str(why)[:200]}", _PACK)
