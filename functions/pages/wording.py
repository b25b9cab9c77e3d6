"""Says states, times and addresses in words people read, and refuses to link anywhere but to http(s)."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from pydantic import JsonValue

from shared.domain.adoption import Mark
from shared.domain.forge import BranchRules, ForgeName, Frozen
from shared.domain.plan import ReversalState, StepState
from shared.domain.run import ProjectState
from shared.projects.status import StatusView, StepView

FORGES = {ForgeName.AZURE_DEVOPS: "Azure DevOps", ForgeName.GITHUB: "GitHub"}
"""Names of the forges, in the order pages show them."""


class Look(Frozen):
    """How a state is shown: never by colour alone."""

    label: str
    icon: str
    tone: str


STEP_LOOKS = {
    StepState.PENDING: Look(label="Not started", icon="pending", tone="neutral"),
    StepState.RUNNING: Look(label="Running", icon="running", tone="active"),
    StepState.WAITING: Look(label="Waiting", icon="waiting", tone="warning"),
    StepState.APPLIED: Look(label="Made", icon="applied", tone="success"),
    StepState.CONFIRMED: Look(label="Was there already", icon="confirmed", tone="success"),
    StepState.UNSUPPORTED: Look(label="Not supported", icon="unsupported", tone="special"),
    StepState.FAILED: Look(label="Failed", icon="failed", tone="danger"),
    StepState.SKIPPED: Look(label="Not tried", icon="skipped", tone="neutral"),
}

REVERSAL_LOOKS = {
    ReversalState.WAITING: Look(label="Being removed", icon="waiting", tone="warning"),
    ReversalState.REMOVED: Look(label="Removed again", icon="removed", tone="neutral"),
    ReversalState.FAILED: Look(label="Still there", icon="failed", tone="danger"),
}
"""Of a step that was taken back; one that was kept is shown as what it came to."""

PROJECT_LOOKS = {
    ProjectState.RUNNING: Look(label="Running", icon="running", tone="active"),
    ProjectState.AWAITING_DECISION: Look(label="Waits for a decision", icon="waiting", tone="warning"),
    ProjectState.COMPENSATING: Look(label="Being taken back", icon="running", tone="active"),
    ProjectState.ACCEPTED: Look(label="Accepted as it is", icon="confirmed", tone="warning"),
    ProjectState.COMPENSATED: Look(label="Taken back", icon="removed", tone="neutral"),
    ProjectState.COMPLETED: Look(label="Completed", icon="applied", tone="success"),
    ProjectState.FAILED: Look(label="Failed", icon="failed", tone="danger"),
    ProjectState.ADOPTABLE: Look(label="Waits for consent", icon="waiting", tone="warning"),
    ProjectState.REMOVING: Look(label="Being removed", icon="running", tone="active"),
    ProjectState.REMOVED: Look(label="Removed", icon="removed", tone="neutral"),
    ProjectState.ADVISED: Look(label="Plan only", icon="unsupported", tone="special"),
}

HEADLINES = {
    ProjectState.AWAITING_DECISION: "The plan cannot be carried out as it stands. Somebody has to decide how it goes on.",
    ProjectState.COMPENSATING: "What this run made is being removed again, the last first.",
    ProjectState.COMPENSATED: "What this run had made was removed again, and seen to be gone.",
    ProjectState.ADOPTABLE: "It can be adopted. Nothing is changed until somebody consents to its plan.",
    ProjectState.REMOVING: "What Doneright made of this project is being removed, the last first.",
    ProjectState.REMOVED: "What Doneright had made of this project was removed, and seen to be gone.",
    ProjectState.ADVISED: "This is what would be done. Nothing was changed.",
}
"""Where a project stands, where no count belongs in the sentence."""

MARK_LOOKS = {
    Mark.AS_PLANNED: Look(label="Already as planned", icon="confirmed", tone="success"),
    Mark.WOULD_MAKE: Look(label="Would be made", icon="applied", tone="active"),
    Mark.WOULD_CHANGE: Look(label="Would be changed", icon="waiting", tone="warning"),
    Mark.CONFLICT: Look(label="Conflict", icon="failed", tone="danger"),
    Mark.NOT_APPLICABLE: Look(label="Not applicable", icon="skipped", tone="neutral"),
}

ATTENTION = (StepState.FAILED, StepState.WAITING, StepState.UNSUPPORTED)
"""States whose remedy people should read, the gravest first."""


def look(state: StepState | ProjectState) -> Look:
    """How ``state`` is shown."""
    return STEP_LOOKS[state] if isinstance(state, StepState) else PROJECT_LOOKS[state]


def mark_look(mark: Mark) -> Look:
    """How the mark of an adoption's step is shown."""
    return MARK_LOOKS[mark]


def value(content: JsonValue) -> str:
    """A field's content in words."""
    if content is None or content == []:
        return "nothing"
    if isinstance(content, bool):
        return "on" if content else "off"
    if isinstance(content, list):
        return ", ".join(value(one) for one in content)
    if isinstance(content, dict):
        return "; ".join(f"{name}: {value(one)}" for name, one in content.items())
    return str(content)


def step_look(step: StepView) -> Look:
    """How a step is shown: as what it came to, or as what taking it back came to."""
    return REVERSAL_LOOKS.get(step.reversal.state, look(step.state)) if step.reversal else look(step.state)


