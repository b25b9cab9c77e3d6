"""Every page of a furnished project shows what is there, and every link of the simulator's own leads to a page."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from urllib.parse import urldefrag, urljoin

import httpx
import pytest

from tests.unit.local.sandbox.azure_devops.support import ZERO, change, fields, push, wait_until

pytestmark = pytest.mark.stack
HTML = {"Accept": "text/html"}
YAML = "trigger: none\nstages:\n- stage: Build\n  displayName: Build it\n  jobs: [{job: compile, steps: [{script: ls}]}]\n- stage: Ship\n  jobs: [{deployment: d, environment: live}]\n"


class Reader(HTMLParser):
    """The text and links of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.links += [v for k, v in attrs if k == "href" and v]

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())

    @property
    def text(self) -> str:
        return " ".join(w for w in self.words if w)


@pytest.fixture(scope="module")
def furnished(clients: Any, connect: Any, raw: Any, simulator: Any) -> dict[str, Any]:
    """A project with something of everything in it."""
    git, tracker, build = clients.get_git_client(), clients.get_work_item_tracking_client(), clients.get_build_client()
    people = {
        n: connect(n).clients_v7_1.get_location_client().get_connection_data().authenticated_user.id
        for n in ("lead", "dev")
    }
    team = clients.get_core_client().get_teams("Shop")[0].id
    repository = git.create_repository({"name": "store front"}, "Shop")
    tip = push(
        git,
        repository,
        "main",
        ZERO,
        change("add", "/README.md", "# Welcome in"),
        change("add", "/ci.yml", YAML),
        change("add", "/src/a & b#1.py", "print('hi')"),
        change("add", "/logo.bin", "AAEC", "base64encoded"),
    )
    git.update_refs([{"name": "refs/heads/topic", "oldObjectId": ZERO, "newObjectId": tip}], repository.id)
    push(git, repository, "topic", tip, change("add", "/new.txt", "n"))
    definition = build.create_definition(
        {
            "name": "front",
            "process": {"type": 2, "yamlFilename": "ci.yml"},
            "repository": {"id": repository.id, "type": "TfsGit"},
        },
        "Shop",
    )
    build.create_definition(
        {
            "name": "lost",
            "process": {"type": 2, "yamlFilename": "no.yml"},
            "repository": {"id": repository.id, "type": "TfsGit"},
        },
        "Shop",
    )
    scope = [{"repositoryId": repository.id, "refName": "refs/heads/main", "matchKind": "Exact"}]
    kinds: list[tuple[str, dict[str, Any], bool]] = [
        (
            "fa4e907d-c16b-4a4c-9dfa-4906e5d171dd",
            {"minimumApproverCount": 2, "creatorVoteCounts": True, "resetOnSourcePush": True},
            True,
        ),
        ("fd2167ab-b0be-447a-8ec8-39368250530e", {"requiredReviewerIds": [team]}, True),
        ("c6a1889d-b943-4856-b76f-9e46bb6b0df2", {}, False),
        ("0609b952-1397-4640-95ec-e00a01b2c241", {"buildDefinitionId": definition.id}, True),
        ("cbdc66da-9728-4af8-aada-9a5a32e4a226", {"statusName": "gate", "statusGenre": "doneright"}, True),
        ("fa4e907d-c16b-4a4c-9dfa-4916e5d171ab", {"allowSquash": True}, True),
    ]
    for kind, extra, blocking in kinds:
        policy = {
            "isEnabled": True,
            "isBlocking": blocking,
            "type": {"id": kind},
            "settings": {"scope": scope, **extra},
        }
        clients.get_policy_client().create_policy_configuration(policy, "Shop")
    environment = clients.get_task_agent_client().add_environment(
        {"name": "live", "description": "the real one"}, "Shop"
    )
    approval = {
        "type": {"id": "8c6f20a7-a545-4486-9777-f762fafe0d4d"},
        "settings": {"approvers": [{"id": team}, {"id": people["lead"]}]},
        "resource": {"type": "environment", "id": str(environment.id)},
    }
    raw.ok("POST", "/Shop/_apis/pipelines/checks/configurations", approval)
    body = {
        "sourceRefName": "refs/heads/topic",
        "targetRefName": "refs/heads/main",
        "title": "Add new",
        "description": "What *changes*",
        "reviewers": [{"id": people["dev"]}],
    }
    pull = git.create_pull_request(body, repository.id)
    thread = git.create_thread(
        {"comments": [{"content": "Why so?"}], "status": "active"}, repository.id, pull.pull_request_id
    )
    git.create_comment({"content": "Because"}, repository.id, pull.pull_request_id, thread.id)
    silent = git.create_thread({"comments": [{"content": "gone"}]}, repository.id, pull.pull_request_id)
    git.delete_comment(repository.id, pull.pull_request_id, silent.id, 1)
    git.create_pull_request_status(
        {"state": "pending", "context": {"name": "gate", "genre": "doneright"}}, repository.id, pull.pull_request_id
    )
    run = build.get_builds("Shop", definitions=[definition.id])[0]
    wait_until(lambda: raw.ok("GET", "/Shop/_apis/pipelines/approvals", state="pending")["value"])
    failed = build.queue_build({"definition": {"id": definition.id}}, "Shop")
    raw.client.post(f"{simulator.url}/_builds/{failed.id}", json={"result": "failed", "stage": "Build"})
    wait_until(lambda: build.get_build("Shop", failed.id).status == "completed")
    epic = tracker.create_work_item(
        fields(
            System_Title="Sell more",
            System_Description="Much *more*",
            System_Tags="q3; money",
            System_AssignedTo="Dev Dana",
        ),
        "Shop",
        "Epic",
    )
    link = {
        "op": "add",
        "path": "/relations/-",
        "value": {"rel": "System.LinkTypes.Hierarchy-Reverse", "url": epic.url},
    }
    web = {"op": "add", "path": "/relations/-", "value": {"rel": "Hyperlink", "url": "https://x.example/spec"}}
    feature = tracker.create_work_item([*fields(System_Title="Vouchers"), link], "Shop", "Feature")
    tracker.update_work_item([web], feature.id)
    tracker.update_work_item(fields(System_State="Active"), feature.id)
    tracker.add_comment({"text": "Talk to legal"}, "Shop", feature.id)
    wiki = clients.get_wiki_client()
    made = wiki.create_wiki({"name": "Docs", "type": "projectWiki"}, "Shop")
    wiki.create_or_update_page({"content": "# How we work"}, "Shop", "Docs", "/Home & more", None)
    project = clients.get_core_client().get_project("Shop")
    reference = {"projectReference": {"id": project.id, "name": "Shop"}, "name": "live"}
    clients.get_task_agent_client().add_variable_group(
        {
            "name": "live",
            "type": "Vsts",
            "variables": {"URL": {"value": "x"}},
            "variableGroupProjectReferences": [reference],
        }
    )
    clients.get_service_endpoint_client().create_service_endpoint(
        {
            "name": "cloud",
            "type": "azurerm",
            "url": "https://cloud.example/",
            "serviceEndpointProjectReferences": [reference],
        }
    )
    hook = {
        "publisherId": "tfs",
        "eventType": "workitem.created",
        "consumerId": "webHooks",
        "consumerActionId": "httpRequest",
        "publisherInputs": {"projectId": project.id},
        "consumerInputs": {"url": "http://127.0.0.1:9/none", "basicAuthPassword": "hush-hush"},
    }
    clients.get_service_hooks_client().create_subscription(hook)
    tracker.create_work_item(fields(System_Title="heard"), "Shop", "Bug")
    wait_until(lambda: any(n["attempts"] for n in simulator.org["notifications"].values()))
    return {
        "pull": pull.pull_request_id,
        "run": run.id,
        "failed": failed.id,
        "definition": definition.id,
        "epic": epic.id,
        "feature": feature.id,
        "wiki": made.id,
    }


