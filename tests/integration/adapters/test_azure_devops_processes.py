"""Inherited processes against the simulator, held to the contract, with answers lost."""

import pytest

from shared.domain.forge import OperationState
from shared.domain.process import TYPES, ExtraField, ExtraState, FieldType, StateCategory
from shared.domain.project import Process
from shared.errors import RefusedError, TransientError

REVIEW = ExtraState(name="In review", category=StateCategory.IN_PROGRESS, color="ff00aa")
NOTE = ExtraField(name="Release note", description="For customers.")


@pytest.fixture
def forge(sandbox):
    return sandbox.forge()


@pytest.fixture
def made(forge):
    return forge.create_process("House Agile", "agile", "Ours.")


def lost(sandbox, path, call, method="POST"):
    sandbox.lose_answer(method, path)
    with pytest.raises(TransientError):
        call()
    assert sandbox.fired() == 1
    sandbox.faults.clear()


def test_a_process_is_derived_once(sandbox, forge):
    lost(sandbox, "(?i)/work/processes$", lambda: forge.create_process("House", "scrum", "Ours."))
    made = forge.create_process("house", "scrum", "Ours.")
    assert (made.name, made.parent, made.projects) == ("House", "scrum", ())
    assert forge.process("HOUSE") == made
    assert forge.process("Nothing") is None
    assert forge.process("Agile").parent == ""
    assert forge.process("Agile").projects == ("Shop",)


@pytest.mark.parametrize("process", Process)
def test_every_type_of_each_process_takes_states_and_fields(forge, process):
    made = forge.create_process(f"House {process}", process.value, "Ours.")
    for name in sorted(TYPES[process]):
        before = forge.process_type(made, name)
        forge.add_process_state(made, name, REVIEW)
        forge.add_process_field(made, name, NOTE)
        after = forge.process_type(made, name)
        assert after.states == before.states | {"in review": "InProgress"}
        assert after.fields["release note"] == "string"


def test_a_state_and_a_field_are_added_once_though_answers_are_lost(sandbox, forge, made):
    lost(sandbox, "(?i)/workItemTypes$", lambda: forge.add_process_state(made, "Bug", REVIEW))
    lost(sandbox, "(?i)/states$", lambda: forge.add_process_state(made, "Bug", REVIEW))
    forge.add_process_state(made, "Bug", REVIEW)
    lost(sandbox, "(?i)/wit/fields$", lambda: forge.add_process_field(made, "Bug", NOTE))
    lost(sandbox, "(?i)/fields$", lambda: forge.add_process_field(made, "Bug", NOTE))
    forge.add_process_field(made, "Bug", NOTE)
    found = forge.process_type(made, "Bug")
    assert list(found.states).count("in review") == 1
    (custom,) = sandbox.organization["processes"].values()
    assert [state["color"] for state in custom["types"]["Bug"]["states"]] == ["ff00aa"]
    assert [field["referenceName"] for field in custom["types"]["Bug"]["fields"]] == ["Custom.Releasenote"]


def test_a_field_of_the_organisation_that_holds_something_else_is_refused(forge, made):
    forge.add_process_field(made, "Bug", NOTE)
    other = NOTE.model_copy(update={"type": FieldType.WHOLE_NUMBER})
    with pytest.raises(RefusedError, match=r"Custom\.Releasenote holds string, planned integer"):
        forge.add_process_field(made, "Task", other)
    with pytest.raises(RefusedError):
        forge.add_process_field(made, "Task", ExtraField(name="Title"))


def test_a_type_or_a_system_process_that_takes_nothing_is_refused(forge, made):
    assert forge.process_type(made, "Saga") is None
    with pytest.raises(RefusedError, match="no work item type Saga"):
        forge.add_process_state(made, "Saga", REVIEW)
    with pytest.raises(RefusedError):
        forge.add_process_state(forge.process("Agile"), "Bug", REVIEW)


def test_a_project_is_made_with_it_and_keeps_it_from_being_deleted(forge, made):
    forge.add_process_state(made, "User Story", REVIEW)
    operation = forge.create_project("Housed", description="", process="House Agile", private=True)
    while operation.state is OperationState.RUNNING:
        operation = forge.operation(operation.id)
    assert forge.project("Housed").process == "House Agile"
    assert forge.process("House Agile").projects == ("Housed",)
    with pytest.raises(RefusedError, match="used by projects"):
        forge.delete_process(made)


def test_it_is_deleted_once(sandbox, forge, made):
    lost(sandbox, "(?i)/work/processes/", lambda: forge.delete_process(made), method="DELETE")
    forge.delete_process(made)
    assert forge.process("House Agile") is None


def test_whoever_may_not_make_processes_is_refused(sandbox):
    with pytest.raises(RefusedError):
        sandbox.forge("ada-pat").create_process("House", "agile", "Ours.")
