"""More than one way to build it was set down, each option is weighed by what matters, and the choice has its reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shared.domain.change import ChangeEvidence, FileStatus, LinkedItem, Unknown
from shared.domain.definition import GateId, WorkItemKind
from shared.domain.globs import fits
from shared.domain.review import Effort, Judgement, Remark
from shared.evidence.prose.designs import design
from shared.evidence.prose.options import Aspect, Design
from shared.evidence.prose.tickets import item_kind, meant, named, served, texts
from shared.gates import Asked, Gate

DESIGNS = ("docs/design/**", "docs/designs/**", "docs/decisions/**", "docs/adr/**", "**/adr/**", "**/decisions/**")
"""Where design documents stand in a change."""
_ASKED_OF = frozenset({WorkItemKind.FEATURE, WorkItemKind.REQUIREMENT, None})
_CHOICE, _REASON = "choice", "reason"
_ALL = (*(one.value for one in Aspect), _CHOICE, _REASON)
_FEWEST = 2


@dataclass(frozen=True)
class _Told:
    """What one place says, and what it lacks."""

    where: str
    design: Design
    missing: tuple[str, ...]
    path: str = ""


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether each ticket, or a design document of the change, has ``options`` and says all ``aspects`` of every one."""
    if isinstance(evidence.items, Unknown):
        return Judgement.unseen("the tickets, where designs stand,", evidence.items)
    tickets = list(
        {(one.forge, one.project, one.id): one for one in map(served, meant(evidence.change, evidence.items))}.values()
    )
    tickets = [one for one in tickets if item_kind(one) in _ASKED_OF]
    if evidence.items and not tickets:
        return Judgement.not_applicable("no feature or requirement is linked")
    documents = list(_documents(evidence, asked))
    # A ticket for each entry; without one the documents stand alone.
    each = [[*_of_ticket(one, evidence, asked), *documents] for one in tickets] or [documents]
    best = [
        min(places, key=_rank) if places else _Told("nothing", Design(), _lacking(Design(), asked)) for places in each
    ]
    worst = max(best, key=_rank)
    measured = {"options": min(_weighed(one.design) for one in best)}
    if not worst.missing:
        return Judgement.met(f"{worst.where} weighs {_names(worst.design)}", measured=measured)
    if hidden := _unreadable(evidence):
        return Judgement.not_available(f"{hidden}; elsewhere {_said(worst)}", measured=measured)
    remarks = (
        (Remark(message=f"{missing}.", path=worst.path, rule="design") for missing in worst.missing)
        if worst.path
        else ()
    )
    return Judgement.unmet(_said(worst), measured=measured, remarks=tuple(remarks))


def _rank(told: _Told) -> tuple[int, int]:
    return len(told.missing), -_weighed(told.design)


def _weighed(design_: Design) -> int:
    return sum(one.weighed for one in design_.options)


def _said(told: _Told) -> str:
    return f"{told.where}: {'; '.join(told.missing)}"


def _names(found: Design) -> str:
    return ", ".join(repr(one.name or one.number) for one in found.options[:5]) or "the options"


def _of_ticket(ticket: LinkedItem, evidence: ChangeEvidence, asked: Asked) -> Iterator[_Told]:
    """The ticket, and each one above it: a feature's design holds for the requirements it is made of."""
    for one in (ticket, *(parent for parent in ticket.parents if item_kind(parent) in _ASKED_OF)):
        found = design([*texts(one), *_commands(evidence)])
        _choose(found, evidence)
        yield _Told(named(one), found, _lacking(found, asked))


def _documents(evidence: ChangeEvidence, asked: Asked) -> Iterator[_Told]:
    for file in evidence.known_files:
        if file.content is not None and fits(file.path, DESIGNS):
            found = design([file.content, *_commands(evidence)])
            _choose(found, evidence)
            yield _Told(file.path, found, _lacking(found, asked), file.path)


def _commands(evidence: ChangeEvidence) -> Iterator[str]:
    """What was written with the choice on the pull request, once somebody entitled made it: the reason stands there."""
    if evidence.design is None or isinstance(evidence.threads, Unknown):
        return
    for thread in evidence.threads:
        for comment in thread.comments:
            if f"choose design {evidence.design}" in " ".join(comment.body.casefold().split()):
                yield comment.body


def _choose(found: Design, evidence: ChangeEvidence) -> None:
    if evidence.design is not None:
        found.commanded = evidence.design


def _lacking(found: Design, asked: Asked) -> tuple[str, ...]:
    """What is missing, in words; nothing where all that is asked is there."""
    wanted = asked.entries("aspects") or (() if "options" in asked.thresholds else _ALL)
    missing = []
    if "options" in asked.thresholds or not asked.thresholds:
        fewest, there = asked.figure("options", _FEWEST), _weighed(found)
        if there < fewest:
            named_only = len(found.options) - there
            rest = f", {named_only} more {'is' if named_only == 1 else 'are'} only named" if named_only else ""
            missing.append(f"{there} of {fewest:g} options {'is' if there == 1 else 'are'} weighed{rest}")
    aspects = [Aspect(one) for one in wanted if one in set(Aspect)]
    if aspects and not found.options:
        missing.append(f"no option is set down of which to say {_listed(aspects)}")
    for option in found.options if aspects else ():
        if lacks := option.lacks(aspects):
            missing.append(f"option {(option.name or option.number)[:60]!r} says nothing of {_listed(lacks)}")
    if _CHOICE in wanted and found.chosen is None:
        missing.append("no option is marked as the one taken")
    if _REASON in wanted and not found.reason:
        missing.append("no reason for the choice is given")
    # A word this gate does not know was asked of it by a policy: nobody can have answered it.
    missing += [f"{one!r} is no aspect of an option" for one in wanted if one not in _ALL]
    return tuple(missing)


def _listed(aspects: Iterable[Aspect]) -> str:
    return ", ".join(one.value.replace("_", " ") for one in aspects)


def _unreadable(evidence: ChangeEvidence) -> str:
    """Why a design document may have gone unseen; empty where all were read."""
    if isinstance(evidence.files, Unknown):
        return f"the changed files, where a design may stand, are not known: {evidence.files.reason}"
    unread = [
        file.path
        for file in evidence.files
        if file.content is None
        and file.status is not FileStatus.REMOVED
        and not file.binary
        and fits(file.path, DESIGNS)
    ]
    return f"{unread[0]} could not be read" if unread else ""


GATE = Gate(
    id=GateId.DESIGN_OPTIONS_ARE_WEIGHED,
    motivation="The first idea is rarely the best one, and in a year nobody remembers why it was taken.",
    reads=("change", "items", "files", "threads", "design"),
    effort=Effort.HOURS,
    remedy="Set two options or more down in the ticket or under docs/design, say of each its effort, vulnerabilities, "
    "cleanliness, familiarity, execution impact, cost and testability, then which one is taken and why.",
    evaluate=evaluate,
    takes=("options", "aspects"),
)
