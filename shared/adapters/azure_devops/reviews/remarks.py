"""Remarks beside the lines of a pull request on Azure Repos, each as a thread that people can settle.

A position is a line and an offset in UTF-16 code units, both counted from 1, on the file at the head:
https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-threads/create
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from shared.adapters import looks
from shared.adapters.azure_devops.reviews.asking import pushes_of
from shared.adapters.azure_devops.reviews.files import Entry, FileCalls, measured, units_of
from shared.adapters.azure_devops.reviews.patches import lines_of
from shared.adapters.azure_devops.reviews.words import WordCalls, fitting
from shared.domain.change import ChangeRef
from shared.domain.publication import SETTLED_MARKER, PlacedRemark, Posted, remark_marker
from shared.errors import ConflictError, RefusedError

_TICKS = re.compile(r"`{3,}")
_SUGGESTED = re.compile(r"^(`{3,})suggestion[ \t]*$", re.MULTILINE)


class RemarkCalls(FileCalls, WordCalls):
    """The part of ``AzureDevOpsForge`` that remarks on lines."""

    def remark(
        self, ref: ChangeRef, head: str, remarks: Sequence[PlacedRemark], *, blocking: bool = True
    ) -> Sequence[Posted]:
        """Say each remark beside its lines; one whose lines cannot be reached, as a comment. None is dropped.

        One that was said before, by its fingerprint, is not said again, unless we took it for settled since. Unless
        ``blocking``, its thread begins closed. Raises ``ConflictError`` when ``head`` is the head of no push.
        """
        if not remarks:
            return ()
        asked_pushes = self._later(looks.carried(lambda: self._pushes_of(ref, head)))
        said = {
            word.fingerprint: word
            for word in self._recent_words(ref)
            if word.fingerprint and SETTLED_MARKER not in word.body
        }
        pushes = [int(one.id) for one in asked_pushes.result()]
        self._client.looks.enter(pushes_of(ref), asked_pushes.result())
        positions = self._positions(ref, head, pushes, [one for one in remarks if one.fingerprint not in said])
        wanted = {one.fingerprint: one for one in remarks}
        placed = {name: _is_placed(wanted[name], word.path) for name, word in said.items() if name in wanted}
        status = "active" if blocking else "closed"
        new = [one for name, one in wanted.items() if name not in placed]
        said_now = self._a_few_at_once([partial(self._say_beside, ref, one, positions, status) for one in new])
        placed |= {one.fingerprint: beside for one, beside in zip(new, said_now, strict=True)}
        return tuple(Posted(fingerprint=one.fingerprint, placed=placed[one.fingerprint]) for one in remarks)

    def _say_beside(
        self, ref: ChangeRef, one: PlacedRemark, positions: Mapping[str, dict[str, Any]], status: str
    ) -> bool:
        where = positions.get(one.fingerprint)
        if where is not None:
            try:
                self._start(ref, _body(one, suggesting=True), status=status, **where)
            except RefusedError:
                pass  # the position is refused: said below as a comment
            else:
                return True
        self._start(ref, _body(one, suggesting=False), status=status)
        return _is_placed(one, "")

    def _positions(
        self, ref: ChangeRef, head: str, pushes: Sequence[int], remarks: Sequence[PlacedRemark]
    ) -> dict[str, dict[str, Any]]:
        """Fingerprint → where the thread stands, for those whose lines the head has."""
        wanted = {one.path for one in remarks if one.path and one.line}
        if not wanted:
            return {}
        if not pushes:
            raise ConflictError(f"{head} is the head of no push of {ref.key}")
        number = pushes[-1]
        entries = {one.path: one for one in self._entries(ref, number) if one.path in wanted and one.new}
        lengths: dict[str, Sequence[int]] = dict(self._client.immutable_known(measured(ref, number)) or {})
        if unknown := [entry for path, entry in entries.items() if path not in lengths]:
            lengths |= self._measured_now(ref, unknown)
        found: dict[str, dict[str, Any]] = {}
        for one in remarks:
            entry, lines = entries.get(one.path), lengths.get(one.path, ())
            last = one.end_line or one.line
            if entry is None or one.line is None or last is None or not one.line <= last <= len(lines):
                continue
            found[one.fingerprint] = self._position_of(entry, number, one.line, last, lines[last - 1])
        return found

    def _position_of(self, entry: Entry, number: int, first: int, last: int, length: int) -> dict[str, Any]:
        models = self._client.models("git")
        # Behind the last character that is not the line's end.
        end = length + 1
        return {
            "thread_context": models.CommentThreadContext(
                file_path=f"/{entry.path}",
                right_file_start=models.CommentPosition(line=first, offset=1),
                right_file_end=models.CommentPosition(line=last, offset=end),
            ),
            "pull_request_thread_context": models.GitPullRequestCommentThreadContext(
                change_tracking_id=entry.tracking,
                # Equal numbers mean the push against the merge base.
                iteration_context=models.CommentIterationContext(
                    first_comparing_iteration=number, second_comparing_iteration=number
                ),
            ),
        }

    def _measured_now(self, ref: ChangeRef, entries: Sequence[Entry]) -> dict[str, Sequence[int]]:
        """Path → UTF-16 units of its lines at the head, of what is text and was changed."""
        only_new = [Entry(one.path, "", one.status, one.new, "", one.tracking) for one in entries]
        return {
            file.path: [units_of(line) for line in lines_of(file.content)]
            for file, _ in self._read(ref, only_new)
            if file.content is not None
        }


def _is_placed(one: PlacedRemark, path: str) -> bool:
    """A remark that has no lines stands where it belongs as a comment."""
    return bool(path) or not (one.path and one.line)


def _body(one: PlacedRemark, *, suggesting: bool) -> str:
    marker = remark_marker(one.fingerprint)
    body = one.body if marker in one.body else f"{marker}\n{one.body}"
    if not suggesting and one.path:
        lines = f":{one.line}" if one.line else ""
        lines += f"-{one.end_line}" if one.end_line and one.end_line != one.line else ""
        body = f"{body}\n\n`{one.path}{lines}`"
    if one.suggestion is not None and not _SUGGESTED.search(body):
        fence = "`" * (1 + max((len(found) for found in _TICKS.findall(one.suggestion)), default=2))
        text = f"{one.suggestion}\n" if one.suggestion else ""
        body = f"{body}\n\n{fence}suggestion\n{text}{fence}"
    # Without lines to take the place of, it is plain code.
    return fitting(body if suggesting else _SUGGESTED.sub(r"\1", body))
