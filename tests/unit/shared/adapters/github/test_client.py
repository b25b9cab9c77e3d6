import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr, ValidationError

from shared.adapters.github import AppInstallation, GitHubForge, PersonalAccessToken, convert_manifest
from shared.adapters.github.client import GitHubClient
from shared.adapters.github.errors import CredentialError
from shared.domain.forge import Hook, RepositoryRef
from shared.errors import NotSupportedError, RefusedError, TransientError
from tests.unit.shared.adapters.github.scripted import Answer, Asked, Scripted, scripted

REF = RepositoryRef(owner="acme", name="shop")
PEM = (
    rsa.generate_private_key(public_exponent=65537, key_size=2048)
    .private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    .decode()
)
BAD_CREDENTIALS = Answer(401, {"message": "Bad credentials"})


class SetClock:
    def __init__(self):
        self.time = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self):
        return self.time


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def server():
    with scripted() as script:
        yield script


def _client(server: Scripted, clock, credentials=None, timeout=5) -> GitHubClient:
    credentials = credentials or PersonalAccessToken(token=SecretStr("ghp_1"))
    return GitHubClient(credentials, base_url=server.url, clock=clock, timeout=timeout)


def _app(**where) -> AppInstallation:
    return AppInstallation(app_id=7, private_key=SecretStr(PEM), **(where or {"installation_id": 42}))


def _issuing_tokens(server: Scripted, clock, lifetime=timedelta(hours=1)):
    issued: list[str] = []

    def issue(asked: Asked) -> Answer:
        issued.append(f"ghs_{len(issued) + 1}")
        expires = (clock.now() + lifetime).isoformat()
        return Answer(201, {"token": issued[-1], "expires_at": expires, "permissions": {"contents": "write"}})

    server.on("POST", "/app/installations/42/access_tokens", issue)
    return issued


@pytest.mark.parametrize("status", [500, 502, 503])
@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_nothing_is_sent_twice(server, clock, status, verb):
    server.on(verb, "/x", Answer(status, {"message": "Server Error"}))
    with pytest.raises(TransientError):
        _client(server, clock).request(verb, "/x", {} if verb == "POST" else None)
    assert len(server.asked) == 1


def test_a_throttle_is_surfaced_with_its_wait(server, clock):
    server.on("POST", "/x", Answer(429, {"message": "slow down"}, {"Retry-After": "17"}))
    with pytest.raises(TransientError) as caught:
        _client(server, clock).request("POST", "/x", {})
    assert caught.value.retry_after == 17


def test_a_plan_that_lacks_the_feature_is_not_a_failure(server, clock):
    message = "Upgrade to GitHub Pro or make this repository public to enable this feature."
    server.on("GET", "/repos/acme/shop/branches/main/protection", Answer(403, {"message": message}))
    forge = GitHubForge(PersonalAccessToken(token=SecretStr("t")), base_url=server.url, clock=clock)
    with pytest.raises(NotSupportedError):
        forge.branch_rules(REF, "main")


def test_an_answer_that_breaks_off_is_transient(server, clock):
    server.on("GET", "/x", Answer(200, {"half": "of it"}, cut=True), Answer(200, '{"half": '))
    client = _client(server, clock)
    for _ in range(2):
        with pytest.raises(TransientError):
            client.request("GET", "/x")


def test_no_answer_in_time_is_transient(server, clock):
    release = threading.Event()

    def slow(asked: Asked) -> Answer:
        release.wait(10)
        return Answer(200, {})

    server.on("GET", "/x", slow)
    with pytest.raises(TransientError, match="ReadTimeout"):
        _client(server, clock, timeout=1).request("GET", "/x")
    release.set()


def test_nobody_listening_is_transient(clock):
    with scripted() as gone:
        url = gone.url
    client = GitHubClient(PersonalAccessToken(token=SecretStr("t")), base_url=url, clock=clock, timeout=2)
    with pytest.raises(TransientError, match="ConnectionError"):
        client.request("GET", "/x")


def test_a_redirect_to_another_host_is_refused(server, clock):
    server.on("GET", "/x", Answer(301, {}, {"Location": "http://elsewhere.invalid/x"}))
    with pytest.raises(RefusedError, match="redirects"):
        _client(server, clock).request("GET", "/x")
    assert len(server.asked) == 1


def test_every_page_is_read_and_no_other_host_followed(server, clock):
    link = {"Link": '<http://elsewhere.invalid/x?per_page=100&page=2>; rel="next", <http://a/x?page=9>; rel="last"'}
    server.on("GET", "/x", Answer(200, [1, 2], link), Answer(200, {"total_count": 3, "things": [3]}))
    assert list(_client(server, clock).pages("/x", state="open")) == [1, 2, 3]
    assert server.asked[1].query == "page=2&per_page=100"


def test_a_personal_token_that_expired_is_refused_once(server, clock):
    server.on("GET", "/x", BAD_CREDENTIALS)
    with pytest.raises(CredentialError, match="expired or revoked"):
        _client(server, clock).request("GET", "/x")
    assert len(server.asked) == 1


def test_an_installation_token_is_shared_and_renewed_five_minutes_early(server, clock):
    issued = _issuing_tokens(server, clock)
    server.on("GET", "/x", Answer(200, {}))
    client = _client(server, clock, _app())
    client.request("GET", "/x")
    clock.time += timedelta(minutes=54)
    client.request("GET", "/x")
    assert issued == ["ghs_1"]
    clock.time += timedelta(minutes=1)
    client.request("GET", "/x")
    assert [asked.headers["authorization"] for asked in server.calls("GET", "/x")] == [
        "token ghs_1",
        "token ghs_1",
        "token ghs_2",
    ]
    assert (
        server.calls("POST", "/app/installations/42/access_tokens")[0].headers["authorization"].startswith("Bearer ey")
    )


