"""An inherited process adds types, states and fields, which its projects' work items then obey; system ones refuse."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.local.sandbox.azure_devops.support import AGILE, fields, refused, wait_until

pytestmark = pytest.mark.stack
STORY = "Microsoft.VSTS.WorkItemTypes.UserStory"


@pytest.fixture(scope="module")
def processes(clients: Any) -> Any:
    return clients.get_work_item_tracking_process_client()


def test_a_process_with_a_type_a_state_and_fields_of_its_own(clients: Any, processes: Any) -> None:
    tracker = clients.get_work_item_tracking_client()
    made = processes.create_new_process({"name": "House", "parentProcessTypeId": AGILE, "description": "ours"})
    story = processes.create_process_work_item_type({"inheritsFrom": STORY}, made.type_id)
    assert (story.customization, story.inherits) == ("inherited", STORY)
    saga = processes.create_process_work_item_type({"name": "Saga", "color": "FF0000"}, made.type_id)
    assert saga.customization == "custom"
    refused(lambda: processes.create_process_work_item_type({"name": "saga"}, made.type_id), "VS402338")
    refused(lambda: processes.create_process_work_item_type({}, made.type_id), "name")
    state = processes.create_state_definition(
        {"name": "Told", "stateCategory": "Resolved"}, made.type_id, saga.reference_name
    )
    listed = processes.get_state_definitions(made.type_id, saga.reference_name)
    assert [(s.name, s.order) for s in listed] == [("New", 1), ("Active", 2), ("Told", 3), ("Closed", 4)]
    assert processes.get_state_definition(made.type_id, saga.reference_name, state.id).name == "Told"
    refused(
        lambda: processes.create_state_definition(
            {"name": "told", "stateCategory": "Proposed"}, made.type_id, saga.reference_name
        ),
        "VS403092",
    )
    refused(
        lambda: processes.create_state_definition(
            {"name": "X", "stateCategory": "Odd"}, made.type_id, saga.reference_name
        ),
        "VS403091",
    )
    tracker.create_work_item_field(
        {"name": "Colour", "referenceName": "Custom.Colour", "type": "string", "readOnly": False}
    )
    tracker.create_work_item_field(
        {"name": "Weight", "referenceName": "Custom.Weight", "type": "integer", "readOnly": False}
    )
    processes.add_field_to_work_item_type(
        {"referenceName": "Custom.Colour", "required": True, "allowedValues": ["red", "blue"]},
        made.type_id,
        saga.reference_name,
    )
    processes.add_field_to_work_item_type(
        {"referenceName": "Custom.Weight", "defaultValue": "7"}, made.type_id, saga.reference_name
    )
    refused(
        lambda: processes.add_field_to_work_item_type({"referenceName": "No.Such"}, made.type_id, saga.reference_name),
        "TF51535",
    )
    found = processes.get_all_work_item_type_fields(made.type_id, saga.reference_name)
    assert {"System.Title", "Custom.Colour", "Custom.Weight"} <= {f.reference_name for f in found}
    assert processes.get_work_item_type_field(made.type_id, saga.reference_name, "Custom.Colour").required
    refused(lambda: processes.get_work_item_type_field(made.type_id, saga.reference_name, "No.Such"), "TF51535")
    operation = clients.get_core_client().queue_create_project(
        {
            "name": "Housed",
            "capabilities": {
                "versioncontrol": {"sourceControlType": "Git"},
                "processTemplate": {"templateTypeId": made.type_id},
            },
        }
    )
    wait_until(lambda: clients.get_operations_client().get_operation(operation.id).status == "succeeded")
    refused(lambda: tracker.create_work_item(fields(System_Title="no colour"), "Housed", "Saga"), "Colour")
    refused(
        lambda: tracker.create_work_item(fields(System_Title="x", Custom_Colour="green"), "Housed", "Saga"), "Colour"
    )
    item = tracker.create_work_item(
        fields(System_Title="x", Custom_Colour="red", System_State="Told"), "Housed", "Saga"
    )
    assert (item.fields["Custom.Colour"], item.fields["Custom.Weight"], item.fields["System.State"]) == (
        "red",
        7,
        "Told",
    )
    refused(lambda: tracker.update_work_item([{"op": "remove", "path": "/fields/Custom.Colour"}], item.id), "Colour")
    refused(lambda: tracker.update_work_item(fields(Custom_Weight="heavy"), item.id), "InvalidType")
    kinds = tracker.get_work_item_type_fields_with_references("Housed", "Saga")
    assert next(f for f in kinds if f.reference_name == "Custom.Colour").always_required
    assert (
        tracker.get_work_item_type_field_with_references("Housed", "Saga", "Colour").reference_name == "Custom.Colour"
    )
    refused(lambda: tracker.get_work_item_type_field_with_references("Housed", "Saga", "None"), "TF51535")
    refused(lambda: processes.delete_process_by_id(made.type_id), "VS402356")
    other = tracker.update_work_item(fields(System_State="Closed"), item.id)
    assert other.fields["Microsoft.VSTS.Common.ClosedBy"]["displayName"] == "Ada Admin"
    processes.delete_state_definition(made.type_id, saga.reference_name, state.id)
    refused(lambda: processes.get_state_definition(made.type_id, saga.reference_name, state.id), "VS403104")
    system = listed[0].id
    refused(lambda: processes.delete_state_definition(made.type_id, saga.reference_name, system), "VS403093")


def test_processes_are_listed_refused_twice_and_deleted(processes: Any, connect: Any) -> None:
    made = processes.create_new_process({"name": "Short", "parentProcessTypeId": AGILE})
    refused(lambda: processes.create_new_process({"name": "SHORT", "parentProcessTypeId": AGILE}), "VS402337")
    refused(lambda: processes.create_new_process({"parentProcessTypeId": AGILE}), "name")
    refused(lambda: processes.create_new_process({"name": "X", "parentProcessTypeId": made.type_id}), "VS402362")
    dev = connect("lead").clients_v7_1.get_work_item_tracking_process_client()
    refused(lambda: dev.create_new_process({"name": "Mine", "parentProcessTypeId": AGILE}), "TF50309")
    assert {p.name: p.customization_type for p in processes.get_list_of_processes()}["Short"] == "inherited"
    assert processes.get_process_by_its_id(made.type_id).parent_process_type_id == AGILE
    assert processes.get_process_by_its_id(AGILE).customization_type == "system"
    refused(lambda: processes.delete_process_by_id(AGILE), "VS403300")
    names = {t.name for t in processes.get_process_work_item_types(made.type_id)}
    assert {"Bug", "User Story", "Epic"} <= names
    assert processes.get_process_work_item_type(AGILE, STORY).customization == "system"
    refused(lambda: processes.get_process_work_item_type(AGILE, "None"), "VS402323")
    processes.delete_process_by_id(made.type_id)
    refused(lambda: processes.get_process_by_its_id(made.type_id), "VS402362")


def test_fields_categories_and_relation_types(clients: Any, raw: Any) -> None:
    tracker = clients.get_work_item_tracking_client()
    assert tracker.get_work_item_field("System.Title").type == "string"
    assert tracker.get_work_item_field("Priority").reference_name == "Microsoft.VSTS.Common.Priority"
    refused(lambda: tracker.get_work_item_field("No.Such"), "TF51535")
    made = {"name": "Twice", "referenceName": "Custom.Twice", "type": "string"}
    tracker.create_work_item_field(made)
    refused(lambda: tracker.create_work_item_field(made), "Twice")
    assert "Custom.Twice" in [f.reference_name for f in tracker.get_work_item_fields()]
    raw.no(400, "", "POST", "/_apis/wit/fields", {"type": "string"})
    categories = {c.reference_name: c for c in tracker.get_work_item_type_categories("Shop")}
    assert categories["Microsoft.BugCategory"].default_work_item_type.name == "Bug"
    assert "Microsoft.BugCategory" not in [c.reference_name for c in tracker.get_work_item_type_categories("Simple")]
    assert tracker.get_work_item_type_category("Shop", "Microsoft.EpicCategory").work_item_types[0].name == "Epic"
    refused(lambda: tracker.get_work_item_type_category("Shop", "None"), "VS402324")
    assert tracker.get_work_item_type("Shop", "Bug").states[0].category == "Proposed"
    assert tracker.get_relation_type("System.LinkTypes.Related").name == "Related"
    assert len(tracker.get_relation_types()) > 10
    refused(lambda: tracker.get_relation_type("None"), "TF201032")
