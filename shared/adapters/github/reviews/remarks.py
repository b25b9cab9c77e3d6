"""Guarantees that each remark is said once: beside its lines where the diff shows them, else as a comment; none is dropped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from shared.adapters.github.client import path
from shared.adapters.github.errors import UnprocessableError
from shared.adapters.github.repositories import repository_path
from shared.adapters.github.reviews.hunks import reachable
from shared.adapters.github.reviews.marks import REVIEW_MARK, fitting
from shared.adapters.github.reviews.standing import StandingCalls, issue_path, pull_path
from shared.adapters.github.reviews.words import WordCalls
from shared.domain.change import ChangeRef
from shared.domain.publication import PlacedRemark, Posted
from shared.errors import ConflictError

_FENCES = re.compile(r"`{3,}")


class RemarkCalls(WordCalls, StandingCalls):
    """The part of ``GitHubForge`` that remarks."""

    def remark(
        self, ref: ChangeRef, head: str, remarks: Sequence[PlacedRemark], *, blocking: bool = True
    ) -> Sequence[Posted]:
        """Say each remark beside its lines; one whose lines cannot be reached, as a comment.

        One whose fingerprint stands there already is not said again. All that can be placed goes in one review, whose
        threads begin open: ``blocking`` changes nothing here.
        Raises ``ConflictError`` when the pull request shows another head by now.
        """
        del blocking
        if not remarks:
            return ()
        there = {word.fingerprint: bool(word.path) for word in self._recent_words(ref) if word.fingerprint}
        wanted = list({one.fingerprint: one for one in remarks if one.fingerprint not in there}.values())
        beside = [one for one in wanted if one.path and one.line is not None]
        said = self._beside(ref, head, beside) if beside else set()
        for one in wanted:
            if one.fingerprint not in said:
                self._client.request(
                    "POST", issue_path(ref) + "/comments", {"body": _body(one, self._link(ref, head, one))}
                )
        placed = there | {one.fingerprint: one.fingerprint in said for one in wanted}
        return tuple(Posted(fingerprint=one.fingerprint, placed=placed[one.fingerprint]) for one in remarks)

    def _beside(self, ref: ChangeRef, head: str, remarks: Sequence[PlacedRemark]) -> set[str]:
        """Say them in the code; the fingerprints of those that could be placed."""
        if self._reviewed(ref, head, remarks):
            return {one.fingerprint for one in remarks}
        # GitHub refuses all of a review for one line out of reach, and does not say which.
        stands = self.head_of(ref)
        if stands is not None and stands[0] != head:
            raise ConflictError(f"{ref.key} shows {stands[0][:12]} by now, not {head[:12]}")
        shown = self._shown_lines(ref)
        within = [one for one in remarks if _is_within(one, shown)]
        if within and len(within) < len(remarks) and self._reviewed(ref, head, within):
            return {one.fingerprint for one in within}
        return {one.fingerprint for one in within if self._alone(ref, head, one)}

    def _reviewed(self, ref: ChangeRef, head: str, remarks: Sequence[PlacedRemark]) -> bool:
        body = {
            "commit_id": head,
            "event": "COMMENT",
            "body": REVIEW_MARK,
            "comments": [_comment(one) for one in remarks],
        }
        try:
            self._client.request("POST", pull_path(ref) + "/reviews", body)
        except UnprocessableError:
            return False
        return True

    def _alone(self, ref: ChangeRef, head: str, remark: PlacedRemark) -> bool:
        try:
            self._client.request("POST", pull_path(ref) + "/comments", _comment(remark) | {"commit_id": head})
        except UnprocessableError:
            return False
        return True

    def _shown_lines(self, ref: ChangeRef) -> Mapping[str, tuple[range, ...]]:
        listed = self._client.pages(pull_path(ref) + "/files")
        return {entry["filename"]: reachable(entry.get("patch") or "") for entry in listed}

    def _link(self, ref: ChangeRef, head: str, remark: PlacedRemark) -> str:
        """Where the lines are, for a comment that cannot stand beside them."""
        if not remark.path:
            return ""
        web: str = getattr(self, "_web_url", "")
        lines = "" if remark.line is None else f"#L{remark.line}"
        if remark.line is not None and _last(remark) > remark.line:
            lines += f"-L{_last(remark)}"
        where = repository_path(ref.repository).removeprefix("/repos")
        file = "/".join(path("{}", part) for part in remark.path.split("/"))
        name = remark.path if remark.line is None else f"{remark.path}:{remark.line}"
        return f"[`{name}`]({web}{where}/blob/{head}/{file}{lines})"


def _last(remark: PlacedRemark) -> int:
    return max(remark.line or 1, remark.end_line or 0)


def _is_within(remark: PlacedRemark, shown: Mapping[str, tuple[range, ...]]) -> bool:
    return any(remark.line in lines and _last(remark) in lines for lines in shown.get(remark.path, ()))


def _comment(remark: PlacedRemark) -> dict[str, Any]:
    last = _last(remark)
    comment: dict[str, Any] = {"path": remark.path, "body": _body(remark), "line": last, "side": "RIGHT"}
    if remark.line is not None and last > remark.line:
        comment |= {"start_line": remark.line, "start_side": "RIGHT"}
    return comment


def _body(remark: PlacedRemark, link: str = "") -> str:
    """What is said. Without its lines beside it, the place is named and the suggestion is plain code."""
    parts = [remark.body.rstrip()]
    if link:
        parts.append(link)
    if remark.suggestion is not None and "```suggestion" not in remark.body:
        parts.append(_fenced(remark.suggestion, "" if link else "suggestion"))
    return fitting("\n\n".join(parts))


def _fenced(text: str, language: str) -> str:
    fence = "`" * (1 + max((len(found[0]) for found in _FENCES.finditer(text)), default=2))
    # An empty suggestion takes the lines away; one line end within would leave an empty line.
    return f"{fence}{language}\n{text}\n{fence}" if text else f"{fence}{language}\n{fence}"
