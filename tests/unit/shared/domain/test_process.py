"""What an organisation wants beside the four processes: what can be asked for, and what is refused in plain words."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from shared.domain.connection import AzureDevOpsConnection
from shared.domain.faults import faults_of
from shared.domain.process import TYPES, ExtraField, ProcessAdditions
from shared.domain.project import Process
from shared.projects.backlog import hierarchy

STORY = {"process": "agile", "types": [{"type": "User Story", "states": [{"name": "Told", "category": "Resolved"}]}]}


def connection(*additions):
    return AzureDevOpsConnection.model_validate(
        {
            "organization_url": "https://dev.azure.com/acme",
            "credential": {"kind": "entra"},
            "process_additions": additions,
        }
    )


@pytest.mark.parametrize("process", Process)
def test_the_types_of_the_backlog_can_be_added_to_in_each_process(process):
    assert set(hierarchy(process)) <= TYPES[process]
    wanted = ProcessAdditions.model_validate({"process": process, "types": [{"type": hierarchy(process)[-2]}]})
    assert connection(wanted).additions_to(process) == wanted
    assert wanted.title == {"cmmi": "Doneright CMMI"}.get(process, f"Doneright {process.capitalize()}")


def test_without_additions_there_are_none():
    assert connection().additions_to(Process.AGILE) is None
    assert connection(STORY).additions_to(Process.SCRUM) is None


def test_a_field_is_called_by_its_letters_and_digits():
    assert ExtraField(name="Release note-2").reference == "Custom.Releasenote2"


@pytest.mark.parametrize(
    ("additions", "problem"),
    [
        ([STORY, STORY], "has two entries for agile"),
        ([STORY | {"name": "House"}, {**STORY, "process": "scrum", "name": "house", "types": [{"type": "Bug"}]}], "has two entries for house"),
        ([STORY | {"name": "Scrum"}], "'Scrum' is a process of Azure DevOps itself, which takes no additions"),
        ([STORY | {"process": "basic"}], "names the work item type 'User Story', which basic lacks; it has Epic, Issue, Task"),
        ([STORY | {"types": []}], "is empty"),
    ],
)  # fmt: skip
def test_what_no_process_can_be_is_refused(additions, problem):
    with pytest.raises(ValidationError) as caught:
        connection(*additions)
    (fault,) = faults_of(caught.value, model=AzureDevOpsConnection)
    assert fault.problem == problem
    assert fault.field.startswith("process_additions")
