"""The same inputs give the same bytes, and no name or description can break a rendered file."""

import ast
import hashlib
import json
import re
import string
import tomllib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pydantic import ValidationError

from shared.definitions.reading import trusted
from shared.domain.project import Process, Stack
from shared.projects import scaffold
from shared.projects.scaffold import ScaffoldInputs, render

BASE: dict[str, Any] = {
    "project_name": "Order Desk",
    "slug": "order-desk",
    "package_name": "order_desk",
    "description": "Takes orders from shops.",
    "owner": "octocat",
    "stack": "fastapi",
    "year": 2026,
    "github_url": "https://github.com/octo/order-desk",
    "azure_devops_url": "https://dev.azure.com/octo/desk/_git/order-desk",
}

DIGESTS = {
    Stack.FASTAPI: ("1.3.0", "215bc7eb58ba391c7a04c746af299794237eb4ce1dfb3a8711d9c3f651109563"),
    Stack.FLASK: ("1.3.0", "11e63726f034a9f727a53a6d5944575e96f78646ca170b0f0de2537c8c650deb"),
    Stack.DJANGO: ("1.3.0", "bdd5936aa21f79e766d16c0671cc23a03dc520294a20c45f4bbda591545e1630"),
    Stack.REACT: ("1.3.0", "6255f2e31bf45428eacc04e0c26a2f7203a6f2e8677ff37a14428473bb643e25"),
}

HOSTILE = [
    'Quote " quote',
    "It's",
    "back\\slash \\n",
    "null",
    "true",
    "1e3",
    "- list: item",
    "a: b # c",
    "{{ .Values.x }} ${{ secrets.X }} $(X)",
    "[= slug =] [% raw %] {{ slug }}",
    "<script>alert(1)</script>",
    "| pipe | `code` *bold* _it_ ~~no~~ [x](y) ![z](w)",
    "# heading",
    "1. first",
    "Größe und 東京 😀",
    "triple \"\"\" quotes ''' too",
    "%YAML 1.2",
    "class",
    "--- ...",
    "&anchor *alias !tag",
]


each_stack = pytest.mark.parametrize("stack", scaffold.LAYERS)
PYTHON_STACKS = [stack for stack, layers in scaffold.LAYERS.items() if "python" in layers]
each_python_stack = pytest.mark.parametrize("stack", PYTHON_STACKS)


def inputs(**changes: Any) -> ScaffoldInputs:
    return ScaffoldInputs.model_validate(BASE | changes)


def parsed(files: Mapping[str, bytes]) -> dict[str, Any]:
    """Every data or source file, read by the parser of its format."""
    found: dict[str, Any] = {}
    for path, content in files.items():
        text = content.decode()
        match PurePosixPath(path).suffix:
            case ".yml" | ".yaml" if "/templates/" not in path:
                found[path] = trusted(text)
            case ".toml":
                found[path] = tomllib.loads(text)
            case ".json":
                found[path] = json.loads(text)
            case ".py":
                found[path] = ast.parse(text, path)
    return found


def constants(module: ast.Module) -> dict[str, str]:
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in module.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }


def plain_text(tokens: list[Any]) -> str:
    parts = []
    for token in tokens:
        if token.type == "softbreak":
            parts.append("\n")
        elif token.type in {"text", "text_special"}:
            parts.append(token.content)
        else:
            parts.append(f"<{token.type}>")
    return "".join(parts)


def assert_carries(files: Mapping[str, bytes], given_inputs: ScaffoldInputs) -> None:
    """The texts come out of every format as they went in."""
    documents = parsed(files)
    if given_inputs.stack in PYTHON_STACKS:
        assert documents["pyproject.toml"]["project"]["description"] == given_inputs.summary
        about = constants(documents[f"src/{given_inputs.package_name}/about.py"])
        assert about["NAME"] == given_inputs.project_name
        assert about["SUMMARY"] == given_inputs.summary
    assert documents["deploy/chart/Chart.yaml"]["description"] == given_inputs.summary
    answers = documents[".doneright/scaffold.yaml"]["answers"]
    assert answers["project_name"] == given_inputs.project_name
    assert answers["description"] == given_inputs.description
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(files["README.md"].decode())
    assert tokens[0].tag == "h1"
    assert plain_text(tokens[1].children or []) == given_inputs.project_name
    described = []
    for token in tokens[3:]:
        if token.type == "heading_open":
            break
        if token.type == "inline":
            described.append(plain_text(token.children or []))
        else:
            assert token.type in {"paragraph_open", "paragraph_close"}, "the description became something else"
    assert "\n\n".join(described) == re.sub(r"\n{3,}", "\n\n", given_inputs.description)


