"""Words the failures the way each forge words them."""

from __future__ import annotations

import time
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response

from local.sandbox.fault_rule import FaultKind, FaultRule, Forge


def failure(rule: FaultRule, forge: Forge) -> Response:
    """The error answer of a rule, in the forge's wording."""
    return _github_failure(rule) if forge is Forge.GITHUB else _azure_devops_failure(rule)


def _retry_after(rule: FaultRule) -> int:
    return 1 if rule.seconds is None else max(0, round(rule.seconds))


def _github_failure(rule: FaultRule) -> Response:
    docs = "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"
    if rule.kind is FaultKind.RATE_LIMITED:
        wait = _retry_after(rule)
        headers = {
            "Retry-After": str(wait),
            "X-RateLimit-Limit": "5000",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": str(int(time.time()) + wait),
            "X-RateLimit-Used": "5000",
            "X-RateLimit-Resource": "core",
        }
        message = (
            "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. "
            "For more on scraping GitHub and how it may affect your rights, please review our Terms of Service."
        )
        return JSONResponse(
            {"message": message, "documentation_url": docs}, status_code=rule.status or 429, headers=headers
        )
    if rule.kind is FaultKind.EXPIRED_TOKEN:
        body = {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest", "status": "401"}
        return JSONResponse(body, status_code=401)
    if rule.kind is FaultKind.UNAVAILABLE:
        headers = {} if rule.seconds is None else {"Retry-After": str(_retry_after(rule))}
        body = {"message": "No server is currently available to service your request. Sorry about that."}
        return JSONResponse(body, status_code=503, headers=headers)
    return JSONResponse({"message": "Server Error"}, status_code=500)


def _azure_devops_failure(rule: FaultRule) -> Response:
    if rule.kind is FaultKind.EXPIRED_TOKEN:
        html = "<!DOCTYPE html>\n<html lang=en-US><head><title>Azure DevOps Services | Sign In</title></head><body>Sign in</body></html>"
        return HTMLResponse(html, status_code=203)
    if rule.kind is FaultKind.RATE_LIMITED:
        wait = _retry_after(rule)
        headers = {
            "Retry-After": str(wait),
            "X-RateLimit-Resource": "Core",
            "X-RateLimit-Delay": str(wait),
            "X-RateLimit-Limit": "200",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": str(int(time.time()) + wait),
        }
        message = (
            "TF400733: The request has been canceled: Request was blocked due to exceeding usage of resource "
            "'Concurrency' in namespace 'User'. For more information on why your request was blocked, see the topic "
            "'Rate limits'."
        )
        body = _azure_devops_error(message, "RequestBlockedException", "TeamFoundation.Framework.Server")
        return JSONResponse(body, status_code=rule.status or 429, headers=headers)
    if rule.kind is FaultKind.UNAVAILABLE:
        headers = {} if rule.seconds is None else {"Retry-After": str(_retry_after(rule))}
        message = "TF400898: The service is currently unavailable. Try again later."
        return JSONResponse(
            _azure_devops_error(message, "HostShutdownException", "TeamFoundation.Framework.Server"), 503, headers
        )
    message = "TF400898: An Internal Error Occurred. Activity Id: 00000000-0000-0000-0000-000000000000."
    return JSONResponse(_azure_devops_error(message, "Exception", "System"), status_code=500)


def _azure_devops_error(message: str, type_key: str, namespace: str) -> dict[str, Any]:
    return {
        "$id": "1",
        "innerException": None,
        "message": message,
        "typeName": f"Microsoft.{namespace}.{type_key}, Microsoft.{namespace}",
        "typeKey": type_key,
        "errorCode": 0,
        "eventId": 3000,
    }
