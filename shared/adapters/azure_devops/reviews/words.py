"""What Doneright says on a pull request of Azure Repos: found again by author and marker, never said twice.

Before anything is said it is looked for, so a call whose answer was lost may be repeated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from shared.adapters.azure_devops.errors import NotFoundError
from shared.adapters.azure_devops.reviews.asking import AskingCalls
from shared.adapters.azure_devops.reviews.voices import is_system, place, status_of
from shared.domain.change import ChangeRef
from shared.domain.publication import SUMMARY_MARKER, OwnWord
from shared.errors import RefusedError

LONGEST = 150_000
"""UTF-16 units the service takes in one comment."""
_CUT = "\n\n… cut here: a comment cannot be longer."
_FINGERPRINT = re.compile(r"<!-- doneright:remark:([0-9a-f]{16,64}) -->")
_SETTLED = {"fixed", "wontfix", "closed", "bydesign"}
_WORD = re.compile(r"(?P<thread>[0-9]{1,18})(:(?P<comment>[0-9]{1,9}))?")


class WordCalls(AskingCalls):
    """The part of ``AzureDevOpsForge`` that speaks."""

    def own_words(self, ref: ChangeRef) -> Sequence[OwnWord]:
        """Everything Doneright said there, oldest first, read anew."""
        return self._words_among(ref, self._threads(ref), self.own_identity().id)

    def _words_among(self, ref: ChangeRef, threads: Iterable[Any], own: str) -> tuple[OwnWord, ...]:
        words = tuple(_words(threads, own))
        self._client.looks.keep(("own words", ref.key), words)
        return words

    def _recent_words(self, ref: ChangeRef) -> Sequence[OwnWord]:
        """As ``own_words``, which a caller that has just asked, and changed nothing since, need not do again."""
        known: Sequence[OwnWord] | None = self._client.looks.remembered(("own words", ref.key))
        return self.own_words(ref) if known is None else known

    def say(self, ref: ChangeRef, body: str, among: Sequence[OwnWord] | None = None) -> OwnWord:
        """A comment about the change as a whole, which nobody is asked to settle.

        Returns the one that says so already; the summary, of which there is one, is made to say it.
        """
        body = fitting(body)
        for word in self._recent_words(ref) if among is None else among:
            if word.fingerprint or word.path:
                continue
            if word.body == body:
                return word
            if word.summary and SUMMARY_MARKER in body:
                self.edit_word(ref, word, body)
                return word.model_copy(update={"body": body})
        made = self._start(ref, body)
        return _word(made, made.comments[0])

    def edit_word(self, ref: ChangeRef, word: OwnWord, body: str) -> None:
        """Let a comment of ours say something else. Raises ``RefusedError`` when it is gone."""
        thread, comment = _ids(word.id)
        wanted = self._client.models("git").Comment(content=fitting(body))
        self._client.area("git").update_comment(
            wanted, ref.repository.name, ref.number, thread, comment, project=ref.repository.owner
        )

    def delete_word(self, ref: ChangeRef, word: OwnWord) -> None:
        """Take a comment of ours back; without effect when it is gone."""
        thread, comment = _ids(word.id)
        try:
            self._client.area("git").delete_comment(
                ref.repository.name, ref.number, thread, comment, project=ref.repository.owner
            )
        except NotFoundError:
            return

    def resolve(self, ref: ChangeRef, words: Iterable[OwnWord]) -> None:
        """Mark remarks as settled; those that are, or are gone, change nothing."""
        threads = [_ids(word.id)[0] for word in words if not word.resolved]
        self._a_few_at_once([partial(self._set_status, ref, thread, "fixed") for thread in threads])

    def answer(self, ref: ChangeRef, comment: str, body: str) -> None:
        """Answer in the thread of ``comment`` (``thread:comment``, or the thread's number), once.

        Where that thread is gone, beside it: as a comment about the change.
        """
        body = fitting(body)
        thread, asked = _ids(comment)
        own = self.own_identity().id
        found = next((one for one in self._threads(ref) if int(one.id) == thread), None)
        if found is None:
            self.say(ref, body)
            return
        for said in found.comments or []:
            if not said.is_deleted and int(said.id) > asked and _is_ours(said, own) and said.content == body:
                return
        wanted = self._client.models("git").Comment(content=body, parent_comment_id=asked or 1, comment_type="text")
        self._client.area("git").create_comment(
            wanted, ref.repository.name, ref.number, thread, project=ref.repository.owner
        )

    def _set_status(self, ref: ChangeRef, thread: int, status: str) -> None:
        wanted = self._client.models("git").GitPullRequestCommentThread(status=status)
        try:
            self._client.area("git").update_thread(
                wanted, ref.repository.name, ref.number, thread, project=ref.repository.owner
            )
        except NotFoundError:
            return

    def _start(self, ref: ChangeRef, body: str, **where: Any) -> Any:
        """A new thread. Without a status nobody is asked to settle it, and no policy waits for that."""
        models = self._client.models("git")
        comment = models.Comment(content=fitting(body), parent_comment_id=0, comment_type="text")
        return self._client.area("git").create_thread(
            models.GitPullRequestCommentThread(comments=[comment], **where),
            ref.repository.name,
            ref.number,
            project=ref.repository.owner,
        )


def fitting(body: str) -> str:
    """As much of ``body`` as one comment holds, the cut told."""
    if utf16_units(body) <= LONGEST:
        return body
    # Half of a character of two units is left out with the other half.
    kept = body.encode("utf-16-le", errors="replace")[: 2 * (LONGEST - len(_CUT))]
    return kept.decode("utf-16-le", errors="ignore") + _CUT


def utf16_units(text: str) -> int:
    """Its length as the service counts it."""
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2


def _words(threads: Iterable[Any], own: str) -> Iterator[OwnWord]:
    for thread in threads:
        if is_system(thread):
            continue
        for comment in thread.comments or []:
            if not comment.is_deleted and _is_ours(comment, own):
                yield _word(thread, comment)


def _is_ours(comment: Any, own: str) -> bool:
    return comment.author is not None and str(comment.author.id).lower() == own


def _word(thread: Any, comment: Any) -> OwnWord:
    body = comment.content or ""
    path, line = place(thread)
    fingerprint = _FINGERPRINT.search(body)
    return OwnWord(
        id=f"{thread.id}:{comment.id}",
        body=body,
        fingerprint=fingerprint.group(1) if fingerprint else "",
        summary=SUMMARY_MARKER in body,
        resolved=status_of(thread) in _SETTLED,
        discussion=bool(status_of(thread)),
        path=path,
        line=line,
    )


def _ids(text: str) -> tuple[int, int]:
    """Numbers of the thread and of the comment within it, 0 for none."""
    found = _WORD.fullmatch(text)
    if found is None:
        raise RefusedError(
            f"{text!r} names no comment of a pull request", "Give it as thread:comment, for instance 12:1"
        )
    return int(found["thread"]), int(found["comment"] or 0)
