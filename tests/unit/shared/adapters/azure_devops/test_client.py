import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from pydantic import SecretStr, ValidationError

from shared.adapters.azure_devops import AzureDevOpsForge, EntraIdentity, PersonalAccessToken
from shared.adapters.azure_devops.client import AzureDevOpsClient
from shared.adapters.azure_devops.credentials import SCOPE, identity_provider
from shared.adapters.azure_devops.errors import CredentialError
from shared.errors import NotSupportedError, RefusedError, TransientError
from tests.unit.shared.adapters.github.scripted import Answer, Asked, scripted

RESOURCE_AREAS = (
    "Location",
    "ResourceAreas",
    "e81700f7-3be2-46de-8624-2eb35882fcaa",
    "_apis/{resource}/{areaId}",
    "7.2",
)
PROJECTS = ("core", "projects", "603fe2ac-9723-48b9-88ad-09305aa6c6e1", "_apis/{resource}/{*projectId}", "7.2")
OPERATIONS = (
    "operations",
    "operations",
    "9a1b74b4-2ca8-4a9f-8470-c2f2e6fdc949",
    "_apis/{resource}/{operationId}",
    "7.2",
)
SIGN_IN = Answer(203, "<html>Sign in</html>", content_type="text/html; charset=utf-8")
ROOT = Path(__file__).resolve().parents[5]
PAT = PersonalAccessToken(token=SecretStr("pat"))


class SetClock:
    def __init__(self):
        self.time = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self):
        return self.time


class Issued:
    def __init__(self, token, expires_on):
        self.token = token
        self.expires_on = expires_on


class Issuer:
    """Gives numbered tokens that live an hour."""

    def __init__(self, clock):
        self.clock = clock
        self.scopes = []

    def get_token(self, *scopes):
        self.scopes.append(scopes)
        return Issued(f"entra-{len(self.scopes)}", int((self.clock.now() + timedelta(hours=1)).timestamp()))


@pytest.fixture
def clock():
    return SetClock()


def _offer(script):
    """Answer what the package asks before its first call."""
    locations = [
        {
            "id": id_,
            "area": area,
            "resourceName": resource,
            "routeTemplate": template,
            "resourceVersion": 4,
            "minVersion": "1.0",
            "maxVersion": top,
            "releasedVersion": "7.1",
        }
        for area, resource, id_, template, top in (RESOURCE_AREAS, PROJECTS, OPERATIONS)
    ]
    script.on("OPTIONS", "/org/_apis", Answer(200, {"count": len(locations), "value": locations}))
    script.on("OPTIONS", "/_apis", Answer(200, {"count": 0, "value": []}))
    script.on("GET", "/org/_apis/ResourceAreas", Answer(200, {"count": 0, "value": []}))


@pytest.fixture
def server():
    with scripted() as script:
        _offer(script)
        yield script


def _client(server, clock, credentials=PAT, timeout=5, provider=None) -> AzureDevOpsClient:
    return AzureDevOpsClient(f"{server.url}/org/", credentials, clock=clock, timeout=timeout, token_provider=provider)


def _shown(name="p"):
    return {"id": "1", "name": name, "state": "wellFormed", "visibility": "private"}


@pytest.mark.parametrize("status", [500, 503])
def test_reads_are_not_repeated_behind_our_back(server, clock, status):
    server.on("GET", "/org/_apis/projects/p", Answer(status, {"message": "TF400898"}, {"Retry-After": "9"}))
    with pytest.raises(TransientError) as caught:
        _client(server, clock).area("core").get_project("p")
    assert caught.value.retry_after == 9
    assert len(server.calls("GET", "/org/_apis/projects/p")) == 1


def test_not_even_the_first_questions_are_repeated(server, clock):
    server.on(
        "GET", "/org/_apis/ResourceAreas", Answer(503, {"message": "down"}), Answer(200, {"count": 0, "value": []})
    )
    server.on("GET", "/org/_apis/projects/p", Answer(200, _shown()))
    client = _client(server, clock)
    with pytest.raises(TransientError):
        client.area("core")
    assert len(server.calls("GET", "/org/_apis/resourceareas")) == 1
    assert client.area("core").get_project("p").name == "p"


