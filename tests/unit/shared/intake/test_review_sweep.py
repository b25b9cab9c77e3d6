"""The sweep starts reviews whose event never arrived, and offers again what the engine lost; one forge away stops nobody."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.change import ChangeRef
from shared.domain.forge import ForgeName, RepositoryRef
from shared.domain.project import RequestOrigin
from shared.domain.review import ReviewEnd, Ruling, Verdict
from shared.domain.run import ProjectRecord, ProjectState
from shared.intake.review_sweep import sweep_reviews
from shared.reviews import recording
from shared.reviews.running import conclude
from tests.fakes.app import T0, App, a_connection, a_request
from tests.fakes.changes import HEAD, a_change
from tests.fakes.forges import Fault

QUIET = timedelta(minutes=5)
REPOSITORIES = {
    ForgeName.GITHUB: RepositoryRef(owner="acme", name="order-desk"),
    ForgeName.AZURE_DEVOPS: RepositoryRef(owner="Order Desk", name="Order Desk"),
}


@pytest.fixture(params=list(ForgeName))
def name(request):
    return request.param


@pytest.fixture
def app():
    app = App()
    app.connect_to(a_connection())
    project(app, ProjectState.COMPLETED)
    return app


def project(app, state):
    record = ProjectRecord(
        id="order-desk", name="Order Desk", connection="acme", subject="s", run=1, instance="s.1", state=state,
        request=a_request(), created_at=T0, started_at=T0, origin=RequestOrigin(subject="s", requester="casey"),
    )  # fmt: skip
    app.ports.projects.put("projects", "order-desk", record)


def opened(app, name):
    ref = ChangeRef(forge=name, repository=REPOSITORIES[name], number=7)
    app.review_forges[name].open(a_change(name).model_copy(update={"ref": ref}))
    return ref


def swept(app):
    return sweep_reviews(app.ports, app.reviews, quiet=QUIET)


def test_an_open_pull_request_nobody_told_of_is_reviewed_once(app, name):
    ref = opened(app, name)
    (start,) = swept(app).start
    assert (start.ref, start.head, start.project) == (ref, HEAD, "order-desk")
    assert swept(app).start == ()


def test_one_that_is_known_is_left_alone_until_nothing_is_heard_of_it(app, name):
    ref = opened(app, name)
    begun = recording.want(app.reviews, ref, HEAD, project="order-desk", connection="acme", reason="a push").start
    assert swept(app).start == ()
    app.clock.advance(QUIET + timedelta(seconds=1))
    assert [one.instance for one in swept(app).start] == [begun.instance]


def test_projects_that_are_not_there_yet_are_not_looked_at(app, name):
    opened(app, name)
    project(app, ProjectState.RUNNING)
    assert swept(app).start == ()


def test_a_paused_connection_is_not_looked_at(app, name):
    opened(app, name)
    app.connect_to(a_connection(paused=True))
    assert swept(app).start == ()


def test_a_forge_that_does_not_answer_is_told_and_stops_nobody(app):
    opened(app, ForgeName.GITHUB)
    app.review_forges[ForgeName.GITHUB].fail("changes", Fault.TRANSIENT)
    found = swept(app)
    assert found.start == ()
    assert found.problems[0].startswith("order-desk: ")


def test_a_verdict_that_rests_on_a_waiver_is_judged_again_when_its_day_is_over(app, name):
    ref = opened(app, name)
    run = recording.want(app.reviews, ref, HEAD, project="order-desk", connection="acme", reason="a push").start
    verdict = Verdict(
        ruling=Ruling.PASSED, reason="all stand", reviewed="d" * 64, waived_until=app.clock.now() + timedelta(hours=1)
    )
    assert conclude(app.review_room(), ReviewEnd(run=run, verdict=verdict)) == 0
    assert swept(app).start == ()
    app.clock.advance(timedelta(hours=1))
    (again,) = swept(app).start
    assert (again.ref, again.round, again.reason) == (ref, 2, "a waiver has ended")
    # It is under way now, and afterwards rests on no waiver any more.
    assert swept(app).start == ()
    conclude(app.review_room(), ReviewEnd(run=again, verdict=verdict.model_copy(update={"waived_until": None})))
    assert swept(app).start == ()
