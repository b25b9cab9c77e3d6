"""A tiny OpenAI-compatible server on 127.0.0.1 that answers as a test scripts it, and keeps what it was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.integration.adapters.serving import served


@dataclass
class ModelServer:
    """What was asked, and what is answered next."""

    url: str
    script: list[Any] = field(default_factory=list)
    """Answers in order: opinions for the asked form, a text, a status, or a number of seconds of silence."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    tokens: int = 900

    @property
    def question(self) -> str:
        """All that the last request said."""
        return json.dumps(self.asked[-1]["messages"], ensure_ascii=False)


@dataclass
class Opinions:
    """An answer in the asked form."""

    opinions: list[dict[str, Any]]


@dataclass
class Arguments:
    """An answer in the asked form, with just any arguments."""

    text: str


@dataclass
class Status:
    """A failure."""

    code: int
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Silence:
    """No answer for so many seconds."""

    seconds: float


@contextmanager
def model_server() -> Iterator[ModelServer]:
    """Serve it on a free port."""
    held: list[ModelServer] = []

    async def completions(request: Request) -> Response:
        server = held[0]
        body = await request.json()
        server.asked.append(body)
        server.keys.append(request.headers.get("authorization", ""))
        server.paths.append(request.url.path)
        return await _answer(server, body, server.script.pop(0) if server.script else Opinions([]))

    with served(lambda url: Starlette(routes=[Route("/{path:path}", completions, methods=["POST"])])) as (url, _):
        held.append(ModelServer(f"{url}/v1"))
        yield held[0]


async def _answer(server: ModelServer, body: dict[str, Any], step: Any) -> Response:
    if isinstance(step, Status):
        return JSONResponse({"error": {"message": "no", "type": "x"}}, status_code=step.code, headers=step.headers)
    if isinstance(step, Silence):
        await asyncio.sleep(step.seconds)
        return PlainTextResponse("late")
    if isinstance(step, str):
        return PlainTextResponse(step)
    arguments = step.text if isinstance(step, Arguments) else json.dumps({"opinions": step.opinions})
    call = {
        "id": "call-1",
        "type": "function",
        "function": {"name": body["tools"][0]["function"]["name"], "arguments": arguments},
    }
    return JSONResponse(
        {
            "id": "answer-1",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": body["model"],
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "tool_calls",
                    "message": {"role": "assistant", "content": None, "tool_calls": [call]},
                }
            ],
            "usage": {"prompt_tokens": server.tokens - 100, "completion_tokens": 100, "total_tokens": server.tokens},
        }
    )
