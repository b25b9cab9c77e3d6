"""Guarantees that every file a pull request changes is told, with its hunks and texts as far as they can be had."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from shared.adapters.ahead import Ahead, files_expected
from shared.adapters.github.client import PAGE_SIZE, linked_query, path
from shared.adapters.github.errors import NotFoundError
from shared.adapters.github.repositories import RepositoryCalls, repository_path
from shared.adapters.github.reviews.alerts import AlertCalls
from shared.adapters.github.reviews.hunks import before_of, patch_of, removed_text
from shared.adapters.github.reviews.texts import Text, texts_at
from shared.adapters.later import chained, later
from shared.domain.change import Change, ChangedFile, ChangeRef, FileStatus, Part, Unknown
from shared.domain.forge import RepositoryRef

MOST_LISTED = 3_000
"""Files that GitHub lists: https://docs.github.com/rest/pulls/pulls#list-pull-requests-files"""

_STATUSES = {
    "added": FileStatus.ADDED,
    "copied": FileStatus.ADDED,
    "removed": FileStatus.REMOVED,
    "renamed": FileStatus.RENAMED,
}


class _Listed(NamedTuple):
    path: str
    previous: str
    status: FileStatus
    additions: int
    deletions: int
    patch: str | None
    counted: bool = True
    """Whether GitHub told the numbers of lines."""


class Told(NamedTuple):
    """The list of files, with the texts of those on it that are there at its head."""

    listing: list[Mapping[str, Any]]
    texts: Mapping[str, Text]


class FileCalls(AlertCalls, RepositoryCalls):
    """The part of ``GitHubForge`` that reads what a pull request changes."""

    _files_ahead: Ahead[Future[Told]]

    def expect(self, ref: ChangeRef, head: str, files: Sequence[str]) -> None:
        """Have files listed, texts fetched and alerts looked for while the pull request is; that look brings ``files``."""
        self._client.looks.keep(files_expected(ref), tuple(files))
        self._expect_alerts(ref, head)
        self._files_ahead.put(ref, head, chained(lambda: self._told(ref, head)))

    def changed_files(self, change: Change) -> Part[tuple[ChangedFile, ...]]:
        """Every file with its hunks and texts; what is larger than can be had has ``None``.

        ``Unknown`` when the pull request shows another head by now, or when not every file can be told.
        """
        self._expect_code_alerts(change)
        expected = self._files_ahead.take(change.ref, change.head)
        told = expected.result() if expected else self._told(change.ref, change.head)
        if expected and _moved(told.listing, change.head):
            # A list that was asked for so early may have been told before GitHub knew of the push.
            told = self._told(change.ref, change.head)
        if _moved(told.listing, change.head):
            return Unknown(reason=f"The pull request shows another commit than {change.head[:12]} by now")
        listed = [_listed(entry) for entry in told.listing]
        if len(listed) >= MOST_LISTED:
            beyond = self._beyond(change, listed)
            if isinstance(beyond, Unknown):
                return beyond
            listed += beyond
        texts = self._texts(change.ref.repository, change.head, listed) if len(listed) >= MOST_LISTED else told.texts
        files = [_file(one, texts.get(one.path)) for one in listed]
        return tuple(self._completed(change, listed, files, texts))

    def _told(self, ref: ChangeRef, head: str) -> Told:
        """Texts only where the list is about ``head`` and whole."""
        listing = self._listing(ref)
        if _moved(listing, head) or len(listing) >= MOST_LISTED:
            return Told(listing, {})
        return Told(listing, self._texts(ref.repository, head, [_listed(entry) for entry in listing]))

    def _texts(self, repository: RepositoryRef, head: str, listed: Iterable[_Listed]) -> dict[str, Text]:
        here = [one.path for one in listed if one.status is not FileStatus.REMOVED]
        return texts_at(self._client, repository, head, here) if here else {}

    def _listing(self, ref: ChangeRef) -> list[Mapping[str, Any]]:
        """Every file that GitHub lists; the pages after the first at once."""
        url = repository_path(ref.repository) + path("/pulls/{}/files", ref.number)
        headers, data = self._client.request("GET", url, parameters={"per_page": PAGE_SIZE})
        last = int((linked_query(headers, "last") or {}).get("page", "1"))

        def page(number: int) -> Any:
            return self._client.request("GET", url, parameters={"per_page": PAGE_SIZE, "page": number})[1]

        further = [later(partial(page, number)) for number in range(2, last + 1)]
        return [*data, *(entry for asked in further for entry in asked.result())]

    def _beyond(self, change: Change, listed: list[_Listed]) -> list[_Listed] | Unknown:
        """The files that GitHub does not list, by the trees of both commits."""
        if not change.merge_base:
            return Unknown(reason=f"GitHub lists {MOST_LISTED} files and no more, and the common commit is not known")
        try:
            old = self._files(change.ref.repository, change.merge_base)
            new = self._files(change.ref.repository, change.head)
        except NotFoundError as error:
            return Unknown(reason=f"GitHub lists {MOST_LISTED} files and no more: {error.reason}")
        told = {name for one in listed for name in (one.path, one.previous)}
        changed = sorted(
            name for name in old.keys() | new.keys() if old.get(name) != new.get(name) and name not in told
        )
        gone = {old[name][0]: name for name in changed if name not in new}
        found: list[_Listed] = []
        moved: set[str] = set()
        for name in changed:
            if name in new and name not in old and (before := gone.pop(new[name][0], "")):
                moved |= {name, before}
                found.append(_Listed(name, before, FileStatus.RENAMED, 0, 0, None))
        for name in changed:
            if name not in moved:
                status = FileStatus.REMOVED if name not in new else FileStatus.MODIFIED
                status = FileStatus.ADDED if name not in old else status
                found.append(_Listed(name, "", status, 0, 0, None, counted=False))
        return found

    def _completed(
        self, change: Change, listed: list[_Listed], files: list[ChangedFile], texts: Mapping[str, Text]
    ) -> Iterable[ChangedFile]:
        """The files with the texts before, fetched where the patch does not tell them."""
        wanted = {
            one.path: one.previous or one.path for one, file in zip(listed, files, strict=True) if _lacks(one, file)
        }
        before: dict[str, Text] = {}
        if wanted and change.merge_base:
            before = texts_at(self._client, change.ref.repository, change.merge_base, list(wanted.values()))
        for one, file in zip(listed, files, strict=True):
            held = before.get(wanted.get(one.path, ""))
            if held is None:
                yield _made(one, file)
            elif held.binary:
                yield file.model_copy(update={"binary": True})
            else:
                yield _made(one, file.model_copy(update={"before": held.text}))


