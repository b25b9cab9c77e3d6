"""Every stack brings what a platform team asks of a new repository, told by what the files say, not by their names."""

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.domain.project import Stack
from shared.projects.labels import labels
from shared.projects.scaffold import LAYERS

each_stack = pytest.mark.parametrize("stack", LAYERS)
PYTHON = [stack for stack, layers in LAYERS.items() if "python" in layers]
each_python_stack = pytest.mark.parametrize("stack", PYTHON)

GATES = ("lint", "types", "unit", "smoke", "integration", "security", "coverage")
TOOLS = {
    "python": {
        "lint": ("ruff check .", "ruff format --check ."),
        "types": ("mypy",),
        "unit": ("tests/unit", "--junitxml="),
        "smoke": ("tests/smoke", "--junitxml="),
        "integration": ("tests/integration", "--junitxml="),
        "security": ("bandit", "pip-audit"),
        "coverage": ("--cov ", "xml:reports/coverage.xml"),
    },
    "node": {
        "lint": ("npm run lint",),
        "types": ("npm run types",),
        "unit": ("vitest run tests/unit", "$(REPORT)"),
        "smoke": ("vitest run tests/smoke", "$(REPORT)"),
        "integration": ("vitest run tests/integration", "$(REPORT)"),
        "security": ("npm audit --audit-level=moderate", "npm audit signatures"),
        "coverage": ("--coverage",),
    },
}
"""What `make` runs for each gate."""


def gates_of(stack: Stack) -> tuple[str, ...]:
    return (*GATES, "migrations") if stack is Stack.DJANGO else GATES


def text(root: Path, path: str) -> str:
    return (root / path).read_text(encoding="utf-8")


def sources(root: Path, *folders: str) -> str:
    """All code of the folders, one file after the other."""
    found = [
        path
        for folder in folders
        for path in sorted((root / folder).rglob("*"))
        if path.suffix in {".py", ".ts", ".tsx"}
    ]
    assert found
    return "\n".join(path.read_text(encoding="utf-8") for path in found)


def recipes(makefile: str) -> dict[str, str]:
    """The commands of each target of a Makefile."""
    found: dict[str, str] = {}
    for block in re.finditer(r"(?m)^([a-z]+):[^=\n]*\n((?:\t.*\n)*)", makefile):
        found[block[1]] = block[2]
    return found


def headings(markdown: str) -> list[str]:
    return re.findall(r"(?m)^#+ (.+)$", re.sub(r"(?s)```.*?```", "", markdown))


@each_stack
def test_the_app_answers_health_and_smoke_tests_ask_it(generate: Callable[..., Path], stack: Stack) -> None:
    root = generate(stack=stack)
    app = sources(root, "server") if stack is Stack.REACT else sources(root, "src")
    for path in ("/healthz", "/readyz"):
        assert f'"{path}"' in app
        assert path in sources(root, "tests/smoke")
    assert "503" in app, "a service that cannot take traffic says so"
    starts = {
        Stack.FASTAPI: ("src/order_desk/main.py", "def create_app"),
        Stack.FLASK: ("src/order_desk/main.py", "def create_app"),
        Stack.DJANGO: ("src/order_desk/wsgi.py", "application"),
        Stack.REACT: ("src/main.tsx", "start("),
    }
    assert stack in starts, f"say here where the application of {stack} starts"
    path, entry = starts[stack]
    assert entry in text(root, path)


@each_stack
@pytest.mark.parametrize("kind", ["unit", "smoke", "integration"])
def test_each_kind_of_test_has_tests(generate: Callable[..., Path], kind: str, stack: Stack) -> None:
    code = sources(generate(stack=stack), f"tests/{kind}")
    cases = re.findall(r"(?m)^(?:async )?def test_|^\s*(?:it|test)(?:\.each\(.*?\))?\(", code)
    asserts = re.findall(r"\bassert |expect\(|pytest\.raises", code)
    assert len(asserts) >= len(cases) >= 3


