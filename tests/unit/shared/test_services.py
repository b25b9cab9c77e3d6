"""The composition: settings choose adapters, forges are made once for a connection and anew when its secrets change."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from shared.adapters.key_vault import KeyVaultSecrets, SettingsSecrets
from shared.domain.forge import ForgeName
from shared.domain.review import AgentName
from shared.errors import RefusedError, TransientError
from shared.projects.links import Links
from shared.services import Connector, _agent_ports, compose, hook_secret, review_room
from shared.settings import Settings
from tests.fakes.app import KEY, App, a_connection
from tests.fakes.changes import a_change, evidence, file
from tests.fakes.storage import MemoryClock, MemorySecrets

STORAGE = {
    "AzureWebJobsStorage": "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;"
    "BlobEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://127.0.0.1:2/a;TableEndpoint=http://127.0.0.1:3/a;"
}
SECRETS = {"DONERIGHT_SECRET_GH": "g" * 20, "DONERIGHT_SECRET_ADO": "a" * 20}


def configured(**given):
    return Settings.model_construct(
        **{name: info.get_default() for name, info in Settings.model_fields.items()}
        | {"signing_key": SecretStr(KEY.decode())}
        | given
    )


def test_everything_is_composed_without_a_call():
    services = compose(configured(), STORAGE)
    assert isinstance(services.secrets, SettingsSecrets)
    assert services.keeper.audit is services.audit is services.project_ports.audit
    assert services.project_ports.request_label == "new-project"
    assert services.links.api("x") == "http://127.0.0.1:7071/api/x"
    with pytest.raises(RefusedError, match="DONERIGHT_GITHUB_WEBHOOK_SECRETS"):
        services.project_ports.hook_secret(ForgeName.GITHUB)


def test_with_a_key_vault_secrets_are_kept_there():
    services = compose(configured(key_vault_url="https://v.vault.azure.net"), STORAGE)
    assert isinstance(services.secrets, KeyVaultSecrets)


def test_without_a_signing_key_nothing_starts():
    with pytest.raises(RefusedError, match="DONERIGHT_SIGNING_KEY") as caught:
        compose(configured(signing_key=None), STORAGE)
    assert "32" in caught.value.remedy


@pytest.mark.parametrize("forge", ForgeName)
def test_forges_are_told_the_newest_secret(forge):
    secrets = (SecretStr("new"), SecretStr("old"))
    name = f"{forge.value}_webhook_secrets"
    assert hook_secret(configured(**{name: secrets}), forge) == "new"
    with pytest.raises(RefusedError, match=f"DONERIGHT_{name.upper()} is not set"):
        hook_secret(configured(), forge)


@pytest.fixture
def secrets():
    return MemorySecrets(gh="g" * 20, ado="a" * 20, key="-----BEGIN RSA PRIVATE KEY-----")


@pytest.fixture
def connector(secrets):
    return Connector(MemoryClock(), secrets, Links("https://doneright.example", KEY))


def test_forges_are_made_once_and_anew_when_a_secret_changes(connector, secrets):
    connection = a_connection()
    first = connector.connect(connection)
    assert set(first.forges) == set(ForgeName)
    assert first.tracker is first.forges[ForgeName.AZURE_DEVOPS]
    assert first.issues is first.forges[ForgeName.GITHUB]
    assert connector.connect(connection) is first
    assert connector.connect(a_connection(paused=True)) is first
    secrets.set("gh", "n" * 20)
    second = connector.connect(connection)
    assert second is not first
    secrets.set("ado", "n" * 20)
    assert connector.connect(connection) is not second


def test_a_connection_without_azure_devops_has_no_boards(connector):
    found = connector.connect(a_connection(azure_devops=None))
    assert set(found.forges) == {ForgeName.GITHUB}
    assert found.tracker is None


@pytest.mark.parametrize("client_id", ["", "00000000-0000-0000-0000-000000000001"])
def test_an_app_and_an_entra_identity_are_taken(connector, client_id):
    connection = a_connection(
        github={
            "organization": "acme",
            "credential": {"kind": "app", "app_id": 7, "private_key_secret": "key"},
        },
        azure_devops={
            "organization_url": "https://dev.azure.com/acme",
            "credential": {"kind": "entra", "client_id": client_id},
        },
    )
    assert set(connector.connect(connection).forges) == set(ForgeName)


def test_missing_credentials_are_named(connector):
    unfinished = connector.connect(a_connection(github={"organization": "acme"}))
    with pytest.raises(RefusedError, match="no GitHub credential yet"):
        unfinished.forges[ForgeName.GITHUB].permissions()
    assert unfinished.tracker is not None
    missing = {"organization": "acme", "credential": {"kind": "pat", "token_secret": "nowhere"}}
    with pytest.raises(RefusedError, match="nowhere"):
        connector.connect(a_connection(github=missing))


def _paces(connector, connection):
    found = connector.connect(connection)
    return {name: forge._client._pace for name, forge in found.forges.items()}


def _on_github(**credential):
    return a_connection(github={"organization": "acme", "credential": credential})


def test_connections_of_one_identity_share_its_budget(connector, secrets):
    first = _paces(connector, a_connection())
    assert _paces(connector, a_connection(id="other")) == first
    secrets.set("gh", "n" * 20)
    assert _paces(connector, a_connection()) == first


def test_identities_have_budgets_of_their_own(connector):
    app = {"kind": "app", "app_id": 7, "private_key_secret": "key"}
    other = a_connection(id="b", github={"organization": "other", "credential": app})
    paces = [
        _paces(connector, connection)[ForgeName.GITHUB]
        for connection in (a_connection(), _on_github(**app), other, _on_github(kind="pat", token_secret="ado"))
    ]
    assert len(set(paces)) == 4


def test_the_settings_of_pacing_are_kept():
    services = compose(
        configured(forge_budget_share=0.5, breaker_failures=2, breaker_pause_seconds=7.0), STORAGE | SECRETS
    )
    pace = services.project_ports.connect(a_connection()).forges[ForgeName.GITHUB]._client._pace
    for _ in range(40):
        with pace.call("a", {"content": 1.0}) as call:
            call.end(answered=True)
    with pytest.raises(TransientError, match="80 content-creating requests a minute"), pace.call("a", {"content": 1.0}):
        pytest.fail("half of the limit is another instance's")
    for _ in range(2):
        with pace.call("b", {}) as call:
            call.end(answered=False)
    with pytest.raises(TransientError, match="GitHub has not answered 2 times in a row") as caught, pace.call("b", {}):
        pytest.fail("the circuit is open")
    assert 6.5 <= caught.value.retry_after <= 8.75


SONARQUBE = {"url": "https://sonarqube.example", "token_secret": "sonar"}


def test_a_review_asks_the_analysis_server_of_its_connection_alone():
    room = composed_room(App())
    assert room.looking.analyse(a_connection(), "desk", a_change()) == ()
    (scan,) = room.looking.analyse(a_connection(sonarqube=SONARQUBE), "desk", a_change())
    # Its secret is not there: that is told, and the review goes on.
    assert scan.scanner == "sonarqube"
    assert "sonar" in scan.findings.reason


def composed_room(app, **given):
    """What reviews are carried out with, over memory but for what settings choose."""
    settings = configured(**given)
    agents = _agent_ports(app.reviews, settings, app.secrets)
    return review_room(app.reviews, app._connect, settings, app.secrets, agents)


MODEL = {"model_url": "https://models.example/v1", "model_name": "reviewer-1", "model_key_secret": "model"}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({}, "model"),
        ({"model_name": ""}, "DONERIGHT_MODEL_NAME"),
        ({"model_url": "http://models.example", "model_key_secret": ""}, "not encrypted"),
        ({"model_url": "models.example", "model_key_secret": ""}, "DONERIGHT_MODEL_URL"),
    ],
)
def test_agents_work_and_say_so_where_the_model_cannot_be_reached_for(wrong, told):
    room = composed_room(App(), **(MODEL | wrong))
    report = room.hear(AgentName.QUALITY, evidence(file("app/sums.py", None, "def two() -> int:\n    return 2\n")))
    assert "the model is not asked" in report.trouble
    assert told in report.trouble
    assert (report.model, report.calls) == ("", 0)
    assert [one.source for one in report.opinions] == ["analysis"]


def test_a_models_secret_that_arrives_later_is_taken_up():
    app = App()
    agents = _agent_ports(app.reviews, configured(**MODEL), app.secrets)
    assert agents().model is None
    app.secrets.set("model", "k" * 20)
    assert (agents().missing, agents().model.name) == ("", "reviewer-1")
    assert agents().model is agents().model


def test_no_model_is_no_trouble():
    agents = _agent_ports(App().reviews, configured(), App().secrets)
    assert (agents().model, agents().missing) == (None, "")
