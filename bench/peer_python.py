"""Makes the virtual environment of a peer written in Python once, exactly as its list of pinned packages says; never ours."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from bench.processes import ROOT
from bench.result import BenchError

PR_AGENT = ROOT / "bench" / "peers" / "pr-agent"


def python_of(folder: Path) -> Path:
    """The python of the environment in ``folder``."""
    return folder / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install(folder: Path = PR_AGENT) -> bool:
    """Make the environment unless it is what the list says; whether it was made.

    Raises:
        BenchError: it could not be made; the message has the installer's words.
    """
    pinned = hashlib.sha256((folder / "requirements.txt").read_bytes()).hexdigest()
    stamp = folder / ".venv" / "doneright-stamp"
    if stamp.exists() and stamp.read_text(encoding="ascii") == pinned:
        return False
    _run([sys.executable, "-m", "venv", "--clear", str(folder / ".venv")], folder)
    packages = ["--no-deps", "--disable-pip-version-check", "--quiet", "-r", str(folder / "requirements.txt")]
    _run([str(python_of(folder)), "-m", "pip", "install", *packages], folder)
    stamp.write_text(pinned, encoding="ascii")
    return True


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        tail = "\n".join(done.stdout.decode(errors="replace").strip().splitlines()[-8:])
        raise BenchError(f"the environment of {folder.name} could not be made:\n{tail}")
