"""Files of a pull request on Azure Repos: the newest push against the merge base, texts in bulk, hunks made here.

The service tells neither patches nor sizes. Its list of changes comes in pages of 2,000, both texts of each file as
archives of blobs; what is too large to be read, compared or kept has ``None``, and a list that breaks off is unknown.
"""

from __future__ import annotations

import io
import zipfile
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from shared.adapters.ahead import Ahead, files_expected
from shared.adapters.azure_devops.errors import NotFoundError, TooLargeError
from shared.adapters.azure_devops.reviews.asking import (
    AskingCalls,
    bringing,
    head_of_pull,
    is_sha,
    part,
    pushes_expected,
)
from shared.adapters.azure_devops.reviews.patches import counted, lines_of, patch_of, text_of
from shared.adapters.azure_devops.reviews.words import utf16_units
from shared.adapters.later import chained
from shared.domain.change import Change, ChangedFile, ChangeRef, FileStatus, Part
from shared.errors import RefusedError

_CHANGES = "4216bdcf-b6b1-4d59-8b82-c34cc183fc8b"
PAGE = 2_000
"""The most the service answers at once."""
FILES_AT_ONCE = 200
"""Files whose texts are asked for in one archive."""
_ARCHIVE = 48 * 1024 * 1024
LONGEST_TEXT = 512 * 1024
"""Bytes of a text that is kept."""
ALL_TEXTS = 10 * 1024 * 1024
"""Bytes of all texts that are kept."""
_MEASURED = 500
"""Files of a push whose lines are measured for remarks to come."""
# What is read of a larger text, to count its lines.
_READ = 8 * 1024 * 1024


@dataclass(frozen=True)
class Entry:
    """One file as the list of changes names it."""

    path: str
    previous: str
    status: FileStatus
    new: str
    """Blob at the head; empty for none."""
    old: str
    """Blob at the merge base; empty for none."""
    tracking: int
    """By which the service follows the file from push to push."""

    @property
    def blobs(self) -> tuple[str, ...]:
        """Ids of its texts, each once."""
        return tuple(dict.fromkeys(blob for blob in (self.old, self.new) if blob))


type Told = tuple[int, Part[tuple[ChangedFile, ...]]]
"""The push that files are of, 0 where the head is of no push; and the files."""


