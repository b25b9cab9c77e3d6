"""Writes the reference pages from the code, or names each page that no longer says what the code says."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from docs.generators import agents, api, configuration, definitions, functions, gates, origins, vocabulary

REFERENCE = Path(__file__).resolve().parent / "reference"

PAGES: Mapping[str, Callable[[], str]] = {
    "api.md": api.reference,
    "openapi.json": api.openapi,
    "settings.md": configuration.reference,
    "audit-tags.md": vocabulary.audit_tags,
    "steps.md": vocabulary.steps,
    "functions.md": functions.reference,
    "problems/errors.md": vocabulary.errors,
    "definition-of-done.md": definitions.done,
    "ticket-lifecycle.md": definitions.lifecycle,
    "policies.md": definitions.policies,
    "agents.md": agents.reference,
    "coverage.md": origins.reference,
    **gates.pages(),
}


def write(folder: Path) -> list[str]:
    """Write every page into ``folder``; the names of those that changed."""
    changed = _drifted(folder)
    for name, text in changed.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(changed)


def drifted(folder: Path) -> list[str]:
    """Names of the pages in ``folder`` that are missing or differ from what the code says."""
    return list(_drifted(folder))


def _drifted(folder: Path) -> dict[str, str]:
    texts = {name: text() for name, text in PAGES.items()}
    return {name: text for name, text in texts.items() if _read(folder / name) != text}


def _read(path: Path) -> str | None:
    return path.read_bytes().decode("utf-8") if path.is_file() else None


def main(arguments: list[str], folder: Path = REFERENCE) -> int:
    """0 when all is as the code says or was written; with ``--check`` 1 when a page drifted."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; name each page that drifted")
    if parser.parse_args(arguments).check:
        names = drifted(folder)
        for name in names:
            print(f"docs/reference/{name} is not what the code says: run `make docs`", file=sys.stderr)
        return 1 if names else 0
    for name in write(folder):
        print(f"wrote docs/reference/{name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
