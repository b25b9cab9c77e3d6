"""Receives webhooks: proves where they come from, queues them, answers 202. Nothing else happens before the queue."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from http import HTTPStatus

import azure.functions as func
from pydantic import SecretStr

from functions.problems import ProblemError, correlation_of, problem
from shared.domain.forge import ForgeName
from shared.errors import RefusedError
from shared.intake import envelopes, signatures
from shared.services import DELIVERIES_QUEUE, services
from shared.settings import settings

blueprint = func.Blueprint()
_log = logging.getLogger(__name__)

STORAGE = "AzureWebJobsStorage"


@blueprint.function_name("receive_github")
@blueprint.route(route="webhooks/github", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@blueprint.queue_output(arg_name="message", queue_name=DELIVERIES_QUEUE, connection=STORAGE)
async def receive_github(req: func.HttpRequest, message: func.Out[str]) -> func.HttpResponse:
    """``POST /api/webhooks/github``: HMAC-SHA256 over the raw body."""

    def verify(body: bytes) -> bool:
        secrets = _plain(settings().github_webhook_secrets)
        return signatures.github_signature_is_valid(secrets, body, req.headers.get("x-hub-signature-256"))

    def identify(text: str, body: bytes) -> tuple[str, str]:
        delivery, event = req.headers.get("x-github-delivery", ""), req.headers.get("x-github-event", "")
        if not delivery or not event:
            raise RefusedError("X-GitHub-Delivery and X-GitHub-Event must both be given")
        return delivery, event

    return await _receive(req, message, ForgeName.GITHUB, verify, identify)


@blueprint.function_name("receive_azure_devops")
@blueprint.route(route="webhooks/azure-devops", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@blueprint.queue_output(arg_name="message", queue_name=DELIVERIES_QUEUE, connection=STORAGE)
async def receive_azure_devops(req: func.HttpRequest, message: func.Out[str]) -> func.HttpResponse:
    """``POST /api/webhooks/azure-devops``: basic authentication, or the ``X-Doneright-Secret`` header."""

    def verify(body: bytes) -> bool:
        secrets = _plain(settings().azure_devops_webhook_secrets)
        headers = req.headers
        return signatures.azure_devops_secret_is_valid(
            secrets, headers.get("authorization"), headers.get("x-doneright-secret")
        )

    def identify(text: str, body: bytes) -> tuple[str, str]:
        return envelopes.azure_devops_identity(json.loads(text), body)

    return await _receive(req, message, ForgeName.AZURE_DEVOPS, verify, identify)


async def _receive(
    req: func.HttpRequest,
    message: func.Out[str],
    forge: ForgeName,
    verify: Callable[[bytes], bool],
    identify: Callable[[str, bytes], tuple[str, str]],
) -> func.HttpResponse:
    body = req.get_body()
    try:
        if len(body) > envelopes.LARGEST_BODY:
            raise ProblemError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"the body has {len(body)} bytes; {envelopes.LARGEST_BODY} are the most a webhook may have",
            )
        if not verify(body):
            raise ProblemError(
                HTTPStatus.UNAUTHORIZED,
                "the delivery does not prove that it comes from the forge",
                remedy="Compare the secret of the webhook with the app's setting; unset, every delivery is refused.",
                headers={"WWW-Authenticate": "Basic"} if forge is ForgeName.AZURE_DEVOPS else None,
            )
        try:
            text = envelopes.payload_text(body, req.headers.get("content-type", ""))
            delivery, event = identify(text, body)
        except RefusedError as error:
            raise ProblemError(HTTPStatus.BAD_REQUEST, error.reason) from error
        app, large = services(), settings().large_body_bytes
        correlation = correlation_of(req)

        def wrap() -> str:
            return envelopes.wrap(
                forge=forge,
                delivery=delivery,
                event=event,
                text=text,
                received_at=app.clock.now(),
                correlation=correlation,
                artifacts=app.artifacts,
                large=large,
            ).model_dump_json()

        # Only a large body is stored, which blocks; the usual one costs no thread.
        message.set(await asyncio.to_thread(wrap) if len(body) > large // 2 else wrap())
    except Exception as error:
        return problem(error, req)
    return func.HttpResponse(
        json.dumps({"accepted": delivery, "event": event}), status_code=202, mimetype="application/json"
    )


def _plain(secrets: tuple[SecretStr, ...]) -> list[str]:
    return [secret.get_secret_value() for secret in secrets]