@each_python_stack
def test_python_is_linted_typed_and_covered_strictly(generate: Callable[..., Path], stack: Stack) -> None:
    project = tomllib.loads(text(generate(stack=stack), "pyproject.toml"))
    tools = project["tool"]
    assert {"E", "F", "I", "B", "S", "UP", "PL", "RUF", "D1"} <= set(tools["ruff"]["lint"]["select"])
    assert tools["mypy"]["strict"] is True
    assert set(tools["mypy"]["files"]) >= {"src", "tests"}
    assert tools["coverage"]["run"]["branch"] is True
    assert tools["coverage"]["report"]["fail_under"] >= 85
    dependencies = " ".join(project["project"]["dependencies"])
    assert "pydantic-settings" in dependencies
    assert all(f"opentelemetry-{part}" in dependencies for part in ("api", "sdk", "exporter-otlp-proto-http"))


def test_typescript_is_linted_typed_and_covered_strictly(generate: Callable[..., Path]) -> None:
    root = generate(stack="react")
    package = json.loads(text(root, "package.json"))
    assert "eslint . --max-warnings 0" in package["scripts"]["lint"]
    assert "prettier --check ." in package["scripts"]["lint"]
    assert package["scripts"]["types"] == "tsc --build"
    options = json.loads(text(root, "tsconfig.base.json"))["compilerOptions"]
    assert options["strict"] is True
    assert options["noUncheckedIndexedAccess"] is True
    eslint = text(root, "eslint.config.js")
    assert "strictTypeChecked" in eslint
    assert "jsx-a11y" in eslint
    floors = re.search(r"thresholds: \{([^}]*)\}", text(root, "vite.config.ts"))
    assert floors
    wanted = dict(re.findall(r"(\w+): (\d+)", floors[1]))
    assert all(int(wanted[name]) >= 85 for name in ("lines", "branches"))
    locked = json.loads(text(root, "package-lock.json"))
    assert locked["packages"][""]["dependencies"] == package["dependencies"]
    assert all(part.get("integrity") for name, part in locked["packages"].items() if name and not part.get("link"))
    assert any(name.startswith("@opentelemetry/exporter-trace-otlp") for name in package["dependencies"])


@each_stack
def test_settings_are_typed_and_refused_when_wrong(generate: Callable[..., Path], stack: Stack) -> None:
    root = generate(stack=stack)
    code = sources(root, "server" if stack is Stack.REACT else "src")
    if stack is Stack.REACT:
        assert "z.enum(ENVIRONMENTS)" in code
    else:
        assert re.search(r"class Settings\(BaseSettings\)", code)
        assert 'env_prefix="APP_"' in code
    settings = set(re.findall(r"(?m)^(?:# )?([A-Z_]+)=", text(root, ".env.example")))
    assert {"APP_ENVIRONMENT", "APP_LOG_LEVEL", "APP_OTLP_ENDPOINT"} <= settings
    tested = sources(root, "tests/unit")
    assert re.search(r"APP_PORT|PORT", tested), "a wrong setting is tried in a test"


@each_stack
def test_logs_are_json_with_the_request_they_belong_to(generate: Callable[..., Path], stack: Stack) -> None:
    root = generate(stack=stack)
    code = sources(root, "server" if stack is Stack.REACT else "src")
    assert ("JSON.stringify(record)" if stack is Stack.REACT else "json.dumps(") in code
    for field in ("timestamp", "level", "message", "correlation_id", "service", "version", "environment"):
        assert re.search(rf'"{field}"|\b{field}:|\b{field},|\b{field}=', code), field
    tested = sources(root, "tests/unit", "tests/integration")
    assert "correlation" in tested.lower()


@each_stack
def test_traces_are_made_and_leave_only_when_asked(generate: Callable[..., Path], stack: Stack) -> None:
    root = generate(stack=stack)
    if stack is Stack.REACT:
        code = sources(root, "src")
        assert "WebTracerProvider" in code
        assert "OTLPTraceExporter" in code
        return
    code = sources(root, "src")
    assert "TracerProvider(" in code
    assert "OTLPSpanExporter(" in code
    assert re.search(r"if .*otlp_endpoint", code)
    assert "def test_" in text(root, "tests/integration/test_telemetry.py")


