"""Reviews by call: asked for, commanded for a person with that person's rights, shown to who may see them."""

from __future__ import annotations

import pytest

from functions import evidence, reviews
from shared.domain.audit import AuditTag
from shared.domain.forge import ForgeName
from shared.domain.project import RequestOrigin
from shared.domain.publication import Permission
from shared.domain.pull_request import PullRequestState
from shared.domain.run import ProjectRecord, ProjectState
from shared.reviews import recording
from tests.fakes.app import T0, a_connection, a_request
from tests.fakes.changes import HEAD, a_change, a_ref, file

REF = {"github": "acme/order-desk", "azure_devops": "Order Desk/Order Desk"}


@pytest.fixture(params=list(ForgeName))
def name(request):
    return request.param


@pytest.fixture
def world(app):
    app.connect_to(a_connection())
    request = a_request()
    app.ports.projects.put(
        "projects",
        "order-desk",
        ProjectRecord(
            id="order-desk", name=request.name, connection="acme", subject="s", run=1, instance="s.1",
            state=ProjectState.COMPLETED, request=request, created_at=T0, started_at=T0,
            origin=RequestOrigin(subject="s", requester="casey"),
        ),
    )  # fmt: skip
    return app


@pytest.fixture
def ref(world, name):
    from shared.domain.change import ChangeRef
    from shared.domain.forge import RepositoryRef

    ref = ChangeRef(forge=name, repository=RepositoryRef.parse(REF[name]), number=7)
    change = a_change(name).model_copy(update={"ref": ref})
    world.review_forges[name].open(change, (file("src/a.py", "a\n", "b\n"),))
    return ref


def ask(call, client, name, **body):
    return call(
        reviews.ask_for_review, "POST", {"project": "order-desk", "forge": name, "number": 7} | body, client=client
    )


def test_a_review_is_started_and_its_place_told(call, client, ref, name):
    answer = ask(call, client, name)
    assert answer.status == 202
    assert answer.headers["Location"].endswith(f"/api/reviews/{answer.body['review']}")
    ((runbook, payload),) = client.started.values()
    assert (runbook, payload["head"], payload["ref"]["number"]) == ("review", HEAD, 7)


def test_asking_again_while_it_runs_starts_no_second_one(call, client, ref, name):
    first = ask(call, client, name)
    again = ask(call, client, name)
    assert again.status == 202
    assert again.body["instance"] == first.body["instance"]
    assert len(client.started) == 1


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"project": "other"}, 404, "no project"),
        ({"repository": "nothing"}, 404, "no repository nothing"),
        ({"number": 8}, 409, "no pull request"),
        ({"number": 0}, 400, "number"),
        ({"command": "help"}, 400, "by is missing"),
    ],
)
def test_refusals_say_what_and_what_to_do(call, client, ref, name, body, status, told):
    answer = ask(call, client, name, **body)
    assert answer.status == status
    assert told in str(answer.body)
    assert client.started == {}


@pytest.mark.parametrize("state", [PullRequestState.MERGED, PullRequestState.CLOSED])
def test_only_an_open_one_is_reviewed(call, client, world, ref, name, state):
    world.review_forges[name].alter(ref, state=state)
    answer = ask(call, client, name)
    assert (answer.status, client.started) == (409, {})


def test_a_command_does_for_a_person_what_a_comment_would(call, client, world, ref, name):
    world.review_forges[name].permissions[REF[name].lower(), "noor"] = Permission.WRITE
    answer = ask(call, client, name, command="help", by="noor")
    assert answer.status == 200
    assert "waive" in answer.body["answer"]
    assert AuditTag.COMMAND_FOLLOWED in world.tags("order-desk")


def test_a_command_for_somebody_who_may_not_is_refused_and_on_record(call, client, world, ref, name):
    answer = ask(call, client, name, command="accept", by="stranger")
    assert answer.status == 409
    assert "may not write" in answer.body["detail"]
    assert AuditTag.COMMAND_REFUSED in world.tags("order-desk")


def test_a_word_that_is_no_command_names_the_nearest(call, client, world, ref, name):
    world.review_forges[name].permissions[REF[name].lower(), "noor"] = Permission.WRITE
    answer = ask(call, client, name, command="explane ci_is_green", by="noor")
    assert answer.status == 409
    assert "explain" in answer.body["detail"]


def test_a_review_is_shown_before_its_verdict(call, client, world, ref, name):
    ident = ask(call, client, name).body["review"]
    shown = call(reviews.show_review, route={"id": ident})
    assert (shown.status, shown.body["record"]["state"], shown.body["verdict"]) == (200, "running", None)
    assert f"/api/view/reviews/{ident}" in shown.body["url"]


def test_reviews_of_a_project_are_listed(call, client, ref, name):
    ident = ask(call, client, name).body["review"]
    listed = call(reviews.list_reviews, project="order-desk")
    assert [one["id"] for one in listed.body["reviews"]] == [ident]


@pytest.mark.parametrize("params", [{}, {"project": "other"}])
def test_a_list_of_no_project_is_refused(call, world, params):
    assert call(reviews.list_reviews, **params).status in {400, 404}


@pytest.mark.parametrize("ident", ["nothing", "=40", "github=3Aacme=2Fx=231=40" + "0" * 40])
def test_a_review_that_is_not_there_is_not_found(call, world, ident):
    answer = call(reviews.show_review, route={"id": ident})
    assert answer.status == 404
    assert answer.body["remedy"]


def test_its_signed_link_shows_it_and_no_other(call, client, world, ref, name):
    ident = ask(call, client, name).body["review"]
    token = world.links.token("review", ident)
    assert call(reviews.view_review, route={"id": ident}, token=token).status == 200
    assert call(reviews.view_review, route={"id": ident}, token="0" * 32).status == 401
    assert call(reviews.view_review, route={"id": ident}).status == 401


def test_a_report_about_the_head_makes_the_review_look_again(call, client, world, ref, name):
    ask(call, client, name)
    record = recording.latest_of(world.reviews, ref)
    junit = b'<testsuites><testsuite name="s"><testcase name="t"/></testsuite></testsuites>'
    route = {"project": "order-desk", "commit": HEAD}
    assert call(evidence.keep_evidence, "POST", junit, route=route, client=client).status == 201
    assert recording.latest_of(world.reviews, ref).wanted == record.wanted + 1
    assert call(evidence.keep_evidence, "POST", junit, route=route, client=client).status == 200
    assert recording.latest_of(world.reviews, ref).wanted == record.wanted + 1


def test_a_report_about_nothing_under_review_starts_nothing(call, client, world):
    junit = b'<testsuites><testsuite name="s"><testcase name="t"/></testsuite></testsuites>'
    call(evidence.keep_evidence, "POST", junit, route={"project": "order-desk", "commit": "1" * 40}, client=client)
    assert client.started == {}
    assert recording.latest_of(world.reviews, a_ref()) is None