def attention(view: StatusView) -> list[StepView]:
    """Steps that failed, wait or are not supported, the gravest first; of a run taken back, what is still there."""
    if any(step.reversal for step in view.steps):
        return [step for step in view.steps if step.reversal and step.reversal.state is ReversalState.FAILED]
    return [step for state in ATTENTION for step in view.steps if step.state is state]


def headline(view: StatusView) -> str:
    """Where the project stands, in a sentence."""
    count = {state: sum(step.state is state for step in view.steps) for state in StepState}
    failed, skipped = count[StepState.FAILED], count[StepState.SKIPPED]
    match view.state:
        case ProjectState.RUNNING:
            return _headline_while_running(view, count[StepState.WAITING])
        case ProjectState.COMPLETED:
            return _headline_of_success(count[StepState.UNSUPPORTED])
        case ProjectState.ACCEPTED:
            return f"The project was accepted as it is; {_lost(failed, skipped)}."
        case ProjectState.FAILED:
            return f"{_lost(failed, skipped)}." if failed else "The project could not be set up."
        case state:
            return HEADLINES[state]


def _headline_of_success(unsupported: int) -> str:
    if not unsupported:
        return "The project stands as planned; every step was read back."
    note = counted(unsupported, "step is not supported here", "steps are not supported here")
    return f"The project stands as planned and was read back; {note}."


def _headline_while_running(view: StatusView, waiting: int) -> str:
    if not view.steps:
        return "The plan is being drawn."
    note = f"; {counted(waiting, 'step waits', 'steps wait')} for something outside" if waiting else ""
    return f"The project is being set up{note}."


def _lost(failed: int, skipped: int) -> str:
    note = f", so {counted(skipped, 'step was', 'steps were')} not tried" if skipped else ""
    return f"{counted(failed, 'step', 'steps')} failed{note}"


def counted(number: int, one: str, many: str) -> str:
    """``1 step`` or ``2 steps``."""
    return f"{number} {one if number == 1 else many}"


def duration(seconds: float | None) -> str:
    """Seconds as people say them, short ones with a decimal unless they are whole by type; a dash when there are none."""
    if seconds is None:
        return "–"  # noqa: RUF001 - an en dash is meant
    if isinstance(seconds, float) and seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def instant(moment: datetime) -> str:
    """A moment in UTC, to the second."""
    return f"{_utc(moment):%Y-%m-%d %H:%M:%S} UTC"


def iso(moment: datetime) -> str:
    """A moment for the ``datetime`` attribute."""
    return _utc(moment).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def web_address(text: str) -> str:
    """``text`` where it is an http(s) address that may be linked, else the empty string."""
    if not text or re.search(r"[\s\\\x00-\x20\x7f]", text):
        return ""
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        return ""
    return text if parts.scheme in {"http", "https"} and parts.hostname else ""


def plain(text: str) -> str:
    """``text`` without the characters that hide or turn what stands around them, where no ``<bdi>`` can hold it."""
    return "".join(
        "\ufffd" if unicodedata.category(c) in {"Cc", "Cf", "Cs"} and c not in "\t\n\u200c\u200d" else c for c in text
    )


def lines(text: str, width: int = 25, most: int = 2) -> list[str]:
    """``text`` broken into at most ``most`` lines of ``width`` columns, as SVG cannot; ends in … where it was cut."""
    found: list[str] = []
    line = ""
    for piece in _pieces(plain(text), width):
        joined = f"{line} {piece}".strip() if not piece.startswith("\0") else line + piece[1:]
        if line and _columns(joined) > width:
            found.append(line)
            joined = piece.removeprefix("\0")
        line = joined
    if line:
        found.append(line)
    if len(found) > most:
        last = found[most - 1]
        while _columns(last) > width - 1:
            last = last[:-1]
        found = [*found[: most - 1], last.rstrip() + "…"]
    return found


def _pieces(text: str, width: int) -> list[str]:
    # A word longer than a line is cut into pieces; a NUL, which `plain` never leaves, marks those that continue one.
    pieces = []
    for word in text.split():
        piece, mark = "", ""
        for c in word:
            if _columns(piece + c) > width:
                pieces.append(mark + piece)
                piece, mark = "", "\0"
            piece += c
        pieces.append(mark + piece)
    return pieces


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text if not unicodedata.combining(c))


def rules_in_words(rules: BranchRules) -> list[str]:
    """What the main branch demands, a sentence each."""
    merges = ", ".join(sorted(rules.allowed_merges)) or "none"
    said = [
        f"{counted(rules.minimum_reviewers, 'approval', 'approvals')} before a merge"
        + ("; authors may approve their own" if rules.author_may_approve else ""),
        f"merges allowed: {merges}",
    ]
    said += ["a push resets approvals"] if rules.reset_approvals_on_push else []
    said += ["comments must be resolved"] if rules.require_resolved_comments else []
    said += ["a work item must be linked"] if rules.require_linked_work_items else []
    said += ["a build must be green"] if rules.require_build else []
    said += ["force pushes allowed"] if rules.allow_force_push else ["no force pushes"]
    said += ["deletion allowed"] if rules.allow_deletion else ["no deletion"]
    said += ["administrators are bound too"] if rules.enforce_for_administrators else ["administrators may bypass"]
    return said


def from_json(text: str) -> Any:
    """The value that ``text`` writes out."""
    return json.loads(text)


def shell_quoted(text: str) -> str:
    """``text`` as one word of a POSIX shell."""
    return "'" + text.replace("'", "'\\''") + "'"
