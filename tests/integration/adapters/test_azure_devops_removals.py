"""What was made is removed once, against the simulator, held to the contract, with answers lost."""

import pytest

from shared.domain.forge import BacklogItem, BranchRules, PipelineDefinition, RepositoryRef, WikiPage
from shared.domain.project import TeamRole
from shared.errors import RefusedError, TransientError

SHOP = RepositoryRef(owner="Shop", name="Shop")
GONE = RepositoryRef(owner="Shop", name="Gone")


@pytest.fixture
def forge(sandbox):
    return sandbox.forge()


@pytest.fixture
def losing(sandbox):
    """Try a removal whose answer gets lost after the effect, then the same twice more."""

    def lost_and_repeated(path, remove):
        sandbox.lose_answer("DELETE", path)
        with pytest.raises(TransientError):
            remove()
        assert sandbox.fired() == 1
        sandbox.faults.clear()
        remove()
        remove()

    return lost_and_repeated


def test_branch_rules(sandbox, forge, losing):
    rules = BranchRules(require_build=False, require_linked_work_items=True)
    forge.protect_branch(SHOP, "main", rules)
    forge.protect_branch(SHOP, "release", rules)
    losing("(?i)/policy/configurations/", lambda: forge.remove_branch_rules(SHOP, "main"))
    assert forge.branch_rules(SHOP, "main") is None
    assert forge.branch_rules(SHOP, "release") == rules
    forge.remove_branch_rules(GONE, "main")
    forge.protect_branch(SHOP, "main", rules)
    assert forge.branch_rules(SHOP, "main") == rules


def test_a_policy_somebody_else_deletes_meanwhile_is_gone(sandbox, forge, monkeypatch):
    forge.protect_branch(SHOP, "main", BranchRules(require_build=False))
    seen = forge._policies(SHOP, forge.repository(SHOP).id, "main")
    forge.remove_branch_rules(SHOP, "main")
    monkeypatch.setattr(forge, "_policies", lambda *_: seen)
    forge.remove_branch_rules(SHOP, "main")


def test_a_work_item_goes_to_the_recycle_bin(sandbox, forge, losing):
    parent = forge.create_work_item("Shop", BacklogItem(key="a", type="Epic", title="A", tags=("t",)), parent_id=None)
    item = BacklogItem(key="b", type="Feature", title="B", parent="a", tags=("t",))
    child = forge.create_work_item("Shop", item, parent_id=parent.id)
    losing("(?i)/wit/workitems/", lambda: forge.delete_work_item("Shop", parent.id))
    (left,) = forge.work_items("Shop", "t")
    assert (left.id, left.parent_id) == (child.id, None)
    assert list(sandbox.organization["recycle_bin"]) == [str(parent.id)]
    again = forge.create_work_item("Shop", BacklogItem(key="a", type="Epic", title="A"), parent_id=None)
    assert again.id != parent.id, "what is in the bin is not found again"


def test_a_pipeline(sandbox, forge, losing):
    forge.commit_files(SHOP, "main", {"azure-pipelines.yml": b"steps: []\n"}, message="Begin")
    wanted = PipelineDefinition(name="CI", repository=SHOP, yaml_path="azure-pipelines.yml")
    made = forge.create_pipeline("Shop", wanted)
    losing("(?i)/build/definitions/", lambda: forge.delete_pipeline("Shop", made.id))
    assert forge.pipeline("Shop", "CI") is None
    assert forge.create_pipeline("Shop", wanted).id != made.id


def test_an_environment_with_its_checks(sandbox, forge, losing):
    made = forge.create_environment("Shop", "staging", "d")
    kept = forge.create_environment("Shop", "production", "d")
    forge.require_approval("Shop", made, [forge.identity("ada@acme.example")])
    losing("/distributedtask/environments/", lambda: forge.delete_environment("Shop", made))
    assert forge.environments("Shop") == (kept,)
    assert sandbox.project()["checks"] == {}


def test_a_wiki_with_the_repository_it_is_kept_in(sandbox, forge, losing):
    made = forge.create_wiki("Shop", "Shop.wiki")
    forge.create_wiki_page("Shop", made, WikiPage(path="/Home", text="# Home"))
    losing("(?i)/git/repositories/", lambda: forge.delete_wiki("Shop", made))
    assert forge.wiki("Shop") is None
    assert forge.wiki_pages("Shop", made) == ()
    assert [r["name"] for r in sandbox.project()["repositories"].values()] == ["Shop"]
    assert forge.create_wiki("Shop", "Shop.wiki").id != made.id


def test_pages_of_a_wiki_are_listed_and_deleted_with_those_below_them(sandbox, forge, losing):
    wiki = forge.create_wiki("Shop", "Shop.wiki")
    assert forge.wiki_pages("Shop", wiki) == ()
    for path in ("/Home", "/Guide", "/Guide/First steps"):
        forge.create_wiki_page("Shop", wiki, WikiPage(path=path, text="x"))
    assert set(forge.wiki_pages("Shop", wiki)) == {"/Home", "/Guide", "/Guide/First steps"}
    losing("/pages", lambda: forge.delete_wiki_page("Shop", wiki, "/Guide"))
    assert forge.wiki_pages("Shop", wiki) == ("/Home",)


def test_a_team_with_its_memberships(sandbox, forge, losing):
    team, group = forge.create_team("Shop", "Crew", "d"), forge.role_group("Shop", TeamRole.READER)
    forge.add_member(group, team)
    losing("/teams/", lambda: forge.delete_team("Shop", team))
    assert forge.team("Shop", "Crew") is None
    assert team.descriptor not in forge.members(group)


def test_a_variable_group(sandbox, forge, losing):
    made = forge.create_variable_group("Shop", "shop", "d", {"PROJECT_ID": "shop"})
    losing("/distributedtask/variablegroups/", lambda: forge.delete_variable_group("Shop", made))
    assert forge.variable_group("Shop", "shop") is None
    forge.delete_variable_group("Nowhere", made)


def test_what_a_reader_may_not_remove_is_refused_and_stays(sandbox, forge):
    reader = sandbox.forge("ada-pat")
    wiki = forge.create_wiki("Shop", "Shop.wiki")
    environment = forge.create_environment("Shop", "staging", "d")
    team = forge.create_team("Shop", "Crew", "d")
    item = forge.create_work_item("Shop", BacklogItem(key="a", type="Epic", title="A", tags=("t",)), parent_id=None)
    forge.protect_branch(SHOP, "main", BranchRules(require_build=False))
    for refused in (
        lambda: reader.delete_wiki("Shop", wiki),
        lambda: reader.delete_environment("Shop", environment),
        lambda: reader.delete_team("Shop", team),
        lambda: reader.delete_work_item("Shop", item.id),
        lambda: reader.remove_branch_rules(SHOP, "main"),
        lambda: reader.delete_project(forge.project("Shop").id),
    ):
        with pytest.raises(RefusedError) as caught:
            refused()
        assert caught.value.remedy
    assert forge.wiki("Shop") == wiki
    assert forge.environments("Shop") == (environment,)
    assert forge.team("Shop", "Crew") == team
    assert forge.work_items("Shop", "t") == (item,)
    assert forge.branch_rules(SHOP, "main")
    assert forge.project("Shop")