SHOWN = {
    "/fabrikam": ("Shop", "The web shop.", "Agile", "Ada Admin", "ms.vss-governance-hub"),
    "/fabrikam/Shop": ("store front", "Shop Team", "wellFormed", "main"),
    "/fabrikam/Shop/_git/store%20front": (
        "Welcome in",
        "topic",
        "At least 2 reviewers approve; the author counts; a push resets votes",
        "optional",
        "Add new",
    ),
    "/fabrikam/Shop/_git/store%20front?path=/src/a%20%26%20b%231.py": ("print", "'hi'", "store front/src/a & b#1.py"),
    "/fabrikam/Shop/_git/store%20front?path=/logo.bin": ("3 bytes that are not text",),
    "/fabrikam/Shop/_git/store%20front?version=GBtopic": ("new.txt",),
    "/fabrikam/Shop/_git/store%20front/pullrequest/{pull}": (
        "topic into main",
        "Why so?",
        "Because",
        "The pipeline front succeeds",
        "[Shop]\\Shop Team",
        "no vote",
        "/new.txt",
        "gate",
        "Only the allowed merge strategies are used",
    ),
    "/fabrikam/Shop/_boards": ("Sell more", "money", "Dev Dana", "Vouchers"),
    "/fabrikam/Shop/_backlogs": ("Sell more", "Vouchers"),
    "/fabrikam/Shop/_workitems/edit/{feature}": (
        "Vouchers",
        "Talk to legal",
        "https://x.example/spec",
        "changed",
        "Active",
        "Sell more",
    ),
    "/fabrikam/Shop/_workitems/edit/{epic}": ("Dev Dana", "Much", "Child"),
    "/fabrikam/Shop/_build": ("front", "ci.yml", "failed"),
    "/fabrikam/Shop/_build/definition?definitionId={definition}": ("displayName", "Ship"),
    "/fabrikam/Shop/_build/results?buildId={run}": ("Build it", "compile", "Deploys to live", "pullRequest"),
    "/fabrikam/Shop/_build/results?buildId={failed}": ("failed", "manual"),
    "/fabrikam/Shop/_environments": ("live", "the real one", "Approval", "pending", "Lea Lead", "[Shop]\\Shop Team"),
    "/fabrikam/Shop/_wiki": ("Docs", "projectWiki"),
    "/fabrikam/Shop/_wiki/wikis/{wiki}": ("How we work", "Home & more"),
    "/fabrikam/Shop/_wiki/wikis/docs?pagePath=/none": ("No such page",),
    "/fabrikam/Shop/_settings": (
        "cloud",
        "https://cloud.example/",
        "live",
        "URL",
        "Work item created",
        "http://127.0.0.1:9/none",
        "failed to connect",
    ),
}


