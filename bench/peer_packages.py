"""Installs the bench's own node packages once, exactly as their lock file says."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from bench.processes import ROOT
from bench.result import BenchError

PEERS = ROOT / "bench" / "peers"
STAMP = PEERS / "node_modules" / ".doneright-stamp"


def node() -> str:
    """The node program. Raises ``BenchError`` when there is none."""
    return _program("node")


def install(folder: Path = PEERS) -> bool:
    """Run ``npm ci`` unless what is installed is what the lock says; whether it ran.

    Raises:
        BenchError: npm is missing or failed.
    """
    lock = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    stamp = folder / "node_modules" / STAMP.name
    if stamp.exists() and stamp.read_text(encoding="ascii") == lock:
        return False
    command = [_program("npm"), "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        tail = "\n".join(done.stdout.decode(errors="replace").strip().splitlines()[-8:])
        raise BenchError(f"the peers could not be installed: npm ci in {folder} ended with {done.returncode}\n{tail}")
    stamp.write_text(lock, encoding="ascii")
    return True


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise BenchError(f"{name} is not there; install node 20 or newer with npm")
    return found
