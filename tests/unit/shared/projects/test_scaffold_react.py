"""What only the React stack renders: no name breaks its files, and its lock file fits its package file."""

import json
import re
import string
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.project import Stack
from shared.projects.scaffold import ScaffoldInputs, render


def inputs(**changes: Any) -> ScaffoldInputs:
    return ScaffoldInputs.model_validate(
        {
            "project_name": "Order Desk",
            "slug": "order-desk",
            "package_name": "order_desk",
            "description": "Takes orders from shops.",
            "owner": "octocat",
            "stack": Stack.REACT,
            "year": 2026,
            "github_url": "https://github.com/octo/order-desk",
            "azure_devops_url": "https://dev.azure.com/octo/desk/_git/order-desk",
        }
        | changes
    )


class Head(HTMLParser):
    """The title and the description of a page, and every element in it, as a browser reads them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.description: str | None = None
        self.elements: list[str] = []
        self._open = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self._open = tag
        if tag == "meta" and ("name", "description") in attrs:
            self.description = dict(attrs)["content"]

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open == "title":
            self.title += data


PLAIN_ELEMENTS = Head(render(inputs()).files["index.html"].decode()).elements


def literals(source: str) -> dict[str, str]:
    """The constants of a TypeScript file; a JSON string is a TypeScript string since ECMAScript 2019."""
    found = re.findall(r'^export const (\w+) = (".*");$', source, re.MULTILINE)
    return {name: json.loads(literal) for name, literal in found}


def assert_carries(files: Mapping[str, bytes], given_inputs: ScaffoldInputs) -> None:
    package = json.loads(files["package.json"])
    assert (package["name"], package["description"]) == (given_inputs.slug, given_inputs.summary)
    assert json.loads(files["package-lock.json"])["name"] == given_inputs.slug
    assert literals(files["src/about.ts"].decode()) == {
        "SERVICE": given_inputs.slug,
        "NAME": given_inputs.project_name,
        "SUMMARY": given_inputs.summary,
    }
    page = Head(files["index.html"].decode())
    assert (page.title, page.description) == (given_inputs.project_name, given_inputs.summary)
    assert page.elements == PLAIN_ELEMENTS


@pytest.mark.parametrize(
    "text",
    [
        "</title><script>alert(1)</script>",
        '" onload="alert(1)',
        "&lt;b&gt; &amp;",
        "${name} `code` \\u0041 \\",
        "*/ // <!-- -->",
        'Größe & "Maß" 東京 😀',
    ],
)
def test_hostile_text_comes_out_as_it_went_in(text: str) -> None:
    given_inputs = inputs(project_name=text, description=text)
    assert_carries(render(given_inputs).files, given_inputs)


printable = st.text(
    st.characters(exclude_categories=["Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"])
    | st.sampled_from(string.punctuation + "\u200c\u200d "),
    max_size=100,
)


@settings(max_examples=60, deadline=None)
@given(name=printable.filter(str.strip), description=printable)
def test_any_printable_text_comes_out_as_it_went_in(name: str, description: str) -> None:
    given_inputs = inputs(project_name=name, description=description)
    assert_carries(render(given_inputs).files, given_inputs)


def test_the_files_a_platform_team_asks_for_are_there() -> None:
    files = set(render(inputs()).files)
    assert files >= {
        ".doneright/scaffold.yaml",
        ".dockerignore",
        ".env.example",
        ".github/dependabot.yml",
        ".github/workflows/ci.yml",
        ".gitignore",
        ".node-version",
        ".npmrc",
        "Dockerfile",
        "Makefile",
        "azure-pipelines.yml",
        "deploy/chart/Chart.yaml",
        "docs/frontend.md",
        "docs/threat-model.md",
        "eslint.config.js",
        "index.html",
        "package-lock.json",
        "package.json",
        "server/main.ts",
        "src/main.tsx",
        "tests/smoke/running-service.test.ts",
        "tsconfig.json",
        "vite.config.ts",
    }
    assert not [path for path in files if path.endswith((".py", ".toml", ".jinja")) or "python" in path]


def test_the_words_are_those_of_node() -> None:
    files = render(inputs()).files
    for path, content in files.items():
        if path != ".doneright/scaffold.yaml" and "ISSUE_TEMPLATE" not in path and path != "package-lock.json":
            assert not re.search(rb"python|pytest|\bpip\b|uvicorn|pyproject", content, re.IGNORECASE), path
    assert yaml.safe_load(files[".github/dependabot.yml"])["updates"][0]["package-ecosystem"] == "npm"
    jobs = yaml.safe_load(files[".github/workflows/ci.yml"])["jobs"]
    stages = yaml.safe_load(files["azure-pipelines.yml"])["stages"]
    for gate, stage in zip(
        ("lint", "types", "unit", "smoke", "integration", "security", "coverage"), stages, strict=False
    ):
        (node,) = (step["with"] for step in jobs[gate]["steps"] if "setup-node" in step.get("uses", ""))
        assert node == {"node-version-file": ".node-version", "cache": "npm"}
        (tool,) = (step["inputs"] for step in stage["jobs"][0]["steps"] if step.get("task") == "NodeTool@0")
        assert tool["versionFilePath"] in files


def test_every_link_of_the_documents_leads_to_a_file() -> None:
    files = render(inputs()).files
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", files["README.md"].decode())
    assert "docs/frontend.md" in links
    assert set(links) <= set(files)


def test_the_lock_file_fits_the_package_file() -> None:
    files = render(inputs()).files
    package = json.loads(files["package.json"])
    packages = json.loads(files["package-lock.json"])["packages"]
    root = packages.pop("")
    for key in ("name", "version", "dependencies", "devDependencies", "engines"):
        assert root[key] == package[key], f"{key} changed: make the lock file again"
    assert {f"node_modules/{name}" for name in package["dependencies"] | package["devDependencies"]} <= set(packages)


def test_the_lock_file_pins_checksums_for_every_platform_and_names_no_host() -> None:
    packages = json.loads(render(inputs()).files["package-lock.json"])["packages"]
    del packages[""]
    assert len(packages) > 300
    for path, package in packages.items():
        assert package["integrity"].startswith("sha512-"), path
        assert "resolved" not in package, path
    # npm leaves out what its registry lacked while it locked, and `npm ci` then refuses the file elsewhere.
    names = {path.rpartition("node_modules/")[2] for path in packages}
    optional = {name for package in packages.values() for name in package.get("optionalDependencies", {})}
    assert len(optional) > 40
    assert optional <= names


def test_the_image_is_built_in_stages_and_runs_without_privileges() -> None:
    files = render(inputs()).files
    lines = files["Dockerfile"].decode().splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("FROM ")]
    version = files[".node-version"].decode().strip()
    assert [lines[start].split()[1] for start in starts] == [f"node:{version}-bookworm-slim"] * 2
    final = lines[starts[-1] :]
    assert "USER 10001:10001" in final
    assert any(line.startswith("HEALTHCHECK ") for line in final)
    assert any(line.startswith("RUN rm -rf /usr/local/lib/node_modules ") for line in final)
    copied = {name for line in lines[: starts[-1]] if line.startswith("COPY ") for name in line.split()[1:-1]}
    allowed = {line[1:] for line in files[".dockerignore"].decode().splitlines() if line.startswith("!")}
    assert copied == allowed


def test_only_scripts_are_executable() -> None:
    hooks = {".githooks/pre-commit", ".githooks/pre-push"}
    assert render(inputs()).executable == hooks | {"scripts/deploy.sh", "scripts/upload-evidence.sh"}
