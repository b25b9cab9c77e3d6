"""The daily round looks at every finished project, and one that cannot be looked at stops nobody."""

from __future__ import annotations

from orchestrations.drift import drift
from tests.replay.engine import Engine
from tests.replay.story import again, done


def played(answers):
    def look(payload):
        answer = answers[payload["project"]]
        if isinstance(answer, Exception):
            raise answer
        return answer.pop(0) if isinstance(answer, list) else answer

    activities = {"list_finished": lambda _: done(list(answers)), "look_for_drift": look}
    engine = Engine({"drift": drift}, activities)
    return engine, engine.run("drift", "drift-2026-01-31", {"day": "2026-01-31"})


def test_a_round_says_what_has_drifted():
    engine, run = played({"a": done(False), "b": done(True)})
    assert run.output == {"looked_at": 2, "drifted": ["b"], "unseen": []}
    looked = [payload for name, payload in engine.called if name == "look_for_drift"]
    assert looked == [{"project": name, "instance": "drift-2026-01-31"} for name in "ab"]


def test_a_project_that_cannot_be_looked_at_stops_nobody():
    _, run = played({"a": RuntimeError("gone"), "b": done(True)})
    assert run.output == {"looked_at": 1, "drifted": ["b"], "unseen": ["a"]}


def test_a_forge_that_asks_for_patience_gets_it():
    _, run = played({"a": [again("throttled", 3), done(False)]})
    assert run.output == {"looked_at": 1, "drifted": [], "unseen": []}


def test_without_projects_there_is_nothing_to_do():
    engine, run = played({})
    assert run.output == {"looked_at": 0, "drifted": [], "unseen": []}
    assert engine.names() == ["list_finished"]
