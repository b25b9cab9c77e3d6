"""Pipelines start from pushes, run stages behind approvals, show logs and previews, and are refused when they cannot run."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.local.sandbox.azure_devops.support import ZERO, change, push, refused, wait_until

pytestmark = pytest.mark.stack
YAML = """
trigger:
  branches:
    include: [main, release/*]
    exclude: [release/old]
stages:
- stage: Build
  displayName: Build it
  jobs:
  - job: compile
    steps:
    - checkout: self
    - script: make
      displayName: Make
    - task: PublishBuildArtifacts@1
- stage: Deploy
  jobs:
  - deployment: ship
    environment: {name: ENVIRONMENT}
    strategy: {runOnce: {deploy: {steps: [{bash: ship}]}}}
"""


class Line:
    """A repository with a pipeline of its own."""

    def __init__(self, clients: Any, name: str, yaml: str = YAML) -> None:
        self.git, self.build, self.pipelines = (
            clients.get_git_client(),
            clients.get_build_client(),
            clients.get_pipelines_client(),
        )
        self.repository = self.git.create_repository({"name": name}, "Shop")
        self.tip = push(self.git, self.repository, "main", ZERO, change("add", "/ci.yml", yaml))
        self.body = {
            "name": name,
            "process": {"type": 2, "yamlFilename": "ci.yml"},
            "repository": {"id": self.repository.id, "type": "TfsGit"},
        }
        self.definition = self.build.create_definition(self.body, "Shop")

    def runs(self, **filters: Any) -> list[Any]:
        return list(self.build.get_builds("Shop", definitions=[self.definition.id], **filters))

    def wait(self, number: int) -> Any:
        return wait_until(lambda: (b := self.build.get_build("Shop", number)).status == "completed" and b)


def test_pushes_start_what_the_trigger_names(clients: Any) -> None:
    line = Line(clients, "triggered")
    first = push(line.git, line.repository, "main", line.tip, change("add", "/a", "1"))
    assert [(b.reason, b.source_branch, b.source_version) for b in line.runs()] == [
        ("individualCI", "refs/heads/main", first)
    ]
    assert line.runs()[0].trigger_info["ci.message"] == "work"
    for name in ("release/1", "release/old", "topic"):
        line.git.update_refs(
            [{"name": f"refs/heads/{name}", "oldObjectId": ZERO, "newObjectId": first}], line.repository.id
        )
    assert {b.source_branch for b in line.runs()} == {"refs/heads/main", "refs/heads/release/1"}
    listed = push(
        line.git, line.repository, "main", first, change("edit", "/ci.yml", "trigger: [topic]\nsteps: [{script: a}]")
    )
    assert len(line.runs()) == 2
    line.git.update_refs(
        [{"name": "refs/heads/topic", "oldObjectId": first, "newObjectId": listed}], line.repository.id
    )
    assert len(line.runs()) == 3
    broken = push(line.git, line.repository, "main", listed, change("edit", "/ci.yml", "a: [unclosed"))
    assert len(line.runs()) == 3
    disabled = line.build.get_definition("Shop", line.definition.id).serialize() | {"queueStatus": "disabled"}
    line.build.update_definition(disabled, "Shop", line.definition.id)
    push(line.git, line.repository, "main", broken, change("edit", "/ci.yml", "steps: [{script: a}]"))
    assert len(line.runs()) == 3
    refused(lambda: line.build.queue_build({"definition": {"id": line.definition.id}}, "Shop"), "disabled")


def test_a_run_waits_is_approved_in_sequence_deploys_and_tells_all_in_logs(
    clients: Any, raw: Any, connect: Any
) -> None:
    line = Line(clients, "full", YAML.replace("ENVIRONMENT", "prod"))
    environment = clients.get_task_agent_client().add_environment({"name": "prod"}, "Shop")
    people = {
        n: connect(n).clients_v7_1.get_location_client().get_connection_data().authenticated_user.id
        for n in ("lead", "dev", "admin")
    }
    check = {
        "type": {"id": "8c6f20a7-a545-4486-9777-f762fafe0d4d"},
        "settings": {
            "approvers": [{"id": people["lead"]}, {"id": people["dev"]}],
            "executionOrder": "inSequence",
            "instructions": "look twice",
            "requesterCannotBeApprover": True,
            "blockedApprovers": [{"id": people["admin"]}],
        },
        "resource": {"type": "environment", "id": str(environment.id)},
    }
    raw.ok("POST", "/Shop/_apis/pipelines/checks/configurations", check)
    run = line.pipelines.run_pipeline(
        {"variables": {"key": {"value": "hush", "isSecret": True}, "open": {"value": "v"}}}, "Shop", line.definition.id
    )
    assert {k: v.value for k, v in run.variables.items()} == {"key": None, "open": "v"}
    route = "/Shop/_apis/pipelines/approvals"
    waiting = wait_until(
        lambda: [a for a in raw.ok("GET", route, state="pending")["value"] if a["pipeline"]["owner"]["id"] == run.id]
    )[0]
    assert (waiting["instructions"], [s["status"] for s in waiting["steps"]]) == ("look twice", ["pending", "pending"])
    assert [a["id"] for a in raw.ok("GET", route, userIds=people["dev"], approvalIds=waiting["id"])["value"]] == [
        waiting["id"]
    ]
    timeline = line.build.get_build_timeline("Shop", run.id).records
    assert [(r.type, r.state) for r in timeline if "Checkpoint" in r.type] == [
        ("Checkpoint", "inProgress"),
        ("Checkpoint.Approval", "inProgress"),
    ]
    assert line.pipelines.get_run("Shop", line.definition.id, run.id).state == "inProgress"
    decision = [{"approvalId": waiting["id"], "status": "approved", "comment": "go"}]
    raw.no(400, "not valid for status", "PATCH", route, [{**decision[0], "status": "maybe"}], who="lead")
    raw.no(404, "could not be found", "PATCH", route, [{"approvalId": "none", "status": "approved"}])
    raw.no(403, "not permitted", "PATCH", route, decision, who="dev")
    raw.no(403, "not permitted", "PATCH", route, decision)
    half = raw.ok("PATCH", route, decision, who="lead")["value"][0]
    assert (half["status"], half["steps"][0]["actualApprover"]["displayName"]) == ("pending", "Lea Lead")
    assert raw.ok("PATCH", route, decision, who="dev")["value"][0]["status"] == "approved"
    assert raw.ok("GET", f"{route}/{waiting['id']}")["status"] == "approved"
    raw.no(404, "could not be found", "GET", f"{route}/none")
    done = line.wait(run.id)
    assert (done.result, done.build_number.endswith(".1")) == ("succeeded", True)
    records = clients.get_task_agent_client().get_environment_deployment_execution_records("Shop", environment.id)
    assert [(r.stage_name, r.owner.id, r.result) for r in records] == [("Deploy", run.id, "succeeded")]
    logs = line.build.get_build_logs("Shop", run.id)
    assert [log.line_count for log in logs] == [6, 4]
    lines = line.build.get_build_log_lines("Shop", run.id, 1)
    assert [x.split(": ")[1] for x in lines] == [
        "Build it",
        "compile",
        "self",
        "Make",
        "PublishBuildArtifacts@1",
        "Build it",
    ]
    assert len(line.build.get_build_log_lines("Shop", run.id, 1, start_line=4)) == 2
    assert b"Finishing: Build it" in b"".join(line.build.get_build_log("Shop", run.id, 1))
    refused(lambda: line.build.get_build_log_lines("Shop", run.id, 9), "log 9")
    assert [log.id for log in line.pipelines.list_logs("Shop", line.definition.id, run.id).logs] == [1, 2]
    assert line.pipelines.get_log("Shop", line.definition.id, run.id, 2).line_count == 4
    refused(lambda: line.pipelines.get_log("Shop", line.definition.id, run.id, 9), "log 9")
    final = line.pipelines.get_run("Shop", line.definition.id, run.id)
    assert (final.state, final.result) == ("completed", "succeeded")
    assert [r.id for r in line.pipelines.list_runs("Shop", line.definition.id)] == [run.id]
    refused(lambda: line.pipelines.get_run("Shop", line.definition.id, 99_999), "could not be found")
    assert [c.message for c in line.build.get_build_changes("Shop", run.id)] == ["work"]
    assert line.build.get_artifacts("Shop", run.id) == []
    line.build.delete_definition("Shop", line.definition.id)
    assert waiting["id"] not in [a["id"] for a in raw.ok("GET", route)["value"]]


@pytest.mark.parametrize("decision", ["rejected", "canceled"])
def test_a_run_that_is_refused_or_cancelled_while_it_waits(clients: Any, raw: Any, connect: Any, decision: str) -> None:
    line = Line(
        clients,
        f"held-{decision}",
        YAML.replace("ENVIRONMENT", f"env-{decision}") + "- stage: After\n  jobs: [{job: a}]\n",
    )
    environment = clients.get_task_agent_client().add_environment({"name": f"env-{decision}"}, "Shop")
    lead = connect("lead").clients_v7_1.get_location_client().get_connection_data().authenticated_user.id
    check = {
        "type": {"id": "8c6f20a7-a545-4486-9777-f762fafe0d4d"},
        "settings": {"approvers": [{"id": lead}]},
        "resource": {"type": "environment", "id": str(environment.id)},
    }
    raw.ok("POST", "/Shop/_apis/pipelines/checks/configurations", check)
    run = line.build.queue_build({"definition": {"id": line.definition.id}}, "Shop")
    route = "/Shop/_apis/pipelines/approvals"
    waiting = wait_until(
        lambda: [a for a in raw.ok("GET", route, state="pending")["value"] if a["pipeline"]["owner"]["id"] == run.id]
    )[0]
    if decision == "rejected":
        raw.ok("PATCH", route, [{"approvalId": waiting["id"], "status": "rejected", "comment": "no"}], who="lead")
    else:
        line.build.update_build({"status": "cancelling", "keepForever": True}, "Shop", run.id)
    done = line.wait(run.id)
    assert done.result == {"rejected": "failed", "canceled": "canceled"}[decision]
    # An approval nobody can use any more does not stay open.
    assert raw.ok("GET", f"{route}/{waiting['id']}")["status"] == decision
    results = {r.name: r.result for r in line.build.get_build_timeline("Shop", run.id).records if r.type == "Stage"}
    assert results["Build"] == "succeeded"
    assert results["After"] == "skipped"


def test_builds_are_filtered_tagged_kept_and_deleted(clients: Any, raw: Any, simulator: Any) -> None:
    line = Line(clients, "listed", "trigger: none\nsteps: [{script: a}]")
    one = line.build.queue_build({"definition": {"id": line.definition.id}, "parameters": "{}"}, "Shop")
    two = line.build.queue_build({"definition": {"id": line.definition.id}, "sourceVersion": line.tip}, "Shop")
    assert line.build.add_build_tag("Shop", one.id, "nightly") == ["nightly"]
    assert line.build.add_build_tag("Shop", one.id, "nightly") == ["nightly"]
    assert [b.id for b in line.runs(tag_filters=["nightly"])] == [one.id]
    assert line.build.get_build_tags("Shop", one.id) == ["nightly"]
    assert line.build.delete_build_tag("Shop", one.id, "nightly") == []
    assert (
        raw.client.post(f"{simulator.url}/_builds/{two.id}", json={"result": "partiallySucceeded"}).status_code == 200
    )
    line.wait(one.id)
    line.wait(two.id)
    assert [b.id for b in line.runs(result_filter="partiallySucceeded")] == [two.id]
    assert [b.id for b in line.runs(status_filter="completed", reason_filter="manual", top=1)] == [two.id]
    assert [b.id for b in line.runs(build_number=one.build_number)] == [one.id]
    assert [b.id for b in line.build.get_builds("Shop", build_ids=[one.id])] == [one.id]
    assert line.runs(branch_name="refs/heads/none") == []
    assert [
        b.id for b in line.build.get_builds("Shop", repository_id=line.repository.id, repository_type="TfsGit")
    ] == [two.id, one.id]
    assert line.pipelines.get_run("Shop", line.definition.id, two.id).result == "succeeded"
    control = f"{simulator.url}/_builds"
    assert "completed already" in raw.client.post(f"{control}/{two.id}", json={"result": "failed"}).text
    assert raw.client.post(f"{control}/99999", json={"result": "failed"}).status_code == 404
    assert raw.client.post(f"{control}/1", content=b"{").status_code == 400
    assert line.build.update_build({"keepForever": True}, "Shop", one.id).keep_forever
    three = line.build.queue_build({"definition": {"id": line.definition.id}}, "Shop")
    raw.client.post(f"{control}/{three.id}", json={"result": "canceled"})
    assert line.wait(three.id).result == "canceled"
    line.build.delete_build("Shop", one.id)
    refused(lambda: line.build.get_build("Shop", one.id), "could not be found")
    refused(lambda: line.build.queue_build({}, "Shop"), "build.definition")
    refused(lambda: line.build.queue_build({"definition": {"id": 99_999}}, "Shop"), "99999")
    raw.no(403, "not authorized", "DELETE", f"/_apis/build/builds/{two.id}", who="reader")


def test_definitions_are_named_once_revised_and_keep_secrets(clients: Any, raw: Any) -> None:
    line = Line(clients, "defined", "trigger: none\nsteps: [{script: a}]")
    build = line.build
    refused(lambda: build.create_definition(line.body, "Shop"), "already exists")
    refused(lambda: build.create_definition({**line.body, "name": ""}, "Shop"), "definition.name")
    refused(lambda: build.create_definition({**line.body, "name": "n", "process": {"type": 2}}, "Shop"), "yamlFilename")
    refused(lambda: build.create_definition({**line.body, "name": "n", "repository": {}}, "Shop"), "repository.type")
    refused(
        lambda: build.create_definition(
            {**line.body, "name": "n", "repository": {"type": "TfsGit", "id": "none"}}, "Shop"
        ),
        "TF401019",
    )
    secret = {"key": {"value": "hush", "isSecret": True}, "open": {"value": "1"}}
    other = build.create_definition({**line.body, "path": "\\nested", "variables": secret}, "Shop")
    assert (other.path, other.variables["key"].value) == ("\\nested", None)
    body = build.get_definition("Shop", other.id).serialize()
    changed = build.update_definition({**body, "name": "renamed"}, "Shop", other.id)
    assert (changed.revision, changed.variables["open"].value) == (2, "1")
    refused(lambda: build.update_definition(body, "Shop", other.id), "changed by another user")
    assert [d.name for d in build.get_definitions("Shop", name="rena*")] == ["renamed"]
    assert [d.id for d in build.get_definitions("Shop", path="\\nested", top=1)] == [other.id]
    mine = build.get_definitions(
        "Shop", repository_id=line.repository.id, repository_type="TfsGit", include_all_properties=True
    )
    assert [d.id for d in mine] == [line.definition.id, other.id]
    assert [d.id for d in build.get_definitions("Shop", definition_ids=[other.id])] == [other.id]
    run = build.queue_build({"definition": {"id": other.id}}, "Shop")
    build.delete_definition("Shop", other.id)
    refused(lambda: build.get_build("Shop", run.id), "could not be found")
    refused(lambda: build.get_definition("Shop", other.id), "does not exist")


def test_previews_and_pipelines(clients: Any, raw: Any) -> None:
    line = Line(clients, "previewed", "trigger: none\nsteps: [{script: a}]")
    pipelines = line.pipelines
    assert "script: a" in pipelines.preview({"previewRun": True}, "Shop", line.definition.id).final_yaml
    override = {"previewRun": True, "yamlOverride": "steps: [{script: other}]"}
    assert "script: other" in pipelines.preview(override, "Shop", line.definition.id).final_yaml
    for text, words in (("a: [", "While parsing"), ("just words", "A mapping"), ("pool: x", "A mapping")):
        bad = {"previewRun": True, "yamlOverride": text}
        refused(lambda bad=bad: pipelines.preview(bad, "Shop", line.definition.id), words)
    shown = raw.ok("POST", f"/Shop/_apis/pipelines/{line.definition.id}/runs", {"previewRun": True})
    assert "finalYaml" in shown
    gone = {"previewRun": True, "resources": {"repositories": {"self": {"refName": "refs/heads/none"}}}}
    refused(lambda: pipelines.preview(gone, "Shop", line.definition.id), "A mapping")
    made = raw.ok(
        "POST",
        "/Shop/_apis/pipelines",
        {
            "name": "second",
            "folder": "\\f",
            "configuration": {
                "type": "yaml",
                "path": "/ci.yml",
                "repository": {"id": line.repository.id, "type": "azureReposGit"},
            },
        },
    )
    assert (pipelines.get_pipeline("Shop", made["id"]).folder, made["configuration"]["path"]) == ("\\f", "/ci.yml")
    assert {p.name for p in pipelines.list_pipelines("Shop")} >= {"previewed", "second"}
    raw.no(400, "type yaml", "POST", "/Shop/_apis/pipelines", {"name": "x", "configuration": {"type": "designerJson"}})
    raw.no(400, "configuration.path", "POST", "/Shop/_apis/pipelines", {"name": "x", "configuration": {"type": "yaml"}})
    outside = {
        "name": "away",
        "process": {"type": 2, "yamlFilename": "ci.yml"},
        "repository": {"type": "GitHub", "id": "o/r"},
    }
    away = line.build.create_definition(outside, "Shop")
    refused(lambda: pipelines.preview({"previewRun": True}, "Shop", away.id), "not one of this project")
    run = pipelines.run_pipeline({"stagesToSkip": ["__default"]}, "Shop", line.definition.id)
    assert line.wait(run.id).result == "succeeded"
    missing = line.build.create_definition(
        {**line.body, "name": "missing", "process": {"type": 2, "yamlFilename": "none.yml"}}, "Shop"
    )
    refused(lambda: line.build.queue_build({"definition": {"id": missing.id}}, "Shop"), "File not found")
    refused(
        lambda: line.build.queue_build({"definition": {"id": missing.id}, "sourceBranch": "none"}, "Shop"),
        "Could not find the branch",
    )
    designer = line.build.create_definition({**line.body, "name": "classic", "process": {"type": 1}}, "Shop")
    assert line.wait(line.build.queue_build({"definition": {"id": designer.id}}, "Shop").id).result == "succeeded"
