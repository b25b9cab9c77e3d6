"""Code scanning and the alerts GitHub raises by itself, each answer held to the published description."""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from local.sandbox.github.hub import Hub
from local.sandbox.github.security_alerts import add_dependabot_alert, add_secret_alert


def _packed(report):
    return base64.b64encode(gzip.compress(json.dumps(report).encode())).decode()


def _report(*results, tool="CodeQL", category="py"):
    rules = [
        {"id": "py/injection", "properties": {"security-severity": "9.8", "tags": ["security"]}},
        {"id": "py/style"},
    ]
    return {
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": tool, "version": "2.0", "rules": rules}},
                "automationDetails": {"id": f"{category}/"},
                "results": [
                    {
                        "ruleId": rule,
                        "message": {"text": f"{rule} at {line}"},
                        "locations": [
                            {"physicalLocation": {"artifactLocation": {"uri": "a.py"}, "region": {"startLine": line}}}
                        ],
                    }
                    for rule, line in results
                ],
            }
        ],
    }


def _upload(http, repo, report, ref="refs/heads/main", commit=None, packed=None):
    sha = commit or repo.get_branch("main").commit.sha
    body = {"commit_sha": sha, "ref": ref, "sarif": packed or _packed(report)}
    return http.post(f"/repos/{repo.full_name}/code-scanning/sarifs", json=body)


def test_results_become_alerts_and_go_when_they_are_fixed(sandbox):
    repo = sandbox.repo()
    base = f"/repos/{repo.full_name}/code-scanning"
    with sandbox.http() as http:
        assert http.get(f"{base}/alerts").json()["message"] == "no analysis found"
        sent = _upload(http, repo, _report(("py/injection", 3), ("py/style", 9)))
        assert sent.status_code == 202
        assert http.get(f"{base}/sarifs/{sent.json()['id']}").json()["processing_status"] == "complete"
        alerts = http.get(f"{base}/alerts", params={"state": "open", "ref": "main"}).json()
        shown = {alert["rule"]["id"]: alert for alert in alerts}
        assert shown["py/injection"]["rule"]["security_severity_level"] == "critical"
        assert shown["py/injection"]["most_recent_instance"]["location"]["start_line"] == 3
        assert shown["py/style"]["rule"]["severity"] == "warning"
        assert http.get(f"{base}/alerts", params={"ref": "refs/pull/1/merge"}).json() == []
        _upload(http, repo, _report(("py/style", 9)))
        states = {a["rule"]["id"]: a["state"] for a in http.get(f"{base}/alerts").json()}
        assert states == {"py/injection": "fixed", "py/style": "open"}
        _upload(http, repo, _report(("other", 1), tool="Other"), ref="refs/pull/7/head")
        analyses = http.get(f"{base}/analyses").json()
        assert [(a["tool"]["name"], a["results_count"]) for a in analyses] == [
            ("Other", 1),
            ("CodeQL", 1),
            ("CodeQL", 2),
        ]
        assert len(http.get(f"{base}/analyses", params={"pr": 7}).json()) == 1
        assert len(http.get(f"{base}/analyses", params={"tool_name": "CodeQL"}).json()) == 2
        assert {a["tool"]["name"] for a in http.get(f"{base}/alerts").json()} == {"CodeQL"}
        assert http.get(f"{base}/sarifs/none").status_code == 404


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"packed": "%%%"}, 400, "Invalid SARIF"),
        ({"packed": base64.b64encode(b"no gzip").decode()}, 400, "Invalid SARIF"),
        ({"packed": _packed({"version": "2.0.0", "runs": []})}, 400, "Only SARIF version 2.1.0"),
        ({"packed": _packed([])}, 400, "Only SARIF version 2.1.0"),
        ({"packed": base64.b64encode(b"x" * (10 * 1024 * 1024 + 1)).decode()}, 413, "too large"),
        ({"commit": "0" * 40}, 404, "commit not found"),
        ({"commit": "short"}, 422, "does not match"),
        ({"ref": "main"}, 422, "not a valid ref"),
    ],
)
def test_what_is_no_analysis_is_refused(lax, change, status, words):
    repo = lax.repo()
    with lax.http() as http:
        answer = _upload(http, repo, _report(), **change)
    assert (answer.status_code, words in answer.text) == (status, True), answer.text


