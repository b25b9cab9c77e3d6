"""A run offers updates project by project and repository by repository; nothing that fails stops the others."""

from __future__ import annotations

import pytest

from orchestrations import activities
from orchestrations.scaffold_update import AT_ONCE, scaffold_update, scaffold_updates
from shared.domain.forge import ForgeName
from shared.domain.scaffold_update import UpdateState
from shared.projects.updates import running
from tests.fakes.app import T0
from tests.fakes.forges import Fault
from tests.fakes.updates import REFS, World
from tests.replay.engine import Engine
from tests.replay.story import again, done

RUNBOOKS = {"scaffold_updates": scaffold_updates, "scaffold_update": scaffold_update}
RUN = {"instance": "u.1", "run": 1, "connection": "acme", "started_at": T0.isoformat()}


def outcome(task, state=UpdateState.OFFERED):
    return done({"project": task["project"], "forge": task["forge"], "state": state})


def played(projects, offer, **changed):
    scripted = {
        "list_update_targets": lambda _: done(list(projects)),
        "plan_project_update": lambda p: done({"project": p["project"], "forges": ["azure_devops", "github"]}),
        "offer_scaffold_update": offer,
        "end_broken_update": lambda b: outcome(b["task"], UpdateState.FAILED),
        "finish_update_run": lambda e: done("partly_failed" if e["broken"] else "completed"),
    } | changed
    engine = Engine(RUNBOOKS, scripted)
    return engine, engine.run("scaffold_updates", "u.1", RUN)


def test_every_repository_of_every_project_is_a_step():
    engine, run = played("abc", outcome)
    assert run.output == {"state": "completed", "projects": 3, "states": {"offered": 6}, "broken": {}}
    assert engine.names().count("offer_scaffold_update") == 6
    assert set(engine.instances) == {"u.1", "u.1.a", "u.1.b", "u.1.c"}


def test_many_projects_are_looked_at_some_at_once():
    names = [f"p{n:02}" for n in range(AT_ONCE * 2 + 1)]
    engine, run = played(names, outcome)
    assert run.output["projects"] == len(names)
    assert [shown["looked_at"] for shown in run.shown][-1] == len(names)
    assert engine.names()[-1] == "finish_update_run"


def test_a_repository_that_breaks_stops_nobody_and_is_written_down():
    def offer(task):
        if (task["project"], task["forge"]) == ("a", "github"):
            raise KeyError("x")
        return outcome(task)

    engine, run = played("ab", offer)
    assert run.output["states"] == {"failed": 1, "offered": 3}
    (broken,) = [payload for name, payload in engine.called if name == "end_broken_update"]
    assert (broken["task"]["project"], broken["task"]["forge"]) == ("a", "github")
    assert "KeyError" in broken["reason"]


def test_a_project_that_cannot_be_looked_at_is_told_by_name():
    def plan(update):
        if update["project"] == "a":
            raise RuntimeError("gone")
        return done({"project": "b", "forges": ["github"]})

    engine, run = played("ab", outcome, plan_project_update=plan)
    assert run.output["state"] == "partly_failed"
    assert list(run.output["broken"]) == ["a"]
    assert "gone" in next(p for n, p in engine.called if n == "finish_update_run")["broken"]["a"]


def test_a_run_whose_projects_cannot_be_listed_ends():
    def fails(_):
        raise RuntimeError("no storage")

    _, run = played("", outcome, list_update_targets=fails)
    assert run.output["state"] == "failed"
    assert "no storage" in run.output["broken"]["acme"]


def test_a_forge_that_asks_for_patience_gets_it():
    answers = [again("throttled", 30)]
    engine, run = played("a", lambda task: answers.pop() if answers else outcome(task))
    assert run.output["states"] == {"offered": 2}
    assert engine.waits == [30]


def test_without_projects_there_is_nothing_to_do():
    _, run = played("", outcome)
    assert run.output == {"state": "completed", "projects": 0, "states": {}, "broken": {}}


class TestOverRealActivities:
    @pytest.fixture
    def world(self, monkeypatch):
        world = World()
        services = world.app.services()
        monkeypatch.setattr(activities, "services", lambda: services)
        return world

    def run(self, world, **more):
        begun = running.begin(world.app.updates, world.connection, "mona", **more)
        engine = Engine(RUNBOOKS, {activity.__name__: activity for activity in activities.ACTIVITIES})
        return engine.run("scaffold_updates", begun.instance, begun.model_dump(mode="json"))

    def test_both_forges_are_offered_the_update(self, world):
        instance = self.run(world)
        assert instance.output["states"] == {"offered": 2}
        assert {len(forge.repo(REFS[name]).pulls) for name, forge in world.forges.items()} == {1}
        view = running.newest(world.app.updates, "acme")
        assert (view.state, {o.state for o in view.outcomes}) == ("completed", {UpdateState.OFFERED})
        assert self.run(world).output["states"] == {"unchanged": 2}

    def test_one_forge_that_refuses_is_told_and_the_other_is_served(self, world):
        world.forges[ForgeName.GITHUB].fail("write_branch", Fault.REFUSED)
        instance = self.run(world, project="order-desk")
        assert instance.output["states"] == {"failed": 1, "offered": 1}
        assert instance.output["state"] == "partly_failed"

    def test_lost_answers_leave_one_of_everything(self, world):
        for forge in world.forges.values():
            for call in ("write_branch", "create_pull_request", "pull_requests"):
                forge.fail(call, Fault.LOST)
        assert self.run(world).output["states"] == {"offered": 2}
        assert {len(forge.repo(REFS[name]).pulls) for name, forge in world.forges.items()} == {1}

    def test_a_step_that_breaks_is_on_record(self, world, monkeypatch):
        def breaks(*_):
            raise KeyError("x")

        monkeypatch.setattr(world.forges[ForgeName.GITHUB], "tree", breaks)
        assert self.run(world).output["states"] == {"failed": 1, "offered": 1}
        (failed,) = [o for o in running.newest(world.app.updates, "acme").outcomes if o.state is UpdateState.FAILED]
        assert "KeyError" in failed.reason
