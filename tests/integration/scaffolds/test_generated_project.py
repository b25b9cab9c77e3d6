"""A generated project passes its own gates, through the commands that its pipelines run."""

import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.domain.project import Stack
from shared.projects.scaffold import LAYERS

PYTHON_STACKS = [stack for stack, layers in LAYERS.items() if "python" in layers]
LONGEST_SLUG = "a-service-with-as-long-a-name-as-allowed"


def run(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    # Nothing of this run's own test and coverage settings may reach the generated project's.
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "COV_", "COVERAGE_", "APP_", "MAKE", "MFLAGS"))
        and name not in {"PYTHONPATH", "VIRTUAL_ENV", "SMOKE_BASE_URL"}
    }
    done = subprocess.run(command, cwd=root, env=inherited, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    return done


@pytest.mark.parametrize("stack", PYTHON_STACKS)
@pytest.mark.parametrize("package", ["a", "order_desk", "zebra", f"{LONGEST_SLUG.replace('-', '_')}_app"])
def test_any_package_name_keeps_the_code_formatted(generate: Callable[..., Path], package: str, stack: Stack) -> None:
    root = generate(stack=stack, package_name=package, slug=LONGEST_SLUG, project_name='The "desk" ' * 9)
    run(root, sys.executable, "-m", "ruff", "check", "--no-cache", ".")
    run(root, sys.executable, "-m", "ruff", "format", "--no-cache", "--check", ".")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize("stack", PYTHON_STACKS)
def test_a_generated_python_project_passes_its_own_gates(generate: Callable[..., Path], stack: Stack) -> None:
    root = generate(
        stack=stack,
        project_name="Order \"Desk\" & 'Co' 東京 😀 \\ {{ x }}",
        description='Takes "orders" from shops.\n\n- and \\ tells the `warehouse`\n1. <b>now</b>',
    )
    run(root, "make", "setup", f"PYTHON={sys.executable}")
    run(root, "make", "check")
    tested = run(root, "make", "test")
    assert "Required test coverage of 85.0% reached" in tested.stdout
    assert "warning" not in tested.stdout.lower()
    counted = {}
    for gate in ("unit", "smoke", "integration"):
        run(root, "make", gate)
        suite = ET.parse(root / f"reports/junit-{gate}.xml").getroot().find("testsuite")  # noqa: S314 - our own file
        assert suite is not None
        assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("0", "0", "0")
        counted[gate] = int(suite.get("tests", "0"))
    assert counted["unit"] >= 30
    assert counted["smoke"] >= 4
    assert counted["integration"] >= 9
    assert (root / "reports/coverage.xml").is_file()
    if stack is Stack.DJANGO:
        run(root, "make", "migrations")
        models = root / "src/order_desk/items/models.py"
        models.write_text(
            models.read_text(encoding="utf-8").replace("max_length=100", "max_length=99"), encoding="utf-8"
        )
        with pytest.raises(AssertionError, match="Alter field name on item"):
            run(root, "make", "migrations")
    offered = run(root, "make", "help").stdout
    assert all(f"  {target} " in offered for target in ("setup", "run", "test", "check"))
