"""What exists is planned from its live state, changed by consent alone, and never taken for our own."""

from __future__ import annotations

import pytest

from shared.domain.adoption import AdoptionWish, Mark
from shared.domain.audit import AuditTag
from shared.domain.connection import Mode
from shared.domain.forge import (
    BranchRules,
    DeploymentEnvironment,
    ForgeName,
    MergeKind,
    PipelineDefinition,
    RepositoryRef,
)
from shared.domain.plan import ENDED, Plan, ReversalState, StepState
from shared.domain.project import TeamRequest
from shared.domain.run import Conclusion, ProjectState, StepTask
from shared.errors import RefusedError, TransientError
from shared.projects import answering, drift
from shared.projects.admission import admit, objection
from shared.projects.adopting import consenting
from shared.projects.adopting.live import NotThereError
from shared.projects.adopting.planning import WishFaultError, adopt, look, shown
from shared.projects.applying import apply_step
from shared.projects.planning import draw_plan
from shared.projects.ports import PROJECTS
from shared.projects.reversing import reverse_step
from shared.projects.status import status
from tests.fakes.app import App, a_connection, a_request
from tests.fakes.forges import Fault

GITHUB = RepositoryRef(owner="acme", name="legacy-shop")
AZURE = RepositoryRef(owner="Legacy Shop", name="Legacy Shop")
FILES = {"README.md": b"Ours since 2019.", "azure-pipelines.yml": b"steps: []"}
PATIENCE = {"deadline_seconds": 60, "pause_seconds": 0.1, "decision_seconds": 0}
BOTH = AdoptionWish(
    github_repository="legacy-shop",
    azure_devops_project="Legacy Shop",
    owner="casey",
    environments=({"name": "production", "approvers": ["casey"]},),
)


@pytest.fixture
def app():
    app = App()
    app.connect_to()
    app.github.put_repository(GITHUB)
    app.azure.put_project("Legacy Shop", process="scrum")
    for forge, ref in ((app.github, GITHUB), (app.azure, AZURE)):
        forge.commit_files(ref, "trunk", FILES, message="First")
        forge.calls.clear()
    app.azure.put_person("casey")
    return app


def changes(app):
    return app.github.changes() + app.azure.changes()


def marks(plan):
    return {step.id: step.mark for step in plan.steps}


def run_of(app, asked):
    """Carry a run out as its runbook does."""
    assert asked.start is not None
    run = asked.start
    admission = admit(app.ports, run)
    assert admission.admitted, admission.reason
    plan = draw_plan(app.ports, run, admission.project)
    for step in plan.steps:
        for attempt in range(1, 6):
            task = StepTask(
                instance=run.instance, project=admission.project, connection="acme", plan=plan.digest, step=step.id,
                attempt=attempt,
            )  # fmt: skip
            if apply_step(app.ports, task).state in ENDED:
                break
    answering.conclude(app.ports, Conclusion(run=run, project=admission.project, states={}))
    return app.ports.project(admission.project)


def consented(app, record, steps=None, digest=None, **patience):
    return consenting.consent(
        app.ports, record.id, digest or record.adoption.shown, steps, actor="casey", **(PATIENCE | patience)
    )


def test_the_plan_is_drawn_from_live_state_and_nothing_is_changed(app):
    record = adopt(app.ports, BOTH, a_connection(), actor="casey")
    assert changes(app) == []
    assert record.state is ProjectState.ADOPTABLE
    seen = marks(shown(app.ports, record.adoption.shown))
    for forge in ForgeName:
        assert seen[f"{forge}.repository"] is Mark.AS_PLANNED
        assert seen[f"{forge}.scaffold"] is Mark.NOT_APPLICABLE
        assert seen[f"{forge}.hook"] is Mark.WOULD_MAKE
    # Of three ways to merge, which are the repository's setting, one is left.
    assert seen["github.branch_rules"] is Mark.WOULD_CHANGE
    assert seen["azure_devops.branch_rules"] is Mark.WOULD_MAKE
    assert seen["github.security"] is Mark.WOULD_CHANGE
    assert seen["github.labels"] is Mark.WOULD_MAKE
    assert seen["azure_devops.project"] is Mark.AS_PLANNED
    assert seen["azure_devops.pipeline"] is Mark.WOULD_MAKE
    assert seen["azure_devops.wiki"] is Mark.WOULD_MAKE
    assert seen["azure_devops.backlog"] is Mark.NOT_APPLICABLE
    assert app.tags(record.id) == [AuditTag.ADOPTION_PLANNED]
    facts = {(fact.forge, fact.what): fact.found for fact in record.adoption.facts}
    assert facts[ForgeName.AZURE_DEVOPS, "process"] == "scrum"
    assert facts[ForgeName.GITHUB, "default branch"] == "trunk: has no rules"


