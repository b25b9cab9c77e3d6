"""What Doneright writes on an issue: markdown in which nothing a requester wrote can act."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from shared.domain.decision import MEANS, Choice
from shared.domain.faults import FieldFault
from shared.domain.plan import Plan, ReversalState, StepProgress, StepState, taken_back
from shared.domain.run import ProjectState
from shared.projects.request_form import label_of

_ACTIVE = re.compile(r"([\\`*_{}\[\]()#+!|<>~&])")
_LINKED_BY_ITSELF = re.compile(r"(?<=:)(?=//)|(?<=\bwww)(?=\.)|(?<=\bGH)(?=-\d)", re.IGNORECASE)
"""Where GitHub makes a link of bare text: https://github.github.com/gfm/#autolinks-extension-, and ``GH-1``."""
SIGNS = {
    StepState.PENDING: "⏳ pending",
    StepState.RUNNING: "🔄 running",
    StepState.WAITING: "⏸️ waiting",
    StepState.APPLIED: "✅ made",
    StepState.CONFIRMED: "✅ was there already",
    StepState.UNSUPPORTED: "🚫 not supported",
    StepState.FAILED: "❌ failed",
    StepState.SKIPPED: "⏭️ not tried",
}

REVERSAL_SIGNS = {
    ReversalState.WAITING: "⚠️ still there",
    ReversalState.REMOVED: "♻️ removed",
    ReversalState.FAILED: "⚠️ still there",
}


def marker(kind: str, token: str) -> str:
    """An invisible line that finds a comment again, so that a retry edits it instead of adding another.

    ``token`` is a signature: nobody else can write a comment that would be taken for ours.
    """
    return f"<!-- doneright {kind} {token} -->"


def plain(text: str) -> str:
    """``text`` on one line with markdown, HTML, links, mentions and issue references made harmless.

    Character references are escaped too: GitHub looks for mentions after it has resolved them.
    """
    escaped = _ACTIVE.sub(r"\\\1", _LINKED_BY_ITSELF.sub("\u200b", " ".join(text.split())))
    return escaped.replace("@", "@\u200b").replace("\\#", "\\#\u200b")


def accepted(name: str, status_url: str) -> str:
    """The first answer: the run has begun."""
    return (
        f"Doneright has begun to create **{plain(name)}**.\n\n"
        f"[Follow it step by step]({status_url}). This issue is answered again when it is done.\n"
    )


def refused(reason: str, remedy: str, faults: Sequence[FieldFault]) -> str:
    """A polite refusal that says what to change."""
    lines = [f"Nothing was created: {plain(reason)}.", ""]
    if faults:
        lines += ["| Field | What is wrong | For example |", "|---|---|---|"]
        lines += [f"| {plain(label_of(f.field))} | {plain(f.problem)} | {plain(f.example)} |" for f in faults]
        lines += ["", "Edit the issue to correct it; that is enough to try again.", ""]
    if remedy:
        lines += [plain(remedy), ""]
    return "\n".join(lines)


def advised(name: str, plan: Plan, status_url: str) -> str:
    """The plan of a connection in advisory mode: shown, not applied."""
    lines = [
        f"This connection is in advisory mode: nothing was created for **{plain(name)}**. The plan would be:",
        "",
        *(f"1. {plain(step.title)}" for step in plan.steps),
        "",
        f"[Status page]({status_url})",
    ]
    return "\n".join(lines) + "\n"


def asked(name: str, steps: Iterable[StepProgress], *, due: datetime, status_url: str) -> str:
    """The question a failed run puts to people: what failed, what may be decided, by when, and what else happens."""
    rows = list(steps)
    lost = unsuccessful(rows)
    lines = [
        f"**{plain(name)}** cannot be completed as it stands: {len(lost)} of {len(rows)} steps did not succeed."
        " Somebody with write access to this repository decides how it goes on.",
        "",
        "| Comment with | and Doneright will |",
        "|---|---|",
        *(f"| `/doneright {choice}` | {plain(MEANS[choice])} |" for choice in Choice),
        *_failures(lost),
        "",
        f"Without a decision by {due:%Y-%m-%d %H:%M} UTC it is compensated. [Status page]({status_url})",
    ]
    return "\n".join(lines) + "\n"


def decided(name: str, choice: Choice, *, by_deadline: bool) -> str:
    """What follows from a decision."""
    who = "Nobody decided in time" if by_deadline else "Decided"
    return f"{who}: Doneright will {plain(MEANS[choice])} (**{plain(name)}**).\n"


def not_followed(reason: str, remedy: str) -> str:
    """Why a command in a comment was not followed."""
    return f"Nothing was changed: {plain(reason)}.\n\n{plain(remedy)}\n"


def unsuccessful(steps: Iterable[StepProgress]) -> list[StepProgress]:
    """Steps that failed, or were not tried since another failed."""
    return [s for s in steps if s.state in {StepState.FAILED, StepState.SKIPPED}]


def concluded(
    name: str, state: ProjectState, steps: Iterable[StepProgress], *, status_url: str, root: str, size: int
) -> str:
    """The last answer: what was made, with links and times, what was not, and the proof."""
    rows = list(steps)
    lost = unsuccessful(rows)
    lines = [_headline(name, state, rows, lost), "", "| Step | Result | Time | |", "|---|---|---|---|"]
    back = taken_back(rows)
    for step in rows:
        result = REVERSAL_SIGNS.get(back.get(step.step, ReversalState.KEPT), SIGNS[step.state])
        link = f"[open]({step.url})" if step.url and back.get(step.step) is not ReversalState.REMOVED else ""
        lines.append(f"| {plain(step.title)} | {result} | {took(step)} | {link} |")
    lines += _failures(lost)
    for step in rows:
        if step.reversal is not None and step.reversal.state is ReversalState.FAILED:
            lines += ["", f"**{plain(step.title)}**: {plain(step.reversal.reason)}. {plain(step.reversal.remedy)}"]
    lines += ["", f"[Status page]({status_url}) · record of {size} events, Merkle root `{root}`"]
    return "\n".join(lines) + "\n"


def _headline(name: str, state: ProjectState, rows: Sequence[StepProgress], lost: Sequence[StepProgress]) -> str:
    match state:
        case ProjectState.COMPENSATED:
            return f"What was made of **{plain(name)}** was removed again, and seen to be gone."
        case ProjectState.ACCEPTED:
            return f"**{plain(name)}** was accepted as it is: {len(lost)} of {len(rows)} steps did not succeed."
    if not lost:
        return f"**{plain(name)}** is ready: every step was read back."
    return f"**{plain(name)}** is not complete: {len(lost)} of {len(rows)} steps did not succeed."


def _failures(steps: Iterable[StepProgress]) -> list[str]:
    lines: list[str] = []
    for step in steps:
        if step.state is StepState.FAILED:
            lines += ["", f"**{plain(step.title)}**: {plain(step.reason)}. {plain(step.remedy)}"]
    return lines


def took(step: StepProgress) -> str:
    """How long a step took, to a tenth of a second; empty while it has not ended."""
    if step.started_at is None or step.finished_at is None:
        return ""
    seconds = (step.finished_at - step.started_at) / timedelta(seconds=1)
    return f"{seconds:.1f} s"
