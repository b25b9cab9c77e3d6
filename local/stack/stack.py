"""Starts the children in order, tells when all are ready, and ends them all."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from local.host.keys import load_keys
from local.host.settings import SettingsError
from local.sandbox.server import STATE_FILE
from local.stack.child import Child, ChildFailedError, wait_for_port
from local.stack.configuration import (
    ACCOUNT,
    AZURE_DEVOPS_PEOPLE,
    ROOT,
    Configuration,
    kept_secrets,
    storage_connection,
)
from local.stack.seed import CONNECTION, connection, seed, tell_hooks
from shared.settings import PREFIX, WrongSettingsError, read

PATIENCE = 60.0


class StackError(Exception):
    """The stack could not be started; the message says which part and why."""


@dataclass(frozen=True)
class Ready:
    """Where everything is, once everything answers."""

    ready: bool
    host: str
    github: str
    azure_devops: str
    storage: str
    function_key: str
    github_webhook_secret: str
    azure_devops_webhook_secret: str
    connection: str
    github_tokens: dict[str, str]
    azure_devops_token: str
    azure_devops_tokens: dict[str, str]
    logs: str

    def line(self) -> str:
        """As one line of JSON."""
        return json.dumps(asdict(self))


class Stack:
    """One running system."""

    def __init__(self, configuration: Configuration) -> None:
        """Raises ``StackError`` when a setting is wrong; then nothing was started."""
        self.configuration = configuration
        self.secrets = kept_secrets(configuration.state)
        self.storage = storage_connection(configuration.ports.storage, self.secrets["storage_key"])
        self.settings = self._app_settings() | dict(configuration.settings)
        self._use_given()
        self.children: dict[str, Child] = {}
        self._engine_address = ""

    def __enter__(self) -> Stack:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, tell: Callable[[str], None] = lambda _: None) -> Ready:
        """Start every child and make the connection. Raises ``StackError``; nothing is left running then."""
        try:
            tell("storage emulator")
            self._start_storage()
            tell("durable engine")
            self.start_engine()
            tell("sandbox: GitHub and Azure DevOps")
            self._start_sandbox()
            wait_for_port(self.children["storage"], self.configuration.ports.storage + 2, PATIENCE)
            tell("function host")
            self.start_host()
            tell("connection to the sandbox")
            self._connect()
        except (ChildFailedError, httpx.HTTPError, SettingsError) as error:
            self.stop()
            raise StackError(str(error)) from error
        except BaseException:
            self.stop()
            raise
        return self.ready()

    def ready(self) -> Ready:
        """Where everything is."""
        c, s = self.configuration, self.secrets
        return Ready(
            ready=True,
            host=c.host_url,
            github=c.github_url,
            azure_devops=c.azure_devops_url,
            storage=self.storage,
            function_key=s["function_key"],
            github_webhook_secret=s["github_webhook_secret"],
            azure_devops_webhook_secret=s["azure_devops_webhook_secret"],
            connection=CONNECTION,
            github_tokens={k.removeprefix("github_"): v for k, v in s.items() if v.startswith("ghp_")},
            azure_devops_token=s["azure_devops_doneright"],
            azure_devops_tokens={person: s[f"azure_devops_{person}"] for person in AZURE_DEVOPS_PEOPLE},
            logs=str(self._logs),
        )

    def stop(self) -> None:
        """End every child, the host first, so that the others still take what it has to say."""
        for name in ("host", "sandbox", "engine", "storage"):
            child = self.children.pop(name, None)
            if child:
                child.stop()

    def dead(self) -> list[Child]:
        """Children that ended by themselves."""
        return [child for child in self.children.values() if not child.is_running]

    def start_host(self) -> None:
        """Start the function host, also again after ``children["host"].kill()``."""
        command = ["local.host", "--app", str(self.configuration.app), "--port", str(self.configuration.ports.host)]
        self._python("host", [*command, "--engine", self._engine_address], self.settings).ready(PATIENCE)

    def start_engine(self, port: int = 0) -> None:
        """Start the durable engine on ``port``; its state is restored."""
        state = self.configuration.state / "engine.snapshot"
        child = self._python("engine", ["local.engine", "--port", str(port), "--state", str(state)], {})
        self._engine_address = str(child.ready(PATIENCE)["address"])

    @property
    def _logs(self) -> Path:
        return self.configuration.state / "logs"

    def _start_storage(self) -> None:
        node = shutil.which("node")
        script = ROOT / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
        if node is None or not script.exists():
            raise StackError("the storage emulator is not installed: run `make setup`")
        folder = self.configuration.state / "storage"
        folder.mkdir(parents=True, exist_ok=True)
        first = self.configuration.ports.storage
        ports = [f"--{name}Port={first + i}" for i, name in enumerate(("blob", "queue", "table"))]
        # Azurite knows API versions up to its own release; the SDKs send newer ones.
        command = [node, str(script), "--silent", "--skipApiVersionCheck", "--disableTelemetry", f"--location={folder}"]
        environ = self._environ({"AZURITE_ACCOUNTS": f"{ACCOUNT}:{self.secrets['storage_key']}"})
        self._adopt("storage", [*command, *ports], environ)

    def _start_sandbox(self) -> None:
        file = self.configuration.state / "seed.json"
        file.write_text(json.dumps(seed(self.configuration, self.secrets)), encoding="utf-8")
        file.chmod(0o600)
        ports, (least, most) = self.configuration.ports, self.configuration.project_seconds
        command = [
            *("local.sandbox", "--seed", str(file), "--state", str(self.configuration.state / "sandbox")),
            *("--github-port", str(ports.github), "--azure-devops-port", str(ports.azure_devops)),
            *("--min-project-seconds", str(least), "--max-project-seconds", str(most)),
            *(["--contracts"] if self.configuration.contracts else []),
        ]
        is_kept = (self.configuration.state / "sandbox" / STATE_FILE).exists()
        self._python("sandbox", command, {}).ready(PATIENCE)
        if is_kept:
            # The seed was for the first start, and its hooks may know the secret of an earlier one.
            tell_hooks(self.configuration, self.secrets)

    def _connect(self) -> None:
        answer = httpx.post(
            f"{self.configuration.host_url}/api/connections",
            json=connection(self.configuration),
            headers={"x-functions-key": self.secrets["function_key"]},
            timeout=30,
        )
        if answer.status_code not in {201, 409}:
            raise StackError(f"the connection to the sandbox was refused: {answer.status_code} {answer.text}")

    def _app_settings(self) -> dict[str, str]:
        state = self.configuration.state
        return {
            "AzureWebJobsStorage": self.storage,
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
            "DONERIGHT_HOST_KEYS_FILE": str(state / "host-keys.json"),
            "DONERIGHT_HOST_STATE_DIR": str(state / "host"),
            "DONERIGHT_PUBLIC_URL": self.configuration.host_url,
            "DONERIGHT_SIGNING_KEY": self.secrets["signing_key"],
            "DONERIGHT_GITHUB_WEBHOOK_SECRETS": self.secrets["github_webhook_secret"],
            "DONERIGHT_AZURE_DEVOPS_WEBHOOK_SECRETS": self.secrets["azure_devops_webhook_secret"],
            "DONERIGHT_LOCAL_SECRETS_FILE": str(state / "app-secrets.json"),
            "DONERIGHT_SECRET_ACME_GITHUB": self.secrets["github_doneright"],
            "DONERIGHT_SECRET_ACME_AZURE_DEVOPS": self.secrets["azure_devops_doneright"],
            "DONERIGHT_OSV_URL": self.configuration.osv_url,
            "DONERIGHT_SWEEP_SCHEDULE": "0 */5 * * * *",
            "DONERIGHT_DRIFT_SCHEDULE": "0 0 5 * * *",
        }

    def _use_given(self) -> None:
        """Take over what was given in place of the stack's own secrets, so that all parts use what is in force."""
        try:
            settings = read(self.settings)
            if f"{PREFIX}HOST_KEYS_FILE" not in self.configuration.settings:
                self._write_keys()
            keys = load_keys(Path(self.settings[f"{PREFIX}HOST_KEYS_FILE"]).absolute())
        except (WrongSettingsError, SettingsError) as error:
            raise StackError(str(error)) from error
        self.secrets |= {"function_key": next(iter(keys.function_keys.values()), keys.master_key)}
        for forge, secrets in (
            ("github", settings.github_webhook_secrets),
            ("azure_devops", settings.azure_devops_webhook_secrets),
        ):
            # Of two, the first is the new one, which forges are told.
            self.secrets[f"{forge}_webhook_secret"] = secrets[0].get_secret_value() if secrets else ""

    def _write_keys(self) -> None:
        keys = Path(self.settings[f"{PREFIX}HOST_KEYS_FILE"])
        keys.write_text(
            json.dumps(
                {
                    "masterKey": self.secrets["master_key"],
                    "functionKeys": {"default": self.secrets["function_key"]},
                    "systemKeys": {"durabletask_extension": self.secrets["durable_key"]},
                }
            ),
            encoding="utf-8",
        )
        keys.chmod(0o600)

    def _python(self, name: str, module: list[str], environ: dict[str, str]) -> Child:
        return self._adopt(name, [sys.executable, "-m", *module], self._environ(environ))

    def _environ(self, more: dict[str, str]) -> dict[str, str]:
        # Children get what a shell gives, less the settings of another Doneright that may run here; those meant for this
        # one are in its configuration.
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DONERIGHT_", "AzureWebJobs"))}
        contracts = os.environ.get("DONERIGHT_CONTRACTS")
        return kept | ({"DONERIGHT_CONTRACTS": contracts} if contracts else {}) | {"PYTHONUNBUFFERED": "1"} | more

    def _adopt(self, name: str, command: list[str], environ: dict[str, str]) -> Child:
        child = Child(name, command, environ=environ, cwd=ROOT, log=self._logs / f"{name}.log")
        self.children[name] = child
        return child