def test_no_step_that_makes_a_project_a_repository_or_a_commit_is_in_the_plan(app):
    plan = look(app.ports, BOTH, a_connection()).plan.plan
    assert {"project", "repository", "scaffold"} & {step.kind for step in plan.steps} == set()


def test_rules_are_tightened_field_by_field_and_never_loosened(app):
    merges = frozenset({MergeKind.REBASE})
    theirs = BranchRules(minimum_reviewers=3, require_resolved_comments=False, allowed_merges=merges)
    app.github.protect_branch(GITHUB, "trunk", theirs)
    app.github.merge_store[str(GITHUB)] = merges
    step = next(s for s in look(app.ports, BOTH, a_connection()).plan.steps if s.id == "github.branch_rules")
    assert step.mark is Mark.WOULD_CHANGE
    assert {change.field: (change.now, change.planned) for change in step.changes} == {
        "require_resolved_comments": (False, True)
    }
    record = adopt(app.ports, BOTH, a_connection(), actor="casey")
    # Somebody tightens them further after the plan was drawn and before the step runs.
    asked = consented(app, record)
    app.github.protect_branch(GITHUB, "trunk", theirs.model_copy(update={"minimum_reviewers": 4}))
    run_of(app, asked)
    rules = app.github.stored(GITHUB).rules["trunk"]
    assert (rules.minimum_reviewers, rules.require_resolved_comments) == (4, True)
    assert rules.allowed_merges == merges


def test_what_is_stricter_already_is_as_planned(app):
    for forge, ref in ((app.github, GITHUB), (app.azure, AZURE)):
        forge.protect_branch(ref, "trunk", BranchRules(minimum_reviewers=5, require_linked_work_items=True))
    seen = marks(look(app.ports, BOTH, a_connection()).plan)
    assert {seen[f"{forge}.branch_rules"] for forge in ForgeName} == {Mark.AS_PLANNED}


def test_an_environment_that_asks_somebody_goes_on_asking_them(app):
    theirs = DeploymentEnvironment(name="production", reviewers=("mona",))
    app.github.set_deployment_environment(GITHUB, theirs)
    record = adopt(app.ports, BOTH, a_connection(), actor="casey")
    assert marks(shown(app.ports, record.adoption.shown))["github.deployment_environments"] is Mark.AS_PLANNED
    run_of(app, consented(app, record))
    assert app.github.deployment_environments(GITHUB) == (theirs,)


def test_a_consented_run_applies_and_stands_among_the_projects(app):
    record = adopt(app.ports, BOTH, a_connection(), actor="casey")
    done = run_of(app, consented(app, record))
    assert done.state is ProjectState.COMPLETED
    assert app.github.stored(GITHUB).branches["trunk"] == FILES
    assert drift.finished(app.ports) == [record.id]
    assert not drift.look(app.ports, record.id).drifted
    view = status(app.ports, record.id)
    assert view.links == {
        "github": "https://github.example/acme/legacy-shop",
        "azure_devops": "https://dev.azure.example/acme/Legacy Shop",
    }
    assert view.adoption.consent.by == app.ports.pseudonyms.of("casey", "acme")
    consents = [event for event in app.events(record.id) if event.tag is AuditTag.ADOPTION_CONSENTED]
    assert [event.actor for event in consents] == [view.adoption.consent.by]
    assert app.tags(record.id).index(AuditTag.ADOPTION_CONSENTED) < app.tags(record.id).index(AuditTag.PLAN_DRAWN)
    # Seen from a fresh look, everything is as planned now.
    assert set(marks(look(app.ports, BOTH, a_connection()).plan).values()) <= {Mark.AS_PLANNED, Mark.NOT_APPLICABLE}