def test_same_inputs_give_the_same_bytes() -> None:
    first, second = render(inputs()), render(inputs())
    assert dict(first.files) == dict(second.files)
    assert first.digest == second.digest


def test_the_digest_covers_paths_modes_and_contents() -> None:
    plain = scaffold.digest_of({"a": b"x"}, frozenset())
    assert plain == hashlib.sha256(b"a\x00100644\x00x").hexdigest()
    others = {
        scaffold.digest_of({"b": b"x"}, frozenset()),
        scaffold.digest_of({"a": b"y"}, frozenset()),
        scaffold.digest_of({"a": b"x"}, frozenset({"a"})),
    }
    assert plain not in others
    assert len(others) == 3
    assert scaffold.digest_of({"b": b"2", "a": b"1"}, frozenset()) == scaffold.digest_of(
        {"a": b"1", "b": b"2"}, frozenset()
    )


@each_stack
def test_a_changed_template_has_a_new_version(stack: Stack) -> None:
    """Failing? Raise TEMPLATE_VERSION, then write the new pair here."""
    rendered = render(inputs(stack=stack))
    assert (rendered.template_version, rendered.digest) == DIGESTS[stack]


@each_stack
def test_every_input_that_matters_changes_the_digest(stack: Stack) -> None:
    changes: list[dict[str, Any]] = [
        {"project_name": "Other"},
        {"slug": "other"},
        {"package_name": "other"},
        {"description": "Other."},
        {"owner": "other"},
        {"python_version": "3.12"},
        {"year": 2027},
        {"process": "scrum"},
        {"github_url": None},
        {"azure_devops_url": None},
        {"visibility": "public"},
        {"environments": ["production"]},
    ]
    digests = {render(inputs(stack=stack, **change)).digest for change in changes}
    assert len(digests) == len(changes)
    assert render(inputs(stack=stack)).digest not in digests


def test_nothing_in_a_render_is_mutable() -> None:
    rendered = render(inputs())
    with pytest.raises(TypeError):
        rendered.files["README.md"] = b""  # type: ignore[index]
    with pytest.raises(ValidationError):
        rendered.digest = ""  # type: ignore[misc]


@each_python_stack
def test_only_scripts_are_executable(stack: Stack) -> None:
    rendered = render(inputs(stack=stack))
    assert rendered.executable == {"scripts/deploy.sh", "scripts/upload-evidence.sh"}


@each_python_stack
def test_the_files_a_platform_team_asks_for_are_there(stack: Stack) -> None:
    files = set(render(inputs(stack=stack)).files)
    assert files >= {
        ".azuredevops/pull_request_template.md",
        ".doneright/scaffold.yaml",
        ".dockerignore",
        ".editorconfig",
        ".gitattributes",
        ".github/CODEOWNERS",
        ".github/ISSUE_TEMPLATE/bug.yml",
        ".github/ISSUE_TEMPLATE/config.yml",
        ".github/ISSUE_TEMPLATE/feature.yml",
        ".github/ISSUE_TEMPLATE/new-project.yml",
        ".github/dependabot.yml",
        ".github/pull_request_template.md",
        ".github/workflows/ci.yml",
        ".gitignore",
        ".pre-commit-config.yaml",
        ".python-version",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Dockerfile",
        "Makefile",
        "README.md",
        "azure-pipelines.yml",
        "deploy/chart/Chart.yaml",
        "deploy/chart/values.schema.json",
        "docs/adr/0001-record-architecture-decisions.md",
        "docs/definition-of-done.md",
        "docs/threat-model.md",
        "pyproject.toml",
        "src/order_desk/main.py",
        "src/order_desk/py.typed",
    }
    assert not [path for path in files if path.endswith((".jinja", ".pyc")) or "[=" in path or "copier" in path]


