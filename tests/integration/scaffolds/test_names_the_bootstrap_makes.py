"""What a project's pipelines ask for is what its plan makes, name by name: a wrong one would release without approval."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema

from shared.domain.plan import Plan
from shared.domain.project import ProjectRequest, Stack
from shared.projects.drawing import Surroundings, draw
from shared.projects.scaffold import LAYERS, slug_for

each_stack = pytest.mark.parametrize("stack", LAYERS)
each_choice = pytest.mark.parametrize(
    "environments",
    [
        ["staging", "production"],
        ["production"],
        ["Test", "Prod EU", "prod.us"],
        ["A b", "a-c", "on", "1.0", "an environment with a name as long as nobody has"],
        [],
    ],
    ids=["default", "one", "own names", "hard names", "none"],
)


def plan_of(stack: Stack, environments: list[str]) -> Plan:
    request = ProjectRequest.model_validate(
        {
            "name": "Order Desk",
            "owner": "octocat",
            "stack": stack.value,
            "environments": [{"name": name, "approvers": ["octo/releasers"]} for name in environments],
        }
    )
    around = Surroundings(
        connection="main",
        github_owner="octo",
        github_hook_url="https://doneright.example/api/webhooks/github",
        azure_devops_hook_url="https://doneright.example/api/webhooks/azure-devops",
        scaffold="sha256:" + "0" * 64,
        template_version="1.0.0",
        checks=("Unit tests",),
    )
    return draw(request, around)


def inputs_of(plan: Plan, step: str) -> dict[str, Any]:
    return next((dict(found.inputs) for found in plan.steps if found.id == step), {})


def read(root: Path, path: str) -> Any:
    return yaml.safe_load((root / path).read_text(encoding="utf-8"))


def names(given: Any) -> list[str]:
    return [environment["name"] for environment in given]


def deployments(pipeline: Any) -> list[tuple[str, Any]]:
    return [
        (stage["stage"], job)
        for stage in pipeline["stages"]
        for job in stage["jobs"]
        if "deployment" in job or "environment" in job
    ]


@each_stack
@each_choice
def test_the_pipeline_deploys_to_the_planned_environments_in_their_order(
    generate: Callable[..., Path], stack: Stack, environments: list[str]
) -> None:
    plan = plan_of(stack, environments)
    root = generate(stack=stack, environments=environments)
    planned = inputs_of(plan, "azure_devops.environments").get("environments", [])
    pipeline = read(root, "azure-pipelines.yml")
    found = deployments(pipeline)
    assert [job["environment"] for _, job in found] == names(planned) == environments
    before = {stage["stage"]: stage["dependsOn"] for stage in pipeline["stages"]}
    stages = [stage for stage, _ in found]
    assert len(set(before)) == len(pipeline["stages"])
    assert [before[stage] for stage in stages] == ["image", *stages[:-1]][: len(stages)]
    # Azure Pipelines takes letters, digits and underscores in these names.
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", stage) for stage in before)


@each_stack
@each_choice
def test_the_workflow_deploys_to_the_planned_environments_in_their_order(
    generate: Callable[..., Path], stack: Stack, environments: list[str]
) -> None:
    plan = plan_of(stack, environments)
    workflow = read(generate(stack=stack, environments=environments), ".github/workflows/ci.yml")
    planned = inputs_of(plan, "github.deployment_environments").get("environments", [])
    found = {name: job for name, job in workflow["jobs"].items() if "environment" in job}
    assert [job["environment"]["name"] for job in found.values()] == names(planned) == environments
    assert [job["needs"] for job in found.values()] == ["image", *list(found)[:-1]][: len(found)]
    assert len({job["concurrency"]["group"] for job in found.values()}) == len(found)
    workflow["on"] = workflow.pop(True)
    jsonschema.Draft7Validator(get_builtin_schema("vendor.github-workflows")).validate(workflow)


@each_stack
@each_choice
def test_the_pipeline_reads_the_planned_variable_group_and_nothing_that_is_not_in_it(
    generate: Callable[..., Path], stack: Stack, environments: list[str]
) -> None:
    plan = plan_of(stack, environments)
    root = generate(stack=stack, environments=environments)
    group = inputs_of(plan, "azure_devops.variable_group")
    text = (root / "azure-pipelines.yml").read_text(encoding="utf-8")
    assert yaml.safe_load(text)["variables"] == [{"group": group["name"]}]
    assert group["name"] == slug_for("Order Desk")
    read_there = {name for name in re.findall(r"\$\(([^)]+)\)", text) if not name.startswith("Build.")}
    assert read_there <= group["variables"].keys()
    # Only what tells the project apart is for people alone.
    assert group["variables"].keys() - read_there <= {"PROJECT_ID"} | (
        set() if environments else {"CONTAINER_REGISTRY"}
    )


@each_stack
@each_choice
def test_the_pipeline_may_use_all_it_names(
    generate: Callable[..., Path], stack: Stack, environments: list[str]
) -> None:
    plan = plan_of(stack, environments)
    root = generate(stack=stack, environments=environments)
    granted = inputs_of(plan, "azure_devops.pipeline_permissions")
    pipeline = read(root, "azure-pipelines.yml")
    assert {job["environment"] for _, job in deployments(pipeline)} <= set(granted["environments"])
    assert [{"group": granted["variable_group"]}] == pipeline["variables"]
    assert granted["pipeline"] == inputs_of(plan, "azure_devops.pipeline")["name"]
    assert (root / str(inputs_of(plan, "azure_devops.pipeline")["yaml_path"]).removeprefix("/")).is_file()


@each_stack
@each_choice
def test_approvers_are_asked_on_every_environment_a_pipeline_deploys_to(
    generate: Callable[..., Path], stack: Stack, environments: list[str]
) -> None:
    plan = plan_of(stack, environments)
    root = generate(stack=stack, environments=environments)
    for step, deployed in (
        (
            "azure_devops.environments",
            [job["environment"] for _, job in deployments(read(root, "azure-pipelines.yml"))],
        ),
        (
            "github.deployment_environments",
            [
                job["environment"]["name"]
                for job in read(root, ".github/workflows/ci.yml")["jobs"].values()
                if "environment" in job
            ],
        ),
    ):
        asked = {one["name"] for one in inputs_of(plan, step).get("environments", []) if one["approvers"]}
        assert set(deployed) == asked
    branch = inputs_of(plan, "github.branch_rules")["branch"]
    jobs = read(root, ".github/workflows/ci.yml")["jobs"].values()
    assert {job["if"] for job in jobs if "environment" in job} <= {f"${{{{ github.ref == 'refs/heads/{branch}' }}}}"}


@each_choice
@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a POSIX shell")
def test_the_release_script_knows_each_environment_and_the_documents_name_what_to_make(
    generate: Callable[..., Path], environments: list[str]
) -> None:
    root = generate(environments=environments)
    tools = root.parent / "tools"
    tools.mkdir()
    (tools / "helm").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    (tools / "helm").chmod(0o755)
    documented = (root / "docs/deployment.md").read_text(encoding="utf-8")
    namespaces = []
    for stage, job in deployments(read(root, "azure-pipelines.yml")):
        steps = job["strategy"]["runOnce"]["deploy"]["steps"]
        (key,) = (step["script"].split()[1] for step in steps if step.get("script", "").startswith("scripts/deploy.sh"))
        assert stage == f"deploy_{key.replace('-', '_')}"
        done = subprocess.run(
            [str(root / "scripts/deploy.sh"), key, "registry.example.com/order-desk", "0a1b2c"],
            env={**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        asked = done.stdout.splitlines()
        values = Path(asked[asked.index("--values") + 1])
        last = job["environment"] == environments[-1]
        assert values.name == ("values-production.yaml" if last else "values-staging.yaml")
        assert values.is_file()
        namespaces.append(asked[asked.index("--namespace") + 1])
        assert re.fullmatch(r"[a-z0-9-]{1,63}", namespaces[-1])
        (service,) = {
            step["inputs"]["kubernetesServiceEndpoint"] for step in steps if step.get("task") == "Kubernetes@1"
        }
        for named in (namespaces[-1], service, job["environment"]):
            assert f"`{named}`" in documented
    assert len(set(namespaces)) == len(environments)
