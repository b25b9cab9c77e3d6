"""An adoption by call or by button: planned, shown with its marks, consented to once, refused with every reason."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from durabletask.client import OrchestrationStatus

from functions.adoptions import consent_to_adoption, create_adoption, show_adoption
from functions.projects import create_project, reconcile_project, show_project
from shared.domain.forge import RepositoryRef
from shared.domain.run import ProjectState
from shared.projects.ports import PROJECTS
from tests.fakes.app import a_connection
from tests.unit.shared.projects.adopting.test_adopting import FILES

GITHUB = RepositoryRef(owner="acme", name="legacy-shop")
WISH = {"connection": "acme", "github_repository": "legacy-shop", "owner": "casey"}
ROUTE = {"id": "legacy-shop"}
HTML = {"accept": "text/html"}
FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"}


@pytest.fixture
def there(app):
    app.connect_to(a_connection())
    app.github.put_repository(GITHUB)
    app.github.commit_files(GITHUB, "main", FILES, message="First")
    app.github.calls.clear()
    return app


@pytest.fixture
def planned(call, there):
    return call(create_adoption, "POST", WISH)


def consent(call, client, digest, **given):
    return call(consent_to_adoption, "POST", {"digest": digest, **given}, route=ROUTE, client=client)


def test_the_plan_is_answered_and_nothing_is_changed(there, planned):
    assert planned.status == 201
    assert planned.headers["Location"].endswith("/api/adoptions/legacy-shop")
    assert planned.body["state"] == "adoptable"
    marks = {step["id"]: step["mark"] for step in planned.body["steps"]}
    assert marks["github.repository"] == "as_planned"
    assert marks["github.scaffold"] == "not_applicable"
    assert marks["github.hook"] == "would_make"
    assert there.github.changes() == []


def test_it_is_shown_to_scripts_and_to_browsers(call, planned):
    assert call(show_adoption, route=ROUTE).body == planned.body
    page = call(show_adoption, route=ROUTE, headers=HTML, code="k&y").body
    assert 'action="/api/adoptions/legacy-shop/consent?code=k%26y"' in page
    assert planned.body["digest"] in page
    assert len(re.findall(r'<input type="checkbox" name="step"', page)) > 4
    assert "<form" not in call(show_adoption, route=ROUTE, headers=HTML).body


def test_consent_starts_the_run(call, client, there, planned):
    answer = consent(call, client, planned.body["digest"], steps=["github.hook"])
    assert answer.status == 202
    assert answer.body["instance"] == "adopt-legacy-shop.1"
    assert client.started["adopt-legacy-shop.1"][0] == "bootstrap"
    assert there.ports.project("legacy-shop").adoption.consent.steps == ("github.hook",)
    # Its page is the project's from now on.
    assert call(show_project, route=ROUTE).body["adoption"]["consent"]["digest"] == planned.body["digest"]


def test_the_button_consents_to_what_is_ticked_and_leads_to_the_project(call, client, planned):
    body = urlencode([("digest", planned.body["digest"]), ("step", "github.hook"), ("step", "github.topics")]).encode()
    answer = call(consent_to_adoption, "POST", body, route=ROUTE, headers=FORM, client=client, code="key")
    assert (answer.status, answer.headers["Location"]) == (303, "/api/projects/legacy-shop?code=key")
    page = call(show_adoption, route=ROUTE, headers=HTML, code="key").body
    assert "Consent was given by" in page
    assert "<form" not in page


@pytest.mark.parametrize(
    "body",
    [b"digest=%ff", b"", b"digest=sha256:0", urlencode([("step", "x")] * 61).encode()],
)
def test_a_form_that_cannot_be_read_is_refused(call, client, planned, body):
    answer = call(consent_to_adoption, "POST", body, route=ROUTE, headers=FORM, client=client)
    assert answer.status == 400
    assert client.started == {}


def test_a_plan_that_changed_is_refused_with_what_differs(call, client, there, planned):
    there.github.set_topics(GITHUB, ["theirs"])
    answer = consent(call, client, planned.body["digest"])
    assert answer.status == 409
    assert "github.topics.topics" in {fault["field"] for fault in answer.body["errors"]}
    assert client.started == {}
    assert call(show_adoption, route=ROUTE).body["digest"] in answer.body["remedy"]


def test_a_digest_that_was_never_shown_is_refused(call, client, planned):
    answer = consent(call, client, "sha256:" + "0" * 64)
    assert answer.status == 409
    assert client.started == {}


def test_steps_that_cannot_be_agreed_to_are_named(call, client, planned):
    answer = consent(call, client, planned.body["digest"], steps=["github.scaffold"])
    assert answer.status == 400
    assert [fault["field"] for fault in answer.body["errors"]] == ["steps"]


def test_a_run_that_ended_unheard_is_put_on_record_and_told(call, client, planned, there):
    consent(call, client, planned.body["digest"])
    client.ends["adopt-legacy-shop.1"] = OrchestrationStatus.FAILED
    answer = consent(call, client, planned.body["digest"])
    assert answer.status == 409
    assert "has ended just now" in answer.body["detail"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"github_repository": "nothing"}, "github_repository"),
        ({"github_repository": ""}, "azure_devops_project"),
        ({"azure_devops_project": "Nothing"}, "azure_devops_project"),
        ({"azure_devops_repository": "x"}, "azure_devops_repository"),
        ({"owner": "nobody-of-that-name"}, "owner"),
        ({"connection": "nothing"}, "connection"),
        ({"name": "a/b"}, "name"),
    ],
)
def test_what_cannot_be_adopted_is_refused_by_field(call, there, change, field):
    answer = call(create_adoption, "POST", WISH | change)
    assert answer.status == 400, answer.body
    assert field in {fault["field"] for fault in answer.body["errors"]}


@pytest.mark.parametrize("function", [show_adoption, consent_to_adoption])
def test_what_was_not_put_up_is_not_found(call, client, there, function):
    bindings = {"client": client} if function is consent_to_adoption else {}
    assert call(function, "POST", {"digest": "x"}, route=ROUTE, **bindings).status == 404


def test_reconciling_an_adopted_project_starts_what_was_agreed_to(call, client, there, planned):
    consent(call, client, planned.body["digest"])
    record = there.ports.project("legacy-shop")
    done = record.model_copy(update={"state": ProjectState.COMPLETED})
    there.ports.projects.put(PROJECTS, record.id, done)
    answer = call(reconcile_project, "POST", route=ROUTE, client=client)
    assert (answer.status, answer.body["instance"]) == (202, "adopt-legacy-shop.2")
    assert client.started["adopt-legacy-shop.2"][0] == "bootstrap"


def test_nothing_is_reconciled_without_consent(call, client, planned):
    answer = call(reconcile_project, "POST", route=ROUTE, client=client)
    assert answer.status == 409
    assert "consent" in answer.body["remedy"]


def test_asking_for_a_new_project_of_its_name_is_refused(call, client, planned):
    asked = {"name": "legacy-shop", "owner": "casey", "stack": "fastapi", "connection": "acme"}
    answer = call(create_project, "POST", asked, client=client)
    assert answer.status == 409
    assert "adoption" in answer.body["detail"]
