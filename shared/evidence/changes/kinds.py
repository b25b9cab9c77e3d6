"""What a file is for, by its path: tests and of which layer, documentation, migrations, code."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from pathlib import PurePosixPath

from shared.domain.globs import fits


class FileKind(StrEnum):
    """What a file is for; the first that fits."""

    TEST = "test"
    DOCUMENTATION = "documentation"
    MIGRATION = "migration"
    WORKFLOW = "workflow"
    CONTAINER = "container"
    INFRASTRUCTURE = "infrastructure"
    LOCK = "lock"
    CODE = "code"
    OTHER = "other"


_PATTERNS: tuple[tuple[FileKind, tuple[str, ...]], ...] = (
    (FileKind.LOCK, ("**/*.lock", "**/package-lock.json", "**/pnpm-lock.yaml", "**/requirements*.txt")),
    (
        FileKind.TEST,
        (
            "tests/**", "test/**", "**/tests/**", "**/test/**", "**/__tests__/**", "**/e2e/**", "**/test_*.py", "**/*_test.py",
            "**/*.test.*", "**/*.spec.*", "**/conftest.py", "**/*.feature", "features/**",
        ),
    ),
    (FileKind.MIGRATION, ("**/migrations/**", "migrations/**", "**/alembic/versions/**")),
    (FileKind.WORKFLOW, (".github/workflows/**", "**/azure-pipelines*.yml", "**/azure-pipelines*.yaml", ".azure-pipelines/**")),
    (FileKind.CONTAINER, ("**/Dockerfile*", "**/*.dockerfile", "**/docker-compose*.y*ml", "**/compose.y*ml")),
    (
        FileKind.INFRASTRUCTURE,
        ("infra/**", "**/*.tf", "**/*.bicep", "**/charts/**", "deploy/**", "**/helm/**", "**/k8s/**", "**/kubernetes/**"),
    ),
    (
        FileKind.DOCUMENTATION,
        ("docs/**", "doc/**", "**/docs/**", "**/*.md", "**/*.rst", "**/*.adoc", "**/openapi*.y*ml", "**/openapi*.json"),
    ),
)  # fmt: skip

CODE_SUFFIXES = frozenset(
    [
        ".py",
        ".js",
        ".jsx",
        ".ts",
        ".tsx",
        ".mjs",
        ".cjs",
        ".java",
        ".kt",
        ".cs",
        ".go",
        ".rs",
        ".rb",
        ".php",
        ".c",
        ".h",
        ".cc",
        ".cpp",
        ".hpp",
        ".swift",
        ".scala",
        ".sql",
        ".vue",
        ".svelte",
        ".ps1",
        ".sh",
    ]
)


@lru_cache(maxsize=16_384)  # of a few large changes; gates and agents ask for the kind of each file dozens of times
def kind_of(path: str) -> FileKind:
    """What the file at ``path`` is for."""
    for kind, patterns in _PATTERNS:
        if fits(path, patterns):
            return kind
    return FileKind.CODE if PurePosixPath(path).suffix.lower() in CODE_SUFFIXES else FileKind.OTHER


class TestLayer(StrEnum):
    """Which layer a test belongs to, by its folder."""

    __test__ = False  # pytest would collect a class of this name

    UNIT = "unit"
    SMOKE = "smoke"
    INTEGRATION = "integration"
    FUNCTIONAL = "functional"
    END_TO_END = "end_to_end"
    SECURITY = "security"
    PERFORMANCE = "performance"


_LAYERS = {
    "unit": TestLayer.UNIT, "smoke": TestLayer.SMOKE, "integration": TestLayer.INTEGRATION,
    "functional": TestLayer.FUNCTIONAL, "features": TestLayer.FUNCTIONAL, "bdd": TestLayer.FUNCTIONAL,
    "acceptance": TestLayer.FUNCTIONAL, "e2e": TestLayer.END_TO_END, "end_to_end": TestLayer.END_TO_END,
    "security": TestLayer.SECURITY, "performance": TestLayer.PERFORMANCE, "load": TestLayer.PERFORMANCE,
}  # fmt: skip


def layer_of(path: str) -> TestLayer:
    """The layer of the test file at ``path``; one whose folders name none is a unit test."""
    parts = PurePosixPath(path.lower()).parts
    return next((_LAYERS[part] for part in parts if part in _LAYERS), TestLayer.UNIT)
