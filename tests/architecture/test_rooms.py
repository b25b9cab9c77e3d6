"""Who may import what, which files belong together, and that cold starts load no vendor SDK."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.domain.audit import MEANINGS, AuditTag
from shared.domain.plan import StepState
from shared.projects.applying import TAGS
from shared.projects.steps import definitions

ROOT = Path(__file__).resolve().parents[2]
DEPLOYED = ("functions", "orchestrations", "shared")
LATE = {"shared.adapters.storage.transport"}
"""Modules that build on an SDK's classes; others may import them inside functions alone."""
VENDORS = ("azure.", "github", "msrest", "durabletask", "grpc")


def sources(*rooms: str) -> list[Path]:
    found = [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]
    return [path for path in found if "scaffolds" not in path.relative_to(ROOT).parts[1:2]]


def imports(path: Path, *, at_top_alone: bool = False) -> Iterator[str]:
    """The dotted names a file imports; only those an import of the file runs, when asked."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if at_top_alone else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, room: str) -> bool:
    return name == room or name.startswith(room + ".")


def test_nothing_deployed_imports_local_or_tests():
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in [*sources(*DEPLOYED), ROOT / "function_app.py"]
        for name in imports(path)
        if within(name, "local") or within(name, "tests") or within(name, "bench")
    ]
    assert wrong == []


def test_only_tests_bench_and_the_generated_reference_import_local():
    others = [
        path
        for path in sorted(ROOT.glob("*/**/*.py"))
        if path.relative_to(ROOT).parts[0] not in {"local", "tests", "bench", "docs", "node_modules"}
        and not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
    ]
    assert others
    assert [str(path) for path in others if any(within(name, "local") for name in imports(path))] == []


@pytest.mark.parametrize("package", ["azure.functions", "azure.durable_functions", "durabletask"])
def test_only_triggers_and_runbooks_import_the_functions_sdks(package):
    wrong = [str(path) for path in sources("shared") if any(within(name, package) for name in imports(path))]
    assert wrong == []


@pytest.mark.parametrize("package", ["azure", "github", "msrest"])
def test_only_adapters_import_vendor_sdks(package):
    outside = [path for path in sources("shared") if "adapters" not in path.relative_to(ROOT).parts]
    assert [str(path) for path in outside if any(within(name, package) for name in imports(path))] == []
    triggers = [*sources("functions", "orchestrations"), ROOT / "function_app.py"]
    allowed = ("azure.functions", "azure.durable_functions")
    wrong = [
        f"{path.name}: {name}"
        for path in triggers
        for name in imports(path)
        if within(name, package) and not any(within(name, sdk) for sdk in allowed)
    ]
    assert wrong == []


def test_importing_any_module_of_shared_loads_no_vendor_sdk():
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in sources("shared")
    ]
    assert len(names) > 60
    late = set(names) & LATE
    assert late == LATE
    for path in sources("shared"):
        assert not LATE & {name.rpartition(".")[0] for name in imports(path, at_top_alone=True)}, path
    names = [name for name in names if name not in LATE]
    program = f"""
import importlib, sys
for name in {names!r}:
    importlib.import_module(name)
print(*sorted(name for name in sys.modules if name.startswith({VENDORS!r})))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_importing_the_app_loads_no_forge_and_no_storage_sdk():
    program = "import function_app, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.split()
    assert "function_app" in loaded
    late = (
        "github",
        "msrest",
        "azure.data",
        "azure.storage",
        "azure.identity",
        "azure.keyvault",
        "azure.devops",
        "jinja2",
    )
    assert [name for name in loaded if any(within(name, package) for package in late)] == []


def test_the_app_stays_a_composition():
    assert len((ROOT / "function_app.py").read_text(encoding="utf-8").splitlines()) < 40


def test_broad_excepts_stand_at_the_edge_alone():
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources("shared", "orchestrations")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
        # Setting things right on the way out hides nothing.
        and not (isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None)
    ]
    assert wrong == []


def test_every_step_file_is_a_step_with_its_words_and_its_test():
    folder = ROOT / "shared" / "projects" / "steps"
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "step"}
    assert set(definitions()) == files
    for kind, step in definitions().items():
        assert step.kind == kind
        assert step.title.strip(), kind
        for sentence in (step.ensures, step.reads_back, step.reverses):
            assert sentence.endswith("."), f"steps/{kind}.py: {sentence!r} is no sentence"
        assert step.reverse is not None, (
            f"steps/{kind}.py cannot be taken back: give it a reverse, if only one that keeps"
        )
        test = ROOT / "tests" / "unit" / "shared" / "projects" / "steps" / f"test_{kind}.py"
        assert test.exists(), f"steps/{kind}.py has no test: write {test.relative_to(ROOT)}"


def test_audit_tags_read_source_subject_action_and_mean_something():
    for tag in AuditTag:
        assert re.fullmatch(r"(doneright|github|azure_devops):[a-z]+:[a-z]+", tag.value), tag
        assert tag.value.endswith(("ed", "drawn", "swept", "kept", "taken")), f"{tag}: actions are past tense"
        assert tag.name == tag.value.replace(":", "_").upper().removeprefix("DONERIGHT_")
        assert MEANINGS[tag].endswith(".")
    assert set(MEANINGS) == set(AuditTag)


def test_every_end_of_a_step_has_its_tag_on_each_forge():
    for (forge, state), tag in TAGS.items():
        assert tag.value == f"{forge}:step:{state}"
    assert {state for _, state in TAGS} == {
        StepState.APPLIED,
        StepState.CONFIRMED,
        StepState.UNSUPPORTED,
        StepState.FAILED,
    }


def test_the_import_rule_holds():
    lint = Path(sys.executable).parent / "lint-imports"
    if not lint.exists():
        pytest.skip("import-linter is not installed: pip install -r requirements-dev.txt")
    done = subprocess.run([lint, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout
