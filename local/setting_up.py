"""Sets up once what every command needs: Python 3.13, the pinned packages, node and the storage emulator.

Runs before anything is installed, so it uses the standard library alone and stays readable to older Pythons.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, List, Optional  # noqa: UP035 - an older Python may read this file

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
WANTED = (3, 13)
LEAST_NODE = 20
STAMP = ".doneright-stamp"

NO_PYTHON = """Python 3.13 is not there. Install it, then run the command again:
  with pyenv:   pyenv install 3.13          (https://github.com/pyenv/pyenv)
  with uv:      uv python install 3.13      (https://docs.astral.sh/uv)
  on Debian:    apt-get install python3.13 python3.13-venv
  on macOS:     brew install python@3.13
  on Windows:   winget install Python.Python.3.13"""

NO_NODE = """node 20 or newer, with npm, is not there; the storage emulator (Azurite) runs on it. Install it:
  on Debian:    apt-get install nodejs npm
  on macOS:     brew install node
  anywhere:     https://nodejs.org/en/download"""


class NotThereError(Exception):
    """Something this machine must have is missing; the message says what to install."""


def ready(node_for_tests: bool = False) -> Path:
    """The interpreter of a virtual environment that has everything. Raises ``NotThereError``."""
    with _alone():
        python = _interpreter()
        _packages(python)
        _node_packages(node_for_tests)
    return python


@contextmanager
def _alone() -> Iterator[None]:
    """Two commands that start together set up one after the other, not into each other."""
    try:
        import fcntl
    except ImportError:  # Windows has other locks; there a second command waits for its user
        yield
        return
    folder = ROOT / ".doneright"
    folder.mkdir(exist_ok=True)
    with (folder / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def runs_in(python: Path) -> bool:
    """Whether this process runs in the virtual environment of ``python``."""
    return Path(sys.prefix).resolve() == python.parent.parent.resolve()


def _interpreter() -> Path:
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if python.exists() and _version(str(python)) == WANTED:
        return python
    base = _base_python()
    _say("making the virtual environment .venv")
    if VENV.exists():
        shutil.rmtree(str(VENV))
    _run([base, "-m", "venv", str(VENV)], "the virtual environment could not be made")
    return python


def _base_python() -> str:
    candidates: List[Optional[str]] = [sys.executable, shutil.which("python3.13"), shutil.which("python")]  # noqa: UP006, UP045
    for tool in (
        ["uv", "python", "find", "3.13"],
        ["pyenv", "prefix", "3.13"],
        ["py", "-3.13", "-c", "import sys; print(sys.executable)"],
    ):
        if shutil.which(tool[0]):
            found = subprocess.run(tool, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=str(ROOT), check=False)
            path = found.stdout.decode().strip()
            if found.returncode == 0 and path:
                candidates.append(str(Path(path) / "bin" / "python3.13") if tool[0] == "pyenv" else path)
    for candidate in candidates:
        if candidate and Path(candidate).exists() and _version(candidate) == WANTED:
            return candidate
    raise NotThereError(NO_PYTHON)


def _version(python: str) -> Optional[tuple]:  # type: ignore[type-arg]  # noqa: UP045
    found = subprocess.run(
        [python, "-c", "import sys; print(*sys.version_info[:2])"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if found.returncode:
        return None
    return tuple(int(part) for part in found.stdout.split())


def _packages(python: Path) -> None:
    locks = [ROOT / "requirements.txt", ROOT / "requirements-dev.txt"]
    stamp = VENV / STAMP
    wanted = _digest(locks)
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return
    _say("installing the pinned Python packages (a minute or two, once)")
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-virtualenv"]
    _run([*command, "-r", str(locks[1])], "the Python packages could not be installed")
    stamp.write_text(wanted, encoding="ascii")


def _node_packages(for_tests: bool) -> None:
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        raise NotThereError(NO_NODE)
    version = subprocess.run([node, "--version"], stdout=subprocess.PIPE, check=True).stdout.decode()
    if int(version.lstrip("v").split(".", 1)[0]) < LEAST_NODE:
        raise NotThereError(f"node is {version.strip()}. {NO_NODE}")
    stamp = ROOT / "node_modules" / STAMP
    lock = _digest([ROOT / "package-lock.json"])
    have = stamp.read_text(encoding="ascii").split() if stamp.exists() else ["", ""]
    if have[0] == lock and (have[1] == "tests" or not for_tests):
        return
    # What another command installed for the tests stays for them.
    for_tests = for_tests or (ROOT / "node_modules" / "@octokit").exists()
    _say("installing the node packages" + (" that the tests read" if for_tests else ": the storage emulator"))
    command = [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    _run(command if for_tests else [*command, "--omit=dev"], "the node packages could not be installed")
    stamp.write_text(f"{lock} {'tests' if for_tests else 'demo'}", encoding="ascii")


def _digest(files: List[Path]) -> str:  # noqa: UP006
    state = hashlib.sha256()
    for file in files:
        state.update(file.read_bytes())
    return state.hexdigest()


def _run(command: List[str], problem: str) -> None:  # noqa: UP006
    done = subprocess.run(command, cwd=str(ROOT), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        tail = "\n".join(done.stdout.decode(errors="replace").strip().splitlines()[-15:])
        raise NotThereError(f"{problem}: {' '.join(command)} ended with {done.returncode}\n{tail}")


def _say(text: str) -> None:
    print(f"doneright: {text}…", file=sys.stderr, flush=True)
