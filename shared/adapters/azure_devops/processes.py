"""Inherited processes of an organisation, each made once, and the states and fields they add to work item types."""

from __future__ import annotations

from typing import Any

from shared.adapters.azure_devops.errors import NotFoundError
from shared.adapters.azure_devops.projects import SYSTEM_PROCESSES, ProjectCalls
from shared.domain.process import ExtraField, ExtraState, InheritedProcess, ProcessType
from shared.errors import ConflictError, RefusedError, TransientError

_SYSTEM = {template: name for name, template in SYSTEM_PROCESSES.items()}
_NOT_DERIVED = "system"


class ProcessCalls(ProjectCalls):
    """The process part of ``AzureDevOpsForge``."""

    def process(self, name: str) -> InheritedProcess | None:
        """The process of that name, whatever its case, with the projects that use it."""
        for one in self._processes().get_list_of_processes(expand="projects") or []:
            if str(one.name).lower() == name.lower():
                return _process(one)
        return None

    def create_process(self, name: str, parent: str, description: str) -> InheritedProcess:
        """Derive a process from ``parent`` (``agile``, ``basic``, ``cmmi``, ``scrum``), or return the one that is there.

        Raises ``RefusedError`` where the identity may not create processes.
        """
        models = self._client.models("work_item_tracking_process")
        wanted = models.CreateProcessModel(
            name=name, parent_process_type_id=SYSTEM_PROCESSES[parent], description=description
        )
        try:
            return _process(self._processes().create_new_process(wanted))
        except ConflictError as error:
            found = self.process(name)
            if found is None:
                raise TransientError(error.reason, retry_after=2) from None
            return found

    def delete_process(self, process: InheritedProcess) -> None:
        """Delete the inherited process; without effect when it is not there. Raises ``RefusedError`` while it is used."""
        try:
            self._processes().delete_process_by_id(process.id)
        except NotFoundError:
            return

    def process_type(self, process: InheritedProcess, type_name: str) -> ProcessType | None:
        """The states and fields of a work item type of the process; ``None`` when it has no such type."""
        found = self._type(process, type_name)
        if found is None:
            return None
        area = self._processes()
        states = area.get_state_definitions(process.id, found.reference_name) or []
        fields = area.get_all_work_item_type_fields(process.id, found.reference_name) or []
        return ProcessType(
            states={str(one.name).lower(): str(one.state_category) for one in states},
            fields={str(one.name).lower(): str(one.type) for one in fields},
        )

    def add_process_state(self, process: InheritedProcess, type_name: str, state: ExtraState) -> None:
        """Add the state to a work item type of the process; without effect when it is there."""
        models = self._client.models("work_item_tracking_process")
        wanted = models.WorkItemStateInputModel(name=state.name, color=state.color, state_category=state.category.value)
        reference = self._derived(process, type_name)
        try:
            self._processes().create_state_definition(wanted, process.id, reference)
        except ConflictError:
            there = self.process_type(process, type_name)
            if there is None or state.name.lower() not in there.states:
                raise

    def add_process_field(self, process: InheritedProcess, type_name: str, field: ExtraField) -> None:
        """Add the field to a work item type of the process, making it the organisation's where that lacks it.

        Raises ``RefusedError`` when the organisation has a field of the name that holds something else.
        """
        self._field(field)
        models = self._client.models("work_item_tracking_process")
        wanted = models.AddProcessWorkItemTypeFieldRequest(reference_name=field.reference)
        self._processes().add_field_to_work_item_type(wanted, process.id, self._derived(process, type_name))

    def _field(self, field: ExtraField) -> None:
        area, models = self._client.area("work_item_tracking"), self._client.models("work_item_tracking")
        try:
            found = area.get_work_item_field(field.reference)
        except NotFoundError:
            wanted = models.WorkItemField2(
                name=field.name,
                reference_name=field.reference,
                type=field.type.value,
                description=field.description,
                usage="workItem",
            )
            try:
                found = area.create_work_item_field(wanted)
            except ConflictError as error:
                raise RefusedError(
                    error.reason, f"Rename the field {field.name} in the connection, or in the organisation"
                ) from None
        held = "identity" if found.is_identity else str(found.type)
        if held.lower() != field.type.lower():
            raise RefusedError(
                f"The organisation's field {field.reference} holds {held}, planned {field.type}",
                "Give the field of the connection another name or that type",
            )

    def _derived(self, process: InheritedProcess, type_name: str) -> str:
        """The reference name of the type in the process, made its own if it is still the parent's."""
        found = self._type(process, type_name)
        if found is None:
            raise RefusedError(f"Process {process.name} has no work item type {type_name}", "Correct the connection")
        if found.customization != _NOT_DERIVED:
            return str(found.reference_name)
        wanted = self._client.models("work_item_tracking_process").CreateProcessWorkItemTypeRequest(
            name=found.name,
            color=found.color,
            icon=found.icon,
            description=found.description,
            inherits_from=found.reference_name,
            is_disabled=False,
        )
        try:
            return str(self._processes().create_process_work_item_type(wanted, process.id).reference_name)
        except ConflictError as error:
            there = self._type(process, type_name)
            if there is None or there.customization == _NOT_DERIVED:
                raise TransientError(error.reason, retry_after=2) from None
            return str(there.reference_name)

    def _type(self, process: InheritedProcess, type_name: str) -> Any:
        found = self._processes().get_process_work_item_types(process.id) or []
        return next((one for one in found if str(one.name).lower() == type_name.lower()), None)

    def _processes(self) -> Any:
        return self._client.area("work_item_tracking_process")


def _process(found: Any) -> InheritedProcess:
    return InheritedProcess(
        id=str(found.type_id),
        name=str(found.name),
        parent=_SYSTEM.get(str(found.parent_process_type_id or "").lower(), ""),
        projects=tuple(str(one.name) for one in found.projects or []),
    )
