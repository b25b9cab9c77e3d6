"""Writes the list of every function the app registers, with what starts it."""

from __future__ import annotations

import inspect
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docs.generators.markdown import code, page, table

APP = Path(__file__).resolve().parent.parent.parent / "function_app.py"
ORDER = ("httpTrigger", "queueTrigger", "timerTrigger", "orchestrationTrigger", "activityTrigger")
TITLES = {
    "httpTrigger": "HTTP",
    "queueTrigger": "Queues",
    "timerTrigger": "Timers",
    "orchestrationTrigger": "Runbooks",
    "activityTrigger": "Activities",
}
INTRODUCTION = (
    "Every function of `function_app.py`, by what starts it. Functions whose names begin with `BuiltIn__` come with the\n"
    "Durable Functions package."
)


def reference() -> str:
    """The page ``functions.md``. Raises ``ValueError`` for a trigger this page has no table for."""
    rows: dict[str, list[tuple[str, ...]]] = {kind: [] for kind in ORDER}
    # The app gives its functions once only; a run of its file makes one that nobody has asked yet.
    for function in runpy.run_path(str(APP))["app"].get_functions():
        trigger = function.get_trigger().get_dict_repr()
        kind = trigger["type"]
        if kind not in rows:
            raise ValueError(f"{function.get_function_name()} has the trigger {kind}, which has no table")
        rows[kind].append((code(function.get_function_name()), *_details(kind, trigger), _says(function)))
    blocks: list[str] = []
    for kind in ORDER:
        heads = {"httpTrigger": ("Methods", "Route", "Key"), "queueTrigger": ("Queue",), "timerTrigger": ("Schedule",)}
        blocks += [f"## {TITLES[kind]}", table(("Function", *heads.get(kind, ()), "What it does"), sorted(rows[kind]))]
    return page("Functions", INTRODUCTION, blocks)


def _details(kind: str, trigger: Mapping[str, Any]) -> tuple[str, ...]:
    match kind:
        case "httpTrigger":
            level = str(trigger["authLevel"].value)
            methods = " ".join(sorted(str(method.value) for method in trigger["methods"]))
            return methods, code(f"/api/{trigger['route']}"), "none" if level == "anonymous" else level
        case "queueTrigger":
            return (code(trigger["queueName"]),)
        case "timerTrigger":
            return (code(trigger["schedule"]),)
        case _:
            return ()


def _says(function: Any) -> str:
    if function.get_function_name().startswith("BuiltIn__"):
        return "Part of the Durable Functions package."
    user = function.get_user_function()
    user = getattr(user, "orchestrator_function", None) or inspect.unwrap(user)
    return inspect.cleandoc(user.__doc__ or "").partition("\n")[0]