def test_a_throttled_write_is_surfaced_with_its_wait_and_sent_once(server, clock):
    server.on("POST", "/org/_apis/projects", Answer(429, {"message": "TF400733"}, {"Retry-After": "33"}))
    forge = AzureDevOpsForge(f"{server.url}/org", PAT, clock=clock)
    with pytest.raises(TransientError) as caught:
        forge.create_project("p", description="", process="agile", private=True)
    assert caught.value.retry_after == 33
    assert len(server.calls("POST", "/org/_apis/projects")) == 1


def test_a_sign_in_page_is_an_expired_credential_and_sent_once(server, clock):
    server.on("GET", "/org/_apis/projects/p", SIGN_IN)
    with pytest.raises(CredentialError, match="expired, revoked") as caught:
        _client(server, clock).area("core").get_project("p")
    assert "2026-12-01" in caught.value.remedy
    assert len(server.calls("GET", "/org/_apis/projects/p")) == 1


def test_a_sign_in_page_as_the_first_answer_is_the_same(server, clock):
    server.on("OPTIONS", "/org/_apis", SIGN_IN)
    with pytest.raises(CredentialError):
        _client(server, clock).area("core")


def test_an_answer_that_breaks_off_is_transient(server, clock):
    server.on("GET", "/org/_apis/projects/p", Answer(200, _shown(), cut=True), Answer(200, '{"id": '))
    core = _client(server, clock).area("core")
    for _ in range(2):
        with pytest.raises(TransientError):
            core.get_project("p")


def test_no_answer_in_time_is_transient(server, clock):
    release = threading.Event()

    def slow(asked: Asked) -> Answer:
        release.wait(10)
        return Answer(200, _shown())

    server.on("GET", "/org/_apis/projects/p", slow)
    with pytest.raises(TransientError, match="did not answer"):
        _client(server, clock, timeout=1).area("core").get_project("p")
    release.set()
    assert len(server.calls("GET", "/org/_apis/projects/p")) == 1


def test_nobody_listening_is_transient(clock):
    with scripted() as gone:
        url = gone.url
    with pytest.raises(TransientError):
        AzureDevOpsClient(f"{url}/org", PAT, clock=clock, timeout=2).area("core")


def test_a_server_without_the_interface_is_not_supported(server, clock):
    with pytest.raises(NotSupportedError, match="lacks a needed interface"):
        _client(server, clock).area("git").get_repository("r", project="p")


def test_a_personal_token_travels_as_a_password(server, clock):
    server.on("GET", "/org/_apis/projects/p", Answer(200, _shown()))
    _client(server, clock).area("core").get_project("p")
    assert {asked.headers["authorization"] for asked in server.asked} == {"Basic OnBhdA=="}


def test_an_entra_token_is_renewed_five_minutes_early_without_a_new_connection(server, clock):
    server.on("GET", "/org/_apis/projects/p", Answer(200, _shown()))
    issuer = Issuer(clock)
    client = _client(server, clock, EntraIdentity(), provider=issuer)
    core = client.area("core")
    core.get_project("p")
    clock.time += timedelta(minutes=54)
    core.get_project("p")
    assert issuer.scopes == [(SCOPE,)]
    clock.time += timedelta(minutes=1)
    core.get_project("p")
    sent = [asked.headers["authorization"] for asked in server.calls("GET", "/org/_apis/projects/p")]
    assert sent == ["Bearer entra-1", "Bearer entra-1", "Bearer entra-2"]
    assert client.area("core") is core


