"""A preview says what would change, beside live state, and changes nothing at all."""

from __future__ import annotations

import inspect

import pytest

from shared import ports as protocols
from shared.domain.forge import ForgeName, RepositoryRef
from shared.projects import bundle
from shared.projects.planning import plan_for
from shared.projects.previewing import CHANGING, Change, ReadOnly, WouldChangeError, preview
from tests.fakes.app import App, a_connection, a_request
from tests.fakes.forges import Fault
from tests.fakes.steps import Bench


@pytest.fixture
def app():
    app = App()
    app.connect_to()
    return app


def looked(app: App):
    plan, scaffolds = plan_for(app.ports, a_request(), a_connection(), 2026)
    before = [list(forge.changes()) for forge in (app.github, app.azure)]
    seen = preview(app.ports, a_connection(), plan, scaffolds)
    assert [list(forge.changes()) for forge in (app.github, app.azure)] == before
    assert [step.id for step in seen] == [step.id for step in plan.steps]
    return {step.id: step for step in seen}


def made(app: App) -> None:
    plan, scaffolds = plan_for(app.ports, a_request(), a_connection(), 2026)
    for packed in scaffolds.values():
        app.artifacts.put(packed, bundle.MEDIA_TYPE)
    Bench(app, plan).made(*[step.id for step in plan.steps])


def test_of_nothing_everything_would_be_made_and_nothing_is_written_down(app):
    seen = looked(app)
    assert {step.change for step in seen.values()} == {Change.MAKE}
    assert seen["azure_devops.project"].first_call == "create_project"
    assert seen["github.repository"].first_call == "create_repository"
    assert not app.ports.ledger("order-desk").intended("github.repository:acme/order-desk")


def test_of_what_is_there_nothing_would_change(app):
    made(app)
    assert {step.change for step in looked(app).values()} <= {Change.NONE, Change.NOT_SUPPORTED}


def test_what_somebody_undid_would_be_made_again(app):
    made(app)
    ref = RepositoryRef(owner="acme", name="order-desk")
    for hook in app.github.hooks(ref):
        app.github.delete_hook(ref, hook.id)
    seen = looked(app)
    assert seen["github.hook"].change is Change.MAKE
    assert seen["github.hook"].first_call == "create_hook"
    assert seen["github.scaffold"].change is Change.NONE


def test_what_is_somebody_elses_is_a_conflict_and_stops_its_dependants(app):
    app.github.create_repository(RepositoryRef(owner="acme", name="order-desk"), description="theirs", private=True)
    seen = looked(app)
    assert seen["github.repository"].change is Change.CONFLICT
    assert seen["github.repository"].remedy
    assert seen["github.scaffold"].change is Change.CONFLICT
    assert seen["azure_devops.project"].change is Change.MAKE


@pytest.mark.parametrize(
    ("fault", "change"),
    [
        (Fault.TRANSIENT, Change.UNKNOWN),
        (Fault.REFUSED, Change.CONFLICT),
        (Fault.UNSUPPORTED, Change.NOT_SUPPORTED),
    ],
)
def test_a_forge_that_cannot_be_read_is_told(app, fault, change):
    app.azure.fail("project", fault)
    assert looked(app)["azure_devops.project"].change is change


def test_a_read_only_forge_reads_and_refuses_every_change(app):
    forge = ReadOnly(app.github)
    assert forge.repository(RepositoryRef(owner="acme", name="nothing")) is None
    with pytest.raises(WouldChangeError, match="create_repository"):
        forge.create_repository(RepositoryRef(owner="acme", name="x"), description="", private=True)


READS = {
    "backlog", "entries",
    "branch_head", "branch_rules", "file_digests", "hooks", "is_ancestor", "missed_events", "operation", "permissions", "pipeline",
    "required_builds", "required_statuses", "commit", "file_content", "pull_requests", "tree",
    "activity", "has_work_items", "merge_kinds", "pipeline_definitions", "inventory",
    "approvers", "classification", "notifications", "permitted_pipelines", "process", "process_type", "team_planning", "deployment_environments", "environments", "has_account", "has_team", "identity", "labels", "security", "topics",
    "members", "role_group", "team", "variable_group", "wiki", "wiki_page", "wiki_pages",
    "project", "repository", "repository_page", "work_items", "comments", "failed_deliveries", "is_team_member", "issue", "open_issues",
}  # fmt: skip


@pytest.mark.parametrize("protocol", [protocols.Forge, protocols.RepositorySettings, protocols.WorkTracker])
def test_every_method_of_a_forge_is_known_to_read_or_named_as_changing(protocol):
    for name, _ in inspect.getmembers(protocol, inspect.isfunction):
        if not name.startswith("_"):
            changes = name.startswith(CHANGING)
            assert changes != (name in READS), f"{name}: name it like a change, or list it among the reads here"


def test_both_forges_are_looked_at(app):
    assert {step.forge for step in looked(app).values()} == set(ForgeName)
