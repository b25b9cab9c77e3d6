"""The pipelines of a project deploy to the environments its request names, and to no other."""

from __future__ import annotations

import pytest

from shared.projects.planning import rendered
from tests.fakes.app import a_connection, a_request


@pytest.mark.parametrize("names", [["production"], ["Test", "Prod EU"]])
def test_pipelines_deploy_to_the_environments_that_were_asked_for(names):
    request = a_request(environments=[{"name": name} for name in names])
    files = rendered(request, a_connection(), 2026).files
    for path in ("azure-pipelines.yml", ".github/workflows/ci.yml"):
        text = files[path].decode()
        assert all(name in text for name in names), path
        assert "environment: staging" not in text
