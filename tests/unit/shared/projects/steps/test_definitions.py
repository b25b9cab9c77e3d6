"""A step's file and its kind agree, and a plan cannot name a forge its connection lacks."""

from __future__ import annotations

import sys
import types

import pytest

from shared.domain.forge import ForgeName
from shared.errors import DefectError
from shared.projects import steps
from shared.projects.steps import repository
from shared.projects.steps.step import StepContext
from tests.fakes.app import one_by_one


def test_a_file_that_defines_another_kind_is_a_defect(monkeypatch):
    impostor = types.ModuleType("shared.projects.steps.pipeline")
    impostor.STEP = repository.STEP
    monkeypatch.setitem(sys.modules, "shared.projects.steps.pipeline", impostor)
    with pytest.raises(DefectError, match=r"pipeline\.py defines 'repository'"):
        steps.definitions.__wrapped__()


def test_a_forge_the_connection_lacks_is_a_defect():
    context = StepContext(forges={}, tracker=None, artifacts=None, ledger=None, hook_secret=str, together=one_by_one)
    with pytest.raises(DefectError, match="names github"):
        context.forge(ForgeName.GITHUB)