@each_stack
def test_every_gate_runs_the_tool_it_is_named_after(generate: Callable[..., Path], stack: Stack) -> None:
    found = recipes(text(generate(stack=stack), "Makefile"))
    for gate, tools in TOOLS["node" if stack is Stack.REACT else "python"].items():
        assert all(tool in found[gate] for tool in tools), (gate, found[gate])
    if stack is Stack.DJANGO:
        assert "makemigrations --check" in found["migrations"]


@each_stack
def test_the_workflow_runs_every_gate_before_it_deploys(generate: Callable[..., Path], stack: Stack) -> None:
    jobs: dict[str, Any] = yaml.safe_load(text(generate(stack=stack), ".github/workflows/ci.yml"))["jobs"]
    gates = gates_of(stack)
    assert list(jobs) == [*gates, "image", "deploy-staging", "deploy-production"]
    for gate in gates:
        assert f"make {gate}" in [step.get("run") for step in jobs[gate]["steps"]], gate
        assert "if" not in jobs[gate]
        assert "continue-on-error" not in str(jobs[gate])
    assert jobs["image"]["needs"] == list(gates)
    assert (jobs["deploy-staging"]["needs"], jobs["deploy-production"]["needs"]) == ("image", "deploy-staging")
    for environment in ("staging", "production"):
        job = jobs[f"deploy-{environment}"]
        assert job["environment"]["name"] == environment
        assert job["if"] == "${{ github.ref == 'refs/heads/main' }}"
        runs = [step.get("run", "") for step in job["steps"]]
        (release,) = (place for place, run in enumerate(runs) if f"scripts/deploy.sh {environment} " in run)
        assert "make smoke" in runs[release:], "the new version is asked whether it works"


@each_stack
def test_the_pipeline_runs_every_gate_before_it_deploys(generate: Callable[..., Path], stack: Stack) -> None:
    pipeline = yaml.safe_load(text(generate(stack=stack), "azure-pipelines.yml"))
    stages: dict[str, Any] = {stage["stage"]: stage for stage in pipeline["stages"]}
    gates = gates_of(stack)
    assert list(stages) == [*gates, "image", "deploy_staging", "deploy_production"]
    for gate in gates:
        (job,) = stages[gate]["jobs"]
        assert f"make {gate}" in [step.get("script") for step in job["steps"]], gate
        assert "condition" not in stages[gate]
        assert "continueOnError" not in str(stages[gate])
    assert stages["image"]["dependsOn"] == list(gates)
    assert (stages["deploy_staging"]["dependsOn"], stages["deploy_production"]["dependsOn"]) == (
        "image",
        "deploy_staging",
    )
    for environment in ("staging", "production"):
        stage = stages[f"deploy_{environment}"]
        assert stage["condition"] == "and(succeeded(), eq(variables['Build.SourceBranch'], 'refs/heads/main'))"
        (job,) = stage["jobs"]
        assert job["environment"] == environment
        steps = job["strategy"]["runOnce"]["deploy"]["steps"]
        scripts = [step.get("script", "") for step in steps]
        (release,) = (place for place, run in enumerate(scripts) if run.startswith(f"scripts/deploy.sh {environment} "))
        (asked,) = (step for step in steps[release:] if step.get("script") == "make smoke")
        assert asked["env"]["SMOKE_BASE_URL"] == f"$({environment.upper()}_BASE_URL)"


