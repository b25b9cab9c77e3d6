"""Looks for weaknesses of Python by bandit."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any


def begin() -> tuple[str, Callable[[Path, str], dict[str, Any]]]:
    """In the child's process: the library's version, and what looks at one file."""
    bandit: Any = import_module("bandit")
    managers: Any = import_module("bandit.core.manager")
    configs: Any = import_module("bandit.core.config")
    docs: Any = import_module("bandit.core.docs_utils")
    metrics: Any = import_module("bandit.core.metrics")
    # No configuration but ours, and no comment of the change that excuses a line.
    manager = managers.BanditManager(configs.BanditConfig(), "file", ignore_nosec=True, quiet=True)

    def look_at(folder: Path, name: str) -> dict[str, Any]:
        manager.files_list, manager.results, manager.skipped = [str(folder / name)], [], []
        # Kept, those of every file before would be added up anew after each.
        manager.metrics = metrics.Metrics()
        manager.run_tests()
        if manager.skipped:
            return {"unread": f"bandit cannot read it ({manager.skipped[0][1]})"}
        return {
            "found": [
                {
                    "rule": issue.test_id,
                    "severity": str(issue.severity),
                    "confidence": str(issue.confidence),
                    "message": issue.text,
                    "line": issue.lineno or 1,
                    "end": max([issue.lineno or 1, *(issue.linerange or ())]),
                    "url": docs.get_url(issue.test_id),
                }
                for issue in manager.results
            ]
        }

    return str(bandit.__version__), look_at