def test_only_the_steps_agreed_to_are_applied(app):
    record = adopt(app.ports, BOTH, a_connection(), actor="casey")
    run_of(app, consented(app, record, ["github.topics"]))
    assert set(changes(app)) == {"set_topics"}
    steps = app.ports.steps(app.ports.project(record.id).instance)
    assert {step.step for step in steps} == {
        "azure_devops.project", "azure_devops.repository", "github.repository", "github.topics",
    }  # fmt: skip


@pytest.mark.parametrize("steps", [["github.scaffold"], ["nothing"], []])
def test_steps_nobody_can_agree_to_are_refused(app, steps):
    record = adopt(app.ports, BOTH, a_connection(), actor="casey")
    with pytest.raises(WishFaultError) as refused:
        consented(app, record, steps)
    assert {fault.field for fault in refused.value.faults} == {"steps"}
    assert changes(app) == []


def test_a_plan_that_changed_meanwhile_is_refused_with_the_differences(app):
    record = adopt(app.ports, BOTH, a_connection(), actor="casey")
    app.github.set_topics(GITHUB, ["payments"])
    app.github.calls.clear()
    with pytest.raises(consenting.PlanChangedError) as refused:
        consented(app, record)
    assert any(fault.field == "github.topics.topics" for fault in refused.value.faults)
    assert changes(app) == []
    fresh = app.ports.project(record.id)
    assert fresh.state is ProjectState.ADOPTABLE
    assert fresh.adoption.shown != record.adoption.shown
    assert run_of(app, consented(app, fresh)).state is ProjectState.COMPLETED


def test_the_same_consent_again_is_the_same_run_and_another_is_refused(app):
    record = adopt(app.ports, BOTH, a_connection(), actor="casey")
    first = consented(app, record)
    again = consented(app, record)
    assert (again.instance, again.again) == (first.instance, True)
    with pytest.raises(RefusedError, match="other steps"):
        consented(app, record, ["github.topics"])


def test_what_a_run_made_is_taken_back_and_what_was_there_stays(app):
    app.github.set_topics(GITHUB, ["payments"])
    record = adopt(app.ports, BOTH, a_connection(), actor="casey")
    done = run_of(app, consented(app, record))
    plan = Plan.model_validate_json(app.artifacts.get(done.plan))
    for step in reversed(plan.steps):
        task = StepTask(
            instance=done.instance, project=done.id, connection="acme", plan=done.plan, step=step.id, attempt=1
        )
        for attempt in range(1, 5):
            if reverse_step(app.ports, task.model_copy(update={"attempt": attempt})).state is not ReversalState.WAITING:
                break
    assert app.github.repository(GITHUB) is not None
    assert app.azure.project("Legacy Shop") is not None
    assert app.github.topics(GITHUB) == ("payments",)
    assert app.github.hooks(GITHUB) == app.azure.hooks(AZURE) == ()
    assert app.github.branch_rules(GITHUB, "trunk") is app.azure.branch_rules(AZURE, "trunk") is None
    assert app.azure.wiki("Legacy Shop") is None


def test_reconciling_brings_back_what_was_agreed_to_and_nothing_else(app):
    record = adopt(app.ports, BOTH, a_connection(), actor="casey")
    run_of(app, consented(app, record, ["github.hook"]))
    for hook in app.github.hooks(GITHUB):
        app.github.delete_hook(GITHUB, hook.id)
    assert drift.look(app.ports, record.id).drifted
    app.github.calls.clear()
    again = run_of(app, consenting.reconcile(app.ports, record.id, actor="mona", **PATIENCE))
    assert again.state is ProjectState.COMPLETED
    assert set(changes(app)) == {"create_hook"}
    assert again.adoption.consent.steps == ("github.hook",)


def test_a_request_for_a_new_project_takes_no_adopted_one(app):
    record = adopt(app.ports, BOTH, a_connection(), actor="casey")
    request = a_request(name="Legacy Shop")
    run = app.api_run(request)
    assert "adoption" in objection(record, run.origin, a_connection(), request).reason


def test_what_is_not_there_is_named_by_field(app):
    wish = AdoptionWish(github_repository="nothing", azure_devops_project="Nothing", owner="casey")
    with pytest.raises(NotThereError) as refused:
        look(app.ports, wish, a_connection())
    assert [fault.field for fault in refused.value.faults] == ["github_repository", "azure_devops_project"]


