"""What people see of a portfolio: each project with its state and reason, each epic with its links, in words."""

from __future__ import annotations

import pytest

from functions import pages
from functions.pages.portfolio_wording import (
    ENTRY_LOOKS,
    PORTFOLIO_LOOKS,
    SEED_LOOKS,
    links_in_words,
    portfolio_headline,
    portfolio_look,
)
from functions.pages.wording import PROJECT_LOOKS, STEP_LOOKS
from shared.domain.portfolio import EntryState, PortfolioState, SeedState
from tests.unit.functions.pages.parsed import Page
from tests.unit.functions.pages.portfolios import a_seeded, a_view, an_entry, partly_failed, rows, running
from tests.unit.functions.pages.test_pages import EVIL


def test_every_state_has_a_look_that_is_drawn():
    drawn = {look.icon for look in [*STEP_LOOKS.values(), *PROJECT_LOOKS.values()]}
    for looks, states in ((ENTRY_LOOKS, EntryState), (PORTFOLIO_LOOKS, PortfolioState), (SEED_LOOKS, SeedState)):
        assert set(looks) == set(states)
        assert {look.icon for look in looks.values()} <= drawn
        assert all(portfolio_look(state) == looks[state] for state in states)


def test_a_running_portfolio_shows_progress_and_renews_itself():
    view = running()
    seen = Page(pages.portfolio(view))
    assert seen.one("meta", **{"http-equiv": "refresh"})["content"] == "5"
    bar = seen.one("progress")
    assert (bar["max"], bar["value"]) == (str(view.total), str(view.done))
    assert "1 project waits for a decision; the others go on." in seen.text
    table = seen.all("table")[0].text
    for entry in view.projects:
        assert entry.name in table
        assert ENTRY_LOOKS[entry.state].label in table
    assert "Waits for its project" in seen.text
    links = {link["href"] for link in seen.all("a")}
    assert {entry.view_url for entry in view.projects if entry.view_url} <= links


def test_an_ended_portfolio_names_each_failure_with_its_reason_and_remedy():
    seen = Page(pages.portfolio(partly_failed()))
    assert not seen.all("meta", **{"http-equiv": "refresh"})
    for words in (
        "2 projects of 3 did not end well", "a step failed", "it exists already", "Choose another name.",
        "the project that is there has flask", "No longer in the file", "TF401019", "not linked: no adapter",
        "linking failed: gone", "no other has it yet", "Its project does not stand",
    ):  # fmt: skip
        assert words in seen.text, words


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (a_view(PortfolioState.COMPLETED, an_entry(EntryState.UNCHANGED)), "Every project stands"),
        (a_view(PortfolioState.RUNNING, an_entry(EntryState.RUNNING)), "being made."),
        (a_view(PortfolioState.PARTLY_FAILED, an_entry(EntryState.COMPLETED)), "not every epic"),
        (a_view(PortfolioState.FAILED, an_entry(EntryState.PENDING), reason="storage"), "broke off"),
        (a_view(PortfolioState.FAILED, an_entry(EntryState.FAILED)), "1 project of 1 did not end well"),
    ],
)
def test_headlines(view, words):
    assert words in portfolio_headline(view)
    assert view.reason in Page(pages.portfolio(view)).text


def test_links_are_told_once_they_were_tried():
    assert links_in_words(a_seeded("a", linked=None)) == ""
    assert links_in_words(a_seeded("a", others=1)) == "linked to 1 other"


def test_hostile_words_stay_words():
    entry = an_entry(EntryState.FAILED, name=EVIL, reason=EVIL, remedy=EVIL, view_url="javascript:alert(1)")
    epic = (
        partly_failed()
        .epics[0]
        .model_copy(
            update={"title": EVIL, "seeded": (a_seeded("a", reason=EVIL, link_reason=EVIL, url="javascript:alert(1)"),)}
        )
    )
    view = a_view(PortfolioState.PARTLY_FAILED, entry, name=EVIL, reason=EVIL, epics=(epic,), left_out=(entry,))
    listed = [row.model_copy(update={"name": EVIL, "id": EVIL}) for row in rows()]
    for html in (pages.portfolio(view), pages.portfolios(listed, EVIL)):
        seen = Page(html)
        assert "49" not in seen.title
        assert not seen.all("script")
        assert not [e for e in seen.elements if [name for name in e.attributes if name.startswith("on")]]
        assert not [a for a in seen.all("a") if a["href"].startswith("javascript")]
        assert EVIL.partition("{{")[0].rstrip() in seen.one("body").text
