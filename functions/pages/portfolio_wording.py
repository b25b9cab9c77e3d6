"""Says where a portfolio, its projects and its epics stand in words people read."""

from __future__ import annotations

from functions.pages.wording import Look, counted
from shared.domain.portfolio import EntryState, PortfolioState, SeededEpic, SeedState
from shared.projects.portfolio.viewing import PortfolioView

ENTRY_LOOKS = {
    EntryState.PENDING: Look(label="Not begun", icon="pending", tone="neutral"),
    EntryState.RUNNING: Look(label="Running", icon="running", tone="active"),
    EntryState.AWAITING_DECISION: Look(label="Waits for a decision", icon="waiting", tone="warning"),
    EntryState.COMPENSATING: Look(label="Being taken back", icon="running", tone="active"),
    EntryState.COMPLETED: Look(label="Completed", icon="applied", tone="success"),
    EntryState.UNCHANGED: Look(label="Was as asked already", icon="confirmed", tone="success"),
    EntryState.ACCEPTED: Look(label="Accepted as it is", icon="confirmed", tone="warning"),
    EntryState.ADVISED: Look(label="Plan only", icon="unsupported", tone="special"),
    EntryState.COMPENSATED: Look(label="Taken back", icon="removed", tone="neutral"),
    EntryState.FAILED: Look(label="Failed", icon="failed", tone="danger"),
    EntryState.REFUSED: Look(label="Refused", icon="failed", tone="danger"),
    EntryState.LEFT_OUT: Look(label="No longer in the file", icon="skipped", tone="neutral"),
}

PORTFOLIO_LOOKS = {
    PortfolioState.RUNNING: Look(label="Running", icon="running", tone="active"),
    PortfolioState.COMPLETED: Look(label="Completed", icon="applied", tone="success"),
    PortfolioState.PARTLY_FAILED: Look(label="Partly failed", icon="failed", tone="warning"),
    PortfolioState.FAILED: Look(label="Failed", icon="failed", tone="danger"),
}

SEED_LOOKS = {
    SeedState.APPLIED: Look(label="Made", icon="applied", tone="success"),
    SeedState.CONFIRMED: Look(label="Was there already", icon="confirmed", tone="success"),
    SeedState.UNSUPPORTED: Look(label="Not supported", icon="unsupported", tone="special"),
    SeedState.FAILED: Look(label="Failed", icon="failed", tone="danger"),
}

WAITS_FOR_PROJECT = Look(label="Waits for its project", icon="pending", tone="neutral")
PROJECT_MISSING = Look(label="Its project does not stand", icon="skipped", tone="neutral")


def portfolio_look(state: PortfolioState | EntryState | SeedState) -> Look:
    """How a state of a portfolio, a project of it, or an epic of it is shown."""
    if isinstance(state, PortfolioState):
        return PORTFOLIO_LOOKS[state]
    return ENTRY_LOOKS[state] if isinstance(state, EntryState) else SEED_LOOKS[state]


def seed_look(view: PortfolioView, seeded: SeededEpic | None) -> Look:
    """How an epic is shown in a project that may have none of it yet."""
    if seeded is not None:
        return SEED_LOOKS[seeded.state]
    return WAITS_FOR_PROJECT if view.state is PortfolioState.RUNNING else PROJECT_MISSING


def links_in_words(seeded: SeededEpic) -> str:
    """What linking an epic to the others came to, in a sentence; empty before it was tried."""
    match seeded.linked:
        case None:
            return ""
        case SeedState.APPLIED | SeedState.CONFIRMED:
            return f"linked to {counted(seeded.others, 'other', 'others')}" if seeded.others else "no other has it yet"
        case SeedState.UNSUPPORTED:
            return f"not linked: {seeded.link_reason}"
        case SeedState.FAILED:
            return f"linking failed: {seeded.link_reason}"


def portfolio_headline(view: PortfolioView) -> str:
    """Where the portfolio stands, in a sentence."""
    if view.state is PortfolioState.RUNNING:
        waits = counted(view.waiting, "project waits", "projects wait")
        note = f" {waits} for a decision; the others go on." if view.waiting else ""
        return f"The projects are being made.{note}"
    if view.state is PortfolioState.COMPLETED:
        return "Every project stands as the file asks."
    failed = counted(view.failed, "project", "projects")
    if view.state is PortfolioState.PARTLY_FAILED and not view.failed:
        return "Every project stands; not every epic could be seeded."
    return f"{failed} of {view.total} did not end well; the table says why." if view.failed else "The run broke off."
