"""Keys open what they should and nothing else, and the file is private."""

import json
from pathlib import Path

import pytest

from local.host.keys import AuthLevel, HostKeys, load_keys, presented_key
from local.host.settings import SettingsError

KEYS = HostKeys(
    masterKey="master", functionKeys={"default": "function"}, systemKeys={"durabletask_extension": "durable"}
)


@pytest.mark.parametrize(
    ("level", "key", "opens"),
    [
        (AuthLevel.ANONYMOUS, None, True),
        (AuthLevel.FUNCTION, None, False),
        (AuthLevel.FUNCTION, "", False),
        (AuthLevel.FUNCTION, "function", True),
        (AuthLevel.FUNCTION, "master", True),
        (AuthLevel.FUNCTION, "durable", False),
        (AuthLevel.FUNCTION, "functio", False),
        (AuthLevel.FUNCTION, "schlüssel", False),
        (AuthLevel.ADMIN, "function", False),
        (AuthLevel.ADMIN, "master", True),
    ],
)
def test_levels(level: AuthLevel, key: str | None, opens: bool) -> None:
    assert KEYS.permits(level, key) is opens


@pytest.mark.parametrize(("key", "opens"), [(None, False), ("function", False), ("durable", True), ("master", True)])
def test_the_durable_api(key: str | None, opens: bool) -> None:
    assert KEYS.permits_durable(key) is opens


def test_the_header_wins_over_the_query() -> None:
    assert presented_key({b"x-functions-key": b"h"}, {"code": "q"}) == "h"
    assert presented_key({}, {"code": "q"}) == "q"
    assert presented_key({}, {}) is None


def test_a_missing_file_is_made_private(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keys.json"
    keys = load_keys(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_keys(path) == keys
    assert len({keys.master_key, keys.durable_key, *keys.function_keys.values()}) == 3


def test_a_missing_durable_key_is_added(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text('{"masterKey": "m", "functionKeys": {"default": "f"}}')
    keys = load_keys(path)
    assert (keys.master_key, keys.function_keys) == ("m", {"default": "f"})
    assert json.loads(path.read_text())["systemKeys"]["durabletask_extension"] == keys.durable_key


@pytest.mark.parametrize("content", ["", "{}", '{"masterKey": ""}', '{"masterKey": "m", "other": 1}'])
def test_what_is_no_keys_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content)
    with pytest.raises(SettingsError, match="not a keys file"):
        load_keys(path)
