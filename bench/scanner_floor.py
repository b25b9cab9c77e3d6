"""Measures the libraries that look at a change by themselves: loaded already, in one process, one after the other.

With all of them at once, nobody can be done before the slowest of them is, nor before the cores have done the work of all.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from shared.domain.change import ChangedFile
from shared.evidence.apart.child import MODULES
from shared.evidence.scanning import complexity, python_security, secrets
from shared.evidence.scanning.placing import numbered, place
from shared.evidence.scanning.ports import ScanLimits

type Look = Callable[[Path, str], dict[str, Any]]

_NAMED = {"secrets": secrets._named}
_CONCERNED: dict[str, Callable[[ChangedFile], bool]] = {
    "complexity": complexity._is_concerned,
    "python_security": python_security._is_concerned,
}


def floor(files: Sequence[ChangedFile]) -> float:
    """Seconds that the libraries need for ``files`` on this machine's cores, however they are arranged."""
    seconds = [_alone(module, files) for module in MODULES]
    return max(*seconds, sum(seconds) / (os.cpu_count() or 1))


@cache
def _loaded(module: str) -> Look:
    look: Look = import_module(f"shared.evidence.apart.{module}").begin()[1]
    return look


def _alone(module: str, files: Sequence[ChangedFile]) -> float:
    look = _loaded(module)
    concerned = [file for file in files if _CONCERNED.get(module, bool)(file)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        placed, _ = place(concerned, folder, ScanLimits(), _NAMED.get(module, numbered))
        began = time.perf_counter()
        for one in placed:
            look(folder, one.name)
        return time.perf_counter() - began