@each_stack
def test_a_forge_that_is_absent_leaves_no_files(stack: Stack) -> None:
    azure_only = render(inputs(stack=stack, github_url=None)).files
    assert not [path for path in azure_only if path.startswith(".github/")]
    assert "azure-pipelines.yml" in azure_only
    assert b"GitHub" not in azure_only["docs/deployment.md"]
    github_only = render(inputs(stack=stack, azure_devops_url=None)).files
    assert not [path for path in github_only if path.startswith(".azuredevops/")]
    assert "azure-pipelines.yml" not in github_only
    assert ".github/workflows/ci.yml" in github_only


@each_stack
def test_the_answers_file_can_render_it_again(stack: Stack) -> None:
    first = render(inputs(stack=stack, process="cmmi", owner="team@example.com"))
    kept = yaml.safe_load(first.files[".doneright/scaffold.yaml"])
    again = ScaffoldInputs(template_version=kept["template_version"], **kept["answers"])
    assert render(again).digest == first.digest


@each_stack
@pytest.mark.parametrize("missing", ["github_url", "azure_devops_url"])
def test_the_answers_file_of_one_forge_can_render_it_again(missing: str, stack: Stack) -> None:
    first = render(inputs(stack=stack, **{missing: None}))
    kept = yaml.safe_load(first.files[".doneright/scaffold.yaml"])
    again = ScaffoldInputs(template_version=kept["template_version"], **kept["answers"])
    assert render(again).digest == first.digest


@each_stack
def test_no_machine_path_and_no_registry_host_is_rendered(stack: Stack) -> None:
    for path, content in render(inputs(stack=stack)).files.items():
        for forbidden in (str(scaffold.SCAFFOLDS).encode(), b"/tmp/", b"pypi", b"ghcr.io", b"docker.io", b"npmjs"):
            assert forbidden not in content.lower(), (path, forbidden)


@each_stack
def test_text_files_end_as_the_editor_settings_say(stack: Stack) -> None:
    for path, content in render(inputs(stack=stack)).files.items():
        assert b"\r" not in content, path
        assert not content or content.endswith(b"\n"), path
        if not path.endswith(".md"):
            assert not re.search(rb"[ \t]+$", content, re.MULTILINE), path
        assert not content.endswith(b"\n\n"), path


@each_stack
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_comes_out_as_it_went_in(text: str, stack: Stack) -> None:
    given_inputs = inputs(stack=stack, project_name=text, description=f"{text}\n{text}\n\n{text}")
    assert_carries(render(given_inputs).files, given_inputs)


printable = st.text(
    st.characters(exclude_categories=["Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"])
    | st.sampled_from(string.punctuation + "\u200c\u200d ")
)


@settings(max_examples=60, deadline=None)
@given(
    name=printable.filter(lambda text: text.strip()).map(lambda text: text[:100]),
    description=printable,
    stack=st.sampled_from(list(scaffold.LAYERS)),
)
def test_any_printable_text_comes_out_as_it_went_in(name: str, description: str, stack: Stack) -> None:
    if not name.strip():
        name = "x"
    given_inputs = inputs(project_name=name, description=description, stack=stack)
    assert_carries(render(given_inputs).files, given_inputs)


@settings(max_examples=200, deadline=None)
@given(name=st.text(min_size=1, max_size=100), stack=st.sampled_from(list(scaffold.LAYERS)))
def test_every_name_has_a_slug_and_a_package_that_are_accepted(name: str, stack: Stack) -> None:
    slug = scaffold.slug_for(name)
    accepted = inputs(slug=slug, package_name=scaffold.package_name_for(slug), stack=stack)
    assert accepted.slug == slug == scaffold.slug_for(name)
    assert f'name: "{slug}"'.encode() in render(accepted).files["deploy/chart/Chart.yaml"]


