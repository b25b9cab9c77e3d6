"""Every commit message follows Conventional Commits 1.0.0, from which versions and release notes are drawn."""

from __future__ import annotations

import re

from shared.domain.change import ChangeCommit, ChangeEvidence, Unknown
from shared.domain.definition import GateId
from shared.domain.review import Effort, Judgement, Remark
from shared.evidence.changes.conventional import conventional
from shared.gates import Asked, Gate

TYPES = (
    "build", "chore", "ci", "deps", "docs", "feat", "fix", "hotfix", "i18n", "perf", "refactor", "release", "revert",
    "security", "style", "test",
)  # fmt: skip
"""The specification names feat and fix and leaves others free; what tools that draw notes know is allowed here."""
_MERGE = re.compile(r"Merge (?:branch|branches|remote-tracking branch|tag|commit|pull request|PR)\b|Merged PR \d+\b")
_REVERT = re.compile(r'(?:Revert|Reapply) "(?P<what>.+)"\s*$')
_UNFINISHED = re.compile(r"(?P<word>fixup|squash|amend)! ")
_MOST_NAMED = 3


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether each message has that form and one of ``types``; what git itself writes for merges and reverts is let be."""
    if isinstance(evidence.commits, Unknown):
        return Judgement.unseen("the commits", evidence.commits)
    own = [one for one in evidence.commits if not _MERGE.match(one.message)]
    if not own:
        return Judgement.not_applicable("it brings no commit but merges" if evidence.commits else "it brings no commit")
    types = asked.entries("types") or TYPES
    faults = {one.id: told for one in own if (told := _fault(one, types))}
    measured = {"commits": len(own), "unconventional": len(faults)}
    if not faults:
        return Judgement.met(f"all {len(own)} commit messages are conventional", measured=measured)
    # Commits have no line in the change; the message names each.
    remarks = tuple(Remark(message=f"{id_[:8]}: {told}", rule="commit_message") for id_, told in faults.items())
    told = "; ".join(f"{id_[:8]} {why}" for id_, why in list(faults.items())[:_MOST_NAMED])
    more = f"; and {len(faults) - _MOST_NAMED} more" if len(faults) > _MOST_NAMED else ""
    return Judgement.unmet(
        f"{len(faults)} of {len(own)} commit messages: {told}{more}",
        remarks=remarks,
        measured=measured,
        remedy=_remedy(own, faults),
    )


def _fault(commit: ChangeCommit, types: tuple[str, ...]) -> str:
    """What is wrong with its message; empty where nothing is."""
    subject = commit.message.strip("\r\n").split("\n")[0].strip()
    shown = repr(subject[:72])
    if unfinished := _UNFINISHED.match(subject):
        return f"{shown} waits to be folded into another commit ({unfinished['word']}!)"
    if reverted := _REVERT.match(subject):
        # git writes these words around the message it takes back.
        return (
            ""
            if conventional(reverted["what"]) or _REVERT.match(reverted["what"])
            else f"{shown} takes back what has no type"
        )
    found = conventional(commit.message)
    if found is None:
        whole = conventional(subject)
        return f"{shown} lacks the blank line before its body" if whole else f"{shown} is not `type: summary`"
    if found.type not in {one.casefold() for one in types}:
        return f"{shown} has the type {found.type!r}, which is none of {', '.join(types)}"
    return ""


def _remedy(commits: list[ChangeCommit], faults: dict[str, str]) -> str:
    if any(_UNFINISHED.match(one.message.strip()) for one in commits if one.id in faults):
        return "Run `git rebase --autosquash` onto the target branch, reword what is left as `type: summary`, and push."
    return "Reword the commits as `type(scope): summary`, such as `fix(export): keep leading zeros`, and push."


GATE = Gate(
    id=GateId.COMMITS_ARE_CONVENTIONAL,
    motivation="Versions, release notes and searches are drawn from messages; one without a form says nothing to any of them.",
    reads=("commits",),
    effort=Effort.MINUTES,
    remedy="Reword the commits: type, optional scope, colon, summary.",
    evaluate=evaluate,
    takes=("types",),
)
