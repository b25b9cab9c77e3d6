"""Sends one request to GitHub through PyGithub's requester, once, and lets it fail only with errors of ours."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from shared.adapters.github.errors import translated
from shared.adapters.github.limits import advice_of, request_of
from shared.adapters.pacing.pace import Pace
from shared.errors import RefusedError, TransientError
from shared.ports import Clock

API_VERSION = "2022-11-28"
type Headers = Mapping[str, str]


def new_requester(base_url: str, timeout: int, auth: Any) -> Any:
    """A PyGithub requester that sends each request once and never sleeps."""
    from github import Github

    # PyGithub's debug log shows bodies, hence webhook secrets and new tokens.
    logging.getLogger("github.Requester").setLevel(logging.INFO)
    return Github(
        base_url=base_url,
        auth=auth,
        timeout=timeout,
        retry=None,
        seconds_between_requests=None,
        seconds_between_writes=None,
        user_agent="doneright",
        api_version=API_VERSION,
    ).requester


def send(
    requester: Any,
    verb: str,
    url: str,
    body: Any,
    parameters: Mapping[str, Any] | None,
    *,
    clock: Clock,
    pace: Pace,
    as_app: bool = False,
) -> tuple[Headers, Any]:
    """Send one request through ``requester`` and translate its failures; see ``GitHubClient.request``."""
    import requests
    from github import GithubException

    action = f"{verb} {url}"
    request = request_of(verb, url, as_app=as_app)
    with pace.call(urlsplit(requester.base_url).netloc, request.costs, request.resource) as call:
        try:
            headers, data = requester.requestJsonAndCheck(verb, url, parameters=dict(parameters or {}), input=body)
        except GithubException as error:
            headers = {name.lower(): value for name, value in (error.headers or {}).items()}
            failure = translated(error.status, headers, error.data, action=action, now=clock.now())
            call.end(answered=error.status < 500, advice=advice_of(error.status, headers, request.resource, failure))
            raise failure from None
        except requests.RequestException as error:
            call.end(answered=False)
            raise TransientError(f"GitHub did not answer {action} ({type(error).__name__})") from error
        except ValueError as error:
            call.end(answered=False)
            raise TransientError(f"GitHub's answer to {action} broke off ({error})") from error
        except RuntimeError as error:
            call.end(answered=True)
            raise RefusedError(
                f"GitHub redirects {action} elsewhere: {error}", "Correct the base URL of the connection"
            ) from error
        call.end(answered=True, advice=advice_of(200, headers, request.resource))
    return headers, data
