"""A review shows that the change was read: it says something, about the whole or beside its lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shared.domain.change import Change, ChangeEvidence, Person, ReviewState, Thread, Unknown
from shared.domain.definition import GateId
from shared.domain.review import Effort, Judgement
from shared.evidence.prose.placeholders import without_comments
from shared.gates import Asked, Gate

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")
_PLEASANT = frozenset(
    [
        "a",
        "all",
        "all's",
        "and",
        "approve",
        "approved",
        "approving",
        "awesome",
        "but",
        "change",
        "changes",
        "code",
        "cool",
        "done",
        "excellent",
        "fine",
        "for",
        "from",
        "go",
        "good",
        "great",
        "i",
        "i'm",
        "i've",
        "is",
        "it",
        "it's",
        "job",
        "just",
        "lgtm",
        "like",
        "looks",
        "love",
        "me",
        "my",
        "nice",
        "nit",
        "no",
        "now",
        "ok",
        "okay",
        "perfect",
        "pr",
        "ship",
        "so",
        "sounds",
        "super",
        "thank",
        "thanks",
        "that",
        "the",
        "there",
        "this",
        "to",
        "us",
        "very",
        "well",
        "with",
        "work",
        "works",
        "yep",
        "yes",
        "you",
        "your",
        "1",
        "100",
    ]
)
"""Words that say nothing of a change."""
_FEWEST_WORDS = 3
_MOST_NAMED = 10
_COMMAND = re.compile(r"^\s*/\w+.*$", re.MULTILINE)
_QUOTED = re.compile(r"^\s*>.*$", re.MULTILINE)
_SUGGESTION = re.compile(r"```suggestion\b")


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether people other than the author made as many ``remarks`` as are asked for; programs and commands do not count."""
    wanted = asked.figure("remarks", 1)
    change = evidence.change
    reviews = () if isinstance(evidence.reviews, Unknown) else evidence.reviews
    threads = () if isinstance(evidence.threads, Unknown) else evidence.threads
    given = [one for one in reviews if _of_others(change, one.reviewer) and one.state is not ReviewState.DISMISSED]
    said = {_saying(one.reviewer, one.body) for one in given if says_something_of_the_change(one.body)}
    spoken = set(_spoken(change, threads))
    # Remarks that came with a review are comments of threads as well; where both are told they are counted once.
    beside = max(sum(one.remarks for one in given), sum(1 for one in spoken if one not in said))
    measured = {"remarks": len(said) + beside}
    if len(said) + beside >= wanted:
        who = sorted({one for one, _ in said | spoken} | {one.reviewer.login for one in given if one.remarks})
        return Judgement.met(
            f"{len(said) + beside} remarks by {_listed(who) or 'nobody, as none is asked for'}", measured=measured
        )
    for what, part in (("reviews", evidence.reviews), ("discussions", evidence.threads)):
        if isinstance(part, Unknown):
            return Judgement.unseen(f"the {what}, where remarks may stand,", part, measured=measured)
    if not given and not spoken:
        return Judgement.unmet("nobody but its author and programs said anything of it", measured=measured)
    bare = sorted({one.reviewer.login for one in given} - {one for one, _ in said | spoken})
    rest = f"; {_listed(bare)} left a bare word" if bare else ""
    return Judgement.unmet(f"{len(said) + beside} of {wanted:g} remarks{rest}", measured=measured)


def _listed(logins: list[str]) -> str:
    more = f" and {len(logins) - _MOST_NAMED} more" if len(logins) > _MOST_NAMED else ""
    return ", ".join(logins[:_MOST_NAMED]) + more


def says_something_of_the_change(body: str) -> bool:
    """Whether words are left once pleasantries, commands and quotations are taken out."""
    if _SUGGESTION.search(body):
        return True
    plain = _QUOTED.sub("", _COMMAND.sub("", without_comments(body)))
    return (
        sum(word.casefold().replace("\u2019", "'") not in _PLEASANT for word in _WORD.findall(plain)) >= _FEWEST_WORDS
    )


def _saying(person: Person, body: str) -> tuple[str, str]:
    return person.login, " ".join(body.split())


def _spoken(change: Change, threads: tuple[Thread, ...]) -> Iterator[tuple[str, str]]:
    """What others said in discussions: anything beside the code, and what says something of the change as a whole."""
    for thread in threads:
        for comment in thread.comments:
            words = _WORD.findall(_COMMAND.sub("", without_comments(comment.body)))
            if _of_others(change, comment.author) and (
                says_something_of_the_change(comment.body) or (thread.path and len(words) >= _FEWEST_WORDS)
            ):
                yield _saying(comment.author, f"{thread.id} {comment.body}" if thread.path else comment.body)


def _of_others(change: Change, person: Person) -> bool:
    own = person.id == change.author.id or person.login.casefold() == change.author.login.casefold()
    return not person.bot and not own


GATE = Gate(
    id=GateId.REVIEW_IS_SUBSTANTIVE,
    motivation="An approval alone shows that somebody clicked; what they looked at and found shows that somebody read.",
    reads=("change", "reviews", "threads"),
    effort=Effort.HOURS,
    remedy="Write what was checked and what was found: function, design, tests, docs or limits. A bare approval does not do.",
    evaluate=evaluate,
    takes=("remarks",),
)