def test_a_revoked_installation_token_is_replaced_once(server, clock):
    issued = _issuing_tokens(server, clock)
    server.on("GET", "/x", BAD_CREDENTIALS, Answer(200, {"fine": True}))
    client = _client(server, clock, _app())
    assert client.get("/x")["fine"]
    assert issued == ["ghs_1", "ghs_2"]
    server.on("GET", "/x", BAD_CREDENTIALS)
    with pytest.raises(CredentialError):
        client.get("/x")
    assert len(server.calls("GET", "/x")) == 4


def test_an_installation_is_found_by_its_organisation(server, clock):
    _issuing_tokens(server, clock)
    server.on("GET", "/orgs/acme/installation", Answer(200, {"id": 42}))
    server.on("GET", "/x", Answer(200, {"fine": True}))
    assert _client(server, clock, _app(organization="acme")).get("/x")["fine"]


def test_an_app_that_is_not_installed_says_so(server, clock):
    with pytest.raises(RefusedError, match="not installed in acme"):
        _client(server, clock, _app(organization="acme")).get("/x")
    with pytest.raises(RefusedError, match="no such installation"):
        _client(server, clock, _app()).get("/x")


def test_a_key_that_is_no_key_is_refused_without_showing_it(server, clock):
    app = AppInstallation(app_id=7, private_key=SecretStr("not a key"), installation_id=42)
    with pytest.raises(RefusedError, match="cannot sign") as caught:
        _client(server, clock, app).get("/x")
    assert "not a key" not in str(caught.value) + caught.value.remedy


def test_credentials_name_an_installation_and_hide_secrets():
    with pytest.raises(ValidationError, match="installation_id or organization"):
        AppInstallation(app_id=7, private_key=SecretStr(PEM))
    assert "PRIVATE" not in repr(_app())
    assert PersonalAccessToken(token=SecretStr("ghp_1\n")).token.get_secret_value() == "ghp_1"
    for bad in ("", " ", "ghp_ö", "ghp_1 ghp_2", "ghp_1\nghp_2"):
        with pytest.raises(ValidationError) as caught:
            PersonalAccessToken(token=bad)
        assert "holds no token" in str(caught.value)
        assert "ghp" not in str(caught.value)


def test_threads_share_one_token_and_never_mix_answers(server, clock):
    issued = _issuing_tokens(server, clock)
    for number in range(40):
        server.on("GET", f"/x/{number}", Answer(200, {"number": number}))
    client = _client(server, clock, _app())
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: client.get(f"/x/{number}")["number"], range(40)))
    assert found == list(range(40))
    assert issued == ["ghs_1"]


def test_a_manifest_code_becomes_a_registration(server, clock):
    app = {
        "id": 9,
        "slug": "doneright-acme",
        "pem": PEM,
        "webhook_secret": "w",
        "client_id": "Iv1.1",
        "client_secret": "c",
        "html_url": "https://github.com/apps/doneright-acme",
        "owner": {"login": "acme"},
    }
    server.on("POST", "/app-manifests/abc/conversions", Answer(201, app), Answer(404, {"message": "Not Found"}))
    registered = convert_manifest("abc", server.url, clock=clock)
    assert registered.id == 9
    assert registered.webhook_secret.get_secret_value() == "w"
    assert PEM not in repr(registered)
    assert "authorization" not in server.asked[0].headers
    with pytest.raises(RefusedError, match="used already") as caught:
        convert_manifest("abc", server.url, clock=clock)
    assert "abc" not in str(caught.value)


def test_other_refusals_of_a_manifest_hide_the_code(server, clock):
    server.on("POST", "/app-manifests/s3cr3t/conversions", Answer(422, {"message": "code s3cr3t is malformed"}))
    with pytest.raises(RefusedError) as caught:
        convert_manifest("s3cr3t", server.url, clock=clock)
    assert "s3cr3t" not in str(caught.value)


def test_names_stay_one_segment_of_the_address(server, clock):
    forge = GitHubForge(PersonalAccessToken(token=SecretStr("t")), base_url=server.url, clock=clock)
    assert forge.repository(RepositoryRef(owner="a/b", name="../c?d")) is None
    assert server.asked[0].path == "/repos/a%2Fb/..%2Fc%3Fd"


def test_secrets_do_not_reach_the_debug_log(server, clock, caplog):
    import github  # noqa: F401 - sets its own level when imported

    caplog.set_level("DEBUG")
    caplog.set_level("DEBUG", logger="github")
    server.on("GET", "/repos/acme/shop/hooks", Answer(200, []))
    hook = {"id": 5, "config": {"url": "https://ours.example"}, "events": ["push"], "active": True}
    server.on("POST", "/repos/acme/shop/hooks", Answer(201, hook))
    forge = GitHubForge(PersonalAccessToken(token=SecretStr("ghp_1")), base_url=server.url, clock=clock)
    forge.create_hook(REF, Hook(url="https://ours.example", events=("push",)), "s3cr3t")
    assert server.asked[-1].body["config"]["secret"] == "s3cr3t"
    assert "s3cr3t" not in caplog.text
    assert "ghp_1" not in caplog.text
