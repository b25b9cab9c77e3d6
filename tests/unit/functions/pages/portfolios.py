"""Portfolios in every state, built through the models the pages are given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.faults import FieldFault
from shared.domain.forge import ForgeName
from shared.domain.portfolio import GOOD, UNFINISHED, EntryState, PortfolioState, SeededEpic, SeedState
from shared.projects.portfolio.viewing import EntryView, EpicView, PortfolioRow, PortfolioView

T0 = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def an_entry(state: EntryState, **changes: Any) -> EntryView:
    name = state.value.replace("_", "-")
    given = {
        "project": name, "name": f"Project {name}", "state": state, "reason": "", "remedy": "", "instance": f"api-{name}.1",
        "status_url": f"https://doneright.example/api/projects/{name}",
        "view_url": f"https://doneright.example/api/view/{name}?token=0f",
    }  # fmt: skip
    return EntryView.model_validate(given | changes)


def a_seeded(project: str, state: SeedState = SeedState.APPLIED, **changes: Any) -> SeededEpic:
    given = {
        "epic": "one-0f", "title": "One sign-in", "project": project, "forge": ForgeName.AZURE_DEVOPS, "state": state,
        "number": 7, "url": "https://dev.azure.example/acme/x/_workitems/edit/7", "linked": SeedState.APPLIED, "others": 2,
    }  # fmt: skip
    return SeededEpic.model_validate(given | changes)


def a_view(state: PortfolioState, *entries: EntryView, **changes: Any) -> PortfolioView:
    running = state is PortfolioState.RUNNING
    states = [entry.state for entry in entries]
    given = {
        "id": "shop", "name": "Shop", "connection": "acme", "state": state, "reason": "", "run": 2,
        "instance": "portfolio-shop.2", "file": "sha256:" + "ab12" * 16, "created_at": T0, "started_at": T0,
        "finished_at": None if running else T0 + timedelta(minutes=4), "done": sum(one in GOOD for one in states),
        "failed": sum(one not in GOOD | UNFINISHED for one in states),
        "waiting": states.count(EntryState.AWAITING_DECISION), "total": len(entries), "projects": entries, "left_out": (),
        "epics": (), "record_url": "https://doneright.example/api/audit/_doneright",
    }  # fmt: skip
    return PortfolioView.model_validate(given | changes)


def running() -> PortfolioView:
    entries = [an_entry(state) for state in EntryState if state is not EntryState.LEFT_OUT]
    entries[3] = an_entry(EntryState.PENDING, project="fresh", name="Fresh", instance="", view_url="")
    epic = EpicView(key="one-0f", title="One sign-in", projects=("completed", "fresh"), seeded=(a_seeded("completed"),))
    return a_view(PortfolioState.RUNNING, *entries, epics=(epic,))


def partly_failed() -> PortfolioView:
    refused = an_entry(
        EntryState.REFUSED, reason="it exists already", remedy="Choose another name.", view_url="",
        faults=(FieldFault(field="stack", problem="the project that is there has flask"),),
    )  # fmt: skip
    failed = a_seeded("b", SeedState.FAILED, reason="TF401019", remedy="Ask again.", number=0, url="", linked=None)
    unsupported = a_seeded("c", linked=SeedState.UNSUPPORTED, link_reason="no adapter")
    broken = a_seeded("d", SeedState.CONFIRMED, linked=SeedState.FAILED, link_reason="gone")
    epic = EpicView(
        key="one-0f", title="One sign-in", projects=("a", "b", "c", "d", "e"),
        seeded=(a_seeded("a", others=0), failed, unsupported, broken),
    )  # fmt: skip
    return a_view(
        PortfolioState.PARTLY_FAILED, an_entry(EntryState.COMPLETED), an_entry(EntryState.FAILED, reason="a step failed"), refused,
        left_out=(an_entry(EntryState.LEFT_OUT),), epics=(epic,),
    )  # fmt: skip


def rows() -> list[PortfolioRow]:
    return [
        PortfolioRow(
            id="shop", name="Shop", connection="acme", state=state, started_at=T0,
            finished_at=None if state is PortfolioState.RUNNING else T0 + timedelta(minutes=4),
        )
        for state in PortfolioState
    ]  # fmt: skip
