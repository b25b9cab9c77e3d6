"""zizmor, offline and in its pedantic mood, finds no weakness in the workflow and in dependabot's file."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.domain.project import Stack
from shared.projects.scaffold import LAYERS

ZIZMOR = Path(sys.executable).with_name("zizmor.exe" if sys.platform == "win32" else "zizmor")
OWN_ACTION = "self-repository"
each_stack = pytest.mark.parametrize("stack", LAYERS)


def findings(root: Path) -> list[str]:
    done = subprocess.run(
        [str(ZIZMOR), "--offline", "--no-progress", "--persona", "pedantic", "--format", "json", str(root / ".github")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    # An action that lies in the repository itself is of the very commit that is checked out.
    return [
        f"{one['ident']} at {one['locations'][0]['symbolic']['key']}" for one in found if one["ident"] != OWN_ACTION
    ]


@each_stack
def test_nothing_is_found(generate: Callable[..., Path], stack: Stack) -> None:
    root = generate(stack=stack)
    assert findings(root) == []
    workflow = root / ".github/workflows/ci.yml"
    text = workflow.read_text(encoding="utf-8")
    assert "zizmor: ignore" not in text
    workflow.write_text(
        re.sub(r"actions/checkout@\w+ # \S+", "actions/checkout@main", text).replace(
            "run: make setup", "run: echo ${{ github.head_ref }}", 1
        ),
        encoding="utf-8",
    )
    assert {finding.split()[0] for finding in findings(root)} >= {"unpinned-uses", "template-injection"}


@each_stack
def test_jobs_have_the_least_rights_and_actions_are_pinned(generate: Callable[..., Path], stack: Stack) -> None:
    text = (generate(stack=stack) / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in workflow[True]
    for name, job in workflow["jobs"].items():
        assert job.get("permissions", {"contents": "read"}) == {"contents": "read"}, name
    used = re.findall(r"uses: (\S+)(?: # (v[\d.]+))?$", text, re.MULTILINE)
    assert len(used) == text.count("uses: ")
    for action, version in used:
        if action.startswith("./.github/actions/"):
            continue
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action), action
        assert version, f"{action} needs its version beside it, which dependabot keeps up"