def test_an_owner_nobody_knows_and_rules_that_weaken_are_faults(app):
    with pytest.raises(WishFaultError) as refused:
        look(app.ports, BOTH.model_copy(update={"owner": "nobody-at-all"}), a_connection())
    assert refused.value.faults[0].field == "owner"
    strict = a_connection(least_rules={"minimum_reviewers": 2})
    with pytest.raises(WishFaultError) as refused:
        look(app.ports, BOTH.model_copy(update={"rules": BranchRules(minimum_reviewers=1)}), strict)
    assert refused.value.faults[0].field == "rules.minimum_reviewers"


def test_a_forge_that_does_not_answer_is_asked_again_and_shown_as_nothing(app):
    app.azure.fail("branch_rules", Fault.TRANSIENT)
    with pytest.raises(TransientError):
        look(app.ports, BOTH, a_connection())


def test_an_empty_repository_gets_no_rules_and_says_why(app):
    app.github.put_repository(RepositoryRef(owner="acme", name="bare"))
    plan = look(app.ports, AdoptionWish(github_repository="bare", owner="casey"), a_connection()).plan
    step = next(s for s in plan.steps if s.id == "github.branch_rules")
    assert (step.mark, step.reason) == (Mark.NOT_APPLICABLE, "the repository has no commit on a default branch yet")


def test_a_conflict_is_marked_with_its_remedy(app):
    app.github.set_topics(GITHUB, [f"t{n}" for n in range(20)])
    step = next(s for s in look(app.ports, BOTH, a_connection()).plan.steps if s.id == "github.topics")
    assert step.mark is Mark.CONFLICT
    assert step.remedy


@pytest.mark.parametrize("change", [{"paused": True}, {"mode": Mode.ADVISORY}])
def test_a_connection_that_takes_no_changes_takes_no_consent(app, change):
    record = adopt(app.ports, BOTH, a_connection(), actor="casey")
    app.connect_to(a_connection(**change))
    with pytest.raises(RefusedError, match="connection acme is"):
        consented(app, record)
    assert app.ports.project(record.id).state is ProjectState.ADOPTABLE


def test_what_another_project_holds_cannot_be_adopted_under_another_name(app):
    record = adopt(app.ports, BOTH, a_connection(), actor="casey")
    with pytest.raises(RefusedError, match=f"belongs to the project {record.id}"):
        adopt(app.ports, BOTH.model_copy(update={"name": "Elsewhere"}), a_connection(), actor="mona")


@pytest.mark.parametrize("state", [ProjectState.COMPLETED, ProjectState.RUNNING])
def test_what_was_adopted_or_is_under_way_is_not_put_up_again(app, state):
    record = adopt(app.ports, BOTH, a_connection(), actor="casey")
    app.ports.projects.put(PROJECTS, record.id, record.model_copy(update={"state": state}))
    with pytest.raises(RefusedError):
        adopt(app.ports, BOTH, a_connection(), actor="mona")


def test_an_unknown_stack_and_an_inherited_process_stay_unknown_on_record(app):
    app.azure.put_project("Odd", process="Acme Agile")
    wish = AdoptionWish(azure_devops_project="Odd", owner="casey", backlog=("One",))
    record = adopt(app.ports, wish, a_connection(), actor="casey")
    kept = type(record).model_validate_json(record.model_dump_json())
    assert (kept.request.stack, kept.request.process) == (None, None)
    assert kept.model_dump() == record.model_dump()
    assert marks(shown(app.ports, record.adoption.shown))["azure_devops.backlog"] is Mark.NOT_APPLICABLE


def test_a_backlog_is_seeded_only_where_there_is_none(app):
    wish = BOTH.model_copy(update={"backlog": ("Take an order",)})
    record = adopt(app.ports, wish, a_connection(), actor="casey")
    run_of(app, consented(app, record, ["azure_devops.backlog"]))
    assert len(app.azure.items["legacy shop"]) > 1
    step = next(s for s in look(app.ports, wish, a_connection()).plan.steps if s.id == "azure_devops.backlog")
    assert step.reason == "the project has work items of its own"
    assert all(
        state.state in {StepState.APPLIED, StepState.CONFIRMED} for state in app.ports.steps("adopt-legacy-shop.1")
    )


