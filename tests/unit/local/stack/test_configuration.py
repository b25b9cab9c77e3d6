"""What a stack is given reaches its host; what it makes for itself stays its own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from local.stack import Configuration, Ports, Stack, StackError
from local.stack.configuration import given_settings, kept_secrets
from local.stack.seed import seed

PORTS = Ports(host=1, github=2, azure_devops=3, storage=4)
VALID = "0123456789abcdef"


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    return Configuration(ports=PORTS, state=tmp_path / "state")


def test_the_settings_of_an_environment_are_those_with_our_prefix_less_ports_and_empty_ones() -> None:
    environ = {
        "DONERIGHT_DRIFT_SCHEDULE": "0 0 4 * * *",
        "DONERIGHT_SECRET_OTHER": "token",
        "DONERIGHT_HOST_QUEUE_LEASE_SECONDS": "5",
        "DONERIGHT_REQUEST_LABEL": "",
        "DONERIGHT_HOST_PORT": "7071",
        "DONERIGHT_STORAGE_PORT": "10000",
        "AzureWebJobsStorage": "another account",
        "PATH": "/bin",
    }
    assert given_settings(environ) == {
        "DONERIGHT_DRIFT_SCHEDULE": "0 0 4 * * *",
        "DONERIGHT_SECRET_OTHER": "token",
        "DONERIGHT_HOST_QUEUE_LEASE_SECONDS": "5",
    }


def test_a_stack_keeps_its_hosts_state_with_its_own(configuration: Configuration, tmp_path: Path) -> None:
    one = Stack(configuration)
    other = Stack(replace(configuration, state=tmp_path / "other"))
    assert one.settings["DONERIGHT_HOST_STATE_DIR"] == str(tmp_path / "state" / "host")
    assert other.settings["DONERIGHT_HOST_STATE_DIR"] == str(tmp_path / "other" / "host")


def test_without_given_settings_its_own_secrets_are_in_force(configuration: Configuration) -> None:
    stack, kept = Stack(configuration), kept_secrets(configuration.state)
    ready = stack.ready()
    assert (ready.github_webhook_secret, ready.azure_devops_webhook_secret, ready.function_key) == (
        kept["github_webhook_secret"],
        kept["azure_devops_webhook_secret"],
        kept["function_key"],
    )
    keys = configuration.state / "host-keys.json"
    assert json.loads(keys.read_text())["functionKeys"] == {"default": kept["function_key"]}
    assert keys.stat().st_mode & 0o777 == 0o600


def test_given_secrets_are_told_and_signed_with_and_not_kept(configuration: Configuration) -> None:
    given = {"DONERIGHT_GITHUB_WEBHOOK_SECRETS": f"{VALID}-new {VALID}-old", "DONERIGHT_SWEEP_SCHEDULE": "0 0 * * * *"}
    stack = Stack(replace(configuration, settings=given))
    assert stack.ready().github_webhook_secret == f"{VALID}-new"
    assert {name: stack.settings[name] for name in given} == given
    hooks = seed(configuration, stack.secrets)["github"]["organizations"][0]["hooks"]
    assert [hook["secret"] for hook in hooks] == [f"{VALID}-new"]
    assert VALID not in (configuration.state / "secrets.json").read_text()


def test_given_keys_are_told(configuration: Configuration, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"masterKey": "m", "functionKeys": {"team": "f"}}))
    stack = Stack(replace(configuration, settings={"DONERIGHT_HOST_KEYS_FILE": str(keys)}))
    assert stack.ready().function_key == "f"
    assert json.loads(keys.read_text())["masterKey"] == "m"
    assert not (configuration.state / "host-keys.json").exists()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "DONERIGHT_AZURE_DEVOPS_WEBHOOK_SECRETS",
            "short",
            "DONERIGHT_AZURE_DEVOPS_WEBHOOK_SECRETS is wrong: a secret",
        ),
        ("DONERIGHT_STEP_PAUSE_SECONDS", "-1", "DONERIGHT_STEP_PAUSE_SECONDS is wrong: "),
        ("DONERIGHT_HOST_KEYS_FILE", __file__, "not a keys file"),
    ],
)
def test_what_is_wrong_is_told_before_anything_starts(
    configuration: Configuration, name: str, value: str, said: str
) -> None:
    with pytest.raises(StackError, match=said):
        Stack(replace(configuration, settings={name: value}))


def test_the_app_asks_the_sandbox_for_advisories_unless_another_is_given(configuration: Configuration) -> None:
    assert Stack(configuration).settings["DONERIGHT_OSV_URL"] == "http://127.0.0.1:2/_osv"
    given = {"DONERIGHT_OSV_URL": "https://osv.example"}
    assert Stack(replace(configuration, settings=given)).settings["DONERIGHT_OSV_URL"] == "https://osv.example"
