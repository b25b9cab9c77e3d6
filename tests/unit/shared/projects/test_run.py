"""A run's use cases in their order, over fakes: planned once, applied once, answered once, shown as it stands."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.audit import AuditTag
from shared.domain.delivery import RequestState
from shared.domain.plan import ENDED, Plan, StepState
from shared.domain.run import Conclusion, ProjectState, Refusal, StepTask
from shared.domain.run_activities import EndedStep
from shared.errors import ConflictError, DefectError, TransientError
from shared.projects import answering
from shared.projects.admission import admit
from shared.projects.applying import LONGEST_PAUSE, apply_step, end_step, pause_before
from shared.projects.planning import draw_plan
from shared.projects.ports import PROJECTS, REQUESTS
from shared.projects.status import listed, status
from tests.fakes.app import REQUESTS as REPOSITORY
from tests.fakes.app import App, a_connection, a_request, an_issue, form
from tests.fakes.forges import Fault


class Run:
    """One run and what was drawn for it."""

    def __init__(self, app: App, issue=None, number: int = 1) -> None:
        self.app = app
        self.input = app.run_for(issue or an_issue(), number)
        self.admission = admit(app.ports, self.input)
        self.project = self.admission.project
        self.plan = draw_plan(app.ports, self.input, self.project) if self.project else None

    def task(self, step: str, attempt: int = 1, *, last: bool = False) -> StepTask:
        return StepTask(
            instance=self.input.instance, project=self.project, connection="acme", plan=self.plan.digest, step=step,
            attempt=attempt, last=last,
        )  # fmt: skip

    def apply(self, step: str, attempt: int = 1, *, last: bool = False):
        return apply_step(self.app.ports, self.task(step, attempt, last=last))

    def apply_all(self) -> dict[str, str]:
        states = {}
        for step in self.plan.steps:
            for attempt in range(1, 6):
                outcome = self.apply(step.id, attempt)
                if outcome.state in ENDED:
                    break
            states[step.id] = outcome.state.value
        return states

    def conclude(self, reason: str = "") -> ProjectState:
        given = Conclusion(run=self.input, project=self.project, states={}, reason=reason)
        return answering.conclude(self.app.ports, given)

    def progress(self, step: str):
        return self.app.ports.progress.get(self.input.instance, step)[0]

    def comments(self) -> list[str]:
        return [comment.body for comment in self.app.github.said[str(REPOSITORY), 7]]


@pytest.fixture
def app():
    app = App()
    app.connect_to()
    return app


@pytest.fixture
def run(app):
    return Run(app)


STEP = "github.repository"


# planning


def test_drawing_twice_is_one_plan_and_one_record(app, run):
    again = draw_plan(app.ports, run.input, run.project)
    assert again == run.plan
    assert app.tags(run.project) == [AuditTag.REQUEST_RECEIVED, AuditTag.PLAN_DRAWN]
    assert [step.step for step in app.ports.steps(run.input.instance)] == [step.id for step in run.plan.steps]


def test_a_pinned_plan_is_kept_whatever_is_drawn_today(app, run, monkeypatch):
    monkeypatch.setattr("shared.projects.planning.plan_for", lambda *given: pytest.fail("drawn anew"))
    assert draw_plan(app.ports, run.input, run.project).digest == run.plan.digest


def test_drawing_for_a_project_claimed_by_another_run_is_a_defect(app, run):
    with pytest.raises(DefectError, match="not claimed"):
        draw_plan(app.ports, run.input.model_copy(update={"instance": "other"}), run.project)
    with pytest.raises(DefectError, match="not claimed"):
        draw_plan(app.ports, run.input, "nothing")


def test_a_conflict_while_pinning_reads_again(app, monkeypatch):
    replace, lost = app.ports.projects.replace, []

    def once(*given):
        if not lost:
            lost.append(True)
            raise ConflictError("changed")
        return replace(*given)

    monkeypatch.setattr(app.ports.projects, "replace", once)
    run = Run(app)
    assert app.ports.project(run.project).plan == run.plan.digest


def test_an_advisory_connection_draws_and_says_so(app):
    app.connect_to(a_connection(mode="advisory"))
    run = Run(app)
    assert run.plan.advisory
    assert app.tags(run.project)[-1] is AuditTag.PLAN_ADVISED
    assert run.conclude() is ProjectState.ADVISED
    assert "advisory mode: nothing was created" in run.comments()[0]
    assert app.ports.requests.get(REQUESTS, run.input.subject)[0].state is RequestState.ADVISED


# applying


def test_a_step_is_applied_recorded_and_shown(app, run):
    assert run.apply(STEP).state is StepState.APPLIED
    shown = run.progress(STEP)
    assert (shown.state, shown.attempts) == (StepState.APPLIED, 1)
    event = app.events(run.project)[-1]
    assert (event.tag, event.artifacts) == (AuditTag.GITHUB_STEP_APPLIED, (run.plan.digest,))


def test_an_ended_step_repeats_itself_and_touches_nothing(app, run):
    first = run.apply(STEP)
    calls, size = len(app.github.calls), app.audit.head(run.project).size
    again = run.apply(STEP, 2)
    assert (again.state, again.url) == (first.state, first.url)
    assert (len(app.github.calls), app.audit.head(run.project).size) == (calls, size)


@pytest.mark.parametrize(
    ("fault", "state", "tag"),
    [
        (Fault.REFUSED, StepState.FAILED, AuditTag.GITHUB_STEP_FAILED),
        (Fault.UNSUPPORTED, StepState.UNSUPPORTED, AuditTag.GITHUB_STEP_UNSUPPORTED),
    ],
)
def test_refusals_end_a_step_with_the_remedy(app, run, fault, state, tag):
    app.github.fail("create_repository", fault)
    outcome = run.apply(STEP)
    assert outcome.state is state
    assert run.progress(STEP).remedy
    assert app.tags(run.project)[-1] is tag


@pytest.mark.parametrize("fault", [Fault.TRANSIENT, Fault.LOST])
def test_trouble_that_passes_is_waited_for_and_the_next_try_ends_it(app, run, fault):
    app.github.fail("create_repository", fault, retry_after=17)
    outcome = run.apply(STEP)
    assert (outcome.state, outcome.wait_seconds) == (StepState.WAITING, 17)
    assert run.progress(STEP).state is StepState.WAITING
    assert run.apply(STEP, 2).state is StepState.APPLIED
    assert run.progress(STEP).attempts == 2
    assert app.github.names() == ["acme/order-desk"]


def test_the_last_try_that_still_waits_has_failed_with_a_remedy(app, run):
    app.github.fail("create_repository", Fault.TRANSIENT)
    outcome = run.apply(STEP, 9, last=True)
    assert outcome.state is StepState.FAILED
    assert "gave up after 9 tries" in outcome.reason
    assert outcome.remedy


def test_defects_are_raised(app, run):
    app.unreachable["acme"] = ValueError("bug")
    with pytest.raises(ValueError, match="bug"):
        run.apply(STEP)
    with pytest.raises(DefectError, match="never planned"):
        run.apply("github.nothing")


def test_progress_written_meanwhile_is_asked_for_again(app, run, monkeypatch):
    monkeypatch.setattr(app.ports.progress, "replace", _raising(ConflictError("changed")))
    app.github.calls.clear()
    with pytest.raises(TransientError):
        run.apply(STEP)
    assert app.github.calls == []


def _raising(error):
    def raise_it(*given):
        raise error

    return raise_it


@pytest.mark.parametrize("twin_ended", [False, True])
def test_a_twin_that_wrote_meanwhile_keeps_what_ended(app, run, twin_ended):
    def twin():
        progress, etag = app.ports.progress.get(run.input.instance, STEP)
        state = StepState.CONFIRMED if twin_ended else StepState.RUNNING
        changed = progress.model_copy(update={"state": state, "finished_at": app.clock.now() if twin_ended else None})
        app.ports.progress.replace(run.input.instance, STEP, changed, etag)

    app.github.after["create_repository"] = twin
    run.apply(STEP)
    assert run.progress(STEP).state is (StepState.CONFIRMED if twin_ended else StepState.APPLIED)


@pytest.mark.parametrize("state", [StepState.SKIPPED, StepState.FAILED])
def test_a_step_is_ended_without_a_try_once(app, run, state):
    ended = EndedStep(task=run.task(STEP), state=state, reason="because", remedy="do")
    for _ in range(2):
        end_step(app.ports, ended)
    shown = run.progress(STEP)
    assert (shown.state, shown.reason) == (state, "because")
    assert len([event for event in app.events(run.project) if event.step == STEP]) == 1
    assert (shown.started_at is None) == (state is StepState.SKIPPED)


def test_pauses_grow_to_a_limit_and_the_forges_word_wins():
    assert pause_before(1, 1, 30) == 30
    assert pause_before(1, 1, 0) == 0
    assert 0.5 <= pause_before(1, 1, None) <= 1
    assert 4 <= pause_before(4, 1, None) <= 8
    assert pause_before(500, 1, None) <= LONGEST_PAUSE


# answering


def test_a_run_from_its_start_to_its_end(app, run):
    answering.announce(app.ports, run.input, run.project)
    assert set(run.apply_all().values()) == {"applied"}
    assert run.conclude() is ProjectState.COMPLETED
    assert len(run.comments()) == 2
    assert "is ready" in run.comments()[1]
    assert app.audit.head(run.project).root[:8]
    project = app.ports.project(run.project)
    assert project.finished_at
    assert app.ports.requests.get(REQUESTS, run.input.subject)[0].state is RequestState.COMPLETED


def test_a_second_run_changes_nothing_on_the_forges(app, run):
    run.apply_all()
    run.conclude()
    before = [len(forge.changes()) for forge in (app.github, app.azure)]
    second = Run(app, number=2)
    assert set(second.apply_all().values()) == {"confirmed"}
    assert [len(forge.changes()) for forge in (app.github, app.azure)] == before


@pytest.mark.parametrize("name", ["Größe 漢字漢字漢字漢字漢字漢字 API", "Платёжный шлюз для магазинов X", "A" * 64])
def test_projects_of_any_script_are_made_whole(app, name):
    run = Run(app, an_issue(form(Project_name=name)))
    assert run.project, run.admission
    assert set(run.apply_all().values()) == {"applied"}


def test_concluding_twice_is_one_answer_and_one_record(app, run):
    run.apply_all()
    run.conclude()
    finished, size = app.ports.project(run.project).finished_at, app.audit.head(run.project).size
    app.clock.advance(timedelta(hours=1))
    assert run.conclude() is ProjectState.COMPLETED
    assert len(run.comments()) == 1
    assert app.ports.project(run.project).finished_at == finished
    assert app.audit.head(run.project).size == size


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.TRANSIENT])
def test_a_comment_is_said_once_under_retries(app, run, fault):
    app.github.fail("comment", fault)
    with pytest.raises(TransientError):
        answering.announce(app.ports, run.input, run.project)
    url = answering.announce(app.ports, run.input, run.project)
    assert url.endswith("issuecomment-1")
    assert len(run.comments()) == 1


def test_a_locked_issue_does_not_undo_the_run(app, run, caplog):
    app.github.fail("comment", Fault.REFUSED)
    assert answering.announce(app.ports, run.input, run.project) == ""
    assert "could not be answered" in caplog.text
    assert AuditTag.GITHUB_ISSUE_ANSWERED not in app.tags(run.project)


def test_an_answer_that_changed_is_edited(app, run):
    answering.announce(app.ports, run.input, run.project)
    record, etag = app.ports.projects.get(PROJECTS, run.project)
    app.ports.projects.replace(PROJECTS, run.project, record.model_copy(update={"name": "Renamed"}), etag)
    answering.announce(app.ports, run.input, run.project)
    assert len(run.comments()) == 1
    assert "**Renamed**" in run.comments()[0]


def test_failures_are_told_with_their_remedy(app, run):
    app.github.fail("create_repository", Fault.REFUSED)
    run.apply(STEP)
    assert run.conclude() is ProjectState.FAILED
    (comment,) = run.comments()
    assert "is not complete" in comment
    assert "Grant what create" in comment
    assert app.tags(run.project)[-2:] == [AuditTag.PROJECT_FAILED, AuditTag.GITHUB_ISSUE_ANSWERED]


def test_a_run_that_broke_before_its_steps_has_failed(app, run):
    assert run.conclude("ValueError: boom") is ProjectState.FAILED
    assert app.ports.project(run.project).reason == "ValueError: boom"


def test_a_refusal_names_each_field_and_nothing_in_it_acts(app):
    run = Run(app, an_issue(form(Owner="@octocat <img src=x> [x](javascript:1) &commat;all #1 https://evil.example")))
    answering.refuse(app.ports, Refusal(run=run.input, admission=run.admission))
    answering.refuse(app.ports, Refusal(run=run.input, admission=run.admission))
    (comment,) = run.comments()
    assert "| Owner |" in comment
    assert "Edit the issue" in comment


def test_without_an_issue_nothing_is_said(app):
    given = app.api_run(a_request())
    admission = admit(app.ports, given)
    draw_plan(app.ports, given, admission.project)
    app.github.calls.clear()
    assert answering.announce(app.ports, given, admission.project) == ""
    assert app.github.calls == []


def test_unknown_and_reclaimed_projects_are_defects(app, run):
    with pytest.raises(DefectError, match="does not exist"):
        answering.announce(app.ports, run.input, "nothing")
    record, etag = app.ports.projects.get(PROJECTS, run.project)
    app.ports.projects.replace(PROJECTS, run.project, record.model_copy(update={"instance": "other"}), etag)
    with pytest.raises(DefectError, match="not claimed"):
        run.conclude()


def test_a_conflict_while_ending_reads_again(app, run, monkeypatch):
    replace, lost = app.ports.projects.replace, []

    def once(*given):
        if not lost:
            lost.append(True)
            raise ConflictError("changed")
        return replace(*given)

    run.apply_all()
    monkeypatch.setattr(app.ports.projects, "replace", once)
    assert run.conclude() is ProjectState.COMPLETED
    assert app.ports.project(run.project).state is ProjectState.COMPLETED


# status


def test_the_status_shows_steps_times_links_and_record(app, run):
    run.apply("azure_devops.project")
    app.clock.advance(timedelta(seconds=3))
    run.apply(STEP)
    view = status(app.ports, run.project, latest=2)
    steps = {step.id: step for step in view.steps}
    assert (view.done, view.ended, view.total) == (1, 1, len(run.plan.steps))
    assert (steps["azure_devops.project"].state, steps["azure_devops.project"].seconds) == (StepState.WAITING, 3)
    assert steps["azure_devops.repository"].seconds is None
    assert view.links == {
        "github": "https://github.example/acme/order-desk",
        "issue": "https://github.example/acme/requests/issues/7",
    }
    assert (view.record.size, len(view.record.latest)) == (3, 2)
    assert view.plan == run.plan.digest
    assert Plan.model_validate_json(app.artifacts.get(view.plan)).project == run.project
    run.apply("azure_devops.project", 2)
    assert "azure_devops" in status(app.ports, run.project, latest=0).links


def test_there_is_no_status_of_nothing_and_the_latest_is_listed_first(app, run):
    assert status(app.ports, "nothing") is None
    app.clock.advance(timedelta(seconds=1))
    Run(app, an_issue(form(Project_name="Second"), id="78", number=8))
    assert [record.id for record in listed(app.ports)] == ["second", "order-desk"]
