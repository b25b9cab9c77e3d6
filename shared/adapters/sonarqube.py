"""Reads a project's measures, issues and quality gate from a SonarQube server or SonarQube Cloud, as one report.

The web API: https://docs.sonarsource.com/sonarqube-server/extension-guide/web-api/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import JsonValue, SecretStr

from shared.errors import NotSupportedError, RefusedError, TransientError

if TYPE_CHECKING:
    import requests

    from shared.domain.connection import SonarQubeConnection
    from shared.ports import SecretStore

METRICS = (
    "lines_to_cover",
    "uncovered_lines",
    "conditions_to_cover",
    "uncovered_conditions",
    "coverage",
    "new_coverage",
    "duplicated_lines_density",
    "complexity",
    "cognitive_complexity",
    "ncloc",
    "sqale_index",
    "bugs",
    "vulnerabilities",
    "code_smells",
    "security_hotspots",
)
PAGE = 500
MOST_ISSUES = 10_000
"""The search answers no more, whatever is asked: https://next.sonarqube.com/sonarqube/web_api/api/issues/search"""
MOST_BYTES = 32 * 1024 * 1024
_TIMEOUT = (5.0, 30.0)
"""Seconds to connect, and between two bytes."""
_CHUNK = 64 * 1024
_DIGITS = re.compile(r"[0-9]{1,6}")
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class SonarQube:
    """One server.

    Args:
        base_url: such as ``https://sonarcloud.io`` or ``https://sonarqube.example/sonar``; http for this machine alone.
        token: a user's or project's token with the permission *Browse*.

    Raises:
        RefusedError: the address is none that a token may be sent to.
    """

    def __init__(self, base_url: str, token: SecretStr) -> None:
        parts = urlsplit(base_url)
        secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)
        if not secure or not parts.hostname or parts.query or parts.fragment or parts.username:
            raise RefusedError(
                "the address of SonarQube is not https, or holds more than host, port and path",
                "Give it as https://sonarqube.example.",
            )
        self._base = base_url.rstrip("/")
        self._token = token

    def __repr__(self) -> str:
        return f"SonarQube({self._base!r}, token=…)"

    def report(self, project: str, *, branch: str = "", pull_request: str = "") -> bytes:
        """The newest analysis of a project, or of its branch or pull request, as ``shared.evidence`` reads it.

        Raises:
            RefusedError: the project is unknown there, the token may not see it, or it has too many issues to tell all.
            TransientError: the server does not answer, or asks for patience.
        """
        import requests

        of = {"branch": branch} if branch else {"pullRequest": pull_request} if pull_request else {}
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
            session.trust_env = False  # a .netrc would send another credential
            found: dict[str, JsonValue] = {"server_version": self._version(session)}
            found["projectStatus"] = self._get(
                session, "qualitygates/project_status", {"projectKey": project, **of}
            ).get("projectStatus")
            asked = {"component": project, "metricKeys": ",".join(METRICS), **of}
            found["component"] = self._get(session, "measures/component", asked).get("component")
            issues, components = self._issues(session, {"componentKeys": project, **of})
        found |= {"issues": issues, "components": components, "paging": {"total": len(issues)}}
        return json.dumps(found, sort_keys=True, ensure_ascii=False).encode()

    def revision(self, project: str, *, branch: str = "", pull_request: str = "") -> str:
        """The commit of the newest analysis of a project, or of its branch or pull request; empty: none, or not told.

        Raises as ``report`` does.
        """
        import requests

        of = {"branch": branch} if branch else {"pullRequest": pull_request} if pull_request else {}
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
            session.trust_env = False
            found = self._get(session, "project_analyses/search", {"project": project, "ps": "1", **of}).get("analyses")
        newest = found[0] if isinstance(found, list) and found else None
        told = newest.get("revision") if isinstance(newest, dict) else None
        return told if isinstance(told, str) else ""

    def _version(self, session: requests.Session) -> str:
        return self._read(session, "server/version", {}).decode("utf-8", "replace").strip()[:40]

    def _issues(self, session: requests.Session, asked: Mapping[str, str]) -> tuple[list[JsonValue], list[JsonValue]]:
        issues: list[JsonValue] = []
        components: dict[str, JsonValue] = {}
        for page in self._pages(session, asked):
            issues += page["issues"]
            components |= {each["key"]: each for each in page.get("components", ()) if isinstance(each, dict)}
        return issues, [components[key] for key in sorted(components)]

    def _pages(self, session: requests.Session, asked: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        for number in range(1, MOST_ISSUES // PAGE + 1):
            sought = {**asked, "resolved": "false", "ps": str(PAGE), "p": str(number)}
            page = self._get(session, "issues/search", sought)
            total = page.get("paging", {}).get("total", page.get("total"))
            if not isinstance(page.get("issues"), list) or not isinstance(total, int):
                raise TransientError("SonarQube's answer to issues/search holds no issues")
            if total > MOST_ISSUES:
                # Some of the findings would read as if the others were not there.
                raise NotSupportedError(
                    f"the project has {total} open issues; SonarQube tells {MOST_ISSUES} at most",
                    "Analyse a branch or pull request of its own, or upload SARIF.",
                )
            yield page
            if number * PAGE >= total:
                return

    def _get(self, session: requests.Session, call: str, asked: Mapping[str, str]) -> dict[str, Any]:
        try:
            value = json.loads(self._read(session, call, asked))
        except (ValueError, RecursionError) as error:
            raise TransientError(f"SonarQube's answer to {call} is not JSON") from error
        if not isinstance(value, dict):
            raise TransientError(f"SonarQube's answer to {call} is no object")
        return value

    def _read(self, session: requests.Session, call: str, asked: Mapping[str, str]) -> bytes:
        import requests

        url = f"{self._base}/api/{call}"
        try:
            # A redirect could lead the token elsewhere.
            with session.get(url, params=dict(asked), timeout=_TIMEOUT, allow_redirects=False, stream=True) as answer:
                if answer.status_code != 200:
                    raise _failure(answer.status_code, answer.headers.get("Retry-After", ""), call)
                content = bytearray()
                for chunk in answer.iter_content(_CHUNK):
                    content += chunk
                    if len(content) > MOST_BYTES:
                        raise RefusedError(
                            f"SonarQube's answer to {call} is larger than {MOST_BYTES} bytes", "Analyse fewer files."
                        )
        except requests.RequestException as error:
            raise TransientError(f"SonarQube did not answer {call} ({type(error).__name__})") from error
        return bytes(content)


def connected(named: SonarQubeConnection, secrets: SecretStore) -> SonarQube:
    """The server that a connection names. Raises ``RefusedError`` without its secret, or for an address that is none."""
    return SonarQube(named.url, SecretStr(secrets.get(named.token_secret)))


def _failure(status: int, retry_after: str, call: str) -> Exception:
    if status == 429 or status >= 500:
        wait = float(retry_after) if _DIGITS.fullmatch(retry_after) else None
        return TransientError(f"SonarQube answered {status} to {call}", wait)
    if status in {401, 403}:
        return RefusedError(
            f"SonarQube does not let the token read {call} ({status})", "Grant it Browse, or make a new one."
        )
    if status == 404:
        return RefusedError(f"SonarQube knows no such project, branch or pull request ({call})", "Check its key.")
    if 300 <= status < 400:
        return RefusedError(f"SonarQube at this address leads elsewhere ({status})", "Give the address it leads to.")
    return RefusedError(f"SonarQube answered {status} to {call}", "Check the project's key and the server's address.")
