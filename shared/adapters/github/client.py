"""The one way out to GitHub: every call goes through PyGithub's requester here and fails only with errors of ours.

PyGithub would wait between calls and send failed calls again, creates included; both are switched off, because the
runbook that called decides when to call again. Its objects are not used: they hide response headers and complete
themselves with further calls.
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlsplit

from shared.adapters.github.credentials import (
    AppInstallation,
    GitHubCredentials,
    InstallationToken,
    TokenSource,
    app_jwt_auth,
)
from shared.adapters.github.errors import CredentialError, EmptyRepositoryError, NotFoundError
from shared.adapters.github.limits import pace_of, request_of, writing
from shared.adapters.github.sending import Headers, new_requester, send
from shared.adapters.looks import Looks
from shared.adapters.pacing.pace import Pace, Pacing
from shared.errors import RefusedError, TransientError
from shared.ports import Clock

if TYPE_CHECKING:
    import requests

PAGE_SIZE = 100


def path(template: str, *parts: str | int) -> str:
    """``template`` with each ``{}`` replaced by a part, escaped so that a name stays one segment."""
    return template.format(*(quote(str(part), safe="") for part in parts))


class GitHubClient:
    """JSON in, JSON out, from any thread: each thread has a connection of its own, all share one token."""

    def __init__(
        self,
        credentials: GitHubCredentials,
        *,
        base_url: str,
        clock: Clock,
        timeout: int,
        pace: Pace | None = None,
    ) -> None:
        """``base_url`` is the API's root without a trailing slash, ``timeout`` is in seconds.

        ``pace`` is that of this identity; without one the client keeps the limits for itself alone.
        """
        self.credentials = credentials
        self.base_url = base_url.rstrip("/")
        self._clock = clock
        self._pace = pace or pace_of(Pacing(clock), self.base_url)
        self._timeout = timeout
        self._local = threading.local()
        self._counting = threading.Lock()
        self._calls = 0
        self.looks = Looks(clock)
        self.tokens = TokenSource(credentials, self._fetch_token, clock)

    @property
    def calls(self) -> int:
        """Requests sent so far, those for tokens included."""
        return self._calls

    def get(self, url: str, **parameters: Any) -> Any:
        """The JSON at ``url``; ``None`` for 404. Raises as ``request`` does otherwise."""
        try:
            return self.request("GET", url, parameters=parameters)[1]
        except NotFoundError:
            return None

    def get_anew(self, url: str, **parameters: Any) -> Any:
        """As ``get``, but asked even where the answer was given a moment ago."""
        try:
            return self._authorised("GET", url, None, parameters)[1]
        except NotFoundError:
            return None

    def graphql(self, document: str, variables: Mapping[str, Any], *, changes: bool) -> Any:
        """GraphQL's answer, data and errors alike. ``changes`` tells a mutation from a query, which forgets no look."""
        if changes:
            self.looks.forget()
        # GitHub Enterprise Server serves REST below /api/v3 and GraphQL at /api/graphql.
        url = self.base_url.removesuffix("/v3") + "/graphql"
        return self._authorised("POST", url, {"query": document, "variables": dict(variables)}, None)[1]

    def request(
        self,
        verb: str,
        url: str,
        body: Any = None,
        *,
        parameters: Mapping[str, Any] | None = None,
        as_app: bool = False,
    ) -> tuple[Headers, Any]:
        """Send one request, once; response headers (lower-case names) and decoded JSON.

        ``as_app`` signs as the App itself instead of its installation. Raises ``TransientError`` with the wait GitHub
        asks for, ``RefusedError`` with the remedy, ``NotSupportedError`` where the plan lacks the feature.
        """
        if as_app:
            return self._send(self._app_requester(), verb, url, body, parameters, as_app=True)
        if verb != "GET":
            self.looks.forget(removal=verb == "DELETE")
            return self._authorised(verb, url, body, parameters)
        question = (url, json.dumps(dict(parameters or {}), sort_keys=True))
        known = self.looks.remembered(question)
        if known is None:
            try:
                known = self._authorised(verb, url, body, parameters)
            except (NotFoundError, EmptyRepositoryError) as missing:
                known = missing
            self.looks.keep(question, known)
        if isinstance(known, (NotFoundError, EmptyRepositoryError)):
            raise known.with_traceback(None)
        headers, data = known
        # Whoever reads may sort and fill in what it was given.
        return headers, copy.deepcopy(data)

    def _authorised(self, verb: str, url: str, body: Any, parameters: Mapping[str, Any] | None) -> tuple[Headers, Any]:
        token = self.tokens.token()
        try:
            return self._send(self._requester(token), verb, url, body, parameters)
        except CredentialError:
            # An installation token can be revoked before its time; one fresh token tells that from a bad App.
            if not self.tokens.discard(token):
                raise
        return self._send(self._requester(self.tokens.token()), verb, url, body, parameters)

    @contextmanager
    def download(self, url: str) -> Iterator[requests.Response]:
        """The answer to a GET for something that is no JSON, to be read while it arrives; its status is yet to be judged.

        GitHub sends archives from another host, where the token is not told. Raises ``TransientError``.
        """
        import requests

        def signed(request: requests.PreparedRequest) -> requests.PreparedRequest:
            request.headers["Authorization"] = f"token {token}"
            return request

        address, token, costs = self.base_url + url, self.tokens.token(), request_of("GET", url).costs
        self._count()
        with requests.Session() as session, self._pace.call(urlsplit(address).netloc, costs) as call:
            try:
                # A callable, so that no .netrc sends another credential; requests takes it off for another host.
                answer = session.get(address, auth=signed, stream=True, timeout=self._timeout)
            except requests.RequestException as error:
                call.end(answered=False)
                raise TransientError(f"GitHub did not answer GET {url} ({type(error).__name__})") from error
            call.end(answered=answer.status_code < 500)
            yield answer

    def _count(self) -> None:
        with self._counting:
            self._calls += 1

    def now(self) -> datetime:
        """The time of day."""
        return self._clock.now()

    def together(self, contents: int) -> AbstractContextManager[None]:
        """Around ``contents`` content-creating requests and one change that are of use only if all are made.

        Raises ``TransientError`` with the wait before the first of them when there is not room for all.
        """
        return self._pace.batch(writing(contents))

    def pages(self, url: str, *, as_app: bool = False, **parameters: Any) -> Iterator[Any]:
        """Every item of a list, page by page as GitHub's ``Link`` header leads. Raises as ``request`` does."""
        query: Mapping[str, Any] | None = {"per_page": PAGE_SIZE, **parameters}
        while query is not None:
            headers, items = self.request("GET", url, parameters=query, as_app=as_app)
            yield from _items(items)
            query = linked_query(headers, "next")

    def installation_id(self) -> int:
        """The id of the App's installation. Raises ``RefusedError`` when the App is not installed there."""
        credentials = self._app()
        if credentials.installation_id is not None:
            return credentials.installation_id
        organization = str(credentials.organization)
        try:
            found = self.request("GET", path("/orgs/{}/installation", organization), as_app=True)[1]
        except NotFoundError:
            raise RefusedError(
                f"GitHub App {credentials.app_id} is not installed in {organization}",
                f"An owner of {organization} installs it from the App's page on GitHub",
            ) from None
        return int(found["id"])

    def _app(self) -> AppInstallation:
        if not isinstance(self.credentials, AppInstallation):
            raise RefusedError("A personal access token has no installation", "Connect GitHub through a GitHub App")
        return self.credentials

    def _fetch_token(self) -> InstallationToken:
        url = path("/app/installations/{}/access_tokens", self.installation_id())
        try:
            answer = self.request("POST", url, {}, as_app=True)[1]
        except NotFoundError:
            raise RefusedError(
                f"GitHub App {self._app().app_id} has no such installation",
                "Install the App again, and correct the installation id of the connection",
            ) from None
        return InstallationToken.model_validate(answer)

    def _app_requester(self) -> Any:
        credentials = self._app()
        return self._kept("app", "", lambda: app_jwt_auth(credentials))

    def _requester(self, token: str) -> Any:
        from github.Auth import Token

        return self._kept("token", token, lambda: Token(token))

    def _kept(self, slot: str, key: str, auth: Callable[[], Any]) -> Any:
        # PyGithub's connection keeps the pending request on itself, so threads must not share one.
        kept = getattr(self._local, slot, None)
        if kept is None or kept[0] != key:
            if kept is not None:
                kept[1].close()
            kept = (key, new_requester(self.base_url, self._timeout, auth()))
            setattr(self._local, slot, kept)
        return kept[1]

    def _send(
        self,
        requester: Any,
        verb: str,
        url: str,
        body: Any,
        parameters: Mapping[str, Any] | None,
        *,
        as_app: bool = False,
    ) -> tuple[Headers, Any]:
        self._count()
        return send(requester, verb, url, body, parameters, clock=self._clock, pace=self._pace, as_app=as_app)


def _items(data: Any) -> list[Any]:
    """The list in an answer: plain, or wrapped as ``{total_count, <name>: [...]}``."""
    if isinstance(data, dict):
        return next((value for value in data.values() if isinstance(value, list)), [])
    return list(data or [])


def linked_query(headers: Headers, relation: str) -> dict[str, str] | None:
    """The query of a target of the ``Link`` header (RFC 8288); only the query, so that no other host is ever followed."""
    for entry in headers.get("link", "").split(","):
        target, _, attributes = entry.partition(";")
        if f'rel="{relation}"' in attributes:
            return dict(parse_qsl(urlsplit(target.strip().strip("<>")).query, keep_blank_values=True))
    return None
