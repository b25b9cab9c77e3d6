"""host.json and local.settings.json: defaults are Azure's, and what is wrong is named."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.host.settings import (
    MessageEncoding,
    SettingsError,
    apply_values,
    connection_string,
    parse_time_span,
    read_host_settings,
    read_local_settings,
    resolve,
)


def test_absent_files_mean_defaults(tmp_path: Path) -> None:
    settings = read_host_settings(tmp_path)
    assert settings.extensions.http.route_prefix == "api"
    assert settings.extensions.queues.batch_size == 16
    assert settings.extensions.queues.max_dequeue_count == 5
    assert settings.extensions.queues.message_encoding is MessageEncoding.BASE64
    assert read_local_settings(tmp_path).values == {}


def test_given_values_are_read(tmp_path: Path) -> None:
    queues = {"batchSize": 4, "visibilityTimeout": "00:00:30", "messageEncoding": "none", "newBatchThreshold": 1}
    (tmp_path / "host.json").write_text(
        json.dumps({"version": "2.0", "extensions": {"http": {"routePrefix": ""}, "queues": queues}})
    )
    extensions = read_host_settings(tmp_path).extensions
    assert extensions.http.route_prefix == ""
    assert extensions.queues.visibility_timeout == timedelta(seconds=30)
    assert extensions.queues.message_encoding is MessageEncoding.NONE
    assert extensions.queues.refill_at == 1


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"version": "2.0", "extension": {}}, "extension: unknown setting"),
        ({"version": "3.0"}, "version"),
        ({"extensions": {"queues": {"maxDequeueCount": 0}}}, "extensions.queues.maxDequeueCount"),
        ({"extensions": {"queues": {"visibilityTimeout": "soon"}}}, "extensions.queues.visibilityTimeout"),
        (
            {"extensions": {"durableTask": {"maxConcurrentActivityFunction": 3}}},
            "maxConcurrentActivityFunction: unknown",
        ),
        ({"functionTimeout": "25:00:00"}, "functionTimeout"),
    ],
)
def test_wrong_settings_are_named_in_one_line(tmp_path: Path, document: object, named: str) -> None:
    (tmp_path / "host.json").write_text(json.dumps(document))
    with pytest.raises(SettingsError) as refused:
        read_host_settings(tmp_path)
    assert named in str(refused.value)
    assert "\n" not in str(refused.value)


def test_every_wrong_setting_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"a": 1, "b": 2}')
    with pytest.raises(SettingsError, match=r"a: unknown setting.*b: unknown setting"):
        read_host_settings(tmp_path)


def test_values_never_replace_the_environment(tmp_path: Path) -> None:
    (tmp_path / "local.settings.json").write_text(
        '{"Values": {"A": "file", "B": "file"}, "Host": {"LocalHttpPort": 7}}'
    )
    settings = read_local_settings(tmp_path)
    environment = {"A": "set"}
    apply_values(settings, environment)
    assert environment == {"A": "set", "B": "file"}
    assert settings.host.local_http_port == 7


@given(st.integers(0, 400), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_time_spans_round_trip(days: int, hours: int, minutes: int, seconds: int) -> None:
    text = f"{days}.{hours:02}:{minutes:02}:{seconds:02}"
    assert parse_time_span(text) == timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


@pytest.mark.parametrize("text", ["", "1", "24:00:00", "00:60:00", "-00:01:00", "00:00"])
def test_what_is_no_time_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="time span"):
        parse_time_span(text)


def test_setting_references() -> None:
    assert resolve("a-%X%-%Y%", {"X": "1", "Y": "2"}) == "a-1-2"
    with pytest.raises(SettingsError, match="%Z%"):
        resolve("%Z%", {})


def test_connections_are_found_with_and_without_their_prefix() -> None:
    assert connection_string("Orders", {"AzureWebJobsOrders": "c"}) == "c"
    assert connection_string("", {"AzureWebJobsStorage": "d"}) == "d"
    with pytest.raises(SettingsError, match="Orders"):
        connection_string("Orders", {})
