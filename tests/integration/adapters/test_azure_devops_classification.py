"""Areas, iterations and the default team's planning against the simulator, held to the contract, with answers lost."""

import pytest

from shared.domain.forge import BacklogItem, Classification
from shared.errors import ConflictError, RefusedError, TransientError

AREA, ITERATION = Classification.AREA, Classification.ITERATION


@pytest.fixture
def forge(sandbox):
    return sandbox.forge()


@pytest.mark.parametrize("kind", list(Classification))
def test_a_node_is_created_once_below_its_parent(sandbox, forge, kind):
    root = forge.classification("Shop", kind)[""]
    forge.create_classification_node("Shop", kind, "Year 26")
    sandbox.lose_answer("POST", "(?i)/wit/classificationnodes")
    with pytest.raises(TransientError):
        forge.create_classification_node("Shop", kind, "Year 26/June")
    assert sandbox.fired() == 1
    forge.create_classification_node("Shop", kind, "year 26/june")
    found = forge.classification("Shop", kind)
    assert list(found) == ["", "Year 26", "Year 26/June"]
    assert found[""] == root
    assert len(set(found.values())) == 3


def test_nothing_is_found_where_there_is_no_project(forge):
    assert forge.classification("Nowhere", AREA) == {}
    forge.delete_classification_node("Nowhere", AREA, "Web")


def test_a_parent_that_is_not_there_is_told(forge):
    with pytest.raises(RefusedError):
        forge.create_classification_node("Shop", AREA, "Nowhere/Web")


def test_a_conflict_over_a_node_that_is_not_there_is_told(forge, monkeypatch):
    forge.create_classification_node("Shop", ITERATION, "Sprint 9")
    monkeypatch.setattr(forge, "classification", lambda project, kind: {})
    with pytest.raises(ConflictError):
        forge.create_classification_node("Shop", ITERATION, "Sprint 9")


def test_a_deleted_node_gives_its_work_items_to_the_root(sandbox, forge):
    forge.create_classification_node("Shop", AREA, "Web")
    forge.create_classification_node("Shop", ITERATION, "Sprint 9")
    item = BacklogItem(key="k", type="Task", title="Pay", tags=("doneright",), area="Web", iteration="Sprint 9")
    made = forge.create_work_item("Shop", item, parent_id=None)
    assert (made.area, made.iteration) == ("Web", "Sprint 9")
    sandbox.lose_answer("DELETE", "(?i)/wit/classificationnodes")
    with pytest.raises(TransientError):
        forge.delete_classification_node("Shop", AREA, "Web")
    forge.delete_classification_node("Shop", AREA, "Web")
    forge.delete_classification_node("Shop", ITERATION, "Sprint 9")
    (found,) = forge.work_items("Shop", "doneright")
    assert (found.area, found.iteration) == ("", "")
    assert list(forge.classification("Shop", AREA)) == [""]


def test_a_work_item_in_an_area_that_is_not_there_is_refused(forge):
    with pytest.raises(RefusedError, match="TF401347"):
        forge.create_work_item("Shop", BacklogItem(key="k", type="Task", title="Pay", area="Web"), parent_id=None)


def test_the_default_team_plans_in_what_it_is_given(sandbox, forge):
    before = forge.team_planning("Shop")
    assert before.backlog_iteration == forge.classification("Shop", ITERATION)[""]
    assert not before.sees_every_area
    forge.create_classification_node("Shop", ITERATION, "Sprint 9")
    sprint = forge.classification("Shop", ITERATION)["Sprint 9"]
    sandbox.lose_answer("POST", "(?i)/work/teamsettings/iterations")
    with pytest.raises(TransientError):
        forge.add_team_iteration("Shop", sprint)
    forge.add_team_iteration("Shop", sprint)
    forge.set_backlog_iteration("Shop", sprint)
    after = forge.team_planning("Shop")
    assert after.iterations == before.iterations | {sprint}
    assert after.backlog_iteration == sprint


def test_the_default_team_keeps_its_own_areas_when_it_sees_all(forge, sandbox):
    forge.create_classification_node("Shop", AREA, "Web")
    project = sandbox.project()
    team = project["teams"][project["default_team"]]
    team["areas"].append({"value": "Shop\\Web", "includeChildren": False})
    forge.set_sees_every_area("Shop", True)
    assert forge.team_planning("Shop").sees_every_area
    assert {(area["value"], area["includeChildren"]) for area in team["areas"]} == {
        ("Shop", True),
        ("Shop\\Web", False),
    }
    forge.set_sees_every_area("Shop", False)
    assert not forge.team_planning("Shop").sees_every_area
    assert len(team["areas"]) == 2
