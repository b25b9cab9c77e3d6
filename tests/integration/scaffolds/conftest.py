"""Rendered repositories on disk."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.projects.scaffold import ScaffoldInputs, render

Generate = Callable[..., Path]


@pytest.fixture
def generate(tmp_path: Path) -> Generate:
    """Render a repository into a fresh folder, as the first commit would hold it."""

    def write(**changes: Any) -> Path:
        rendered = render(
            ScaffoldInputs.model_validate(
                {
                    "project_name": "Order Desk",
                    "slug": "order-desk",
                    "package_name": "order_desk",
                    "description": "Takes orders from shops.",
                    "owner": "octocat",
                    "stack": "fastapi",
                    "year": 2026,
                    "github_url": "https://github.com/octo/order-desk",
                    "azure_devops_url": "https://dev.azure.com/octo/desk/_git/order-desk",
                }
                | changes
            )
        )
        root = tmp_path / "repository"
        for path, content in rendered.files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            target.chmod(0o755 if path in rendered.executable else 0o644)
        return root

    return write
