"""Whatever is raised becomes a problem of the right status, and nothing of ours leaks into it."""

from __future__ import annotations

import logging
from http import HTTPStatus

import pytest

from functions.problems import ProblemError, actor_of, problem, refusals, wants_html
from shared.domain.faults import FieldFault
from shared.domain.keys import UnusableKeyError
from shared.errors import ConflictError, DefectError, NotSupportedError, RefusedError, TransientError
from shared.settings import WrongSettingsError, settings
from tests.unit.functions.conftest import answered, request


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConflictError("changed"), 409),
        (RefusedError("no", "do this"), 409),
        (NotSupportedError("no", "do this"), 409),
        (TransientError("busy", 3.4), 503),
        (TransientError("busy"), 503),
        (UnusableKeyError("too long"), 400),
        (DefectError("secret words"), 500),
        (WrongSettingsError("secret words"), 500),
        (KeyError("secret words"), 500),
    ],
)
def test_every_error_has_its_status(error, status, caplog):
    @refusals
    def function(req):
        raise error

    with caplog.at_level(logging.ERROR):
        answer = answered(function(request(headers={"X-Correlation-ID": "c-1"})))
    assert answer.status == answer.body["status"] == status
    assert answer.body["correlation"] == answer.headers["x-correlation-id"] == "c-1"
    assert "secret words" not in str(answer.body)
    assert ("an HTTP function failed" in caplog.text) == (status == 500)
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_a_problem_carries_its_remedy_and_headers():
    answer = answered(problem(ProblemError(HTTPStatus.NOT_FOUND, "gone", remedy="look", headers={"X": "y"}), request()))
    assert (answer.body["remedy"], answer.headers["X"], answer.body["title"]) == ("look", "y", "Not Found")


BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "X-Correlation-ID": "c-1"}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_browser_is_refused_with_a_page(method):
    fault = FieldFault(field="owner", problem="is <missing>", example="octocat")
    raised = ProblemError(HTTPStatus.BAD_REQUEST, "not <b>so</b>", faults=[fault], remedy="do this", headers={"X": "y"})
    answer = answered(problem(raised, request(method, headers=BROWSER)))
    assert (answer.status, answer.type, answer.headers["X"]) == (400, "text/html", "y")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    for said in (
        "Not &lt;b&gt;so&lt;/b&gt;",
        "do this",
        "owner",
        "is &lt;missing&gt;",
        "octocat",
        "400 Bad Request",
        "c-1",
    ):
        assert said in answer.body


@pytest.mark.parametrize(
    ("error", "status"),
    [(TransientError("busy", 3.4), 503), (KeyError("secret words"), 500), (RefusedError("", ""), 409)],
)
def test_a_page_keeps_secrets_and_headers_as_the_problem_does(error, status):
    answer = answered(problem(error, request(headers=BROWSER)))
    assert answer.status == status
    assert "<h1>" in answer.body
    assert "secret words" not in answer.body
    assert ("Retry-After" in answer.headers) == (status == 503)


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("text/html,application/xhtml+xml,*/*", True),
        ("application/json, text/html", False),
        ("text/html, application/json", True),
    ],
)
def test_browsers_get_pages_and_scripts_json(accept, html):
    assert wants_html(request(headers={"Accept": accept})) is html


def test_the_signed_in_person_is_the_actor(monkeypatch):
    believing = settings().model_copy(update={"app_service_authentication": True})
    monkeypatch.setattr("functions.problems.settings", lambda: believing)
    assert actor_of(request(headers={"X-MS-CLIENT-PRINCIPAL-NAME": "lee@acme.example"})) == "lee@acme.example"
    assert actor_of(request()) == "api"


def test_a_name_anybody_could_send_is_not_believed():
    assert actor_of(request(headers={"X-MS-CLIENT-PRINCIPAL-NAME": "lee@acme.example"})) == "api"
