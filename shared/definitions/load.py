"""Loads what ships in this folder; a definition at fault is a defect of ours, told by file, line and field."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from shared.definitions.reading import Document, Limits, UnreadableError, read
from shared.domain.coverage import Coverage
from shared.domain.definition import DefinitionOfDone, Stage
from shared.domain.faults import faults_of
from shared.domain.lifecycle import TicketLifecycle
from shared.errors import DefectError

HERE = Path(__file__).parent
DEFAULT_POLICY = HERE / "policy.yaml"

_LIMITS = Limits(size=512 * 1024, depth=8, values=50_000)


@cache
def definition_of_done() -> DefinitionOfDone:
    """The definition in force. Raises ``DefectError`` when it is at fault."""
    return read_definition_of_done(HERE / "definition_of_done")


@cache
def ticket_lifecycle() -> TicketLifecycle:
    """The lifecycle in force. Raises ``DefectError`` when it is at fault, or guards by criteria that are not there."""
    lifecycle = read_lifecycle(HERE / "ticket_lifecycle.yaml")
    known = definition_of_done().by_id()
    for move in lifecycle.moves:
        if unknown := [guard for guard in move.guards if guard not in known]:
            raise DefectError(f"ticket_lifecycle.yaml: {move.origin} → {move.to} is guarded by unknown {unknown}")
    return lifecycle


@cache
def coverage() -> Coverage:
    """What became of every line of the documents. Raises ``DefectError`` when it is at fault."""
    return _loaded(Coverage, HERE / "coverage.yaml")


def read_definition_of_done(folder: Path) -> DefinitionOfDone:
    """The definition of ``folder``: ``definition.yaml`` and a file for each stage.

    Raises ``DefectError`` naming every file, line and field at fault.
    """
    whole = dict(_document(folder / "definition.yaml").value or {})
    criteria: list[dict[str, Any]] = []
    places: list[tuple[Path, Document, int]] = []
    for stage in Stage:
        path = folder / f"{stage}.yaml"
        document = _document(path)
        value = document.value
        if not isinstance(value, dict) or set(value) != {"stage", "criteria"} or value["stage"] != stage:
            raise DefectError(f"{path.name}: holds `stage: {stage}` and `criteria`, and nothing else")
        for number, one in enumerate(value["criteria"] or ()):
            if not isinstance(one, dict):
                raise DefectError(f"{path.name}:{document.line(('criteria', number))}: is no criterion")
            criteria.append({**one, "stage": stage})
            places.append((path, document, number))
    try:
        return DefinitionOfDone.model_validate({**whole, "criteria": criteria})
    except ValidationError as error:
        told = []
        for detail, fault in zip(error.errors(include_url=False), faults_of(error), strict=True):
            where, at = detail["loc"], "definition.yaml"
            if len(where) > 1 and isinstance(where[1], int):
                path, document, number = places[where[1]]
                at = f"{path.name}:{document.line(('criteria', number, *where[2:]))}"
            told.append(f"{at}: {fault.field} {fault.problem}")
        raise DefectError("; ".join(told)) from error


def read_lifecycle(path: Path) -> TicketLifecycle:
    """The lifecycle in ``path``. Raises ``DefectError`` naming every line and field at fault."""
    return _loaded(TicketLifecycle, path)


def _loaded[M: BaseModel](model: type[M], path: Path) -> M:
    document = _document(path)
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        told = [
            f"{path.name}:{document.line(detail['loc'])}: {fault.field} {fault.problem}"
            for detail, fault in zip(error.errors(include_url=False), faults_of(error), strict=True)
        ]
        raise DefectError("; ".join(told)) from error


def _document(path: Path) -> Document:
    try:
        return read(path.read_bytes(), _LIMITS)
    except FileNotFoundError as error:
        raise DefectError(f"{path.name} is missing") from error
    except UnreadableError as error:
        raise DefectError(f"{path.name}: {error.reason}") from error
