"""One run at a time for a project or a connection, listed repository by repository."""

from __future__ import annotations

import pytest

from shared.domain.forge import ForgeName
from shared.domain.run import ProjectState
from shared.domain.scaffold_update import EndedRun, ProjectUpdate, UpdateState
from shared.errors import ConflictError, DefectError, RefusedError
from shared.projects.scaffold import TEMPLATE_VERSION
from shared.projects.updates import running
from tests.fakes.app import a_connection
from tests.fakes.updates import OLDER, World


@pytest.fixture
def world():
    return World()


def begun(world, **more):
    return running.begin(world.app.updates, world.connection, "mona", **more)


def test_a_run_under_way_is_the_run_for_whoever_asks(world):
    first = begun(world, force=True)
    assert (first.instance, first.run, first.force) == ("scaffold-update-connection-acme.1", 1, True)
    assert begun(world) == first
    assert begun(world, project="order-desk").instance == "scaffold-update-project-order-desk.1"
    assert "mona" not in first.model_dump_json()


def test_after_its_end_there_is_another(world):
    first = begun(world)
    assert running.finish(world.app.updates, EndedRun(run=first)) == "completed"
    second = begun(world)
    assert second.run == 2
    assert running.finish(world.app.updates, EndedRun(run=first)) == "running"  # told late, it ends nothing
    assert running.newest(world.app.updates, "acme").state == "running"


def test_two_that_ask_at_the_same_moment_get_one_run(world, monkeypatch):
    runs, create = world.app.updates.runs, world.app.updates.runs.create
    theirs = []

    def late(partition, key, record):
        if not theirs:
            theirs.append(record.model_copy(update={"actor": "somebody else"}))
            create(partition, key, theirs[0])
            raise ConflictError("exists")
        return create(partition, key, record)

    monkeypatch.setattr(runs, "create", late)
    assert begun(world) == theirs[0]


def test_a_paused_connection_is_refused(world):
    with pytest.raises(RefusedError, match="paused"):
        running.begin(world.app.updates, a_connection(paused=True), "mona")


def test_a_run_is_about_the_completed_projects_of_its_connection(world):
    record = world.app.ports.project("order-desk")
    for ident, changes in {
        "another": {}, "failed": {"state": ProjectState.FAILED}, "elsewhere": {"connection": "b"},
        "unplanned": {"plan": ""},
    }.items():  # fmt: skip
        world.app.ports.projects.put("projects", ident, record.model_copy(update={"id": ident} | changes))
    assert running.targets(world.app.updates, begun(world)) == ["another", "order-desk"]
    assert running.targets(world.app.updates, begun(world, project="order-desk")) == ["order-desk"]


def test_each_repository_is_pending_until_it_is_looked_at(world):
    run = begun(world)
    task = ProjectUpdate(run=run, project="order-desk")
    for _ in range(2):
        target = running.target(world.app.updates, task)
    assert set(target.forges) == set(ForgeName)
    view = running.newest(world.app.updates, "acme")
    assert {(o.forge, o.state) for o in view.outcomes} == {(forge, UpdateState.PENDING) for forge in ForgeName}
    world.offer(ForgeName.GITHUB, instance=run.instance)
    running.target(world.app.updates, task)
    states = {o.forge: o.state for o in running.newest(world.app.updates, "acme").outcomes}
    assert states == {ForgeName.GITHUB: UpdateState.OFFERED, ForgeName.AZURE_DEVOPS: UpdateState.PENDING}


@pytest.mark.parametrize("broken", [{}, {"order-desk": "KeyError: x"}])
def test_its_end_says_whether_anything_failed(world, broken):
    run = begun(world)
    state = running.finish(world.app.updates, EndedRun(run=run, broken=broken))
    view = running.newest(world.app.updates, "acme")
    assert view.state == state == ("partly_failed" if broken else "completed")
    assert view.broken == broken
    assert view.finished_at


def test_a_failed_repository_makes_it_partly_failed(world):
    run = begun(world)
    world.app.connect_to(a_connection(paused=True))
    world.offer(ForgeName.GITHUB, instance=run.instance)
    assert running.finish(world.app.updates, EndedRun(run=run)) == "partly_failed"


def test_a_run_nobody_began_is_a_defect(world):
    run = begun(world).model_copy(update={"connection": "nowhere"})
    with pytest.raises(DefectError):
        running.finish(world.app.updates, EndedRun(run=run))
    assert running.newest(world.app.updates, "nowhere") is None


def test_an_end_that_collides_is_written_again(world, monkeypatch):
    run = begun(world)
    runs, replace = world.app.updates.runs, world.app.updates.runs.replace
    collided = []

    def once(*given):
        if not collided:
            collided.append(given)
            raise ConflictError("changed")
        return replace(*given)

    monkeypatch.setattr(runs, "replace", once)
    assert running.finish(world.app.updates, EndedRun(run=run)) == "completed"
    assert collided


def test_a_project_is_shown_beside_the_templates_with_every_file(world):
    view = running.beside_templates(world.app.updates, "order-desk")
    assert (view.version, view.running) == (TEMPLATE_VERSION, False)
    assert [r.standing.base_version for r in view.repositories] == [OLDER, OLDER]
    begun(world, project="order-desk")
    world.offer(ForgeName.GITHUB)
    view = running.beside_templates(world.app.updates, "order-desk")
    assert view.running
    by_forge = {r.standing.forge: r for r in view.repositories}
    assert [file.path for file in by_forge[ForgeName.GITHUB].files] == ["README.md"]
    assert by_forge[ForgeName.AZURE_DEVOPS].files == ()
    with pytest.raises(RefusedError, match="no project"):
        running.beside_templates(world.app.updates, "nowhere")
