"""Writes the settings' page from the model that reads them, and from a table of what belongs to the host and the stack."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from docs.generators.markdown import code, page, table
from shared.settings import Settings


class Variable(NamedTuple):
    """An environment variable that something other than ``Settings`` reads."""

    name: str
    read_by: str
    default: str
    meaning: str


HOST: tuple[Variable, ...] = (
    Variable(
        "AzureWebJobsStorage",
        "the host and the app",
        "",
        "Connection string of the storage account: queues, tables, blobs.",
    ),
    Variable("FUNCTIONS_WORKER_RUNTIME", "Azure's host", "", "`python`."),
    Variable(
        "DONERIGHT_SWEEP_SCHEDULE",
        "the host",
        "",
        "When the sweep runs: NCRONTAB with six fields, such as `0 */5 * * * *`. Without it the app does not start.",
    ),
    Variable(
        "DONERIGHT_DRIFT_SCHEDULE",
        "the host",
        "",
        "When every finished project is looked at for drift: NCRONTAB with six fields, such as `0 0 5 * * *`. Without it the app does not start.",
    ),
    Variable(
        "DONERIGHT_SECRET_<NAME>",
        "the app",
        "",
        "A secret a connection names, when no Key Vault is set: the name in upper case, `-` as `_`.",
    ),
    Variable(
        "AZURE_DEVOPS_CACHE_DIR",
        "the Azure DevOps package",
        "kept in memory",
        "A folder where the package keeps, for 12 hours, what it knows of an organisation's addresses. Made when absent.",
    ),
)
LOCAL: tuple[Variable, ...] = (
    Variable("DONERIGHT_HOST_PORT", "`make serve`", "7071", "Where the function app answers."),
    Variable("DONERIGHT_GITHUB_PORT", "`make serve`", "7081", "Where the sandbox's GitHub answers."),
    Variable("DONERIGHT_AZURE_DEVOPS_PORT", "`make serve`", "7082", "Where the sandbox's Azure DevOps answers."),
    Variable("DONERIGHT_STORAGE_PORT", "`make serve`", "10000", "First of the storage emulator's three ports."),
    Variable(
        "DONERIGHT_HOST_STATE_DIR",
        "the local host",
        ".doneright/host",
        "Where the host keeps its own state; `make serve` puts it with the stack's.",
    ),
    Variable(
        "DONERIGHT_HOST_KEYS_FILE",
        "the local host",
        "`keys.json` in its state folder",
        "Master, function and system keys; made at random when absent, readable by its owner alone.",
    ),
    Variable(
        "DONERIGHT_HOST_QUEUE_LEASE_SECONDS",
        "the local host",
        "",
        "Seconds after which a message of a host that died is handed out again; 2 to 3600.",
    ),
    Variable(
        "DONERIGHT_CONTRACTS",
        "the sandbox and the tests",
        "../shared/contracts",
        "Folder of the forges' official API descriptions. Tests that need it are skipped without it.",
    ),
    Variable(
        "DONERIGHT_SEEDS",
        "the tests",
        "../shared/seeds",
        "Folder of the documents the definitions were drawn from. Tests that need them are skipped without them.",
    ),
)
INTRODUCTION = (
    "The app reads its settings once, from the environment. On wrong ones the local host does not start, and says for each\n"
    "what is wrong and what to do; in Azure the log holds the same lines, and calls are answered 500 without them. In Azure\n"
    "they are app settings, and secrets among them are Key Vault references. `make serve` and `make demo` set all of them by\n"
    "themselves; to `make serve`, those given in the environment come first."
)


def reference() -> str:
    """The page ``settings.md``."""
    prefix = Settings.model_config.get("env_prefix", "")
    app = [
        (code(f"{prefix}{name}".upper()), _default(field), " ".join(filter(None, (field.description, _limits(field)))))
        for name, field in Settings.model_fields.items()
    ]
    return page(
        "Settings",
        INTRODUCTION,
        (
            "## The app",
            table(("Variable", "Default", "Meaning"), app),
            "## The host beneath it, and secrets",
            _variables(HOST, {}),
            "## The local stack",
            _variables(LOCAL, {"DONERIGHT_HOST_QUEUE_LEASE_SECONDS": _lease()}),
        ),
    )


def _variables(variables: tuple[Variable, ...], measured: dict[str, str]) -> str:
    rows = []
    for variable in variables:
        default = measured.get(variable.name, variable.default)
        rows.append((code(variable.name), variable.read_by, default or "none", variable.meaning))
    return table(("Variable", "Read by", "Default", "Meaning"), rows)


def _lease() -> str:
    from local.host.queues import DEFAULT_LEASE  # noqa: PLC0415 - the host is needed for its one number

    return str(DEFAULT_LEASE)


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if isinstance(value, SecretStr):
        raise TypeError("a secret has a default, which would stand in this page")
    if value is None or value in {"", ()}:
        return "none"
    return code(value if isinstance(value, str) else json.dumps(value))


def _limits(field: FieldInfo) -> str:
    words = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}
    found = [
        f"{text} {getattr(rule, name)}"
        for rule in field.metadata
        for name, text in words.items()
        if hasattr(rule, name)
    ]
    return f"({', '.join(found)})" if found else ""