@pytest.mark.parametrize(
    ("name", "slug", "package"),
    [
        ("Order Desk", "order-desk", "order_desk"),
        ("Größe & Maß", "grosse-mass", "grosse_mass"),
        ("class", "class", "class_app"),
        ("match", "match", "match_app"),
        ("JSON", "json", "json_app"),
        ("FastAPI", "fastapi-app", "fastapi_app"),
        ("2nd Try", "project-2nd-try", "project_2nd_try"),
        ("x" * 60, "x" * 40, "x" * 40),
        ("a" * 39 + " b", "a" * 39, "a" * 39),
        ("東京", "project-" + hashlib.sha256("東京".encode()).hexdigest()[:8], None),
    ],
)
def test_slugs_and_packages_of_names(name: str, slug: str, package: str | None) -> None:
    assert scaffold.slug_for(name) == slug
    if package is not None:
        assert scaffold.package_name_for(slug) == package


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"project_name": "  "}, "is empty"),
        ({"project_name": "a\u202eb"}, r"U\+202E at position 2"),
        ({"description": "a\x00b"}, r"U\+0000"),
        ({"description": "a\u200bb"}, r"U\+200B"),
        ({"project_name": "x" * 101}, "at most 100"),
        ({"slug": "Order"}, "slug"),
        ({"slug": "1a"}, "slug"),
        ({"slug": "a--b"}, "slug"),
        ({"slug": "fastapi"}, "fastapi-app"),
        ({"slug": "gunicorn"}, "gunicorn-app"),
        ({"slug": "dj-database-url"}, "dj-database-url-app"),
        ({"package_name": "class"}, "order_desk"),
        ({"package_name": "json"}, "order_desk"),
        ({"package_name": "../x"}, "order_desk"),
        ({"owner": "a b"}, "owner"),
        ({"owner": "octo\n* @evil"}, "owner"),
        ({"owner": "@octocat"}, "owner"),
        ({"python_version": "3.9"}, "python_version"),
        ({"year": 26}, "year"),
        ({"github_url": "javascript:alert(1)"}, "github_url"),
        ({"github_url": "https://user:secret@github.com/x"}, "github_url"),
        ({"github_url": "https://github.com/x)[y"}, None),
        ({"github_url": None, "azure_devops_url": None}, "no forge"),
        ({"template_version": "0.9.0"}, "0.9.0 is not packaged"),
        ({"stack": "cobol"}, "stack"),
        ({"surprise": 1}, "surprise"),
        ({"environments": ['x" }}']}, "environments"),
        ({"environments": ["stage\n"]}, "environments"),
        ({"environments": [str(place) for place in range(11)]}, "environments"),
    ],
)
def test_unusable_inputs_are_refused_by_name(change: dict[str, Any], said: str | None) -> None:
    if said is None:
        (value,) = (str(getattr(inputs(**change), key)) for key in change)
        assert not set(value) & set(")[]<> ")
        return
    with pytest.raises(ValidationError, match=said):
        inputs(**change)


@pytest.mark.parametrize(
    ("environments", "keys", "variables"),
    [
        (["staging", "production"], ["staging", "production"], ["STAGING_BASE_URL", "PRODUCTION_BASE_URL"]),
        (["Prod EU"], ["prod-eu"], ["PROD_EU_BASE_URL"]),
        (["a b", "a-b", "A.B"], ["a-b", "a-b-2", "a-b-3"], ["A_B_BASE_URL"] * 3),
        (
            ["x" * 30, "x" * 31],
            ["x" * 20, "x" * 18 + "-2"],
            ["X" * 30 + "_BASE_URL", "X" * 31 + "_BASE_URL"],
        ),
        (["a-b-2", "a-b", "a b"], ["a-b-2", "a-b", "a-b-3"], ["A_B_2_BASE_URL", "A_B_BASE_URL", "A_B_BASE_URL"]),
        ([], [], []),
    ],
)
def test_environments_have_keys_that_differ(environments: list[str], keys: list[str], variables: list[str]) -> None:
    deployments = inputs(environments=environments).deployments
    assert [deployment["name"] for deployment in deployments] == environments
    assert [deployment["key"] for deployment in deployments] == keys
    assert [deployment["variable"] for deployment in deployments] == variables
    assert [deployment["settings"] for deployment in deployments] == [*["staging"] * (len(keys) - 1), "production"][
        : len(keys)
    ]


def test_answers_of_before_environments_were_asked_give_the_two_that_were_written_then() -> None:
    kept = yaml.safe_load(render(inputs()).files[".doneright/scaffold.yaml"])
    del kept["answers"]["environments"]
    assert ScaffoldInputs(**kept["answers"]).environments == ("staging", "production")


