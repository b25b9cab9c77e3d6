"""The templates are copier templates: copier, run on a read-only copy, writes the bytes that we render."""

import shutil
import stat
from pathlib import Path

import copier
import pytest

from shared.domain.project import Stack
from shared.projects import scaffold
from shared.projects.scaffold import ScaffoldInputs, render


@pytest.mark.parametrize("stack", scaffold.LAYERS)
@pytest.mark.parametrize("forge", ["github_url", "azure_devops_url"])
def test_copier_writes_the_same_bytes(tmp_path: Path, stack: Stack, forge: str) -> None:
    template = tmp_path / "package"
    shutil.copytree(scaffold.SCAFFOLDS, template)
    for path in [template, *template.rglob("*")]:
        path.chmod(stat.S_IRUSR | (stat.S_IXUSR if path.is_dir() else 0))
    inputs = ScaffoldInputs.model_validate(
        {
            "project_name": 'A "desk" for <orders> & 東京 [= slug =] {{ x }}',
            "slug": "order-desk",
            "package_name": "order_desk",
            "description": "- first\n1. second\n\n*third* `x`",
            "owner": "octo/desk",
            "stack": stack,
            "year": 2026,
            forge: "https://example.com/octo/desk",
        }
    )
    written = tmp_path / "written"
    for layer in scaffold.LAYERS[stack]:
        copier.run_copy(
            str(template),
            written,
            data={**inputs.answers(), "layer": layer},
            defaults=True,
            overwrite=True,
            quiet=True,
            unsafe=False,
        )
    found = {path.relative_to(written).as_posix(): path.read_bytes() for path in written.rglob("*") if path.is_file()}
    assert found == dict(render(inputs).files)
    for path in [template, *template.rglob("*")]:
        path.chmod(stat.S_IRWXU)
