"""Says where a review, its findings and its remarks stand in words people read, and groups findings as they are looked for."""

from __future__ import annotations

from collections.abc import Sequence

from functions.pages.wording import Look
from shared.agents.health import HealthState
from shared.domain.forge import Frozen
from shared.domain.policy import Enforcement
from shared.domain.review import Finding, Opinion, Outcome, Remark, Reviewed, ReviewRecord, ReviewState, Ruling
from shared.reviews.verdicts import Sorted

RULING_LOOKS = {
    Ruling.PASSED: Look(label="Passed", icon="applied", tone="success"),
    Ruling.FAILED: Look(label="Blocked", icon="failed", tone="danger"),
    Ruling.INCONCLUSIVE: Look(label="Inconclusive", icon="waiting", tone="warning"),
}

ADVICE_LOOKS = {
    Ruling.PASSED: Look(label="Advice: ready", icon="applied", tone="success"),
    Ruling.FAILED: Look(label="Advice: not ready", icon="unsupported", tone="special"),
    Ruling.INCONCLUSIVE: Look(label="Advice: inconclusive", icon="waiting", tone="special"),
}
"""On a connection that only advises."""

STATE_LOOKS = {
    ReviewState.RUNNING: Look(label="Under way", icon="running", tone="active"),
    ReviewState.COMPLETED: Look(label="Completed", icon="applied", tone="success"),
    ReviewState.SUPERSEDED: Look(label="Superseded", icon="skipped", tone="neutral"),
    ReviewState.FAILED: Look(label="Broke off", icon="failed", tone="danger"),
}

OUTCOME_LOOKS = {
    Outcome.MET: Look(label="Met", icon="applied", tone="success"),
    Outcome.UNMET: Look(label="Not met", icon="failed", tone="danger"),
    Outcome.NOT_APPLICABLE: Look(label="Not asked", icon="skipped", tone="neutral"),
    Outcome.NOT_AVAILABLE: Look(label="Not available", icon="waiting", tone="warning"),
    Outcome.NOT_SUPPORTED: Look(label="Not supported", icon="unsupported", tone="special"),
    Outcome.ERROR: Look(label="The gate broke", icon="failed", tone="warning"),
}

AGENT_LOOKS = {
    HealthState.SILENT: Look(label="Never asked", icon="pending", tone="neutral"),
    HealthState.HEALTHY: Look(label="Healthy", icon="applied", tone="success"),
    HealthState.TROUBLED: Look(label="Troubled", icon="waiting", tone="warning"),
    HealthState.FAILING: Look(label="Failing", icon="failed", tone="danger"),
}

WAIVED = Look(label="Waived", icon="unsupported", tone="special")
ADVICE = Look(label="Advice", icon="waiting", tone="warning")
ATTESTED = Look(label="Attested", icon="confirmed", tone="success")


MOST_REMARKS = 50
"""Remarks of one criterion that a page shows; scripts get all."""


class Group(Frozen):
    """Findings under one heading."""

    id: str
    title: str
    short: str
    """For a count of them."""
    explanation: str
    findings: tuple[Finding, ...]
    open: bool
    """Whether it is shown at once, or unfolded by who wants to know."""


def agent_look(state: HealthState) -> Look:
    """How the health of an agent is shown."""
    return AGENT_LOOKS[state]


def review_look(record: ReviewRecord, reviewed: Reviewed | None) -> Look:
    """How a review is shown: by its verdict, and by its state while it has none."""
    if record.ruling is None or record.state in {ReviewState.SUPERSEDED, ReviewState.FAILED}:
        return STATE_LOOKS[record.state]
    return (ADVICE_LOOKS if record.advisory or (reviewed and reviewed.advisory) else RULING_LOOKS)[record.ruling]


def finding_look(one: Finding) -> Look:
    """How a finding is shown: what was let go and what only advises is told apart from what blocks."""
    if one.waiver is not None:
        return WAIVED
    if one.outcome is Outcome.UNMET and one.enforcement is not Enforcement.ENFORCED:
        return ADVICE
    if one.outcome is Outcome.MET and one.attestation is not None and one.reason.startswith("attested by "):
        return ATTESTED
    return OUTCOME_LOOKS[one.outcome]


def groups(found: Sorted, *, advisory: bool) -> list[Group]:
    """``found`` as a reader goes through it; empty groups are left out."""
    blocks = ("What would block", "would block") if advisory else ("What blocks the merge", "block")
    every = (
        ("blocking", *blocks, "", found.blocking, True),
        (
            "undecided", "What nobody could tell", "not determined",
            "Not determined is not passed: somebody who can tell is asked.", found.undecided, True,
        ),
        ("advice", "Advice", "advice", "It blocks nothing.", found.advice, True),
        ("waived", "Waived", "waived", "Not met or not determined, and let go until a day.", found.let_go, True),
        ("attested", "Attested", "attested", "Met by the word of somebody, on record and with a link.", found.attested, True),
        ("met", "Met", "met", "", found.met, False),
        ("not-asked", "Not asked of this change", "not asked", "", found.not_asked, False),
    )  # fmt: skip
    return [
        Group(id=id_, title=title, short=short, explanation=words, findings=findings, open=open_)
        for id_, title, short, words, findings, open_ in every
        if findings
    ]


def headline(record: ReviewRecord, reviewed: Reviewed | None, verdict: str) -> str:
    """Where the review stands, in a sentence."""
    match record.state:
        case ReviewState.RUNNING if reviewed is None:
            return "The change is being looked at."
        case ReviewState.RUNNING:
            return f"{verdict}. It is being looked at again."
        case ReviewState.SUPERSEDED:
            return f"It was superseded: {record.reason or 'another head, or a closed pull request'}."
        case ReviewState.FAILED:
            return f"The review could not be finished: {record.reason or 'no reason was kept'}."
        case ReviewState.COMPLETED:
            return f"{verdict}." if reviewed else (record.reason or "It came to no verdict.")


def place(remark: Remark | Opinion) -> str:
    """Where a remark or opinion points, in words."""
    if not remark.path:
        return "the change as a whole"
    if remark.line is None:
        return remark.path
    end = f"–{remark.end_line}" if remark.end_line and remark.end_line > remark.line else ""  # noqa: RUF001
    return f"{remark.path}:{remark.line}{end}"


def words(name: str) -> str:
    """An identifier as words."""
    return name.replace("_", " ")


def ticked(text: str) -> str:
    """``text`` as HTML in which what stands between backticks is code, and all else is words."""
    # Loaded with the first page, as the templates are.
    from markupsafe import Markup, escape

    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    pieces = [Markup("<code>{}</code>").format(part) if place % 2 else escape(part) for place, part in enumerate(parts)]
    return Markup("<bdi>{}</bdi>").format(Markup("").join(pieces))


def under_way(record: ReviewRecord) -> bool:
    """Whether the page may change by itself."""
    return record.state is ReviewState.RUNNING


def newest_first(heads: Sequence[ReviewRecord]) -> list[ReviewRecord]:
    """Reviews of one pull request, the newest head first."""
    return sorted(heads, key=lambda one: one.created_at, reverse=True)