@pytest.mark.parametrize("path", SHOWN)
def test_a_page_shows_what_is_there(simulator: Any, furnished: dict[str, Any], path: str) -> None:
    answer = httpx.get(simulator.url + path.format(**furnished), headers=HTML)
    text = Reader(answer.text).text
    assert answer.status_code == 200
    assert [words for words in SHOWN[path] if words not in text] == []
    assert "hush" not in answer.text


def test_a_definition_without_its_file_says_so(simulator: Any, furnished: dict[str, Any]) -> None:
    page = httpx.get(
        f"{simulator.url}/fabrikam/Shop/_build/definition?definitionId={furnished['definition'] + 1}", headers=HTML
    )
    assert "no.yml is not on the default branch" in Reader(page.text).text


def test_every_link_leads_to_a_page(simulator: Any, furnished: dict[str, Any]) -> None:
    waiting, seen, broken = [f"{simulator.url}/"], set(), []
    with httpx.Client(headers=HTML, timeout=10) as client:
        while waiting:
            address = waiting.pop()
            if address in seen:
                continue
            seen.add(address)
            answer = client.get(address, follow_redirects=True)
            if answer.status_code != 200:
                broken.append((address, answer.status_code))
            elif "text/html" in answer.headers["content-type"]:
                found = (urldefrag(urljoin(address, link)).url for link in Reader(answer.text).links)
                waiting += [link for link in found if link.startswith(simulator.url)]
    assert broken == []
    for one in (
        "pullrequest/",
        "buildId=",
        "definitionId=",
        "_workitems/edit/",
        "pagePath=",
        "a%20%26%20b%231.py",
        "_settings",
    ):
        assert any(one in address for address in seen), one
    assert furnished


@pytest.mark.parametrize(
    "path",
    [
        "/none",
        "/fabrikam/None",
        "/fabrikam/Shop/_none",
        "/fabrikam/Shop/_git/none",
        "/fabrikam/Shop/_git/Shop/pullrequest/9",
        "/fabrikam/Shop/_wiki/wikis/none",
        "/fabrikam/Shop/_workitems/edit/99999",
        "/fabrikam/Shop/_workitems",
        "/fabrikam/Formal/_workitems/edit/1",
    ],
)
def test_what_is_not_there_is_not_found(simulator: Any, furnished: dict[str, Any], path: str) -> None:
    assert httpx.get(simulator.url + path, headers=HTML).status_code == 404, furnished
