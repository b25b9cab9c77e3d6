"""What runs apart begins quickly, since it loads one library and nothing else of ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shared.evidence.apart import child

ROOT = Path(__file__).resolve().parents[5]
SEEN = """
import json, sys
sys.argv[1:] = []
from importlib import import_module
from shared.evidence.apart import child
import_module(f"shared.evidence.apart.{sys.stdin.read()}").begin()
names = {name.partition(".")[0] for name in sys.modules}
ours = sorted(name for name in sys.modules if name.startswith("shared."))
print(json.dumps([ours, sorted({"pydantic", "shared", "lizard", "bandit", "detect_secrets", "yaml"} & names)]))
"""


@pytest.mark.parametrize("module", child.MODULES)
def test_it_loads_nothing_else_of_ours(module) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SEEN], input=module, capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )
    import json

    ours, others = json.loads(done.stdout)
    assert set(ours) == {
        "shared.evidence",
        "shared.evidence.apart",
        "shared.evidence.apart.child",
        f"shared.evidence.apart.{module}",
    }
    assert "pydantic" not in others


def test_another_module_is_refused() -> None:
    assert child.main(["os"]) == 2
