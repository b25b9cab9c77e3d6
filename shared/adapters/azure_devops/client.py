"""The one way out to Azure DevOps: the ``azure-devops`` package, made to send once, in time, and to fail in our words.

The package repeats GET on 500 and 503 three more times with pauses of its own, and hides status and ``Retry-After`` of
what it cannot parse. Each of its clients is therefore given a guard where it sends: no repetition, a timeout, and every
answer judged with status, headers and body at hand.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from shared.adapters.azure_devops.credentials import (
    AzureDevOpsCredentials,
    EntraIdentity,
    TokenProvider,
    TokenSource,
    sdk_authentication,
)
from shared.adapters.azure_devops.errors import CredentialError, NotFoundError, TooLargeError, translated
from shared.adapters.azure_devops.limits import COSTS, advice_of, pace_of
from shared.adapters.looks import Looks
from shared.adapters.pacing.pace import Call, Pace, Pacing
from shared.errors import NotSupportedError, TransientError
from shared.ports import Clock

_CACHE_VARIABLE = "AZURE_DEVOPS_CACHE_DIR"
# Answers that never change, of which some are long lists.
_KEPT = 48
_loading = threading.Lock()


def load_sdk() -> None:
    """Import the package without leaving anything on the disk, unless ``AZURE_DEVOPS_CACHE_DIR`` names a folder for it.

    The package makes a folder in the home at its import, fails where it cannot, and then trusts what it kept there for
    12 hours. Kept in memory instead, each process learns an organisation's addresses anew.
    """
    with _loading:
        given = os.environ.get(_CACHE_VARIABLE)
        if given and _is_writable(Path(given)):
            importlib.import_module("azure.devops._file_cache")
            return
        # The package makes no folder where one exists, and writes nothing before it is told to use no file.
        os.environ[_CACHE_VARIABLE] = tempfile.gettempdir()
        try:
            kept: Any = importlib.import_module("azure.devops._file_cache")
        finally:
            if given is None:
                del os.environ[_CACHE_VARIABLE]
            else:
                os.environ[_CACHE_VARIABLE] = given
        for cache in (kept.OPTIONS_CACHE, kept.RESOURCE_CACHE):
            cache.file_name = ""


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


class AzureDevOpsClient:
    """The package's clients by area, shared by all threads (the package keeps one HTTP session for each thread)."""

    def __init__(
        self,
        organization_url: str,
        credentials: AzureDevOpsCredentials,
        *,
        clock: Clock,
        timeout: int,
        token_provider: TokenProvider | None = None,
        pace: Pace | None = None,
    ) -> None:
        """``organization_url`` is ``https://dev.azure.com/<organization>``, ``timeout`` is in seconds.

        ``pace`` is that of this identity; without one the client keeps the limits for itself alone.
        """
        self.organization_url = organization_url.rstrip("/")
        self.credentials = credentials
        self._clock = clock
        self._pace = pace or pace_of(Pacing(clock), self.organization_url)
        self._timeout = timeout
        self.looks = Looks(clock)
        self._tokens = (
            TokenSource(credentials, token_provider, clock) if isinstance(credentials, EntraIdentity) else None
        )
        self._lock = threading.RLock()
        self._connection: Any = None
        self._clients: dict[str, Any] = {}
        self._standing: dict[Hashable, tuple[float, Any]] = {}
        self._immutable: OrderedDict[Hashable, Any] = OrderedDict()
        self._here = threading.local()

    def area(self, name: str) -> Any:
        """The package's 7.1 client for an area: ``core``, ``git``, ``policy`` … Its calls raise errors of ours only.

        Raises ``CredentialError`` and ``TransientError`` itself: the first use asks the service what it offers.
        """
        with self._lock:
            if name not in self._clients:
                if self._connection is None:
                    self._connection = self._connect()
                self._clients[name] = getattr(self._connection.clients_v7_1, f"get_{name}_client")()
            return self._clients[name]

    @property
    def tally(self) -> list[int]:
        """How many requests were sent for this thread so far, as the one number that ``counting_for`` takes."""
        found: list[int] | None = getattr(self._here, "tally", None)
        if found is None:
            found = self._here.tally = [0]
        return found

    @contextmanager
    def counting_for(self, tally: list[int]) -> Iterator[None]:
        """Within, what this thread sends counts as sent for the thread of that tally."""
        before, self._here.tally = self.tally, tally
        try:
            yield
        finally:
            self._here.tally = before

    @contextmanager
    def anew(self) -> Iterator[None]:
        """Within, this thread asks the service whatever it was just told."""
        before, self._here.anew = getattr(self._here, "anew", False), True
        try:
            yield
        finally:
            self._here.anew = before

    @contextmanager
    def at_most(self, size: int) -> Iterator[None]:
        """Within, an answer of more than ``size`` bytes is left where it is: this thread gets ``TooLargeError``."""
        self._here.at_most = size
        try:
            yield
        finally:
            self._here.at_most = None

    def standing[A](self, question: Hashable, seconds: float, ask: Callable[[], A]) -> A:
        """The answer to ``question``, asked again once it is ``seconds`` old: of what hardly ever changes."""
        now = self._clock.now().timestamp()
        known = self._standing.get(question)
        if known is None or not 0 <= now - known[0] <= seconds:
            known = self._standing[question] = (now, ask())
        answer: A = known[1]
        return answer

    def immutable[A](self, question: Hashable, ask: Callable[[], A]) -> A:
        """The answer to ``question``, which never becomes another; the latest few are kept."""
        with self._lock:
            if question in self._immutable:
                self._immutable.move_to_end(question)
                known: A = self._immutable[question]
                return known
        answer = ask()
        with self._lock:
            self._immutable[question] = answer
            while len(self._immutable) > _KEPT:
                self._immutable.popitem(last=False)
        return answer

    def immutable_known(self, question: Hashable) -> Any:
        """The answer to ``question`` where ``immutable`` keeps it; else ``None``."""
        with self._lock:
            return self._immutable.get(question)

    def now(self) -> datetime:
        """The time of day."""
        return self._clock.now()

    def page(self, *segments: str) -> str:
        """The address of a page that people open."""
        return "/".join([self.organization_url, *(quote(segment, safe="") for segment in segments)])

    def models(self, name: str) -> Any:
        """The package's models of an area."""
        load_sdk()
        return importlib.import_module(f"azure.devops.v7_1.{name}.models")

    def _connect(self) -> Any:
        load_sdk()
        # The package's debug log shows bodies, hence the passwords of service hooks.
        logging.getLogger("azure.devops").setLevel(logging.INFO)
        location_client: Any = importlib.import_module("azure.devops.v7_1.location.location_client")
        authentication = sdk_authentication(self.credentials, self._tokens)
        connection: Any = importlib.import_module("azure.devops.connection").Connection(
            base_url=self.organization_url, creds=authentication, user_agent="doneright"
        )
        make = connection._get_client_instance
        areas: list[Any] = []

        def guarded_client(client_class: Any) -> Any:
            return self.guard(make(client_class))

        def guarded_areas(force: bool = False) -> Any:
            if force or not areas:
                location = self.guard(location_client.LocationClient(self.organization_url, authentication))
                areas[:] = [location.get_resource_areas() or []]
            return areas[0]

        connection._get_client_instance = guarded_client
        connection._get_resource_areas = guarded_areas
        return connection

    def guard(self, client: Any) -> Any:
        """Make one of the package's clients send once, in time, and raise errors of ours."""
        policy = client.config.retry_policy.policy
        # The first thread's session holds this very object already, hence changed in place.
        policy.total, policy.connect, policy.read, policy.status_forcelist = 0, 0, 0, ()
        client.config.connection.timeout = self._timeout
        send, address = client._client.send, client._create_request_message

        def known_or_sent(request: Any, headers: Any = None, content: Any = None, **options: Any) -> Any:
            if request.method != "GET":
                self.looks.forget(removal=request.method == "DELETE")
                return judged_send(request, headers, content, **options)
            question = (request.url, str(sorted((headers or {}).items())))
            known = None if getattr(self._here, "anew", False) else self.looks.remembered(question)
            if known is None:
                try:
                    known = judged_send(request, headers, content, **options)
                except NotFoundError as missing:
                    known = missing
                self.looks.keep(question, known)
            if isinstance(known, NotFoundError):
                raise known.with_traceback(None)
            return known

        def judged_send(request: Any, headers: Any = None, content: Any = None, **options: Any) -> Any:
            target = urlsplit(request.url)
            action = f"{request.method} {target.path}"
            used = "" if self._tokens is None else self._tokens.token()
            try:
                return self._paced(target.netloc, action, lambda: send(request, headers, content, **options))
            except CredentialError:
                # An Entra token can be revoked before its time; one fresh token tells that from a bad identity.
                if self._tokens is None:
                    raise
                self._tokens.discard(used)
                return self._paced(target.netloc, action, lambda: send(request, headers, content, **options))

        def known_address(*args: Any, **options: Any) -> Any:
            try:
                return address(*args, **options)
            except ValueError as error:
                raise NotSupportedError(
                    f"This Azure DevOps lacks a needed interface: {error}",
                    "Use Azure DevOps Services, or a newer server",
                ) from error

        client._client.send = known_or_sent
        client._create_request_message = known_address
        return client

    def _paced(self, host: str, action: str, send: Any) -> Any:
        tally = self.tally
        with self._lock:
            tally[0] += 1
        with self._pace.call(host, COSTS) as call:
            return self._judged(call, action, send)

    def _judged(self, call: Call, action: str, send: Any) -> Any:
        import requests
        from msrest.exceptions import ClientException

        try:
            response = send()
            text = response.content if (most := getattr(self._here, "at_most", None)) is None else _read(response, most)
        except (requests.RequestException, ClientException) as error:
            call.end(answered=False)
            cause = getattr(error, "inner_exception", None) or error
            raise TransientError(f"Azure DevOps did not answer {action} ({type(cause).__name__})") from error
        if text is None:
            call.end(answered=True)
            raise TooLargeError(f"The answer of Azure DevOps to {action} is too large", "Ask for less at once")
        body = None
        if "json" in response.headers.get("Content-Type", "") and text:
            try:
                body = json.loads(text.decode("utf-8-sig"))
            except ValueError as error:
                call.end(answered=False)
                raise TransientError(f"The answer of Azure DevOps to {action} broke off") from error
        failure = translated(response.status_code, response.headers, body, action=action, now=self._clock.now())
        call.end(answered=response.status_code < 500, advice=advice_of(response.status_code, response.headers, failure))
        if failure is not None:
            raise failure
        return response


def _read(response: Any, most: int) -> bytes | None:
    """What was answered; ``None`` where it is more than ``most`` bytes."""
    parts: list[bytes] = []
    left = most
    for part in response.iter_content(65_536):
        parts.append(part)
        left -= len(part)
        if left < 0:
            response.close()
            return None
    # The package looks here for what was answered, which can be read from the line only once.
    response._content, response._content_consumed = b"".join(parts), True
    content: bytes = response._content
    return content