def test_a_stack_without_templates_is_refused_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaffold, "LAYERS", {Stack.FASTAPI: ("base", "python", "fastapi")})
    with pytest.raises(ValidationError, match="no templates for django yet: choose one of fastapi"):
        inputs(stack=Stack.DJANGO)


def test_an_address_with_spaces_is_encoded_once() -> None:
    encoded = inputs(azure_devops_url="https://dev.azure.com/octo/Größe%20A B").azure_devops_url
    assert encoded == "https://dev.azure.com/octo/Gr%C3%B6%C3%9Fe%20A%20B"
    assert inputs(azure_devops_url=encoded).azure_devops_url == encoded


def test_a_long_description_is_cut_in_the_summary_only() -> None:
    long = inputs(description="word " * 200)
    assert len(long.summary) <= 200
    assert long.summary.endswith("…")
    assert len(long.description) > 900


def test_without_a_description_the_name_stands_in() -> None:
    bare = inputs(description="")
    assert bare.summary == "Order Desk"
    assert_carries(render(bare).files, bare)


@pytest.mark.parametrize(
    ("owner", "mention"),
    [("octocat", "@octocat"), ("octo/team", "@octo/team"), ("a.b@example.com", "a.b@example.com")],
)
def test_code_owners_name_the_owner_as_github_reads_it(owner: str, mention: str) -> None:
    lines = render(inputs(owner=owner)).files[".github/CODEOWNERS"].decode().splitlines()
    assert lines[-1] == f"* {mention}"


@pytest.mark.parametrize("process", Process)
def test_the_words_are_those_of_the_process(process: Process) -> None:
    noun = {"agile": "user story", "scrum": "product backlog item", "cmmi": "requirement", "basic": "issue"}[process]
    assert f"A {noun} is done" in render(inputs(process=process)).files["docs/definition-of-done.md"].decode()


@each_stack
def test_the_chart_templates_hold_nothing_of_the_request(stack: Stack) -> None:
    one = render(inputs(stack=stack)).files
    other = render(
        inputs(stack=stack, project_name="{{ x }}", slug="null", package_name="other", description="{{ y }}")
    ).files
    templates = [path for path in one if path.startswith("deploy/chart/templates/")]
    for path in templates:
        if path.endswith(".yaml"):
            # A release may be called `null` or `on`.
            assert not re.search(r": {{ include [^|}]*}}", one[path].decode()), path
    assert len(templates) >= (8 if stack is Stack.DJANGO else 7)
    assert all(one[path] == other[path] for path in templates)
    assert yaml.safe_load(other["deploy/chart/Chart.yaml"])["name"] == "null"
    assert yaml.safe_load(other["azure-pipelines.yml"])["variables"] == [{"group": "null"}]


@each_stack
@pytest.mark.parametrize("environment", ["staging", "production"])
def test_chart_values_fit_their_schema(environment: str, stack: Stack) -> None:
    documents = parsed(render(inputs(stack=stack)).files)
    schema = documents["deploy/chart/values.schema.json"]
    values = documents["deploy/chart/values.yaml"]
    for key, value in documents[f"deploy/chart/values-{environment}.yaml"].items():
        values[key] = values[key] | value
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.Draft7Validator(schema).validate(values)
    for broken in ({"image": {**values["image"], "tag": "latest"}}, {"surprise": 1}, {"containerPort": 80}):
        assert not jsonschema.Draft7Validator(schema).is_valid(values | broken)


@each_stack
def test_every_value_a_chart_template_uses_is_declared(stack: Stack) -> None:
    files = render(inputs(stack=stack)).files
    values = yaml.safe_load(files["deploy/chart/values.yaml"])
    used = {
        name
        for path, content in files.items()
        if "/templates/" in path
        for name in re.findall(r"\.Values((?:\.\w+)+)", content.decode())
    }
    assert len(used) >= 15
    for dotted in used:
        found: Any = values
        for part in dotted.removeprefix(".").split("."):
            assert part in found, dotted
            found = found[part]


