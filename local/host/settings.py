"""Reads host.json and local.settings.json and guarantees that what the host acts on is known and valid.

Names and defaults are those of the Azure Functions host.json reference (schema version 2.0).
"""

import json
import os
import re
from collections.abc import Mapping, MutableMapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

TIME_SPAN = re.compile(
    r"^(?:(?P<days>\d+)\.)?(?P<hours>\d{1,2}):(?P<minutes>\d{2}):(?P<seconds>\d{2})(?:\.(?P<frac>\d+))?$"
)
SETTING_REFERENCE = re.compile(r"%([^%]+)%")
PROCESSORS = os.cpu_count() or 1


class SettingsError(Exception):
    """A setting is unknown, invalid or missing; the message names it in one line."""


class MessageEncoding(StrEnum):
    """How queue message text is encoded on the wire."""

    BASE64 = "base64"
    NONE = "none"


def parse_time_span(value: str) -> timedelta:
    """Parse a .NET TimeSpan ``[d.]hh:mm:ss[.fff]``.

    Raises:
        ValueError: not a TimeSpan, or an hour, minute or second out of range.
    """
    match = TIME_SPAN.match(value.strip())
    if match is None:
        raise ValueError(f"{value!r} is not a time span of the form [d.]hh:mm:ss")
    hours, minutes, seconds = (int(match[name]) for name in ("hours", "minutes", "seconds"))
    if hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError(
            f"{value!r} is not a time span: hours end at 23, minutes and seconds at 59; write days as d.hh:mm:ss"
        )
    fraction = float(f"0.{match['frac']}") if match["frac"] else 0.0
    return timedelta(days=int(match["days"] or 0), hours=hours, minutes=minutes, seconds=seconds + fraction)


def _time_span(value: object) -> object:
    return parse_time_span(value) if isinstance(value, str) else value


