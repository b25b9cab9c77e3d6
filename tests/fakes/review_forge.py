"""A forge's pull requests in memory: words, checks, labels and merges, with every way a call can go wrong.

It is as harsh as the contract allows: a word that is said twice stands there twice, a remark is placed as often as it is
given, and a batch may break off in its middle. Who wants something said once looks first.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from shared.domain.change import Change, ChangedFile, ChangeRef, Looked, Part, Person, Unknown
from shared.domain.evidence import Finding
from shared.domain.forge import ForgeName, MergeKind, RepositoryRef
from shared.domain.publication import (
    SUMMARY_MARKER,
    BegunRun,
    CheckConclusion,
    MergeOutcome,
    OwnCheck,
    OwnWord,
    Permission,
    PlacedRemark,
    Posted,
    Stand,
)
from shared.domain.pull_request import PullRequestState
from shared.errors import ConflictError, NotSupportedError, RefusedError, TransientError
from tests.fakes.forges import Fault, Switchboard

OURSELVES = Person(id="9000", login="doneright[bot]", name="Doneright", bot=True)
WRITES = frozenset(
    {"set_check", "say", "edit_word", "delete_word", "remark", "resolve", "answer", "upload_sarif", "set_labels",
     "merge", "delete_branch"}
)  # fmt: skip
_FINGERPRINT = re.compile(r"<!-- doneright:remark:([0-9a-f]{16,64}) -->")


def _call[**P, R](method: Callable[P, R]) -> Callable[P, R]:
    name = method.__name__

    @functools.wraps(method)
    def counted(*args: P.args, **kwargs: P.kwargs) -> R:
        forge = args[0]
        assert isinstance(forge, MemoryReviewForge)
        board = forge.board
        board.calls.append(name)
        if before := forge.before.pop(name, None):
            before()
        planned = board._next(name)
        match planned.fault if planned else None:
            case Fault.TRANSIENT:
                raise TransientError(f"{name}: the forge answers 503", planned.retry_after if planned else None)
            case Fault.REFUSED:
                raise RefusedError(f"{name}: the forge refuses", f"Grant what {name} needs.")
            case Fault.UNSUPPORTED:
                raise NotSupportedError(f"{name}: not part of this plan", "Take a bigger plan.")
        answer = method(*args, **kwargs)
        if after := forge.after.pop(name, None):
            after()
        if planned:
            raise TransientError(f"{name}: the answer was lost", planned.retry_after)
        return answer

    return counted


@dataclass
class _Pull:
    looked: Looked
    files: Part[tuple[ChangedFile, ...]] = ()
    alerts: Part[tuple[Finding, ...]] = ()
    words: list[OwnWord] = field(default_factory=list)
    checks: list[OwnCheck] = field(default_factory=list)
    answers: list[tuple[str, str]] = field(default_factory=list)
    """Comment that was answered, and what was said."""
    sarif: list[bytes] = field(default_factory=list)


class MemoryReviewForge:
    """``ReviewForge`` in memory. ``fail(method, fault)`` lets the next calls of a method go wrong."""

    def __init__(self, name: ForgeName = ForgeName.GITHUB) -> None:
        self.board = Switchboard()
        self.name = name
        self.before: dict[str, Callable[[], None]] = {}
        """What happens right before the next call of that name: somebody else's act in between."""
        self.after: dict[str, Callable[[], None]] = {}
        """What happens right after the next call of that name."""
        self.unreachable: set[tuple[str, int]] = set()
        """Path and line of places that a remark cannot stand beside."""
        self.break_off: dict[str, int] = {}
        """Method that takes many → how many it takes before the next call of it breaks off, once."""
        self.permissions: dict[tuple[str, str], Permission] = defaultdict(lambda: Permission.NONE)
        """(owner/name, login), both in lower case → what they may do."""
        self.contents: dict[tuple[str, str, str], bytes] = {}
        """(owner/name in lower case, path, commit or branch) → bytes."""
        self.branches: dict[tuple[str, str], str] = {}
        """(owner/name in lower case, branch) → head."""
        self.protected: set[tuple[str, str]] = set()
        self.merge_refusal = ""
        """Why the forge merges nothing: its rules are not satisfied. Empty: they are."""
        self.merge_under_way = False
        """Whether what it does not merge at once is merged by itself later."""
        self.allowed_merges: frozenset[MergeKind] = frozenset(MergeKind)
        self.merges: list[tuple[str, str, MergeKind, str]] = []
        """Key of the pull request, head, how, and with what message."""
        self.begun: dict[tuple[str, str], Sequence[BegunRun]] = defaultdict(
            lambda: (BegunRun(name="Delivery 7", url="https://forge.example/runs/7"),)
        )
        """(owner/name in lower case, branch) → what every merge into it begins."""
        self.expected: list[tuple[str, str, tuple[str, ...]]] = []
        """Key of the pull request, head and files of its target that somebody said would be asked for."""
        self.unread: Unknown | None = None
        """Why the forge does not show what was said."""
        self._pulls: dict[str, _Pull] = {}
        self._numbered = 0

    # What tests arrange and look at.

    def open(
        self,
        change: Change,
        files: Part[tuple[ChangedFile, ...]] = (),
        alerts: Part[tuple[Finding, ...]] = (),
        **parts: object,
    ) -> ChangeRef:
        """Let there be a pull request; ``parts`` are further fields of ``Looked``."""
        looked = Looked.model_validate({"change": change, **parts})
        self._pulls[change.ref.key] = _Pull(looked=looked, files=files, alerts=alerts)
        self.branches[str(change.ref.repository).lower(), change.source] = change.head
        return change.ref

    def change(self, ref: ChangeRef) -> Change:
        """As it stands now."""
        return self._pulls[ref.key].looked.change

    def alter(self, ref: ChangeRef, **changes: object) -> None:
        """Let the pull request be otherwise: ``head``, ``state``, ``labels``, ``title`` …"""
        pull = self._pulls[ref.key]
        change = pull.looked.change.model_copy(update=changes)
        pull.looked = pull.looked.model_copy(update={"change": change})
        self.branches[str(ref.repository).lower(), change.source] = change.head

    def look_otherwise(self, ref: ChangeRef, **parts: object) -> None:
        """Let commits, items, reviews, threads, checks or the template be otherwise."""
        pull = self._pulls[ref.key]
        pull.looked = pull.looked.model_copy(update=parts)

    def change_files(self, ref: ChangeRef, files: Part[tuple[ChangedFile, ...]]) -> None:
        """Let the pull request change other files."""
        self._pulls[ref.key].files = files

    def vanish(self, ref: ChangeRef) -> None:
        """Let there be no such pull request any more."""
        del self._pulls[ref.key]

    def words(self, ref: ChangeRef) -> list[OwnWord]:
        """What Doneright said there, without a call."""
        return list(self._pulls[ref.key].words)

    def summaries(self, ref: ChangeRef) -> list[OwnWord]:
        """The summary comments; there should be one."""
        return [word for word in self.words(ref) if word.summary]

    def remarks(self, ref: ChangeRef, *, resolved: bool | None = None) -> list[OwnWord]:
        """The remarks; only the settled, or only the open ones, where asked."""
        found = [word for word in self.words(ref) if word.fingerprint]
        return found if resolved is None else [word for word in found if word.resolved is resolved]

    def answers(self, ref: ChangeRef) -> list[tuple[str, str]]:
        """Comment that was answered, and what was said, oldest first."""
        return list(self._pulls[ref.key].answers)

    def checks(self, ref: ChangeRef) -> list[OwnCheck]:
        """Every state our checks were given, oldest first."""
        return list(self._pulls[ref.key].checks)

    def check(self, ref: ChangeRef) -> OwnCheck | None:
        """Our check on the head, as it stands."""
        head = self.change(ref).head
        return next((one for one in reversed(self._pulls[ref.key].checks) if one.head == head), None)

    def conclusion(self, ref: ChangeRef) -> CheckConclusion | None:
        """How our check on the head stands."""
        found = self.check(ref)
        return found.conclusion if found else None

    def uploads(self, ref: ChangeRef) -> list[bytes]:
        """The SARIF that code scanning was given."""
        return list(self._pulls[ref.key].sarif)

    def hear(self, ref: ChangeRef, body: str, **fields: object) -> OwnWord:
        """Let a word of ours stand there already, as a lost answer or another worker left it."""
        return self._stand(self._pull(ref), body, **fields)

    def fail(self, method: str, fault: Fault, times: int = 1, *, retry_after: float | None = None) -> None:
        """Let the next ``times`` calls of ``method`` go wrong."""
        self.board.fail(method, fault, times, retry_after=retry_after)

    @property
    def called(self) -> list[str]:
        """The calls that were made, in order; clear it to count anew."""
        return self.board.calls

    def written(self) -> list[str]:
        """The calls that were meant to change something, in order."""
        return [call for call in self.called if call in WRITES]

    # The protocol.

    @property
    def calls(self) -> int:
        return len(self.board.calls)

    def counting_here[A](self, ask: Callable[[], A]) -> Callable[[], A]:
        return ask

    def own_identity(self) -> Person:
        return OURSELVES

    def expect(self, ref: ChangeRef, head: str, files: Sequence[str]) -> None:
        self.expected.append((ref.key, head, tuple(files)))

    @_call
    def stand(self, ref: ChangeRef) -> Stand | None:
        found = self._pulls.get(ref.key)
        if found is None:
            return None
        change = found.looked.change
        words: Part[tuple[OwnWord, ...]] = self.unread or tuple(found.words)
        return Stand(head=change.head, state=change.state, words=words)

    @_call
    def look_at(self, ref: ChangeRef) -> Looked | None:
        found = self._pulls.get(ref.key)
        return found.looked if found else None

    @_call
    def head_of(self, ref: ChangeRef) -> tuple[str, PullRequestState] | None:
        found = self._pulls.get(ref.key)
        return (found.looked.change.head, found.looked.change.state) if found else None

    @_call
    def changed_files(self, change: Change) -> Part[tuple[ChangedFile, ...]]:
        return self._pull(change.ref).files

    @_call
    def alerts(self, change: Change) -> Part[tuple[Finding, ...]]:
        return self._pull(change.ref).alerts

    @_call
    def file_at(self, repository: RepositoryRef, path: str, commit: str) -> bytes | None:
        return self.contents.get((str(repository).lower(), path, commit))

    @_call
    def changes(self, repository: RepositoryRef, *, open_only: bool, limit: int) -> Sequence[Change]:
        found = [
            pull.looked.change
            for pull in self._pulls.values()
            if str(pull.looked.change.ref.repository).lower() == str(repository).lower()
            and (not open_only or pull.looked.change.state is PullRequestState.OPEN)
        ]
        return sorted(found, key=lambda change: (change.created_at, change.ref.number), reverse=True)[:limit]

    @_call
    def permission(self, repository: RepositoryRef, login: str) -> Permission:
        return self.permissions[str(repository).lower(), login.lower()]

    @_call
    def set_check(self, ref: ChangeRef, check: OwnCheck) -> str:
        self._pull(ref).checks.append(check)
        return f"https://forge.example/{ref.repository}/checks/{check.head}"

    @_call
    def own_words(self, ref: ChangeRef) -> Sequence[OwnWord]:
        return tuple(self._pull(ref).words)

    @_call
    def say(self, ref: ChangeRef, body: str, among: Sequence[OwnWord] | None = None) -> OwnWord:
        return self._stand(self._pull(ref), body)

    @_call
    def edit_word(self, ref: ChangeRef, word: OwnWord, body: str) -> None:
        pull = self._pull(ref)
        for place, found in enumerate(pull.words):
            if found.id == word.id:
                pull.words[place] = found.model_copy(update={"body": body})
                return
        raise RefusedError(f"there is no comment {word.id}", "Read the comments again.")

    @_call
    def delete_word(self, ref: ChangeRef, word: OwnWord) -> None:
        pull = self._pull(ref)
        pull.words[:] = [found for found in pull.words if found.id != word.id]

    @_call
    def remark(
        self, ref: ChangeRef, head: str, remarks: Sequence[PlacedRemark], *, blocking: bool = True
    ) -> Sequence[Posted]:
        pull = self._pull(ref)
        posted = []
        most = self.break_off.pop("remark", None)
        for count, one in enumerate(remarks):
            if count == most:
                raise TransientError(f"remark: the forge answers 502 after {most} of {len(remarks)}")
            placed = one.line is not None and (one.path, one.line) not in self.unreachable
            if placed or one.line is None:
                self._stand(pull, one.body, path=one.path, line=one.line, **self._state(one.line, blocking))
            else:
                # As both forges have it: a plain comment that names the place.
                self._stand(pull, f"{one.body}\n\n`{one.path}:{one.line}`", **self._state(None, blocking))
            posted.append(Posted(fingerprint=one.fingerprint, placed=placed))
        return posted

    @_call
    def resolve(self, ref: ChangeRef, words: Iterable[OwnWord]) -> None:
        settled = {word.id for word in words}
        pull = self._pull(ref)
        pull.words[:] = [
            found.model_copy(update={"resolved": True}) if found.id in settled else found for found in pull.words
        ]

    @_call
    def answer(self, ref: ChangeRef, comment: str, body: str) -> None:
        self._pull(ref).answers.append((comment, body))
        self._stand(self._pull(ref), body)

    @_call
    def upload_sarif(self, change: Change, sarif: bytes) -> str:
        if self.name is not ForgeName.GITHUB:
            raise NotSupportedError("Azure Repos takes no SARIF", "Read it from the review's record.")
        if change.fork:
            raise RefusedError("a fork may not upload to code scanning", "Read it from the review's record.")
        pull = self._pull(change.ref)
        if sarif not in pull.sarif:
            pull.sarif.append(sarif)
        return hashlib.sha256(sarif).hexdigest()[:16]

    @_call
    def set_labels(self, ref: ChangeRef, add: Sequence[str], remove: Sequence[str]) -> None:
        gone = {label.lower() for label in remove}
        kept = [label for label in self.change(ref).labels if label.lower() not in gone]
        there = {label.lower() for label in kept}
        self.alter(ref, labels=(*kept, *(label for label in add if label.lower() not in there)))

    @_call
    def merge(self, ref: ChangeRef, head: str, kind: MergeKind, message: str) -> MergeOutcome:
        change = self._pull(ref).looked.change
        if change.state is PullRequestState.MERGED:
            return MergeOutcome(merged=True, commit=change.merge_commit, reason="it was merged before")
        if change.state is PullRequestState.CLOSED:
            return MergeOutcome(merged=False, reason="it is closed")
        if change.head != head:
            raise ConflictError(f"the head is {change.head} by now")
        if kind not in self.allowed_merges:
            return MergeOutcome(merged=False, reason=f"{kind} is not allowed here")
        if self.merge_refusal:
            return MergeOutcome(merged=False, reason=self.merge_refusal, under_way=self.merge_under_way)
        commit = hashlib.sha1(f"{ref.key} {head} {kind}".encode(), usedforsecurity=False).hexdigest()
        self.merges.append((ref.key, head, kind, message))
        self.alter(ref, state=PullRequestState.MERGED, merge_commit=commit)
        return MergeOutcome(merged=True, commit=commit)

    @_call
    def begun_runs(self, repository: RepositoryRef, branch: str, commit: str) -> Sequence[BegunRun]:
        return tuple(self.begun[str(repository).lower(), branch])

    @_call
    def delete_branch(self, repository: RepositoryRef, branch: str, head: str) -> None:
        place = (str(repository).lower(), branch)
        if place in self.protected:
            raise RefusedError(f"{branch} is protected", "Delete it by hand if it should go.")
        if self.branches.get(place) == head:
            del self.branches[place]

    def _pull(self, ref: ChangeRef) -> _Pull:
        if ref.key not in self._pulls:
            raise RefusedError(f"there is no pull request {ref.key}", "Check the number.")
        return self._pulls[ref.key]

    def _state(self, line: int | None, blocking: bool) -> dict[str, bool]:
        """Azure DevOps lets every comment be a discussion, and begin as resolved; GitHub those beside code, open."""
        azure = self.name is ForgeName.AZURE_DEVOPS
        return {"discussion": azure or line is not None, "resolved": azure and not blocking}

    def _stand(self, pull: _Pull, body: str, **fields: object) -> OwnWord:
        self._numbered += 1
        first = body.partition("\n")[0]
        found = _FINGERPRINT.fullmatch(first)
        word = OwnWord.model_validate(
            {
                "id": str(self._numbered),
                "body": body,
                "fingerprint": found[1] if found else "",
                "summary": first == SUMMARY_MARKER,
                **fields,
            }
        )
        pull.words.append(word)
        return word
