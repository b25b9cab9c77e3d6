"""The steps a plan can hold; each module beside this one with a ``STEP`` is one, found by its file."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from shared.errors import DefectError
from shared.projects.steps.step import StepDefinition


@cache
def definitions() -> Mapping[str, StepDefinition]:
    """Every step by its kind, which is the stem of its file."""
    found: dict[str, StepDefinition] = {}
    for module in pkgutil.iter_modules(__path__):
        step = getattr(importlib.import_module(f"{__name__}.{module.name}"), "STEP", None)
        if isinstance(step, StepDefinition):
            if step.kind != module.name:
                raise DefectError(f"steps/{module.name}.py defines {step.kind!r}; file and kind must agree")
            found[step.kind] = step
    return found
