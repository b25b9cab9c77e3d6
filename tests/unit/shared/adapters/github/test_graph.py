"""What an answer of GitHub's GraphQL means, as it comes over the wire."""

import pytest
from pydantic import SecretStr

from shared.adapters.github import GitHubForge, PersonalAccessToken
from shared.adapters.github.graph import UnknownFieldError, ask
from shared.domain.change import ChangeRef
from shared.domain.forge import ForgeName, RepositoryRef
from shared.errors import RefusedError, TransientError
from tests.integration.adapters.serving import UtcClock
from tests.unit.shared.adapters.github.scripted import Answer, scripted

REF = ChangeRef(forge=ForgeName.GITHUB, repository=RepositoryRef(owner="contoso", name="desk"), number=7)
VIEWER = {"login": "ada", "databaseId": 1, "name": "Ada"}


@pytest.fixture
def github():
    with scripted() as script:
        yield script


@pytest.fixture
def forge(github):
    return GitHubForge(PersonalAccessToken(token=SecretStr("t")), clock=UtcClock(), base_url=github.url)


def _says(github, data=None, *errors):
    github.on("POST", "/graphql", Answer(200, {"data": data, **({"errors": list(errors)} if errors else {})}))


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        ({"type": "RATE_LIMITED", "message": "API rate limit exceeded"}, 60.0),
        ({"message": "Something went wrong while executing your query. Please include `A:B`"}, None),
        ({"message": "Timeout on validation of query"}, None),
        ({"type": "SERVICE_UNAVAILABLE", "message": "Down"}, None),
    ],
)
def test_what_passes_is_tried_again(github, forge, error, wait):
    _says(github, None, error)
    with pytest.raises(TransientError) as caught:
        ask(forge._client, "query { viewer { login } }", {})
    assert caught.value.retry_after == wait


def test_words_that_people_chose_do_not_make_it_pass(github, forge):
    missing = {"type": "NOT_FOUND", "path": ["repository"], "message": "Could not resolve to 'contoso/timeout'."}
    _says(github, {"viewer": VIEWER, "repository": None}, missing)
    assert forge.look_at(REF) is None


def test_a_repository_that_is_refused_is_not_taken_for_absent(github, forge):
    closed = {
        "type": "FORBIDDEN",
        "path": ["repository"],
        "message": "Resource protected by organization SAML enforcement.",
    }
    _says(github, {"viewer": VIEWER, "repository": None}, closed)
    with pytest.raises(RefusedError, match="SAML"):
        forge.look_at(REF)


def test_nothing_told_at_all_is_a_refusal(github, forge):
    _says(github, None, {"message": "Parse error"})
    with pytest.raises(RefusedError, match="Parse error"):
        ask(forge._client, "query", {})
    github.on("POST", "/graphql", Answer(200, []))
    with pytest.raises(TransientError, match="no object"):
        ask(forge._client, "query", {})


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_forge_that_is_down_is_asked_again(github, forge, status):
    github.on("POST", "/graphql", Answer(status, {"message": "x"}))
    with pytest.raises(TransientError):
        forge.look_at(REF)


def test_a_server_that_does_not_know_sub_issues_is_asked_without(github, forge):
    unknown = {"message": "Field 'parent' doesn't exist on type 'Issue'", "extensions": {"code": "undefinedField"}}
    asked = []

    def answer(request):
        asked.append(request.body["query"])
        if "issueType" in asked[-1]:
            return Answer(200, {"errors": [unknown]})
        return Answer(200, {"data": {"viewer": VIEWER, "repository": {"pullRequest": None}}})

    github.on("POST", "/graphql", answer)
    assert forge.look_at(REF) is None
    assert forge.look_at(REF) is None
    assert ["issueType" in text for text in asked] == [True, False, False]
    github.on("POST", "/graphql", Answer(200, {"errors": [unknown]}))
    with pytest.raises(UnknownFieldError) as caught:
        forge.look_at(REF)
    assert "Enterprise Server" in caught.value.remedy


def test_graphql_of_an_enterprise_server_has_its_own_root(github):
    github.on("POST", "/api/graphql", Answer(200, {"data": {"viewer": VIEWER}}))
    forge = GitHubForge(PersonalAccessToken(token=SecretStr("t")), clock=UtcClock(), base_url=f"{github.url}/api/v3")
    assert forge.own_identity().login == "ada"
    assert forge.own_identity().login == "ada"
    assert forge.calls == 1


def test_a_crowded_pull_request_is_asked_about_in_smaller_pages(github, forge):
    asked = []

    def answer(request):
        asked.append(request.body["query"])
        if "reviewThreads(first: 100" in asked[-1]:
            return Answer(502, {"message": "This may be the result of a timeout"})
        return Answer(200, {"data": {"viewer": VIEWER, "repository": {"pullRequest": None}}})

    github.on("POST", "/graphql", answer)
    assert forge.look_at(REF) is None
    assert ["reviewThreads(first: 20)" in text for text in asked] == [False, True]


def test_a_throttle_is_not_asked_again_at_once(github, forge):
    github.on("POST", "/graphql", Answer(403, {"message": "You have exceeded a secondary rate limit"}))
    with pytest.raises(TransientError) as caught:
        forge.look_at(REF)
    assert caught.value.retry_after == 60
    assert len(github.asked) == 1