@each_stack
def test_chart_template_blocks_are_balanced(stack: Stack) -> None:
    for path, content in render(inputs(stack=stack)).files.items():
        if "/templates/" not in path:
            continue
        text = content.decode()
        opened = len(re.findall(r"{{-?\s*(?:if|with|range|define)\b", text))
        assert opened == len(re.findall(r"{{-?\s*end\b", text)), path
        assert text.count("{{") == text.count("}}"), path


@each_stack
def test_both_pipelines_run_the_same_gates_through_the_same_commands(stack: Stack) -> None:
    files = render(inputs(stack=stack)).files
    gates = ["lint", "types", "unit", "smoke", "integration", "security", "coverage"]
    if stack is Stack.DJANGO:
        gates.append("migrations")
    workflow = yaml.safe_load(files[".github/workflows/ci.yml"])
    pipeline = yaml.safe_load(files["azure-pipelines.yml"])
    assert list(workflow["jobs"]) == [*gates, "image", "deploy-staging", "deploy-production"]
    assert [stage["stage"] for stage in pipeline["stages"]] == [*gates, "image", "deploy_staging", "deploy_production"]
    targets = set(re.findall(r"^([a-z]+):", files["Makefile"].decode(), re.MULTILINE))
    assert set(gates) <= targets
    for gate, stage in zip(gates, pipeline["stages"], strict=False):
        assert f"make {gate}" in [step.get("run") for step in workflow["jobs"][gate]["steps"]]
        assert f"make {gate}" in [step.get("script") for step in stage["jobs"][0]["steps"]]
    assert workflow["jobs"]["image"]["needs"] == gates
    assert pipeline["stages"][-3]["dependsOn"] == gates
    assert workflow["jobs"]["deploy-production"]["environment"]["name"] == "production"
    assert workflow["jobs"]["deploy-production"]["needs"] == "deploy-staging"
    assert pipeline["stages"][-1]["jobs"][0]["environment"] == "production"
    assert pipeline["stages"][-1]["dependsOn"] == "deploy_staging"


@each_stack
def test_the_workflow_has_least_privilege_and_pinned_actions(stack: Stack) -> None:
    workflow = yaml.safe_load(render(inputs(stack=stack)).files[".github/workflows/ci.yml"])
    assert workflow["permissions"] == {"contents": "read"}
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    used = [step["uses"] for step in steps if "uses" in step]
    assert len(used) > 10
    # An action of the repository itself is of the commit that is built.
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}|\./\.github/actions/[\w-]+", action) for action in used)
    for step in steps:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
        # An expression inside a script is how a branch name becomes a command.
        assert "${{" not in step.get("run", "")
    for job in workflow["jobs"].values():
        assert set((job.get("permissions") or {}).values()) <= {"read"}


@each_python_stack
def test_the_image_is_built_in_stages_and_runs_without_privileges(stack: Stack) -> None:
    lines = render(inputs(stack=stack)).files["Dockerfile"].decode().splitlines()
    bases = [line.split()[1] for line in lines if line.startswith("FROM ")]
    assert bases == ["python:3.13-slim-bookworm"] * 2
    final = lines[max(i for i, line in enumerate(lines) if line.startswith("FROM ")) :]
    assert "USER 10001:10001" in final
    assert any(line.startswith("HEALTHCHECK ") for line in final)


def migration_job(files: Mapping[str, bytes]) -> list[str]:
    """The lines of the chart's migration job, without indentation."""
    _, job = files["deploy/chart/templates/migrate.yaml"].decode().split("kind: Job\n")
    return [line.strip() for line in job.splitlines()]


