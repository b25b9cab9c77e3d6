"""The wiki step: its pages are written once, link to what is there, and belong to people from then on."""

from __future__ import annotations

import re

import pytest

from shared.domain.plan import ReversalState, StepState
from shared.errors import DefectError, TransientError
from shared.projects import wiki
from tests.fakes.forges import Fault

STEP = "azure_devops.wiki"
PATHS = ["/Home", "/Getting started", "/Architecture decisions", "/Architecture"]


@pytest.fixture
def azure(bench):
    bench.made("azure_devops.project", "azure_devops.repository")
    bench.app.azure.calls.clear()
    return bench.app.azure


def test_its_pages_are_made_in_order_and_read_back(bench, azure):
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.APPLIED
    assert list(azure.pages) == PATHS
    assert outcome.observed == {"id": "w1", "pages": PATHS}
    assert outcome.url.endswith("/_wiki/wikis/w1")
    assert "# Order Desk" in azure.pages["/Home"]
    assert not any("{" in page for page in azure.pages.values())


def test_its_links_lead_to_files_of_the_scaffold_and_to_its_own_pages(bench, azure):
    bench.made("azure_devops.scaffold", STEP)
    stored = azure.stored(bench.ref(STEP))
    files = set(stored.branches["main"])
    for page in azure.pages.values():
        for target in re.findall(r"\]\(([^)]+)\)", page):
            if target.startswith("/"):
                assert target.replace("-", " ") in PATHS
            else:
                address, _, path = target.partition("?path=/")
                assert address == stored.shown.url
                assert not path or any(file == path or file.startswith(path + "/") for file in files), path


def test_the_second_time_it_is_confirmed_with_one_read(bench, azure):
    assert bench.twice(STEP).state is StepState.CONFIRMED
    azure.calls.clear()
    bench.attempt(STEP)
    assert azure.calls == ["wiki"]


def test_what_people_changed_or_removed_since_is_theirs(bench, azure):
    bench.made(STEP)
    azure.pages["/Home"] = "Ours now"
    del azure.pages["/Architecture"]
    assert bench.attempt(STEP).state is StepState.CONFIRMED
    assert azure.pages["/Home"] == "Ours now"
    assert list(azure.pages) == PATHS[:3]


def test_a_page_that_was_there_before_stays(bench, azure):
    azure.create_wiki("Order Desk", "Order Desk.wiki")
    azure.pages["/Home"] = "Written by hand"
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.APPLIED
    assert outcome.reason == "4 pages, 1 of them written by somebody else"
    assert azure.pages["/Home"] == "Written by hand"


def test_a_page_read_back_otherwise_fails_with_the_remedy(bench, azure):
    azure.spoil_pages = True
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.FAILED
    assert "page /Home" in outcome.reason
    assert outcome.remedy


@pytest.mark.parametrize("lost", ["create_wiki", "create_wiki_page"])
def test_an_answer_lost_after_the_effect_leaves_exactly_one(bench, azure, lost):
    azure.fail(lost, Fault.LOST)
    with pytest.raises(TransientError):
        bench.attempt(STEP)
    assert bench.attempt(STEP).state is StepState.APPLIED
    assert azure.changes() == ["create_wiki", *["create_wiki_page"] * 4]


@pytest.mark.parametrize("unseen", ["wiki_unseen", "pages_unseen"])
def test_it_waits_until_the_service_shows_it(bench, azure, unseen):
    setattr(azure, unseen, 1)
    assert bench.attempt(STEP).state is StepState.WAITING
    bench.made(STEP)
    assert list(azure.pages) == PATHS


def test_it_waits_for_the_repository_it_links_to(bench):
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.WAITING
    assert "links to" in outcome.reason


def test_only_the_name_is_filled_in_when_the_plan_is_drawn():
    (home, *_) = wiki.pages("Shop")
    assert "# Shop" in home.text
    assert "{repository}" in home.text


def test_pages_that_are_no_list_are_a_defect_of_the_plan(bench, azure):
    with pytest.raises(DefectError, match="not a list"):
        bench.attempt(STEP, pages="Home")


@pytest.fixture
def another_run(bench, azure):
    bench.of_an_earlier_run()
    return bench


def test_taken_back_a_page_that_somebody_rewrote_stays_and_so_does_the_wiki(another_run, azure):
    another_run.made(STEP)
    azure.pages["/Home"] = "Ours now"
    reversal = another_run.reversed(STEP)
    assert reversal.state is ReversalState.REMOVED
    assert "changed since, so kept: /Home" in reversal.reason
    assert azure.pages == {"/Home": "Ours now"}
    assert "delete_wiki" not in azure.calls
    again = another_run.attempt(STEP)
    assert again.state is StepState.APPLIED
    assert sorted(azure.pages) == sorted(PATHS)
    assert azure.pages["/Home"] == "Ours now"


def test_taken_back_a_page_that_somebody_wrote_below_stays_with_it(another_run, azure):
    another_run.made(STEP)
    azure.pages["/Architecture/Choices"] = "Theirs"
    assert another_run.reversed(STEP).state is ReversalState.REMOVED
    assert sorted(azure.pages) == ["/Architecture", "/Architecture/Choices"]


def test_taken_back_in_a_wiki_that_was_there_before_the_pages_alone_go(another_run, azure):
    wiki_before = azure.create_wiki("Order Desk", "Theirs")
    azure.pages["/Home"] = "Written by hand"
    another_run.made(STEP)
    assert another_run.reversed(STEP).state is ReversalState.REMOVED
    assert azure.wiki("Order Desk") == wiki_before
    assert azure.pages == {"/Home": "Written by hand"}


def test_taken_back_a_wiki_with_other_peoples_pages_alone_stays(another_run, azure):
    another_run.made(STEP)
    azure.pages.clear()
    azure.pages["/Theirs"] = "x"
    assert another_run.reversed(STEP).state is ReversalState.REMOVED, "its own pages are gone"
    reversal = another_run.reversed(STEP)
    assert reversal.state is ReversalState.KEPT
    assert "pages of other people: /Theirs" in reversal.reason
    assert azure.pages == {"/Theirs": "x"}


def test_taken_back_a_wiki_that_is_gone_already_is_forgotten(another_run, azure):
    before = another_run.intents()
    another_run.made(STEP)
    azure.wikis.clear()
    assert another_run.reversed(STEP).state is ReversalState.REMOVED
    assert another_run.intents() == before


def test_a_wiki_that_still_shows_is_looked_at_again(another_run, azure):
    another_run.made(STEP)
    azure.delete_wiki = lambda project, wiki: None
    assert another_run.reverse(STEP).state is ReversalState.WAITING
