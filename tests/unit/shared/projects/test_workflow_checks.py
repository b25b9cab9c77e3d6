"""Only checks that every pull request gets are required: one that never reports would block every merge."""

from __future__ import annotations

import pytest
import yaml

from shared.domain.project import Stack
from shared.errors import RefusedError
from shared.projects.planning import plan_for, rendered
from shared.projects.workflow_checks import reported_checks
from tests.fakes.app import App, a_connection, a_request

PATH = ".github/workflows/ci.yml"
JOB = {"runs-on": "ubuntu-24.04"}


def checks(events, jobs, path=PATH):
    return reported_checks({path: yaml.safe_dump({"on": events, "jobs": jobs}).encode()}, "main")


@pytest.mark.parametrize("stack", Stack)
def test_of_every_scaffold_the_jobs_that_need_no_branch_are_planned(stack):
    app = App()
    request = a_request(stack=stack)
    connection = app.connect_to(a_connection())
    plan, _ = plan_for(app.ports, request, connection, 2026)
    planned = plan.step("github.build_validation").inputs["checks"]
    jobs = yaml.safe_load(rendered(request, connection, 2026).files[PATH])["jobs"]
    assert planned == [job["name"] for job in jobs.values() if "environment" not in job]
    assert {"Lint and format", "Unit tests", "Security", "Build image"} <= set(planned)


@pytest.mark.parametrize("events", ["pull_request", ["push", "pull_request"], {"pull_request": None}])
def test_a_job_is_called_by_its_name_else_by_its_key(events):
    assert checks(events, {"one": JOB, "two": {**JOB, "name": "Two"}}) == ("one", "Two")


@pytest.mark.parametrize(
    "events",
    [
        "push",
        ["push"],
        {"push": None},
        {"pull_request": {"paths": ["src/**"]}},
        {"pull_request": {"branches": ["release"]}},
        {"pull_request": {"branches": ["main"], "types": ["labeled"]}},
        {"pull_request": "odd"},
        None,
    ],
)
def test_a_workflow_that_may_not_run_gives_no_checks(events):
    assert checks(events, {"one": JOB}) == ()


def test_a_workflow_of_the_branch_gives_its_checks():
    assert checks({"pull_request": {"branches": ["main"]}}, {"one": JOB}) == ("one",)


@pytest.mark.parametrize(
    "more",
    [
        {"if": "github.ref == 'refs/heads/main'"},
        {"strategy": {"matrix": {"python": ["3.13"]}}},
        {"uses": "./.github/workflows/other.yml"},
        {"name": "Test ${{ github.actor }}"},
        {"needs": "two"},
        {"needs": ["lost"]},
    ],
)
def test_a_job_that_may_not_report_is_left_out_with_those_that_need_it(more):
    jobs = {"one": {**JOB, **more}, "two": {**JOB, "needs": ["one"]}, "three": JOB}
    assert checks("pull_request", jobs) == ("three",)


def test_what_is_no_workflow_has_no_checks():
    assert checks("pull_request", {"one": JOB}, path=".github/ci.yml") == ()
    assert checks("pull_request", []) == ()
    assert checks("pull_request", {"one": "text"}) == ()
    assert reported_checks({PATH: b"[]"}, "main") == ()


def test_a_file_that_is_no_yaml_is_refused_by_its_path():
    with pytest.raises(RefusedError, match=PATH):
        reported_checks({PATH: b"a: [\n"}, "main")
