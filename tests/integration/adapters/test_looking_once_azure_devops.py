"""Who makes several things in one use case looks once for what is there, and makes nothing twice."""

import pytest

from shared.adapters import looks
from shared.domain.forge import BacklogItem, Hook, RepositoryRef

SHOP = RepositoryRef(owner="Shop", name="Shop")
URL = "https://doneright.example/api/webhooks"


@pytest.fixture
def forge(sandbox):
    made = sandbox.forge()
    # The client asks once what the service offers.
    made.hooks(SHOP)
    made.work_items("Shop", "none")
    looks.begin()
    yield made
    looks.end()


def item(key, parent=None):
    return BacklogItem(key=key, type="Epic" if parent is None else "Feature", title=key, parent=parent, tags=("t",))


def test_items_whose_keys_were_looked_for_are_made_without_another_look(forge):
    assert forge.work_items("Shop", "t", ["a", "B"]) == ()
    before = forge.calls
    epic = forge.create_work_item("Shop", item("a"), parent_id=None)
    forge.create_work_item("Shop", item("B", "a"), parent_id=epic.id)
    assert forge.calls - before == 2
    assert forge.create_work_item("Shop", item("a"), parent_id=None).id == epic.id
    assert forge.calls - before == 2


def test_an_item_is_found_by_its_key_though_people_took_the_tag_off(forge):
    bare = item("a").model_copy(update={"tags": ()})
    there = forge.create_work_item("Shop", bare, parent_id=None)
    looks.begin()
    assert forge.work_items("Shop", "t") == ()
    (found,) = forge.work_items("Shop", "t", ["a", "b"])
    assert found.id == there.id
    assert forge.create_work_item("Shop", item("a"), parent_id=None).id == there.id


def test_a_key_that_nobody_looked_for_is_looked_for_by_its_create(forge):
    there = forge.create_work_item("Shop", item("a"), parent_id=None)
    looks.begin()
    forge.work_items("Shop", "other", ["b"])
    assert forge.create_work_item("Shop", item("a"), parent_id=None).id == there.id


def test_subscriptions_are_listed_once_and_none_is_made_twice(sandbox, forge):
    events = ["git.push", "git.pullrequest.created", "workitem.created"]
    before = forge.calls
    made = [forge.create_hook(SHOP, Hook(url=URL, events=(event,)), "secret") for event in events]
    assert forge.calls - before == 2 + len(events)  # the project and the list
    again = forge.create_hook(SHOP, Hook(url=URL, events=("git.push",)), "another secret")
    assert again.id == made[0].id
    assert {hook.id for hook in forge.hooks(SHOP)} == {hook.id for hook in made}
    elsewhere = forge.create_hook(SHOP, Hook(url=f"{URL}/2", events=("git.push",)), "secret")
    assert elsewhere.id not in {hook.id for hook in made}


def test_the_page_of_a_repository_is_told_in_one_call(forge):
    before = forge.calls
    assert forge.repository_page(SHOP).endswith("/Shop/_git/Shop")
    forge.branch_rules(SHOP, "main")
    assert forge.calls - before == 2
    assert forge.repository_page(RepositoryRef(owner="Shop", name="None")) == ""
