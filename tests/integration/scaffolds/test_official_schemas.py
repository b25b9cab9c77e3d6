"""Rendered workflow, pipeline, dependabot and issue form files fit the schemas published for their formats."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema

from shared.domain.project import Stack
from shared.projects.scaffold import LAYERS

each_stack = pytest.mark.parametrize("stack", LAYERS)
FORMS = ("bug", "feature", "new-project")

# The published schema names this task among the valid ones and lacks its inputs, which are these:
# https://learn.microsoft.com/azure/devops/pipelines/tasks/reference/publish-code-coverage-results-v2
COVERAGE_TASK = {
    "properties": {
        "task": {"pattern": "^PublishCodeCoverageResults@2$"},
        "inputs": {
            "properties": {
                "summaryFileLocation": {"type": "string"},
                "pathToSources": {"type": "string"},
                "failIfCoverageEmpty": {"type": "boolean"},
            },
            "additionalProperties": False,
            "required": ["summaryFileLocation"],
        },
    },
    "required": ["task", "inputs"],
}


def validator(name: str) -> jsonschema.Draft7Validator:
    """The schema as check-jsonschema packages it, so that no network is asked."""
    return jsonschema.Draft7Validator(get_builtin_schema(f"vendor.{name}"))


@pytest.fixture(scope="module")
def pipeline_validator() -> Any:
    # Azure Pipelines reads every scalar as text and converts it; so does this reader.
    checker = jsonschema.Draft7Validator.TYPE_CHECKER.redefine(
        "boolean", lambda _, value: value in ("true", "false")
    ).redefine("integer", lambda _, value: isinstance(value, str) and value.isdigit())
    official = get_builtin_schema("vendor.azure-pipelines")
    official["definitions"]["task"]["anyOf"].append(COVERAGE_TASK)
    return jsonschema.validators.extend(jsonschema.Draft7Validator, type_checker=checker)(official)


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@each_stack
def test_the_workflow_fits_githubs_schema(generate: Callable[..., Path], stack: Stack) -> None:
    official = validator("github-workflows")
    workflow = read(generate(stack=stack) / ".github/workflows/ci.yml")
    workflow["on"] = workflow.pop(True)  # YAML 1.1 reads the key `on` as true
    official.validate(workflow)
    workflow["jobs"]["lint"]["surprise"] = True
    assert not official.is_valid(workflow)


@each_stack
def test_no_job_of_the_workflow_runs_for_hours(generate: Callable[..., Path], stack: Stack) -> None:
    strict = jsonschema.Draft7Validator(get_builtin_schema("custom.github-workflows-require-timeout"))
    workflow = read(generate(stack=stack) / ".github/workflows/ci.yml")
    strict.validate(workflow)
    del workflow["jobs"]["image"]["timeout-minutes"]
    assert not strict.is_valid(workflow)


@pytest.mark.parametrize(
    ("slug", "stack"), [*(("order-desk", stack) for stack in LAYERS), ("null", Stack.FASTAPI), ("on", Stack.FASTAPI)]
)
def test_the_pipeline_fits_azures_schema(
    generate: Callable[..., Path], pipeline_validator: Any, slug: str, stack: Stack
) -> None:
    text = (generate(slug=slug, stack=stack) / "azure-pipelines.yml").read_text(encoding="utf-8")
    # BaseLoader builds nothing but text, lists and mappings.
    pipeline = yaml.load(text, yaml.BaseLoader)  # noqa: S506
    pipeline_validator.validate(pipeline)
    broken = copy.deepcopy(pipeline)
    broken["stages"][0]["jobs"][0]["steps"][1]["inputs"]["surprise"] = "1"
    assert not pipeline_validator.is_valid(broken)


@each_stack
def test_dependabots_file_fits_its_schema(generate: Callable[..., Path], stack: Stack) -> None:
    official = validator("dependabot")
    settings = read(generate(stack=stack) / ".github/dependabot.yml")
    official.validate(settings)
    settings["updates"][0]["package-ecosystem"] = "surprise"
    assert not official.is_valid(settings)


@each_stack
def test_the_issue_forms_fit_githubs_schema(generate: Callable[..., Path], stack: Stack) -> None:
    folder = generate(stack=stack) / ".github/ISSUE_TEMPLATE"
    assert {path.stem for path in folder.iterdir()} == {*FORMS, "config"}
    official = validator("github-issue-forms")
    for name in FORMS:
        form = read(folder / f"{name}.yml")
        official.validate(form)
        identifiers = [field["id"] for field in form["body"] if field["type"] != "markdown"]
        assert len(identifiers) == len(set(identifiers))
        del form["description"]
        assert not official.is_valid(form)
    chooser = validator("github-issue-config")
    chooser.validate(read(folder / "config.yml"))
    assert not chooser.is_valid({"blank_issues_enabled": "perhaps"})
