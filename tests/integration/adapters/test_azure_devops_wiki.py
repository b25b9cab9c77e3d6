"""The project wiki against the simulator, held to the contract, with answers lost."""

import pytest

from shared.domain.forge import WikiPage
from shared.errors import ConflictError, RefusedError, TransientError
from tests.integration.adapters.serving import late

PAGE = WikiPage(path="/Getting started", text="# Begin\n\nGrüß dich, {nobody} & co.\n")


@pytest.fixture
def forge(sandbox):
    return sandbox.forge()


def test_a_wiki_is_created_once(sandbox, forge, monkeypatch):
    assert forge.wiki("Shop") is None
    assert forge.wiki("Nowhere") is None
    sandbox.lose_answer("POST", "/wiki/wikis")
    with pytest.raises(TransientError):
        forge.create_wiki("Shop", "Shop.wiki")
    assert sandbox.fired() == 1
    made = forge.create_wiki("Shop", "Another name")
    assert made == forge.wiki("Shop")
    assert made.name == "Shop.wiki"
    assert "/_wiki/wikis/" in made.url
    late(monkeypatch, forge, "wiki")
    assert forge.create_wiki("Shop", "Shop.wiki") == made
    assert len(sandbox.project()["wikis"]) == 1
    with pytest.raises(RefusedError, match="no project"):
        forge.create_wiki("Nowhere", "x")


def test_a_wiki_nobody_shows_is_waited_for(forge, monkeypatch):
    forge.create_wiki("Shop", "Shop.wiki")
    monkeypatch.setattr(forge, "wiki", lambda project: None)
    with pytest.raises(TransientError):
        forge.create_wiki("Shop", "Shop.wiki")


def test_a_page_is_created_once_and_never_replaced(sandbox, forge):
    wiki = forge.create_wiki("Shop", "Shop.wiki")
    assert forge.wiki_page("Shop", wiki, PAGE.path) is None
    sandbox.lose_answer("PUT", "/pages")
    with pytest.raises(TransientError):
        forge.create_wiki_page("Shop", wiki, PAGE)
    assert sandbox.fired() == 1
    forge.create_wiki_page("Shop", wiki, PAGE.model_copy(update={"text": "Something else"}))
    assert forge.wiki_page("Shop", wiki, PAGE.path) == PAGE.text
    assert list(sandbox.project()["wikis"][wiki.id]["pages"]) == [PAGE.path]


def test_a_conflict_over_a_page_that_is_not_there_is_told(sandbox, forge, monkeypatch):
    wiki = forge.create_wiki("Shop", "Shop.wiki")
    forge.create_wiki_page("Shop", wiki, PAGE)
    monkeypatch.setattr(forge, "wiki_page", lambda project, wiki, path: None)
    with pytest.raises(ConflictError):
        forge.create_wiki_page("Shop", wiki, PAGE)