@each_stack
def test_the_words_a_newcomer_needs_are_there(generate: Callable[..., Path], stack: Stack) -> None:
    root = generate(stack=stack)
    readme = text(root, "README.md")
    assert readme.startswith("# Order Desk\n\nTakes orders from shops.\n")
    assert "make setup\nmake run" in readme
    assert {"Quick start", "What is here", "What it promises", "Where it lives"} <= set(headings(readme))
    changes = text(root, "CHANGELOG.md")
    assert headings(changes)[:3] == ["Changelog", "[Unreleased]", "Added"]
    assert "keepachangelog.com" in changes
    contributing = text(root, "CONTRIBUTING.md")
    assert {"Set up", "Reviews", "Commits", "Found a security problem?"} <= set(headings(contributing))
    targets = recipes(text(root, "Makefile"))
    for document in (readme, contributing, text(root, "docs/definition-of-done.md")):
        assert set(re.findall(r"`make ([a-z]+)`", document)) <= targets.keys()
    record = text(root, "docs/adr/0001-record-architecture-decisions.md")
    assert headings(record) == ["1. Record architecture decisions", "Context", "Decision", "Consequences"]
    assert "Status: accepted (2026)" in record


@each_stack
def test_the_threat_model_covers_stride_before_and_after_the_controls(
    generate: Callable[..., Path], stack: Stack
) -> None:
    model = text(generate(stack=stack), "docs/threat-model.md")
    threats = [line for line in model.splitlines() if line.startswith("|")]
    for kind in (
        "Spoofing",
        "Tampering",
        "Repudiation",
        "Information disclosure",
        "Denial of service",
        "Elevation of privilege",
    ):
        assert [line for line in threats if line.startswith(f"| {kind} |")], kind
    assert model.count("```mermaid") == 2
    assert {"What is protected", "Threats", "Accepted risks"} <= set(headings(model))
    assert "Owner: octocat" in model


@each_stack
def test_done_means_behaviour_quality_security_operations_and_words(
    generate: Callable[..., Path], stack: Stack
) -> None:
    done = text(generate(stack=stack), "docs/definition-of-done.md")
    assert headings(done) == [
        "Definition of done",
        "Behaviour",
        "Quality",
        "Security and data",
        "Operations",
        "Words",
    ]
    assert len(re.findall(r"(?m)^- ", done)) >= 13


@each_stack
def test_reviews_are_asked_of_the_owner_with_the_same_questions_on_both_forges(
    generate: Callable[..., Path], stack: Stack
) -> None:
    root = generate(stack=stack)
    assert text(root, ".github/CODEOWNERS").splitlines()[-1] == "* @octocat"
    template = text(root, ".github/pull_request_template.md")
    assert template == text(root, ".azuredevops/pull_request_template.md")
    assert template.count("- [ ] ") >= 5
    for promised in re.findall(r"\b(docs/[a-z-]+\.md|CHANGELOG\.md)", template):
        assert (root / promised).is_file(), promised


@each_stack
def test_issues_and_updates_use_labels_and_packages_that_are_there(generate: Callable[..., Path], stack: Stack) -> None:
    root = generate(stack=stack)
    known = {label.name for label in labels()}
    for name in ("bug", "feature", "new-project"):
        form = yaml.safe_load(text(root, f".github/ISSUE_TEMPLATE/{name}.yml"))
        assert form["labels"]
        assert set(form["labels"]) <= known
        assert [field for field in form["body"] if field.get("validations", {}).get("required")]
    updates = yaml.safe_load(text(root, ".github/dependabot.yml"))["updates"]
    assert [update["package-ecosystem"] for update in updates] == [
        "npm" if stack is Stack.REACT else "pip",
        "docker",
        "github-actions",
    ]
    assert all(update["schedule"]["interval"] == "weekly" for update in updates)


@each_stack
@pytest.mark.parametrize("absent", [None, "github_url", "azure_devops_url"])
def test_every_link_between_the_documents_leads_somewhere(
    generate: Callable[..., Path], stack: Stack, absent: str | None
) -> None:
    root = generate(stack=stack, **({absent: None} if absent else {}))
    followed = 0
    for document in root.rglob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), (document, target)
            followed += 1
        for path in re.findall(
            r"`((?:docs|deploy|scripts|src|tests|server)/[^`*]*)`", document.read_text(encoding="utf-8")
        ):
            assert (root / path).exists(), (document, path)
    assert followed >= 4