class FileCalls(AskingCalls):
    """The part of ``AzureDevOpsForge`` that reads the files of a change."""

    _files_ahead: Ahead[Future[Told]]

    def expect(self, ref: ChangeRef, head: str, files: Sequence[str]) -> None:
        """Have the changed files read while the pull request is looked at; ``files`` as soon as that tells its base."""
        self._client.looks.keep(files_expected(ref), tuple(files))
        pushes = self._later(lambda: self._iterations(ref))
        self._client.looks.keep(pushes_expected(ref), pushes)
        self._files_ahead.put(ref, head, chained(self._counting(lambda: self._told_ahead(ref, head, pushes))))

    def _told_ahead(self, ref: ChangeRef, head: str, pushes: Future[list[Any]]) -> Told:
        if not (same := bringing(pushes.result(), head)):
            return 0, ()
        number = int(same[-1].id)
        return number, part(lambda: self._of_push(ref, number))

    def changed_files(self, change: Change) -> Part[tuple[ChangedFile, ...]]:
        """Every file against the merge base: a question for each 2,000 files, and one for the texts of each 200.

        A text over 512 KiB, or beyond 10 MiB of all texts by path, is left out, as are its hunks; its lines are still
        counted up to 8 MiB. Unknown when the service refuses the list, breaks it off, or lacks a text it named.
        """
        expected = self._files_ahead.take(change.ref, change.head)
        if expected is not None:
            number, files = expected.result()
            if number and number == change.iteration:
                return files
        return part(lambda: self._changed(change))

    def _changed(self, change: Change) -> tuple[ChangedFile, ...]:
        number = change.iteration or head_of_pull(self._pull_request(change.ref), self._iterations(change.ref))[1]
        return self._of_push(change.ref, number)

    def _of_push(self, ref: ChangeRef, number: int) -> tuple[ChangedFile, ...]:
        entries = self._entries(ref, number)
        files: list[ChangedFile] = []
        left = ALL_TEXTS
        for start in range(0, len(entries), FILES_AT_ONCE):
            for file, kept in self._read(ref, entries[start : start + FILES_AT_ONCE]):
                # The first that does not fit ends it, so that what is kept does not depend on sizes alone.
                left = left - kept if left >= kept else -1
                files.append(file if left >= 0 else _without_texts(file))
        if len(files) <= _MEASURED:
            # Whoever remarks on them next need not read them again.
            self._client.immutable(measured(ref, number), lambda: _lengths(files))
        return tuple(files)

    def _entries(self, ref: ChangeRef, iteration: int) -> Sequence[Entry]:
        """What the push ``iteration`` changes against the merge base, by path: for ever the same."""
        return self._client.immutable(("changes", ref.key, iteration), lambda: self._ask_entries(ref, iteration))

    def _ask_entries(self, ref: ChangeRef, iteration: int) -> Sequence[Entry]:
        found: list[Mapping[str, Any]] = []
        skip = 0
        while True:
            page = self._entry_page(ref, iteration, skip)
            found += page.get("changeEntries") or []
            following = int(page.get("nextSkip") or 0)
            if not following:
                break
            if following <= skip:
                raise RefusedError(
                    f"Azure DevOps breaks off the list of changed files after {len(found)}", "Try again later"
                )
            skip = following
        entries = [entry for one in found if (entry := _entry(one)) is not None]
        return tuple(sorted(entries, key=lambda entry: entry.path))

    def _entry_page(self, ref: ChangeRef, iteration: int, skip: int) -> Mapping[str, Any]:
        # The package's call drops everything of a change but its tracking id.
        route = {
            "project": ref.repository.owner,
            "repositoryId": ref.repository.name,
            "pullRequestId": str(ref.number),
            "iterationId": str(iteration),
        }
        query = {"$top": PAGE, "$skip": skip, "$compareTo": 0}
        answer = self._client.area("git")._send(
            http_method="GET",
            location_id=_CHANGES,
            version="7.1-preview.1",
            route_values=route,
            query_parameters=query,
        )
        page: Mapping[str, Any] = answer.json()
        return page

    def _read(self, ref: ChangeRef, entries: Sequence[Entry]) -> Iterator[tuple[ChangedFile, int]]:
        """Each file with the bytes of texts it keeps."""
        wanted = list(dict.fromkeys(blob for entry in entries for blob in entry.blobs))
        archive = self._blobs(ref, wanted) if wanted else b""
        if archive is None:
            if len(entries) == 1:
                yield _bare(entries[0]), 0
                return
            half = len(entries) // 2
            yield from self._read(ref, entries[:half])
            yield from self._read(ref, entries[half:])
            return
        with _opened(archive) as opened:
            named = {one.filename.rsplit("/", 1)[-1].split(".")[0].lower(): one for one in opened.infolist()}
            if lacking := [blob for blob in wanted if blob not in named]:
                raise RefusedError(
                    f"Azure DevOps left {len(lacking)} of {len(wanted)} texts out of its archive", "Try again later"
                )
            for entry in entries:
                yield _compared(entry, *(_content(opened, named, blob) for blob in (entry.old, entry.new)))

    def _blobs(self, ref: ChangeRef, blobs: Sequence[str]) -> bytes | None:
        """An archive of the blobs; ``None`` where they are too large together, or one is not there."""
        with self._client.at_most(_ARCHIVE):
            try:
                return b"".join(
                    self._client.area("git").get_blobs_zip(
                        list(blobs), ref.repository.name, project=ref.repository.owner
                    )
                )
            except (TooLargeError, NotFoundError):
                return None


def measured(ref: ChangeRef, push: int) -> tuple[str, str, int]:
    """Under which the lengths of the lines of a push's files are kept: path → UTF-16 units of each."""
    return "lengths", ref.key, push


