"""Tells a forge what a review came to, so that whatever is retried, doubled or lost it stands there once.

The words come first and the check last: nobody sees a green check whose words are not there. A head that is no longer the
pull request's is told nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from pydantic import Field

from shared.domain.change import Change, ChangedFile, ChangeRef, Part, Unknown
from shared.domain.definition import GateId
from shared.domain.forge import Frozen
from shared.domain.publication import CheckConclusion, OwnCheck, OwnWord, Stand
from shared.domain.pull_request import PullRequestState
from shared.domain.review import Outcome, Reviewed, Ruling
from shared.errors import NotSupportedError, RefusedError
from shared.reviews import remarking, sarif
from shared.reviews.ports import ReviewForge, ReviewPorts
from shared.reviews.rendering import Shown, check_summary, summary
from shared.reviews.saying import Voiced, beside, chosen, heard, voiced
from shared.reviews.verdicts import check_title, conclusion_of

BLOCKED = "doneright: blocked"
READY = "doneright: ready"
JUST_NOW = timedelta(seconds=1)
"""For how long a look at the head counts. A push needs longer to be reviewed and told."""
LABELS = (BLOCKED, READY)
"""What a list of pull requests shows of the verdicts. A connection that only advises sets neither."""


class Published(Frozen):
    """What a forge was told."""

    superseded: bool = Field(default=False, description="The head is another by now, or the pull request is closed.")
    check: str = Field(default="", description="Address of the check; empty: it could not be set.")
    summary: str = Field(default="", description="Id of the one summary comment; empty: it could not be written.")
    said: tuple[str, ...] = Field(default=(), description="Fingerprints of the remarks that are new.")
    resolved: tuple[str, ...] = Field(default=(), description="Fingerprints of the remarks that were settled.")
    unplaced: tuple[str, ...] = Field(default=(), description="New ones whose lines were out of the forge's reach.")
    listed: int = Field(default=0, description="Remarks that stand in the summary's list alone.")
    sarif: str = Field(default="", description="Digest of the SARIF in the artifact store.")
    reviewed: str = Field(default="", description="Digest of the review in the artifact store.")
    trouble: tuple[str, ...] = Field(default=(), description="What could not be told there, and why.")


def announce(forge: ReviewForge, ref: ChangeRef, head: str, link: str, review: str = "") -> str:
    """Let our check on ``head`` wait, with a link to where the review can be followed; returns the check's address.

    Empty where the forge refuses, which ``publish`` tells of: a review that cannot be announced can still be made.
    """
    check = OwnCheck(
        head=head,
        conclusion=CheckConclusion.PENDING,
        title="The review is under way",
        summary="The verdict stands here when it is done; a newer push begins anew.",
        details_url=link,
        external_id=review,
    )
    try:
        return forge.set_check(ref, check)
    except RefusedError:
        return ""


def publish(
    forge: ReviewForge, ports: ReviewPorts, reviewed: Reviewed, change: Change, files: Part[tuple[ChangedFile, ...]]
) -> Published:
    """Say the review's remarks and summary, hand over its findings, and conclude the check.

    Doing it again changes nothing. Raises ``TransientError`` wherever the forge may answer later; what it refuses for
    good is told as trouble and stops nothing else.
    """
    return _Publication(forge, ports, reviewed, change, files).carried_out()


class _Publication:
    """One publication under way, with what it has told so far."""

    def __init__(
        self,
        forge: ReviewForge,
        ports: ReviewPorts,
        reviewed: Reviewed,
        change: Change,
        files: Part[tuple[ChangedFile, ...]],
    ) -> None:
        self._forge = forge
        self._ports = ports
        self._reviewed = reviewed
        self._change = change
        self._ref = reviewed.ref
        self._files = files
        self._every = heard(reviewed, files)
        self._voiced = voiced(self._every)
        self._page = ports.links.review(reviewed.review)
        self._trouble: list[str] = []
        self._said: tuple[str, ...] = ()
        self._resolved: tuple[str, ...] = ()
        self._unplaced: tuple[str, ...] = ()
        self._standing: tuple[Voiced, ...] = ()
        self._summary = ""
        self._check = ""
        self._looked_at = ports.clock.now()

    def carried_out(self) -> Published:
        digest = self._ports.artifacts.put(self._reviewed.model_dump_json().encode(), "application/json")
        log = sarif.log(self._reviewed, self._every)
        kept = self._ports.artifacts.put(sarif.written(log), sarif.MEDIA_TYPE)
        stand = self._current()
        if stand is None:
            return Published(superseded=True, sarif=kept, reviewed=digest)
        words = self._seen(stand)
        if words is not None:
            self._remark(words)
        self._scan(log)
        self._label()
        if self._is_old():
            # Saying the remarks took a while: the words of a head that was left must not replace its successor's.
            stand = self._current()
            words = self._seen(stand) if stand is not None and words is not None else None
        if stand is not None:
            shown = self._shown(digest)
            if words is not None:
                self._let_merge(self._summarise(words, summary(self._reviewed, shown)))
            self._conclude(check_summary(self._reviewed, shown))
        return Published(
            superseded=stand is None,
            check=self._check,
            summary=self._summary,
            said=self._said,
            resolved=self._resolved,
            unplaced=self._unplaced,
            listed=len(self._shown(digest).rest),
            sarif=kept,
            reviewed=digest,
            trouble=tuple(self._trouble),
        )

    def _current(self) -> Stand | None:
        """How the pull request stands; ``None`` when it is closed, or shows another head."""
        self._looked_at = self._ports.clock.now()
        stand = self._forge.stand(self._ref)
        head = (self._reviewed.head, PullRequestState.OPEN)
        return stand if stand is not None and (stand.head, stand.state) == head else None

    def _seen(self, stand: Stand) -> Sequence[OwnWord] | None:
        if isinstance(stand.words, Unknown):
            # Who cannot see what was said must say nothing: it would be said twice.
            self._trouble.append(f"the comments cannot be read, so no more was said: {stand.words.reason}")
            return None
        return stand.words

    def _is_old(self) -> bool:
        return self._ports.clock.now() - self._looked_at >= JUST_NOW

    def _remark(self, words: Sequence[OwnWord]) -> None:
        """Say what is new beside the code, settle what is gone, and take back what stands there twice."""
        wanted = {one.fingerprint: one for one in self._voiced}
        self._take_back(_twins(words))
        open_words: dict[str, OwnWord] = {}
        for word in words:
            if word.fingerprint and not remarking.is_settled(word):
                open_words.setdefault(word.fingerprint, word)
        self._settle([word for fingerprint, word in open_words.items() if fingerprint not in wanted])
        standing = {fingerprint for fingerprint in open_words if fingerprint in wanted}
        for fingerprint in standing:
            self._reword(open_words[fingerprint], wanted[fingerprint])
        beside_the_code = beside(self._voiced, self._files)
        new = [one for one in chosen(beside_the_code, standing) if one.fingerprint not in standing]
        said = self._say_beside(new)
        self._standing = tuple(one for one in self._voiced if one.fingerprint in standing | said)

    def _lets_merge(self) -> bool:
        return self._reviewed.advisory or self._reviewed.ruling is Ruling.PASSED

    def _let_merge(self, words: Sequence[OwnWord]) -> None:
        """Where nothing is to block, leave no discussion open: branch rules may ask for every one to be resolved.

        While something blocks anyway, advice stays open, since what is resolved offers its suggestion no more.
        """
        if not self._lets_merge():
            return
        new = set(self._said)
        discussed = self._reviewed.of(GateId.COMMENTS_ARE_RESOLVED)
        # People may have answered what stands there longer: that is theirs to close, unless nothing of theirs is open.
        untouched = discussed is not None and discussed.outcome is Outcome.MET
        open_words = [
            word
            for word in words
            if word.fingerprint
            and word.discussion
            and not word.resolved
            and not remarking.is_settled(word)
            and (untouched or word.fingerprint in new)
        ]
        if not open_words:
            return
        try:
            self._forge.resolve(self._ref, open_words)
        except RefusedError as error:
            self._told("advice could not be marked as blocking nothing", error)

    def _settle(self, gone: Sequence[OwnWord]) -> None:
        if not gone:
            return
        try:
            if still_open := [word for word in gone if not word.resolved]:
                self._forge.resolve(self._ref, still_open)
            # Edited last: it is what tells the next review that nothing is left to do here.
            for word in gone:
                self._forge.edit_word(self._ref, word, remarking.settled(word, self._reviewed.head))
        except RefusedError as error:
            self._told("remarks that are settled could not be marked so", error)
            return
        self._resolved = tuple(word.fingerprint for word in gone)

    def _reword(self, word: OwnWord, one: Voiced) -> None:
        body = remarking.body(one, self._reviewed)
        # What a person resolved is left as they saw it; a comment that stands for a remark names its place beside it.
        if word.resolved or not word.path or _same(word.body, body):
            return
        try:
            self._forge.edit_word(self._ref, word, body)
        except RefusedError as error:
            self._told("a remark could not be brought up to date", error)

    def _say_beside(self, new: Sequence[Voiced]) -> set[str]:
        if not new:
            return set()
        remarks = [remarking.placed(one, self._reviewed) for one in new]
        try:
            posted = self._forge.remark(self._ref, self._reviewed.head, remarks, blocking=not self._lets_merge())
        except RefusedError as error:
            self._told("remarks could not be said beside the code and stand in the summary", error)
            return set()
        self._said = tuple(one.fingerprint for one in posted)
        self._unplaced = tuple(one.fingerprint for one in posted if not one.placed)
        return set(self._said)

    def _scan(self, log: dict[str, object]) -> None:
        if self._change.fork:
            self._trouble.append("code scanning: findings about a fork are not uploaded; they stand on record")
            return
        try:
            self._forge.upload_sarif(self._change, sarif.written(sarif.for_code_scanning(log)))
        except NotSupportedError as error:
            self._told("code scanning is not supported here", error)
        except RefusedError as error:
            self._told("code scanning took no findings", error)

    def _label(self) -> None:
        wanted = label_of(self._reviewed)
        add = [wanted] if wanted else []
        remove = [label for label in LABELS if label != wanted]
        there = {label.casefold() for label in self._change.labels}
        # Seen before the review, and close enough: a label that was set since is taken off by the next verdict.
        if not set(remove) & there and set(add) <= there:
            return
        try:
            self._forge.set_labels(self._ref, add, remove)
        except RefusedError as error:
            self._told("the labels could not be set", error)

    def _shown(self, digest: str) -> Shown:
        standing = {one.fingerprint for one in self._standing}
        rest = tuple(one for one in self._voiced if one.fingerprint not in standing and one.agent is None)
        return Shown(page=self._page, digest=digest, beside=len(standing), rest=rest)

    def _summarise(self, words: Sequence[OwnWord], text: str) -> Sequence[OwnWord]:
        """Let there be one summary, the oldest, with ``text``; younger ones are taken back. All that stands there then.

        Args:
            words: that stood there a moment ago, with none of the remarks said since.
        """
        ours = [word for word in words if word.summary]
        try:
            if not ours:
                self._forge.say(self._ref, text, among=words)
            if not ours or self._said:
                # Somebody may have spoken at the same moment.
                words = self._forge.own_words(self._ref)
                ours = [word for word in words if word.summary]
                self._take_back(_twins(words))
            if ours and not _same(ours[0].body, text):
                self._forge.edit_word(self._ref, ours[0], text)
        except RefusedError as error:
            self._told("the summary could not be written; it stands on the check", error)
            return words
        self._summary = ours[0].id if ours else ""
        return words

    def _take_back(self, words: Sequence[OwnWord]) -> None:
        for word in words:
            try:
                self._forge.delete_word(self._ref, word)
            except RefusedError as error:
                self._told("what was said twice could not be taken back", error)

    def _conclude(self, text: str) -> None:
        check = OwnCheck(
            head=self._reviewed.head,
            conclusion=conclusion_of(self._reviewed),
            title=check_title(self._reviewed),
            summary=text,
            details_url=self._page,
            annotations=remarking.annotated(self._voiced, self._reviewed),
            external_id=self._reviewed.review,
        )
        try:
            self._check = self._forge.set_check(self._ref, check)
        except RefusedError as error:
            # A check that is required and stays away blocks, which is the safe side.
            self._told("the check could not be set", error)

    def _told(self, what: str, error: RefusedError) -> None:
        self._trouble.append(f"{what}: {error.reason}" + (f" ({error.remedy})" if error.remedy else ""))


def label_of(reviewed: Reviewed) -> str:
    """The label that a verdict puts on a pull request; empty for none."""
    if reviewed.advisory:
        return ""
    return READY if reviewed.ruling is Ruling.PASSED else BLOCKED


def _twins(words: Sequence[OwnWord]) -> list[OwnWord]:
    """What stands there a second time; the oldest of each stays."""
    found: list[OwnWord] = []
    seen: set[str] = set()
    for word in words:
        # Nothing else of ours is to stand once: what people asked may be answered in equal words.
        name = "summary" if word.summary else "" if remarking.is_settled(word) else word.fingerprint
        if name and name in seen:
            found.append(word)
        seen.add(name)
    return found


def _same(first: str, second: str) -> bool:
    return first.replace("\r\n", "\n").strip() == second.replace("\r\n", "\n").strip()