TimeSpan = Annotated[timedelta, BeforeValidator(_time_span)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class HttpSettings(_Section):
    """``extensions.http``: the route prefix is acted on, traffic shaping is Azure's business."""

    route_prefix: str = "api"
    max_outstanding_requests: int = -1
    max_concurrent_requests: int = Field(default=-1)
    dynamic_throttles_enabled: bool = False
    hsts: dict[str, Any] = {}
    custom_headers: dict[str, str] = {}


class QueueSettings(_Section):
    """``extensions.queues`` with Azure's defaults; idle polling is 2 s at most in a development environment."""

    batch_size: int = Field(default=16, ge=1, le=32)
    new_batch_threshold: int | None = Field(default=None, ge=0)
    max_dequeue_count: int = Field(default=5, ge=1)
    visibility_timeout: TimeSpan = Field(default=timedelta(0), ge=timedelta(0), le=timedelta(days=7))
    max_polling_interval: TimeSpan = Field(default=timedelta(seconds=2), ge=timedelta(milliseconds=100))
    message_encoding: MessageEncoding = MessageEncoding.BASE64

    @property
    def refill_at(self) -> int:
        """Messages in work at or below which the next batch is fetched."""
        if self.new_batch_threshold is not None:
            return self.new_batch_threshold
        return max(1, self.batch_size // 2) * PROCESSORS


class DurableSettings(_Section):
    """``extensions.durableTask``; what concerns storage providers is accepted and left to Azure."""

    hub_name: str = Field(default="TestHubName", min_length=1)
    max_concurrent_activity_functions: int = Field(default=10 * PROCESSORS, ge=1)
    max_concurrent_orchestrator_functions: int = Field(default=10 * PROCESSORS, ge=1)
    max_concurrent_entity_functions: int = Field(default=10 * PROCESSORS, ge=1)
    max_grpc_message_size_in_bytes: int = Field(default=4 * 1024 * 1024, ge=1)
    grpc_http_client_timeout: TimeSpan = timedelta(seconds=100)
    http_settings: dict[str, Any] = {}
    storage_provider: dict[str, Any] = {}
    tracing: dict[str, Any] = {}
    notifications: dict[str, Any] = {}
    versioning: dict[str, Any] = {}
    extended_sessions_enabled: bool = False
    extended_session_idle_timeout_in_seconds: int = 30
    use_app_lease: bool = True
    use_graceful_shutdown: bool = False
    max_entity_operation_batch_size: int | None = None
    max_orchestration_actions: int | None = None
    overridable_existing_instance_states: str | None = None
    entity_message_reorder_window_in_minutes: int | None = None
    store_inputs_in_orchestration_history: bool = False
    local_rpc_endpoint_enabled: bool | None = None
    default_version: str | None = None
    version_match_strategy: str | None = None
    version_failure_strategy: str | None = None


class Extensions(_Section):
    """``extensions``: the three this host runs are typed; the others belong to bindings it does not run."""

    http: HttpSettings = HttpSettings()
    queues: QueueSettings = QueueSettings()
    durable_task: DurableSettings = DurableSettings()
    blobs: dict[str, Any] = {}
    cosmos_d_b: dict[str, Any] = Field(default={}, alias="cosmosDB")
    event_grid: dict[str, Any] = {}
    event_hubs: dict[str, Any] = {}
    kafka: dict[str, Any] = {}
    mcp: dict[str, Any] = {}
    send_grid: dict[str, Any] = {}
    service_bus: dict[str, Any] = {}
    signal_r: dict[str, Any] = Field(default={}, alias="signalR")
    tables: dict[str, Any] = {}


class ConsoleLogging(_Section):
    """``logging.console``."""

    is_enabled: bool = True
    disable_colors: bool = False


class LoggingSettings(_Section):
    """``logging``: levels by category are honoured, Application Insights is Azure's."""

    log_level: dict[str, str] = {}
    file_logging_mode: str = "debugOnly"
    console: ConsoleLogging = ConsoleLogging()
    application_insights: dict[str, Any] = {}


class HostSettings(_Section):
    """The whole of host.json."""

    schema_: str | None = Field(default=None, alias="$schema")
    version: str = Field(default="2.0", pattern=r"^2\.0$")
    extension_bundle: dict[str, Any] = {}
    extensions: Extensions = Extensions()
    logging: LoggingSettings = LoggingSettings()
    function_timeout: TimeSpan | None = None
    functions: tuple[str, ...] = ()
    concurrency: dict[str, Any] = {}
    custom_handler: dict[str, Any] = {}
    health_monitor: dict[str, Any] = {}
    http_worker: dict[str, Any] = {}
    managed_dependency: dict[str, Any] = {}
    retry: dict[str, Any] = {}
    singleton: dict[str, Any] = {}
    aggregator: dict[str, Any] = {}
    telemetry_mode: str | None = None
    watch_directories: tuple[str, ...] = ()
    watch_files: tuple[str, ...] = ()


class LocalHost(_Section):
    """``Host`` of local.settings.json (Pascal case in the file)."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, alias_generator=None)

    local_http_port: int | None = Field(default=None, ge=0, le=65535, alias="LocalHttpPort")
    cors: str | None = Field(default=None, alias="CORS")
    cors_credentials: bool = Field(default=False, alias="CORSCredentials")


class LocalSettings(_Section):
    """The whole of local.settings.json."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, alias_generator=None)

    is_encrypted: bool = Field(default=False, alias="IsEncrypted")
    values: dict[str, str] = Field(default={}, alias="Values")
    host: LocalHost = Field(default=LocalHost(), alias="Host")
    connection_strings: dict[str, Any] = Field(default={}, alias="ConnectionStrings")


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise SettingsError(
            f"{path.name}: not valid JSON at line {error.lineno}, column {error.colno}: {error.msg}"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path.name}: cannot be read: {error}") from error


def _one_line(name: str, error: ValidationError) -> SettingsError:
    described = []
    for item in error.errors():
        where = ".".join(str(part) for part in item["loc"]) or "the document"
        if item["type"] == "extra_forbidden":
            described.append(f"{where}: unknown setting; remove it or correct its name")
        else:
            described.append(f"{where}: {item['msg']} (got {item['input']!r})")
    return SettingsError(f"{name}: " + "; ".join(described))


def read_host_settings(app_dir: Path) -> HostSettings:
    """Read ``host.json`` of the app; an absent file means Azure's defaults.

    Raises:
        SettingsError: not JSON, or a setting unknown or invalid (all named in one line).
    """
    path = app_dir / "host.json"
    if not path.exists():
        return HostSettings()
    try:
        return HostSettings.model_validate(_read_json(path))
    except ValidationError as error:
        raise _one_line("host.json", error) from error


def read_local_settings(app_dir: Path) -> LocalSettings:
    """Read ``local.settings.json`` of the app; the file is optional.

    Raises:
        SettingsError: not JSON, encrypted, or a setting unknown or invalid.
    """
    path = app_dir / "local.settings.json"
    if not path.exists():
        return LocalSettings()
    try:
        settings = LocalSettings.model_validate(_read_json(path))
    except ValidationError as error:
        raise _one_line("local.settings.json", error) from error
    if settings.is_encrypted:
        raise SettingsError(
            "local.settings.json: IsEncrypted: encrypted settings cannot be read here; decrypt the file first"
        )
    return settings


def apply_values(settings: LocalSettings, environment: MutableMapping[str, str]) -> None:
    """Put ``Values`` into the environment, never over a variable that is already set (as Core Tools do)."""
    for name, value in settings.values.items():
        environment.setdefault(name, value)


def resolve(text: str, environment: Mapping[str, str]) -> str:
    """Replace each ``%NAME%`` by the app setting NAME.

    Raises:
        SettingsError: the setting is not set.
    """

    def value_of(match: re.Match[str]) -> str:
        value = environment.get(match[1])
        if value is None:
            raise SettingsError(f"%{match[1]}% is used by a binding, but the app setting {match[1]} is not set")
        return value

    return SETTING_REFERENCE.sub(value_of, text)


def connection_string(name: str, environment: Mapping[str, str]) -> str:
    """Look up a storage connection by a binding's ``connection`` (the name or ``AzureWebJobs`` + the name, as Azure does).

    Raises:
        SettingsError: no such app setting.
    """
    wanted = name or "AzureWebJobsStorage"
    for candidate in (wanted, f"AzureWebJobs{wanted}"):
        if value := environment.get(candidate):
            return value
    raise SettingsError(
        f"the storage connection {wanted} is not set; set the app setting {wanted} to a connection string"
    )