def test_a_pipeline_that_runs_the_file_already_is_not_doubled(app):
    theirs = PipelineDefinition(name="Nightly", repository=AZURE, yaml_path="/azure-pipelines.yml")
    app.azure.create_pipeline("Legacy Shop", theirs)
    step = next(s for s in look(app.ports, BOTH, a_connection()).plan.steps if s.id == "azure_devops.pipeline")
    assert step.reason == "the pipeline Nightly runs azure-pipelines.yml already"


def test_the_build_of_a_pipeline_that_is_there_is_required(app):
    theirs = PipelineDefinition(name="Nightly", repository=AZURE, yaml_path="/azure-pipelines.yml")
    app.azure.create_pipeline("Legacy Shop", theirs)
    plan = look(app.ports, BOTH, a_connection()).plan
    step = next(s for s in plan.steps if s.id == "azure_devops.build_validation")
    assert step.mark is Mark.WOULD_MAKE
    assert [(change.field, change.planned) for change in step.changes] == [("required build", "Nightly")]


def test_without_a_pipeline_file_and_on_github_no_build_is_required_and_it_says_why(app):
    app.azure.stored(AZURE).branches["trunk"].pop("azure-pipelines.yml")
    steps = {step.id: step for step in look(app.ports, BOTH, a_connection()).plan.steps}
    assert steps["azure_devops.build_validation"].reason == "the repository has no azure-pipelines.yml to build by"
    assert "for its people to say" in steps["github.build_validation"].reason
    assert {steps[f"{forge}.build_validation"].mark for forge in ForgeName} == {Mark.NOT_APPLICABLE}


def test_teams_that_are_there_are_left_to_their_people(app):
    wish = BOTH.model_copy(update={"teams": (TeamRequest(name="Crew"), TeamRequest(name="Ops"))})
    app.azure.create_team("Legacy Shop", "Crew", "Theirs")
    seen = look(app.ports, wish, a_connection()).plan
    step = next(s for s in seen.steps if s.id == "azure_devops.teams")
    assert [change.field for change in step.changes] == ["team Ops"]
    app.azure.create_team("Legacy Shop", "Ops", "Theirs")
    assert marks(look(app.ports, wish, a_connection()).plan)["azure_devops.teams"] is Mark.NOT_APPLICABLE


def test_a_plan_without_branch_rules_says_so_and_asks_nothing(app):
    app.github.fail("branch_rules", Fault.UNSUPPORTED, times=5)
    record = adopt(app.ports, BOTH, a_connection(), actor="casey")
    step = next(s for s in shown(app.ports, record.adoption.shown).steps if s.id == "github.branch_rules")
    assert (step.mark, bool(step.reason)) == (Mark.NOT_APPLICABLE, True)


def test_of_a_connection_without_azure_devops_nothing_there_can_be_adopted(app):
    with pytest.raises(NotThereError) as refused:
        look(app.ports, BOTH, app.connect_to(a_connection(azure_devops=None)))
    assert [fault.field for fault in refused.value.faults] == ["azure_devops_project"]


def test_a_repository_the_project_lacks_is_named(app):
    with pytest.raises(NotThereError) as refused:
        look(app.ports, BOTH.model_copy(update={"azure_devops_repository": "Other"}), a_connection())
    assert [fault.field for fault in refused.value.faults] == ["azure_devops_repository"]


def test_what_doneright_made_needs_no_adoption(app):
    run = app.api_run(a_request())
    assert admit(app.ports, run).admitted
    record = app.ports.project("order-desk")
    app.ports.projects.put(PROJECTS, record.id, record.model_copy(update={"state": ProjectState.COMPLETED}))
    app.github.put_repository(RepositoryRef(owner="acme", name="order-desk"))
    with pytest.raises(RefusedError, match="made by Doneright"):
        adopt(app.ports, AdoptionWish(github_repository="order-desk", owner="casey"), a_connection(), actor="casey")


def test_a_project_of_another_connection_keeps_its_name(app):
    adopt(app.ports, BOTH, a_connection(), actor="casey")
    other = app.connect_to(a_connection(id="other"))
    with pytest.raises(RefusedError, match="belongs to connection acme"):
        adopt(app.ports, BOTH, other, actor="casey")
