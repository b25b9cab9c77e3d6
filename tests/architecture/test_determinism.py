"""Orchestrators depend on their history alone; the checker itself is held to samples, good and bad."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrations import activities
from tests.architecture.determinism import faults, orchestrators

ROOT = Path(__file__).resolve().parents[2]
RUNBOOKS = [
    path for path in sorted((ROOT / "orchestrations").rglob("*.py")) if path.stem not in {"activities", "__init__"}
]
DOMAIN = sorted((ROOT / "shared" / "domain").glob("*.py"))


def test_orchestrators_are_found():
    found = {name for path in RUNBOOKS for name in orchestrators(path.read_text(encoding="utf-8"))}
    assert {"bootstrap", "step", "call"} <= found


def test_activities_hold_no_orchestrator():
    source = Path(activities.__file__).read_text(encoding="utf-8")
    assert orchestrators(source) == []


@pytest.mark.parametrize("path", [*RUNBOOKS, *DOMAIN], ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_every_orchestrator_and_what_it_decides_with_is_deterministic(path):
    assert faults(path.read_text(encoding="utf-8")) == []


BAD = """
import random
import time
from os import environ
from shared.services import services

def runbook(context: OrchestrationContext, payload):
    begun = set()
    names: set[str] = {"a"}
    both = begun | names
    started = datetime.now(UTC)
    unique = uuid.uuid4()
    import socket
    open("x")
    os.environ["A"]
    for name in begun:
        yield name
    for name in both - {"x"}:
        yield name
    first = [n for n in names]
    text = ", ".join(names)
    listed = list(frozenset(first))
    one = names.pop()
    rest = [*names]
    order = {key: 1 for key in {"a", "b"}}

async def other(context: OrchestrationContext, payload):
    return 1
"""


@pytest.mark.parametrize(
    "fault",
    [
        "2: imports random",
        "3: imports time",
        "4: imports os.environ",
        "5: imports shared.services",
        "11: calls datetime.now()",
        "12: calls uuid.uuid4()",
        "13: imports socket",
        "14: calls open()",
        "15: reads the environment",
        "16: iterates over the set begun; sort it",
        "18: iterates over the set both - {'x'}; sort it",
        "20: iterates over the set names; sort it",
        "21: takes a set in no order: ', '.join(names)",
        "22: takes a set in no order: list(frozenset(first))",
        "23: takes any one of a set: names.pop()",
        "24: unpacks the set names; sort it",
        "25: iterates over the set {'a', 'b'}; sort it",
        "27: other is async; the engine drives plain generators",
    ],
)
def test_a_bad_sample_is_told_line_by_line(fault):
    assert fault in faults(BAD)


def test_a_good_sample_passes():
    good = """
from datetime import timedelta

def runbook(context: OrchestrationContext, payload):
    begun: set[str] = set()
    begun.add("a")
    for name in sorted(begun):
        yield context.create_timer(timedelta(seconds=len(name)))
    if "a" in begun and begun <= {"a", "b"}:
        return context.current_utc_datetime

def start(client: SyncDurableFunctionsClient):
    import uuid
    return uuid.uuid4()
"""
    assert faults(good) == []
