"""Measures functions by lizard."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import redirect_stderr
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

_EXCUSES = re.compile(r"lizard forgive|GENERATED CODE", re.IGNORECASE)
"""Words in comments by which the library leaves functions out; whoever wrote the change wrote them as well."""


def begin() -> tuple[str, Callable[[Path, str], dict[str, Any]]]:
    """In the child's process: the library's version, and what looks at one file."""
    lizard: Any = import_module("lizard")
    analyze = lizard.FileAnalyzer(lizard.get_extensions([]))

    def look_at(folder: Path, name: str) -> dict[str, Any]:
        text = (folder / name).read_text(encoding="utf-8", newline="\n")
        with redirect_stderr(StringIO()) as said:
            try:
                measured = analyze.analyze_source_code(name, _EXCUSES.sub(_undone, text))
            except (IndexError, KeyError, ValueError, AttributeError, TypeError, AssertionError):
                return {"unread": "lizard cannot read it"}
        if "[skip]" in said.getvalue():
            return {"unread": "it is nested too deeply"}
        return {
            "found": [
                {
                    "name": function.name,
                    "start": max(function.start_line, 1),
                    "end": max(function.end_line, function.start_line, 1),
                    "ways": function.cyclomatic_complexity,
                }
                for function in measured.function_list
            ]
        }

    return str(lizard.version), look_at


def _undone(excuse: re.Match[str]) -> str:
    return excuse[0].replace(" ", "_")
