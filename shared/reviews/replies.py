"""What Doneright answers to commands: markdown in which nothing that anybody wrote can act, and no line is a command."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from shared.domain.definition import Criterion, KnownByAttestation, KnownByEvidence, Severity
from shared.domain.forge import ForgeName
from shared.domain.publication import OWN_MARK
from shared.domain.review import Attestation, Finding, Outcome, Reviewed, Spoken, Waiver
from shared.gates import gates
from shared.reviews import words
from shared.reviews.grammar import EXAMPLES, FORMS, Unparsed, Verb
from shared.reviews.markdown import COMMENT_LIMITS, clipped, plain, prose, size
from shared.reviews.naming import Named

_MEANS = {
    Verb.REVIEW: ("look again", "anyone who may write"),
    Verb.EXPLAIN: ("say why a gate or criterion is there, what was found, and what to do", "anyone who may write"),
    Verb.ATTEST: ("put on record, with a link, that a criterion holds that no gate can see", "who holds its role"),
    Verb.WAIVE: ("let a gate or criterion go until a day, at most 90 ahead, 14 for a critical one", "an approver"),
    Verb.ACCEPT: ("accept the work", "the product owner"),
    Verb.REJECT: ("reject the work", "the product owner"),
    Verb.CHOOSE: ("choose one of the design options that were weighed", "an architect"),
    Verb.HELP: ("show this table", "anyone who may write"),
}
_OUTCOMES = {
    Outcome.MET: "✅ met",
    Outcome.UNMET: "❌ not met",
    Outcome.NOT_APPLICABLE: "⚪ not asked",
    Outcome.NOT_AVAILABLE: "❓ could not be determined",
    Outcome.NOT_SUPPORTED: "🚫 not supported",
    Outcome.ERROR: "⚠️ the gate broke",
}


class Answered(Protocol):
    """What became of one command."""

    @property
    def text(self) -> str: ...
    @property
    def verb(self) -> Verb | None: ...


def marker(token: str) -> str:
    """Hidden first line of an answer, by which a repetition finds it; nobody else can make the ``token``."""
    return f"{OWN_MARK}reply:{token} -->"


def answer(mark: str, told: Sequence[Answered], forge: ForgeName) -> str:
    """One answer to all commands of a comment."""
    parts = [one.text if len(told) == 1 else f"{_heading(one)}\n\n{one.text}" for one in told]
    body = f"{mark}\n" + "\n\n".join(parts)
    while size(body) > COMMENT_LIMITS[forge] and len(parts) > 1:
        parts.pop()
        body = f"{mark}\n" + "\n\n".join([*parts, "There is more to say than one comment holds; ask again one by one."])
    return body


def table() -> str:
    """Every command, what it does and who may give it."""
    rows = [f"| `/doneright {FORMS[verb]}` | {does} | {who} |" for verb, (does, who) in _MEANS.items()]
    return "\n".join(["| Command | What it does | Who may |", "| --- | --- | --- |", *rows])


def refused(reason: str, remedy: str) -> str:
    """Why a command is not followed, and what to do."""
    return " ".join(part for part in (f"Not followed: {prose(reason)}.", prose(remedy)) if part)


def unparsed(line: Unparsed, day: date) -> str:
    """What is wrong with a line, and one that is right."""
    problem = f"Not followed: {prose(line.problem)}."
    if line.verb is None or line.verb is Verb.HELP:
        return f"{problem}\n\n{table()}"
    return f"{problem} For example: `/doneright {EXAMPLES[line.verb].format(day=day)}`"


def looking(head: str) -> str:
    """The answer to `review`."""
    return f"Doneright looks at `{head[:8]}` again."


def attested(said: Attestation) -> str:
    """The answer to `attest`."""
    role = f" as {said.role.replace('_', ' ')}" if said.role else ""
    return f"On record{role}: `{said.criterion}` holds at `{said.head[:8]}`. Doneright looks again."


def waived(waivers: Sequence[Waiver], criteria: Sequence[Criterion]) -> str:
    """The answer to `waive`."""
    names = ", ".join(f"`{one.criterion}`" for one in waivers)
    text = f"Until {waivers[0].until:%Y-%m-%d} (UTC) nothing is blocked by {names}. Doneright looks again."
    worst = [one for one in criteria if one.severity is Severity.CRITICAL]
    return text if not worst else f"{text}\n\nThe harm remains until it is remedied: {prose(worst[0].remedy)}"


def decided(*, accepted: bool) -> str:
    """The answer to `accept` and `reject`."""
    return f"On record: the work is {'accepted' if accepted else 'rejected'}."


def chosen(number: int) -> str:
    """The answer to `choose design`."""
    return f"On record: design {number} was chosen. Doneright looks again."


def explained(named: Named, reviewed: Reviewed | None, spoken: Spoken, now: datetime) -> str:
    """The answer to `explain`: why, what was found last, what to do, and how long that takes."""
    gate = gates().get(named.gate) if named.gate else None
    lines: list[str] = []
    if named.name != named.criteria[0].id or len(named.criteria) > 1:
        lines += [
            f"`{named.name}` decides {len(named.criteria)} {'criterion' if len(named.criteria) == 1 else 'criteria'}.",
            "",
        ]
    if gate:
        lines += [f"**Why:** {prose(gate.motivation)}", ""]
    for criterion in named.criteria:
        lines += [*_criterion(criterion, reviewed, spoken, now), ""]
    if gate:
        lines += [f"Its remedy usually takes {gate.effort}."]
    return "\n".join(lines).strip()


def _criterion(criterion: Criterion, reviewed: Reviewed | None, spoken: Spoken, now: datetime) -> list[str]:
    found = reviewed.of(criterion.id) if reviewed else None
    lines = [f"**`{criterion.id}`** ({criterion.severity}): {prose(criterion.statement)}", "", _found(found, reviewed)]
    for remark in found.remarks[:5] if found else ():
        place = f" ({plain(remark.path)}{f', line {remark.line}' if remark.line else ''})" if remark.path else ""
        lines.append(f"  - {plain(clipped(remark.message, 300))}{place}")
    remedy = (found.remedy if found else "") or criterion.remedy
    lines.append(f"- To do: {prose(remedy)}")
    if isinstance(criterion.known_by, KnownByAttestation | KnownByEvidence):
        lines.append(f"- {_said_by(criterion)}")
    if waiver := words.waiver_of(spoken, criterion.id, now):
        lines.append(f"- Waived until {waiver.until:%Y-%m-%d} (UTC) by {plain(waiver.by)}: {plain(waiver.because)}")
    return lines


def _found(found: Finding | None, reviewed: Reviewed | None) -> str:
    if reviewed is None:
        return "- No review of this pull request has come to a verdict yet."
    if found is None:
        return f"- The review of `{reviewed.head[:8]}` did not ask for it: the policy leaves it off, or it has another occasion."
    effect = f"{found.enforcement}" if not found.blocks else f"{found.enforcement}, blocks"
    return f"- Found at `{reviewed.head[:8]}`: {_OUTCOMES[found.outcome]} ({effect}): {prose(found.reason)}"


def _said_by(criterion: Criterion) -> str:
    known = criterion.known_by
    how = f"`/doneright attest {criterion.id} LINK`"
    if isinstance(known, KnownByAttestation):
        return f"Known by the word of the {known.by.replace('_', ' ')}: {how}"
    return f"Known by evidence that somebody shows: {how}"


def _heading(one: Answered) -> str:
    return f"**`/doneright {one.verb}`**" if one.verb else "**`/doneright`**"
