"""The deployment script hands Helm the release, values and image of one environment, and refuses what it cannot do."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("sh") is None, reason="needs a POSIX shell")


def deploy(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    tools = root.parent / "tools"
    tools.mkdir()
    helm = tools / "helm"
    helm.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    helm.chmod(0o755)
    return subprocess.run(
        [str(root / "scripts/deploy.sh"), *arguments],
        env={**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_helm_is_asked_for_the_release_of_the_environment(generate: Callable[..., Path], environment: str) -> None:
    done = deploy(generate(), environment, "registry.example.com/order-desk", "0a1b2c")
    assert done.returncode == 0, done.stderr
    asked = done.stdout.splitlines()
    assert asked[:2] == ["upgrade", "order-desk"]
    assert asked[asked.index("--namespace") + 1] == f"order-desk-{environment}"
    assert asked[asked.index("--values") + 1].endswith(f"/values-{environment}.yaml")
    assert Path(asked[asked.index("--values") + 1]).is_file()
    assert "image.repository=registry.example.com/order-desk" in asked
    assert "image.tag=0a1b2c" in asked
    assert {"--install", "--atomic", "--wait"} <= set(asked)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 64, "usage:"),
        (("staging",), 64, "usage:"),
        (("moon", "image", "tag"), 66, "no environment 'moon': there is staging, production"),
    ],
)
def test_what_cannot_be_released_is_refused(
    generate: Callable[..., Path], arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = deploy(generate(), *arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert done.stdout == ""
