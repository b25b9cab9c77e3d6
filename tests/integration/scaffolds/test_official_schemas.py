"""Rendered workflow and pipeline files fit the official schemas."""

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from shared.domain.project import Stack
from shared.projects.scaffold import LAYERS

ROOT = Path(__file__).resolve().parents[3]
CONTRACTS = Path(os.environ.get("DONERIGHT_CONTRACTS", ROOT.parent / "shared" / "contracts"))

pytestmark = pytest.mark.contract

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


def schema(name: str) -> Any:
    path = CONTRACTS / "schemas" / name
    if not path.is_file():
        pytest.skip(f"the official schema {path} is not here; set DONERIGHT_CONTRACTS")
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture
def pipeline_validator() -> Any:
    # Azure Pipelines reads every scalar as text and converts it; so does this reader.
    checker = jsonschema.Draft7Validator.TYPE_CHECKER.redefine(
        "boolean", lambda _, value: value in ("true", "false")
    ).redefine("integer", lambda _, value: isinstance(value, str) and value.isdigit())
    official = schema("azure-pipelines.json")
    official["definitions"]["task"]["anyOf"].append(COVERAGE_TASK)
    return jsonschema.validators.extend(jsonschema.Draft7Validator, type_checker=checker)(official)


@pytest.mark.parametrize("stack", LAYERS)
def test_the_workflow_fits_githubs_schema(generate: Callable[..., Path], stack: Stack) -> None:
    validator = jsonschema.Draft7Validator(schema("github-workflows.json"))
    # YAML 1.1 reads the key `on` as true.
    workflow = yaml.safe_load((generate(stack=stack) / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    workflow["on"] = workflow.pop(True)
    validator.validate(workflow)
    workflow["jobs"]["lint"]["surprise"] = True
    assert not validator.is_valid(workflow)


@pytest.mark.parametrize("stack", LAYERS)
@pytest.mark.parametrize("slug", ["order-desk", "null", "on"])
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
