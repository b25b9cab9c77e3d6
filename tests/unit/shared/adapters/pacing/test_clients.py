"""From outside: real clients before a server that throttles and breaks, and what they send then."""

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from shared.adapters.azure_devops.client import AzureDevOpsClient
from shared.adapters.azure_devops.credentials import PersonalAccessToken as AzureToken
from shared.adapters.github import GitHubForge, PersonalAccessToken
from shared.adapters.github import client as github_client
from shared.adapters.github.client import GitHubClient
from shared.adapters.github.limits import SECONDARY, pace_of
from shared.adapters.pacing import CircuitState, Pacing
from shared.connections.keeping import check
from shared.domain.forge import RepositoryRef
from shared.errors import RefusedError, TransientError
from shared.projects.ports import ConnectedForges
from tests.fakes.app import App, a_connection
from tests.unit.shared.adapters.github.scripted import Answer, scripted

TOKEN = PersonalAccessToken(token=SecretStr("t"))


class VirtualClock:
    def __init__(self):
        self.at = 1_800_000_000.0

    def now(self):
        return datetime.fromtimestamp(self.at, UTC)


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def pacing(clock):
    return Pacing(clock)


@pytest.fixture
def server():
    with scripted() as script:
        yield script


@pytest.fixture
def client(server, clock, pacing):
    return GitHubClient(TOKEN, base_url=server.url, clock=clock, timeout=5, pace=pace_of(pacing, server.url, "t"))


def test_once_throttled_github_hears_nothing_until_the_time_it_gave(server, client, clock):
    server.on("GET", "/x", Answer(429, {"message": "secondary rate limit"}, {"Retry-After": "17"}), Answer(200, {}))
    for _ in range(3):
        with pytest.raises(TransientError) as caught:
            client.request("GET", "/x")
        assert caught.value.retry_after >= 17
    assert len(server.asked) == 1
    clock.at += 17
    client.request("GET", "/x")


def test_a_spent_hour_is_waited_for_without_asking(server, client, clock):
    headers = {
        "X-RateLimit-Limit": "60",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(int(clock.at) + 900),
        "X-RateLimit-Resource": "core",
    }
    server.on("GET", "/x", Answer(200, {}, headers))
    client.request("GET", "/x")
    with pytest.raises(TransientError, match="allowance of 60 calls an hour") as caught:
        client.request("GET", "/x")
    assert 900 <= caught.value.retry_after <= 915
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "answer", [Answer(502, {"message": "Bad Gateway"}), Answer(200, '{"half": '), Answer(200, {}, cut=True)]
)
def test_github_is_left_alone_once_it_has_not_answered_five_times_in_a_row(server, client, clock, pacing, answer):
    server.on("GET", "/x", answer)
    for _ in range(5):
        with pytest.raises(TransientError):
            client.request("GET", "/x")
    with pytest.raises(TransientError, match="GitHub has not answered 5 times in a row; next try in 2") as caught:
        client.request("GET", "/x")
    assert 20 <= caught.value.retry_after <= 25
    assert len(server.asked) == 5
    server.on("GET", "/x", Answer(404, {"message": "Not Found"}))
    clock.at += 20
    assert client.get("/x") is None
    assert set(pacing.states().values()) == {CircuitState.CLOSED}


def test_a_host_that_nobody_listens_on_is_left_alone(clock, pacing):
    with scripted() as gone:
        url = gone.url
    client = GitHubClient(TOKEN, base_url=url, clock=clock, timeout=2, pace=pace_of(pacing, url, "t"))
    for _ in range(5):
        with pytest.raises(TransientError, match="ConnectionError"):
            client.request("GET", "/x")
    with pytest.raises(TransientError, match="5 times in a row"):
        client.request("GET", "/x")


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_refusals_are_answers(server, client, pacing, status):
    server.on("GET", "/x", Answer(status, {"message": "no"}))
    for _ in range(8):
        with pytest.raises(RefusedError):
            client.request("GET", "/x")
    assert len(server.asked) == 8


def test_a_first_commit_is_begun_only_when_it_can_be_finished(server, clock, monkeypatch):
    monkeypatch.setattr("shared.adapters.github.limits.limits", lambda _: SECONDARY)
    pace = pace_of(Pacing(clock), server.url, "t")
    forge = GitHubForge(TOKEN, base_url=server.url, clock=clock, pace=pace)
    server.on("POST", "/y", Answer(201, {}))
    server.on("GET", "/repos/acme/shop", Answer(200, {"default_branch": "main"}))
    for _ in range(78):
        github_client.GitHubClient.request(forge._client, "POST", "/y", {})
    with pytest.raises(TransientError, match="80 content-creating requests a minute"):
        forge.commit_files(RepositoryRef(owner="acme", name="shop"), "main", {"a": b"a"}, message="m")
    assert [asked.method for asked in server.asked[78:] if asked.method != "GET"] == []


def test_the_check_of_a_connection_shows_a_forge_that_is_left_alone(server, client, clock, pacing):
    server.on("GET", "/user", Answer(503, {"message": "Unavailable"}))
    app = App()
    forge = GitHubForge(TOKEN, base_url=server.url, clock=clock, pace=pace_of(pacing, server.url, "t"))
    ports = app.ports.__class__(
        **{
            **app.ports.__dict__,
            "connect": lambda _: ConnectedForges(forges={"github": forge}, issues=forge, tracker=None, settings=forge),
        }
    )
    connection = a_connection(azure_devops=None)
    found = [check(ports, connection).forges[0] for _ in range(6)]
    assert not found[-1].reachable
    assert "GitHub has not answered 5 times in a row; next try in" in found[-1].reason
    assert len(server.asked) == 5


def test_azure_devops_hears_nothing_while_it_asked_to_wait_nor_while_it_does_not_answer(server, clock):
    client = AzureDevOpsClient(f"{server.url}/org", AzureToken(token=SecretStr("t")), clock=clock, timeout=5)
    delayed = {"Retry-After": "9", "X-RateLimit-Resource": "Core"}
    server.on("OPTIONS", "/org/_apis", Answer(429, {"message": "TF400733"}, delayed), Answer(503, {"message": "down"}))
    for _ in range(2):
        with pytest.raises(TransientError) as caught:
            client.area("core")
        assert caught.value.retry_after >= 9
    assert len(server.asked) == 1
    clock.at += 9
    for _ in range(5):
        with pytest.raises(TransientError, match="503"):
            client.area("core")
    with pytest.raises(TransientError, match="Azure DevOps has not answered 5 times in a row"):
        client.area("core")
    assert len(server.asked) == 6