def test_private_repositories_need_the_plan(sandbox):
    repo = sandbox.repo(private=True)
    with sandbox.http() as http:
        answer = http.get(f"/repos/{repo.full_name}/code-scanning/alerts")
        assert (answer.status_code, "Advanced Security must be enabled" in answer.text) == (403, True)
        assert http.get(f"/repos/{repo.full_name}/dependabot/alerts").status_code == 403
        hidden = http.get(f"/repos/{repo.full_name}/secret-scanning/alerts")
        assert (hidden.status_code, hidden.json()["message"]) == (
            404,
            "Secret scanning is disabled on this repository.",
        )
    with sandbox.http("eve-token") as http:
        assert http.get(f"/repos/{repo.full_name}/code-scanning/alerts").status_code == 404


def test_readers_see_no_alerts(sandbox):
    repo = sandbox.repo()
    with sandbox.http("eve-token") as http:
        for kind in ("code-scanning", "dependabot", "secret-scanning"):
            assert http.get(f"/repos/{repo.full_name}/{kind}/alerts").status_code == 403


def test_dependencies_and_secrets_are_told_page_by_page(sandbox):
    repo = sandbox.repo()
    hub = Hub(sandbox.state, sandbox.url)
    record = hub.repo("octo", repo.name)
    for n in range(3):
        add_dependabot_alert(
            hub, record, package=f"p{n}", ecosystem="pip", manifest="r.txt", ghsa=f"GHSA-{n}", severity="low", summary="s"
        )  # fmt: skip
    sha = repo.get_branch("main").commit.sha
    add_secret_alert(hub, record, kind="npm_access_token", name="npm", path="README.md", line=1, commit=sha)
    with sandbox.http() as http:
        first = http.get(f"/repos/{repo.full_name}/dependabot/alerts", params={"per_page": 2, "state": "open"})
        assert [one["number"] for one in first.json()] == [3, 2]
        then = http.get(first.links["next"]["url"])
        assert [one["number"] for one in then.json()] == [1]
        assert "next" not in then.links
        assert http.get(f"/repos/{repo.full_name}/dependabot/alerts", params={"state": "fixed"}).json() == []
        address = f"/repos/{repo.full_name}/secret-scanning/alerts"
        assert "secret" in http.get(address).json()[0]
        assert "secret" not in http.get(address, params={"hide_secret": "true"}).json()[0]
        assert http.get(address, params={"state": "resolved"}).json() == []


def test_alerts_are_seeded_once(serve, seed):
    from local.sandbox.seed import apply_seed
    from local.sandbox.state import State

    organization = seed["github"]["organizations"][0]
    repository = {
        "name": "alerted",
        "files": {"app.py": "x = 1\n"},
        "dependency_alerts": [{"package": "jinja2", "ghsa": "GHSA-cpwx-vrp4-4pq7", "summary": "Breakout"}],
        "secret_alerts": [{"kind": "npm_access_token", "name": "npm", "path": "app.py"}],
    }
    document = {"github": {**seed["github"], "organizations": [{**organization, "repositories": [repository]}]}}
    state = State()
    apply_seed(state, document)
    apply_seed(state, document)
    with serve(state) as sandbox, sandbox.http() as http:
        assert len(http.get("/repos/octo/alerted/dependabot/alerts").json()) == 1
        (secret,) = http.get("/repos/octo/alerted/secret-scanning/alerts").json()
        assert secret["first_location_detected"]["path"] == "app.py"
