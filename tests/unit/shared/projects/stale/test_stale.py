"""Idle projects are listed with their dates, and removed only when asked by name: all that any run made, nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from shared.domain.activity import Activity, ActivityFact, ActivityKind, Idleness
from shared.domain.audit import AuditTag
from shared.domain.forge import Hook, RepositoryRef
from shared.domain.plan import ReversalState
from shared.domain.run import Conclusion, ProjectState, StepTask
from shared.errors import RefusedError
from shared.projects import answering
from shared.projects.admission import admit
from shared.projects.lost import settle
from shared.projects.planning import draw_plan
from shared.projects.ports import PROJECTS
from shared.projects.reversing import reverse_step
from shared.projects.stale.listing import LISTINGS, listed
from shared.projects.stale.removing import NameDiffersError, draw, left_over, remove
from tests.fakes.app import App, a_connection, a_request
from tests.fakes.forges import Fault
from tests.unit.shared.projects.adopting.test_adopting import BOTH, FILES, adopt, consented, run_of
from tests.unit.shared.projects.test_run import Run

PATIENCE = {"deadline_seconds": 60, "pause_seconds": 0.1}
GITHUB = RepositoryRef(owner="acme", name="order-desk")


@pytest.fixture
def app():
    app = App()
    app.connect_to()
    return app


@pytest.fixture
def made(app):
    run = Run(app)
    run.apply_all()
    run.conclude()
    long_ago(app)
    return run


def long_ago(app, days=200):
    at = app.clock.now() - timedelta(days=days)
    for forge, name in ((app.github, "order-desk"), (app.azure, "order desk")):
        forge.pushed[name], forge.commits[name] = at, 1
    return at


def rows(app, days=90, limit=100):
    return {row.name: row for row in listed(app.stale, a_connection(), days=days, limit=limit).projects}


def asked(app, name="Order Desk", **changed):
    return remove(app.stale, "order-desk", name, **({"even_if_active": False, "actor": "casey"} | PATIENCE | changed))


def carried_out(app, run):
    plan = draw(app.ports, run, "order-desk")
    for step in reversed(plan.steps):
        memory = {}
        for attempt in range(1, 20):
            task = StepTask(
                instance=run.instance, project="order-desk", connection="acme", plan=plan.digest, step=step.id,
                attempt=attempt, whole=True, memory=memory,
            )  # fmt: skip
            reversal = reverse_step(app.ports, task)
            memory = reversal.observed
            if reversal.state is not ReversalState.WAITING:
                break
    return answering.conclude(app.ports, Conclusion(run=run, project="order-desk", states={}))


# listing


def test_a_project_of_ours_is_one_line_with_both_its_places(app, made):
    row = rows(app)["Order Desk"]
    assert row.project == "order-desk"
    assert row.why == (Idleness.EMPTY, Idleness.STALE)
    assert [place.forge for place in row.places] == ["azure_devops", "github"]
    assert row.latest == app.clock.now() - timedelta(days=200)
    assert app.stale.listings.get(LISTINGS, "order-desk")[0].seen["github.push"] == row.latest


def test_work_on_one_forge_keeps_the_whole_project_off_the_list(app, made):
    app.azure.happened["order desk"] = Activity(
        facts=(ActivityFact(kind=ActivityKind.WORK_ITEM, at=app.clock.now()),), commits=1, own_items=True, calls=3
    )
    assert rows(app) == {}


def test_what_people_wrote_is_not_empty_and_stale_all_the_same(app, made):
    app.github.commits["order-desk"] = 2
    assert rows(app)["Order Desk"].why == (Idleness.STALE,)


def test_what_others_made_is_listed_and_never_ours(app, made):
    app.github.put_repository(RepositoryRef(owner="acme", name="attic"))
    app.azure.put_project("Attic")
    ours = [row for row in listed(app.stale, a_connection(), days=90, limit=100).projects if not row.project]
    assert {(row.name, row.why) for row in ours} == {
        ("attic", (Idleness.EMPTY, Idleness.STALE)), ("Attic", (Idleness.EMPTY, Idleness.STALE)),
    }  # fmt: skip


def test_a_project_whose_places_are_gone_is_listed_as_gone(app, made):
    app.github.delete_repository(GITHUB)
    app.azure._remove_project("order desk")
    assert rows(app)["Order Desk"].why == (Idleness.GONE,)


def test_a_forge_that_does_not_answer_is_told_and_nothing_of_it_is_called_gone(app, made):
    app.github.fail("inventory", Fault.TRANSIENT)
    listing = listed(app.stale, a_connection(), days=90, limit=100)
    assert [one.name for one in listing.unread] == ["github"]
    assert listing.projects == ()


def test_a_place_that_does_not_answer_is_told(app, made):
    app.github.fail("activity", Fault.TRANSIENT)
    listing = listed(app.stale, a_connection(), days=90, limit=100)
    assert (listing.projects, [one.name for one in listing.unread]) == ((), ["Order Desk"])


def test_calls_are_counted_and_the_limit_says_what_was_left_off(app, made):
    for number in range(5):
        app.github.put_repository(RepositoryRef(owner="acme", name=f"attic-{number}"))
    listing = listed(app.stale, a_connection(), days=90, limit=100)
    assert (listing.calls, listing.looked_at, listing.left_off) == (2 + 7, 7, 0)
    few = listed(app.stale, a_connection(), days=90, limit=2)
    assert few.looked_at + few.left_off == 7


# removing


def test_all_that_any_run_made_is_removed_and_seen_to_be_gone(app, made):
    rows(app)
    # A second run confirmed what the first one made: the ledger of its instance holds nothing.
    again = app.api_run(a_request(name="Order Desk"))
    assert admit(app.ports, again).admitted
    draw_plan(app.ports, again, "order-desk")
    end = app.ports.project("order-desk").model_copy(update={"state": ProjectState.COMPLETED})
    app.ports.projects.put(PROJECTS, "order-desk", end)
    begun = asked(app, even_if_active=True)
    assert carried_out(app, begun.start) is ProjectState.REMOVED
    assert app.github.names() == app.azure.names() == []
    assert app.azure.projects == {}
    assert left_over(app.ports, "order-desk") == []
    tags = app.tags("order-desk")
    assert tags.index(AuditTag.REMOVAL_REQUESTED) < tags.index(AuditTag.AZURE_DEVOPS_STEP_REVERSED)
    assert tags[-1] is AuditTag.PROJECT_REMOVED
    assert admit(app.ports, app.api_run(a_request(name="Order Desk"), run=7)).admitted


def test_the_name_must_be_typed_exactly(app, made):
    rows(app)
    with pytest.raises(NameDiffersError):
        asked(app, "order desk")
    assert app.ports.project("order-desk").state is ProjectState.COMPLETED


def test_what_was_never_listed_is_not_removed(app, made):
    with pytest.raises(RefusedError, match="never listed"):
        asked(app)


def test_what_was_worked_in_since_the_listing_is_not_removed(app, made):
    rows(app)
    app.github.pushed["order-desk"] = app.clock.now() + timedelta(hours=1)
    with pytest.raises(RefusedError, match="since it was listed: push"):
        asked(app)
    assert asked(app, even_if_active=True).start is not None


def test_an_idle_project_is_removed_once_however_often_it_is_asked(app, made):
    rows(app)
    first, second = asked(app), asked(app)
    assert first.instance == second.instance
    assert (first.again, second.again) == (False, True)


@pytest.mark.parametrize("state", [ProjectState.RUNNING, ProjectState.COMPENSATED, ProjectState.REMOVED])
def test_what_is_under_way_or_gone_is_not_removed(app, made, state):
    rows(app)
    record = app.ports.project("order-desk")
    app.ports.projects.put(PROJECTS, record.id, record.model_copy(update={"state": state}))
    with pytest.raises(RefusedError):
        asked(app)


def test_a_paused_connection_removes_nothing(app, made):
    rows(app)
    app.connect_to(a_connection(paused=True))
    with pytest.raises(RefusedError, match="paused"):
        asked(app)


def test_a_project_of_an_unknown_id_is_refused(app):
    with pytest.raises(RefusedError, match="no project"):
        asked(app)


def test_what_cannot_be_removed_is_told_and_asked_for_again_later(app, made):
    rows(app)
    begun = asked(app)
    app.github.fail("delete_repository", Fault.REFUSED)
    assert carried_out(app, begun.start) is ProjectState.FAILED
    record = app.ports.project("order-desk")
    assert "github.repository" in record.reason
    again = asked(app, even_if_active=True)
    assert again.instance != begun.instance
    assert carried_out(app, again.start) is ProjectState.REMOVED


def test_a_removal_that_ended_unheard_has_failed(app, made):
    rows(app)
    begun = asked(app)
    draw(app.ports, begun.start, "order-desk")
    settle(app.ports, begun.start, "FAILED")
    assert app.ports.project("order-desk").state is ProjectState.FAILED


def test_of_an_adopted_project_only_what_was_made_beside_it_goes(app):
    github, azure = (
        RepositoryRef(owner="acme", name="legacy-shop"),
        RepositoryRef(owner="Legacy Shop", name="Legacy Shop"),
    )
    app.github.put_repository(github)
    app.azure.put_project("Legacy Shop", process="scrum")
    app.azure.put_person("casey")
    for forge, ref in ((app.github, github), (app.azure, azure)):
        forge.commit_files(ref, "trunk", FILES, message="First")
    theirs = app.github.create_hook(github, Hook(url="https://theirs.example", events=("push",)), "s")
    record = adopt(app.ports, BOTH, a_connection(), actor="casey")
    run_of(app, consented(app, record))
    begun = remove(app.stale, record.id, "Legacy Shop", even_if_active=True, actor="casey", **PATIENCE)
    plan = draw(app.ports, begun.start, record.id)
    for step in reversed(plan.steps):
        task = StepTask(
            instance=begun.instance, project=record.id, connection="acme", plan=plan.digest, step=step.id, attempt=1,
            whole=True,
        )  # fmt: skip
        for attempt in range(1, 6):
            if reverse_step(app.ports, task.model_copy(update={"attempt": attempt})).state is not ReversalState.WAITING:
                break
    state = answering.conclude(app.ports, Conclusion(run=begun.start, project=record.id, states={}))
    assert state is ProjectState.REMOVED
    assert app.github.stored(github).branches["trunk"] == FILES
    assert app.github.hooks(github) == (theirs,)
    assert app.azure.wiki("Legacy Shop") is None
    assert isinstance(app.ports.project(record.id).finished_at, datetime)