def _listed(entry: Mapping[str, Any]) -> _Listed:
    copied = entry["status"] == "copied"
    return _Listed(
        path=entry["filename"],
        previous="" if copied else entry.get("previous_filename") or "",
        status=_STATUSES.get(entry["status"], FileStatus.MODIFIED),
        additions=entry["additions"],
        deletions=entry["deletions"],
        # The hunks of a copy are held against what it was copied from, which it is not instead of.
        patch=None if copied else entry.get("patch"),
        counted=not copied,
    )


def _moved(listing: Iterable[Mapping[str, Any]], head: str) -> bool:
    return any(_head_of(entry) not in {"", head} for entry in listing)


def _head_of(entry: Mapping[str, Any]) -> str:
    """The commit a listing is about; empty where it does not say, as for submodules."""
    found = parse_qs(urlsplit(entry.get("contents_url") or "").query).get("ref", [""])[0]
    return found if entry["status"] != "removed" else ""


def _file(one: _Listed, text: Text | None) -> ChangedFile:
    content = text.text if text else None
    return ChangedFile(
        path=one.path,
        previous_path=one.previous,
        status=one.status,
        additions=one.additions,
        deletions=one.deletions,
        binary=text.binary if text else False,
        patch=one.patch,
        content=content,
        before=_before(one, content),
    )


def _before(one: _Listed, content: str | None) -> str | None:
    if one.status is FileStatus.ADDED:
        return None
    if one.status is FileStatus.REMOVED:
        return removed_text(one.patch, one.deletions) if one.patch is not None else None
    if content is None:
        return None
    if one.patch is None:
        return content if one.counted and one.additions == one.deletions == 0 else None
    return before_of(content, one.patch)


def _lacks(one: _Listed, file: ChangedFile) -> bool:
    """Whether the text before is yet to be asked for."""
    if one.status is FileStatus.ADDED or file.binary or file.before is not None:
        return False
    # Where the text at the head was too large, the one before hardly is of use without it.
    return one.status is FileStatus.REMOVED or file.content is not None


def _made(one: _Listed, file: ChangedFile) -> ChangedFile:
    """The file with hunks made here, where GitHub left them out and both texts are there."""
    if file.patch is not None or file.binary or (one.counted and one.additions == one.deletions == 0):
        return file
    old = "" if file.status is FileStatus.ADDED else file.before
    new = "" if file.status is FileStatus.REMOVED else file.content
    if old is None or new is None:
        return file
    patch = patch_of(old, new)
    if patch is None:
        return file
    rows = patch.split("\n")
    added, removed = (sum(row.startswith(sign) for row in rows) for sign in "+-")
    return file.model_copy(update={"patch": patch, "additions": added, "deletions": removed})
