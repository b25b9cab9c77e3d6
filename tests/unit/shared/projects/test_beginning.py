"""A run and its record are made in one place: the same ask is the same id, and nobody's record is written over."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from shared.domain.delivery import RequestState
from shared.domain.project import RequestOrigin
from shared.domain.run import Runbook
from shared.errors import ConflictError
from shared.projects import beginning
from shared.projects.ports import REQUESTS
from tests.fakes.app import App, a_request

SHARED = Path(__file__).resolve().parents[4] / "shared"
ORIGIN = RequestOrigin(subject="api-order-desk", requester="casey")


def a_run(number=1, **changes):
    given = {"deadline_seconds": 60, "pause_seconds": 0.5} | changes
    return beginning.new_run(ORIGIN, number, "acme", "0" * 64, **given)


def test_the_same_subject_and_number_are_the_same_run():
    assert a_run() == a_run()
    assert a_run().instance == "api-order-desk.1"
    assert a_run(2).instance == "api-order-desk.2"


def test_what_is_not_said_is_a_bootstrap_that_nobody_decides_on():
    run = a_run()
    assert (run.runbook, run.request, run.form, run.decision_seconds) == (Runbook.BOOTSTRAP, None, "", 0)


def test_what_is_said_is_what_the_run_starts_with():
    run = a_run(request=a_request(), form="f" * 64, runbook=Runbook.REMOVAL, decision_seconds=9)
    assert (run.request, run.form, run.runbook) == (a_request(), "f" * 64, Runbook.REMOVAL)
    assert (run.step_deadline_seconds, run.step_pause_seconds, run.decision_seconds) == (60, 0.5, 9)
    assert (run.origin, run.subject, run.connection, run.content_digest) == (ORIGIN, ORIGIN.subject, "acme", "0" * 64)


@pytest.mark.parametrize("state", RequestState)
def test_a_failed_run_is_the_one_that_is_not_started_again(state):
    app = App()
    record = beginning.record_of(app.ports, a_run(), state, project="order-desk")
    assert record.state is state
    assert (record.start is None) == (state is RequestState.FAILED)
    assert (record.instance, record.project, record.updated_at) == (a_run().instance, "order-desk", app.clock.now())


def test_a_run_is_kept_in_place_of_the_one_before_it_alone():
    app = App()
    beginning.keep(app.ports, a_run(), None)
    _, etag = app.ports.requests.get(REQUESTS, ORIGIN.subject)
    beginning.keep(app.ports, a_run(2), etag, project="order-desk")
    kept, _ = app.ports.requests.get(REQUESTS, ORIGIN.subject)
    assert (kept.start, kept.run, kept.project, kept.state) == (a_run(2), 2, "order-desk", RequestState.RUNNING)
    for stale in (None, etag):
        with pytest.raises(ConflictError):
            beginning.keep(app.ports, a_run(3), stale)
    assert app.ports.requests.get(REQUESTS, ORIGIN.subject)[0] == kept


def test_nothing_else_makes_a_run_or_its_record():
    makers = {
        path.relative_to(SHARED).as_posix()
        for path in SHARED.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"RunInput", "RequestRecord"}
    }
    assert makers == {"projects/beginning.py"}