def test_a_revoked_entra_token_is_replaced_once(server, clock):
    server.on("GET", "/org/_apis/projects/p", Answer(401), Answer(200, _shown()))
    issuer = Issuer(clock)
    core = _client(server, clock, EntraIdentity(), provider=issuer).area("core")
    assert core.get_project("p").name == "p"
    assert len(issuer.scopes) == 2
    server.on("GET", "/org/_apis/projects/p", SIGN_IN)
    with pytest.raises(CredentialError):
        core.get_project("p")
    assert len(server.calls("GET", "/org/_apis/projects/p")) == 4


@pytest.mark.parametrize(
    ("raised", "expected"),
    [(ClientAuthenticationError("no"), RefusedError), (ServiceRequestError("no"), TransientError)],
)
def test_entra_saying_no_is_told_from_entra_saying_nothing(server, clock, raised, expected):
    class Failing:
        def get_token(self, *scopes):
            raise raised

    with pytest.raises(expected):
        _client(server, clock, EntraIdentity(), provider=Failing()).area("core")


def test_the_identity_chooses_the_kind_of_credential():
    assert type(identity_provider(EntraIdentity(client_id="c"))).__name__ == "ManagedIdentityCredential"
    assert type(identity_provider(EntraIdentity())).__name__ == "DefaultAzureCredential"


def test_an_empty_token_is_refused_and_none_is_shown():
    with pytest.raises(ValidationError, match="holds no token"):
        PersonalAccessToken(token=SecretStr(""))
    assert PersonalAccessToken(token=SecretStr(" pat\r\n")).token.get_secret_value() == "pat"
    assert "pat" not in repr(PAT).lower().replace("personalaccesstoken", "")


def test_threads_share_one_client_and_never_mix_answers(server, clock):
    for number in range(40):
        server.on("GET", f"/org/_apis/projects/p{number}", Answer(200, _shown(f"p{number}")))
    client = _client(server, clock)
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda number: client.area("core").get_project(f"p{number}").name, range(40)))
    assert names == [f"p{number}" for number in range(40)]
    assert len(server.calls("OPTIONS", "/org/_apis")) == 1


def _used(directory, **environ):
    """What a process leaves behind that calls Azure DevOps once and ends as hosts do, without any clean-up."""
    code = """
import os
from pydantic import SecretStr
from shared.adapters.azure_devops import PersonalAccessToken
from shared.adapters.azure_devops.client import AzureDevOpsClient
from tests.unit.shared.adapters.azure_devops.test_client import SetClock, _offer, _shown
from tests.unit.shared.adapters.github.scripted import Answer, scripted

with scripted() as server:
    _offer(server)
    server.on("GET", "/org/_apis/projects/alpha", Answer(200, _shown("alpha")))
    for _ in range(2):
        client = AzureDevOpsClient(
            f"{server.url}/org", PersonalAccessToken(token=SecretStr("pat")), clock=SetClock(), timeout=5
        )
        print(client.area("core").get_project("alpha").name, len(server.calls("OPTIONS", "/org/_apis")), flush=True)
os._exit(0)
"""
    directory.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "AZURE_DEVOPS_CACHE_DIR"}
    environment |= {"HOME": "/proc/nowhere", "TMPDIR": str(directory), "PYTHONDONTWRITEBYTECODE": "1", **environ}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["alpha", "alpha"]
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


@pytest.mark.parametrize("environ", [{}, {"AZURE_DEVOPS_CACHE_DIR": "/proc/nowhere"}, {"AZURE_DEVOPS_CACHE_DIR": ""}])
def test_a_process_leaves_nothing_behind_and_needs_no_home(tmp_path, environ):
    assert _used(tmp_path / "temporary", **environ) == []


def test_a_folder_that_was_asked_for_is_made_and_used(tmp_path):
    folder = tmp_path / "asked" / "cache"
    assert _used(tmp_path / "temporary", AZURE_DEVOPS_CACHE_DIR=str(folder)) == []
    assert [path.name for path in folder.iterdir()] == ["options.json"]


def test_importing_the_adapter_does_not_import_the_package():
    code = "import sys, shared.adapters.azure_devops, shared.adapters.github; print([m for m in ('azure.devops', 'msrest', 'github', 'requests', 'azure.identity') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
