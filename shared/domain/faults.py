"""What is wrong with an input, field by field, with an example of what would be right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from shared.domain.forge import Frozen


class FieldFault(Frozen):
    """One field at fault."""

    field: str
    problem: str
    example: str = ""


def faults_of(error: ValidationError, examples: Mapping[str, str] | None = None) -> tuple[FieldFault, ...]:
    """Every fault of a pydantic validation, with an example where one is known for the field."""
    examples = examples or {}
    return tuple(_fault(detail, examples) for detail in error.errors(include_url=False, include_context=False))


def _fault(detail: Mapping[str, Any], examples: Mapping[str, str]) -> FieldFault:
    path: Sequence[object] = detail["loc"]
    field = ".".join(str(part) for part in path) or "(whole)"
    problem = "is missing" if detail["type"] == "missing" else str(detail["msg"]).removeprefix("Value error, ")
    return FieldFault(field=field, problem=problem, example=examples.get(field, ""))