def _lengths(files: Iterable[ChangedFile]) -> Mapping[str, Sequence[int]]:
    return {
        one.path: array("I", (units_of(line) for line in lines_of(one.content)))
        for one in files
        if one.content is not None
    }


def units_of(line: str) -> int:
    """UTF-16 units of a line without its end."""
    return utf16_units(line.rstrip("\r\n"))


def _entry(found: Mapping[str, Any]) -> Entry | None:
    """``None`` for folders, for submodules, and for the other end of a renaming, which the new end tells as well."""
    item = found.get("item") or {}
    kinds = {kind.strip().lower() for kind in str(found.get("changeType") or "").split(",")}
    kind_of_item = str(item.get("gitObjectType") or "blob").lower()
    if item.get("isFolder") or kind_of_item != "blob" or "sourcerename" in kinds:
        return None
    path = str(item.get("path") or "").lstrip("/")
    new, old = _blob(item.get("objectId")), _blob(item.get("originalObjectId"))
    before = str(found.get("sourceServerItem") or found.get("originalPath") or "").lstrip("/")
    if "delete" in kinds:
        status, new, old, previous = FileStatus.REMOVED, "", old or new, ""
    elif "rename" in kinds and before and before != path:
        status, previous = FileStatus.RENAMED, before
    elif "add" in kinds or not old:
        status, old, previous = FileStatus.ADDED, "", ""
    else:
        status, previous = FileStatus.MODIFIED, ""
    return Entry(path, previous, status, new, old, int(found.get("changeTrackingId") or 0))


def _blob(value: Any) -> str:
    text = str(value or "").lower()
    return text if is_sha(text) and text.strip("0") else ""


def _opened(archive: bytes) -> zipfile.ZipFile:
    if not archive:
        return zipfile.ZipFile(io.BytesIO(), "w")
    try:
        return zipfile.ZipFile(io.BytesIO(archive))
    except zipfile.BadZipFile as error:
        raise RefusedError("Azure DevOps sent no readable archive of texts", "Try again later") from error


def _content(opened: zipfile.ZipFile, named: Mapping[str, zipfile.ZipInfo], blob: str) -> bytes | None:
    """What the blob holds, its first 8 MiB and one byte at most; ``None`` for no blob."""
    if not blob:
        return None
    try:
        with opened.open(named[blob]) as file:
            return file.read(_READ + 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise RefusedError("Azure DevOps sent an archive that breaks off", "Try again later") from error


def _compared(entry: Entry, old: bytes | None, new: bytes | None) -> tuple[ChangedFile, int]:
    before, after = (None if one is None else text_of(one) for one in (old, new))
    if (old is not None and before is None) or (new is not None and after is None):
        return _bare(entry, binary=True), 0
    sizes = [len(one) for one in (old, new) if one is not None]
    if max(sizes, default=0) > LONGEST_TEXT:
        additions, deletions = counted(lines_of(before or ""), lines_of(after or ""))
        # The side that is short enough is of use by itself.
        content = after if new is not None and len(new) <= LONGEST_TEXT else None
        earlier = before if old is not None and len(old) <= LONGEST_TEXT else None
        kept = sum(size for size in sizes if size <= LONGEST_TEXT)
        return _told(entry, None, additions, deletions, content, earlier), kept
    patch = patch_of(before or "", after or "")
    return _told(entry, patch.hunks, patch.additions, patch.deletions, after, before), sum(sizes)


def _told(
    entry: Entry, patch: str | None, additions: int, deletions: int, content: str | None, before: str | None
) -> ChangedFile:
    return ChangedFile(
        path=entry.path,
        previous_path=entry.previous,
        status=entry.status,
        additions=additions,
        deletions=deletions,
        patch=patch,
        content=content,
        before=before,
    )


def _bare(entry: Entry, *, binary: bool = False) -> ChangedFile:
    return ChangedFile(path=entry.path, previous_path=entry.previous, status=entry.status, binary=binary)


def _without_texts(file: ChangedFile) -> ChangedFile:
    return file.model_copy(update={"patch": None, "content": None, "before": None})
