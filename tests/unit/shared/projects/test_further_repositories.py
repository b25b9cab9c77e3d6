"""A project's further repositories are made like its main one, each for itself, and taken back whole."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.domain.forge import ForgeName, RepositoryRef
from shared.domain.plan import ReversalState, StepProgress, StepState, taken_back
from shared.domain.project import RepositoryRequest, RequestOrigin
from shared.domain.run import ProjectRecord, ProjectState
from shared.projects import bundle
from shared.projects.admission import faults_with
from shared.projects.adopting.planning import held_by
from shared.projects.planning import plan_for, readme
from shared.projects.previewing import Change, preview
from shared.projects.steps import definitions
from tests.fakes.app import App, a_connection, a_request
from tests.fakes.steps import Bench

ASKED = ({"name": "Web-Shop", "stack": "react", "description": "Its pages."}, {"name": "notes", "forges": ["github"]})
OF_THE_SHOP = {
    "azure_devops": {
        "branch_rules", "build_validation", "pipeline", "pipeline_permissions", "repository", "scaffold",
        "variable_group",
    },
    "github": {
        "branch_rules", "build_validation", "deployment_environments", "hook", "labels", "repository", "scaffold",
        "security", "topics",
    },
}  # fmt: skip
NOTES = RepositoryRef(owner="acme", name="notes")


def benched(app: App | None = None, **changes: object) -> Bench:
    app = app or App()
    connection = app.connect_to(a_connection())
    plan, scaffolds = plan_for(app.ports, a_request(**({"repositories": ASKED} | changes)), connection, 2026)
    for packed in scaffolds.values():
        app.artifacts.put(packed, bundle.MEDIA_TYPE)
    return Bench(app, plan)


@pytest.fixture
def bench() -> Bench:
    return benched()


def ids(bench: Bench) -> list[str]:
    return [step.id for step in bench.plan.steps]


def apply(bench: Bench, steps: list[str] | None = None) -> None:
    for step in steps or ids(bench):
        for _ in range(10):
            outcome = bench.attempt(step)
            if outcome.state is not StepState.WAITING:
                break
        assert outcome.state in {"applied", "confirmed", "unsupported"}, (step, outcome)


def take_back(bench: Bench) -> dict[str, ReversalState]:
    return {
        step: bench.reversed(step).state
        for step in reversed(ids(bench))
        if definitions()[bench.plan.step(step).kind].reverse is not None
    }


# drawn


def test_the_main_repositorys_steps_are_as_without_further_ones(bench):
    alone = benched(repositories=())
    further = [step for step in bench.plan.steps if step.id.endswith((".web-shop", ".notes"))]
    assert [step for step in bench.plan.steps if step not in further] == list(alone.plan.steps)
    assert len(further) > 10


@pytest.mark.parametrize("forge", OF_THE_SHOP)
def test_each_has_the_steps_of_the_main_one_that_are_a_repositorys_own(bench, forge):
    drawn = {step.kind for step in bench.plan.steps if step.id.endswith(".web-shop") and step.forge == forge}
    # A required build is drawn where the rules ask for one.
    asked = {kind for kind in OF_THE_SHOP[forge] if f"{forge}.{kind}" in ids(bench)}
    assert drawn == asked >= OF_THE_SHOP[forge] - {"build_validation"}


def test_without_a_stack_nothing_is_drawn_that_a_pipeline_or_workflow_needs(bench):
    notes = [step for step in bench.plan.steps if step.id.endswith(".notes")]
    assert {step.forge for step in notes} == {ForgeName.GITHUB}
    assert {step.kind for step in notes} == OF_THE_SHOP["github"] - {"build_validation", "deployment_environments"}
    assert bench.plan.step("github.scaffold.notes").title == "notes: README"


def test_service_hooks_of_a_whole_azure_devops_project_are_not_doubled(bench):
    assert [step.id for step in bench.plan.steps if step.kind == "hook"] == [
        "azure_devops.hook",
        "github.hook",
        "github.hook.web-shop",
        "github.hook.notes",
    ]


def test_a_further_repository_waits_for_its_own_and_for_what_the_project_has(bench):
    needs = {step.id: step.depends_on for step in bench.plan.steps}
    assert needs["github.repository.web-shop"] == ()
    assert needs["github.branch_rules.web-shop"] == ("github.scaffold.web-shop",)
    assert needs["azure_devops.repository.web-shop"] == ("azure_devops.project",)
    assert needs["azure_devops.pipeline_permissions.web-shop"] == (
        "azure_devops.pipeline.web-shop",
        "azure_devops.variable_group.web-shop",
        "azure_devops.environments",
    )


def test_the_same_bytes_go_to_both_forges_and_name_the_repository(bench):
    on = {forge: bench.plan.step(f"{forge}.scaffold.web-shop").inputs["scaffold"] for forge in ForgeName}
    assert len(set(on.values())) == 1
    assert on[ForgeName.GITHUB] != bench.plan.step("github.scaffold").inputs["scaffold"]
    files = bundle.unpack(bench.app.artifacts.get(str(on[ForgeName.GITHUB]))).files
    assert b"Web-Shop" in files["README.md"]
    # The group its pipeline reads is the one that is made for it.
    group = bench.plan.step("azure_devops.variable_group.web-shop").inputs["name"]
    assert f'group: "{group}"' in files["azure-pipelines.yml"].decode()


def test_a_readme_shows_what_was_given_as_it_was_given():
    given = RepositoryRequest(name="a_b", description="*Notes* <b>of</b> [all](x) & more")
    assert readme(given) == b"# a\\_b\n\n\\*Notes\\* \\<b\\>of\\</b\\> \\[all\\](x) \\& more\n"
    assert readme(RepositoryRequest(name="notes")) == b"# notes\n"


# made


def test_all_are_made_and_made_again_nothing_changes(bench):
    apply(bench)
    assert bench.app.github.names() == ["acme/Web-Shop", "acme/notes", "acme/order-desk"]
    assert bench.app.azure.names() == ["Order Desk/Order Desk", "Order Desk/Web-Shop"]
    assert list(bench.app.github.stored(NOTES).branches["main"]) == ["README.md"]
    assert bench.app.github.stored(NOTES).rules["main"].minimum_reviewers == 1
    before = [list(forge.changes()) for forge in (bench.app.github, bench.app.azure)]
    bench.of_an_earlier_run()
    apply(bench)
    assert [list(forge.changes()) for forge in (bench.app.github, bench.app.azure)] == before


def test_somebody_elses_repository_of_that_name_stays_theirs(bench):
    bench.app.github.put_repository(NOTES, description="theirs")
    outcome = bench.attempt("github.repository.notes")
    assert outcome.state is StepState.FAILED
    assert "not made by this request" in outcome.reason
    assert "another name" in outcome.remedy


def test_a_preview_tells_of_each_and_needs_none_of_them_stored():
    app = App()
    connection = app.connect_to(a_connection())
    plan, scaffolds = plan_for(app.ports, a_request(repositories=ASKED), connection, 2026)
    seen = preview(app.ports, connection, plan, scaffolds)
    assert {step.change for step in seen} == {Change.MAKE}
    # A repository that is there and empty is looked into, with a scaffold that lies in no store.
    bench = Bench(app, plan)
    apply(bench, ["github.repository.notes"])
    seen = {step.id: step for step in preview(app.ports, connection, plan, scaffolds)}
    assert seen["github.repository.notes"].change is Change.NONE
    assert (seen["github.scaffold.notes"].change, seen["github.scaffold.notes"].first_call) == (
        Change.MAKE,
        "commit_files",
    )


# taken back


def test_taken_back_nothing_is_left_on_either_forge(bench):
    apply(bench)
    fates = take_back(bench)
    assert bench.app.github.names() == bench.app.azure.names() == []
    assert bench.intents() == []
    assert fates["github.repository.notes"] is fates["github.repository"] is ReversalState.REMOVED
    assert fates["azure_devops.repository.web-shop"] is ReversalState.WITH_CONTAINER


def test_a_repository_added_later_is_taken_back_alone():
    app = App()
    first = benched(app, repositories=())
    apply(first)
    first.of_an_earlier_run()
    before = first.intents()
    later = benched(app)
    later.instance = first.instance
    apply(later)
    fates = take_back(later)
    assert app.github.names() == ["acme/order-desk"]
    assert app.azure.names() == ["Order Desk/Order Desk"]
    assert later.intents() == before
    assert {step for step, fate in fates.items() if fate is ReversalState.REMOVED} == {
        "azure_devops.pipeline.web-shop",
        "azure_devops.pipeline_permissions.web-shop",
        "azure_devops.repository.web-shop",
        "azure_devops.variable_group.web-shop",
        "github.repository.notes",
        "github.repository.web-shop",
    }
    assert fates["github.hook.notes"] is ReversalState.WITH_CONTAINER


def shown(bench: Bench, fates: dict[str, ReversalState]) -> dict[str, ReversalState]:
    """What the status page tells, of reversals that came to ``fates``."""
    rows = [
        StepProgress(
            step=step.id,
            title=step.title,
            forge=step.forge,
            kind=step.kind,
            depends_on=step.depends_on,
            order=order,
            reversal={"state": fates[step.id]} if step.id in fates else None,
        )
        for order, step in enumerate(bench.plan.steps)
    ]
    return taken_back(rows)


def test_what_goes_with_a_repository_shares_that_repositorys_fate_and_no_others(bench):
    apply(bench)
    fates = take_back(bench) | {"github.repository.notes": ReversalState.FAILED}
    told = shown(bench, fates)
    assert told["github.hook.notes"] is told["github.scaffold.notes"] is ReversalState.FAILED
    assert told["github.hook.web-shop"] is told["github.hook"] is ReversalState.REMOVED
    # A repository of Azure DevOps goes with the project, and what stands in it with both.
    assert told["azure_devops.branch_rules.web-shop"] is ReversalState.REMOVED
    assert ReversalState.WITH_CONTAINER not in told.values()


def test_while_its_container_still_stands_what_goes_with_it_is_waited_for(bench):
    told = shown(bench, {"github.hook.notes": ReversalState.WITH_CONTAINER})
    assert told == {"github.hook.notes": ReversalState.WAITING}


# weighed


def test_a_name_its_charts_would_share_with_another_repository_is_refused():
    request = a_request(
        repositories=[{"name": "x" * 41, "stack": "react"}, {"name": "x" * 42, "stack": "flask"}, {"name": "x" * 43}]
    )
    (fault,) = faults_with(request, a_connection())
    assert fault.field == "repositories.1.name"
    assert "the name 'xxxxxxxxxx" in fault.problem
    assert fault.example


def test_an_address_no_scaffold_takes_is_refused_by_the_repositorys_name():
    connection = a_connection()
    assert connection.azure_devops
    far = connection.azure_devops.model_copy(update={"organization_url": "https://dev.example/" + "o" * 430})
    request = a_request(
        name="Desk", repositories=[{"name": "short", "stack": "react"}, {"name": "w" * 64, "stack": "react"}]
    )
    (fault,) = faults_with(request, connection.model_copy(update={"azure_devops": far}))
    assert (fault.field, fault.example) == ("repositories.1.name", "a shorter name")
    assert "500 are the most" in fault.problem


def test_the_repositories_of_a_project_are_its_own_to_those_who_look_for_idle_ones():
    request = a_request(repositories=ASKED)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    record = ProjectRecord(
        id=request.project_id,
        name=request.name,
        connection="acme",
        subject="s",
        run=1,
        instance="run-1",
        state=ProjectState.COMPLETED,
        request=request,
        origin=RequestOrigin(subject="s", requester="api"),
        created_at=now,
        started_at=now,
    )
    assert held_by(record) == {
        (ForgeName.GITHUB, "order-desk"),
        (ForgeName.AZURE_DEVOPS, "order desk"),
        (ForgeName.GITHUB, "web-shop"),
        (ForgeName.GITHUB, "notes"),
    }