def test_a_release_of_django_migrates_before_its_first_pod_and_nothing_else_has_to() -> None:
    files = render(inputs(stack=Stack.DJANGO)).files
    job = migration_job(files)
    assert "helm.sh/hook: pre-install,pre-upgrade" in job
    assert 'command: ["python", "-m", "django", "migrate", "--noinput"]' in job
    # Hooks run before the chart's own account and settings exist.
    assert not [line for line in job if "serviceAccountName" in line or "configMap" in line]
    # The service must not send it traffic.
    assert not [line for line in job if "app.selectorLabels" in line]
    assert {"runAsNonRoot: true", "readOnlyRootFilesystem: true", "drop: [ALL]"} <= set(job)
    deadline = next(int(line.split()[1]) for line in job if line.startswith("activeDeadlineSeconds:"))
    waited = re.search(r"--timeout (\d+)m", files["scripts/deploy.sh"].decode())
    assert waited is not None
    assert deadline < int(waited[1]) * 60
    assert "ENV DJANGO_SETTINGS_MODULE=order_desk.django_settings" in files["Dockerfile"].decode()
    values = yaml.safe_load(files["deploy/chart/values.yaml"])
    assert values["envFromSecrets"] == ["order-desk"]
    documented = files["docs/deployment.md"].decode()
    needed = re.findall(r'"((?:APP_|DATABASE_)[A-Z_]+)"', files["src/order_desk/app_settings.py"].decode())
    assert len(set(needed)) == 3
    assert all(f"`{variable}`" in documented for variable in needed)


@each_python_stack
def test_only_django_has_a_database(stack: Stack) -> None:
    files = render(inputs(stack=stack)).files
    if stack is not Stack.DJANGO:
        assert not [path for path, content in files.items() if b"migrat" in content.lower()]


def test_issue_forms_hold_what_github_asks_of_them() -> None:
    documents = parsed(render(inputs()).files)
    forms = {
        path: form
        for path, form in documents.items()
        if path.startswith(".github/ISSUE_TEMPLATE/") and not path.endswith("config.yml")
    }
    assert len(forms) == 3
    for path, form in forms.items():
        assert form["name"], path
        assert form["description"], path
        questions = [part for part in form["body"] if part["type"] != "markdown"]
        assert questions, path
        assert {part["type"] for part in questions} <= {"input", "textarea", "dropdown", "checkboxes"}
        ids = [part["id"] for part in questions]
        labels = [part["attributes"]["label"] for part in questions]
        assert len(set(ids)) == len(ids), path
        assert len(set(labels)) == len(labels), path
        for part in questions:
            assert re.fullmatch(r"[A-Za-z0-9_-]+", part["id"])
            if part["type"] == "dropdown":
                options = part["attributes"]["options"]
                assert len(set(options)) == len(options)
                assert all(isinstance(option, str) for option in options)


def test_the_request_form_asks_what_the_product_reads() -> None:
    form = yaml.safe_load(scaffold.request_form())
    assert form["labels"] == ["new-project"]
    asked = {
        part["attributes"]["label"]: (part["type"], part["attributes"].get("options"))
        for part in form["body"]
        if part["type"] != "markdown"
    }
    assert asked == {
        "Project name": ("input", None),
        "Description": ("textarea", None),
        "Owner": ("input", None),
        "Process": ("dropdown", ["Agile", "Scrum", "CMMI", "Basic"]),
        "Stack": ("dropdown", ["FastAPI", "Flask", "Django", "React"]),
        "Visibility": ("dropdown", ["Private", "Public"]),
        "Repositories on": ("dropdown", ["Azure DevOps and GitHub", "Azure DevOps", "GitHub"]),
        "Minimum reviewers": ("input", None),
        "Backlog seeds": ("textarea", None),
    }
    assert render(inputs()).files[str(scaffold.REQUEST_FORM)] == scaffold.request_form()


def test_both_forges_ask_the_same_of_a_pull_request() -> None:
    files = render(inputs()).files
    assert files[".github/pull_request_template.md"] == files[".azuredevops/pull_request_template.md"]


def test_the_templates_can_be_shipped_as_data() -> None:
    packaged = [path for path in scaffold.SCAFFOLDS.rglob("*") if path.is_file()]
    assert len(packaged) > 60
    assert not [path for path in packaged if "__pycache__" in path.parts or path.suffix in {".pyc", ".pyo"}]
    assert not (scaffold.SCAFFOLDS / "__init__.py").exists()


def test_no_template_is_caught_by_an_ignore_file_of_this_repository() -> None:
    names = {part for path in scaffold.SCAFFOLDS.rglob("*") for part in path.relative_to(scaffold.SCAFFOLDS).parts}
    assert not names & {".doneright", ".venv", "dist", "node_modules", "local.settings.json"}
    # git would read these where they lie, and apply them to the templates.
    assert not names & {".gitignore", ".gitattributes"}
