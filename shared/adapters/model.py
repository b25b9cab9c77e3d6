"""Asks a language model for an answer of a given form: Azure OpenAI by its identity, or any OpenAI-compatible address.

Whatever the model or its server does ends as an exchange that tells of it; no failure of a model is an error here.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from shared.domain.exchange import Answered, Exchange
from shared.errors import RefusedError

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

SCOPE = "https://cognitiveservices.azure.com/.default"
"""https://learn.microsoft.com/azure/ai-foundry/openai/how-to/managed-identity"""
BUDGET = 30_000
"""Tokens of one question with its answer."""
TIMEOUT = 60.0
"""Seconds of one question, with a second try where the first answer was malformed."""
MOST_REQUESTS = 2
"""One, and one more where the answer had another form."""
LARGEST_KEPT = 256 * 1024
"""Characters of one body that are kept."""
_ANSWER_SHARE = 4
_AZURE = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com", ".openai.azure.us")
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class IssuedToken(Protocol):
    """What azure-identity answers."""

    @property
    def token(self) -> str: ...


class TokenProvider(Protocol):
    """The part of azure-identity's credentials that is used; they keep a token until shortly before its end."""

    def get_token(self, *scopes: str) -> IssuedToken: ...


class OpenAIModel:
    """One model behind one address. Any thread that runs no event loop may ask it.

    Args:
        url: such as ``https://name.openai.azure.com`` or ``https://models.example/v1``; http for this machine alone.
        name: of the model, on Azure of the deployment.
        key: for an address that wants one. Without a key Azure OpenAI is asked by the app's identity.
        budget: tokens that one question and its answer may take together.
        timeout: seconds for one question.
        identity: Entra credential; azure-identity's default chain when none is given.

    Raises:
        RefusedError: the address is none that a key and a change may be sent to, or the bounds are none.
    """

    def __init__(
        self,
        url: str,
        name: str,
        *,
        key: SecretStr | None = None,
        budget: int = BUDGET,
        timeout: float = TIMEOUT,
        identity: TokenProvider | None = None,
    ) -> None:
        self._url, self._azure = _address(url)
        if not name.strip():
            raise RefusedError("no model is named", "Set DONERIGHT_MODEL_NAME; on Azure it is the deployment's name.")
        if budget < 1_000 or timeout <= 0:
            raise RefusedError(
                f"a model cannot answer with {budget} tokens in {timeout:g} seconds",
                "Give it 1000 tokens or more, and time.",
            )
        self._name, self._key, self._budget, self._timeout = name.strip(), key, budget, timeout
        self._identity = identity
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Of the model or deployment."""
        return self._name

    @property
    def budget(self) -> int:
        """Tokens that one question and its answer may take together."""
        return self._budget

    def ask[A: BaseModel](self, instructions: str, question: str, form: type[A]) -> Answered[A]:
        """Ask for an answer of ``form``; whatever goes wrong is told as trouble."""
        return asyncio.run(self._ask(instructions, question, form))

    async def _ask[A: BaseModel](self, instructions: str, question: str, form: type[A]) -> Answered[A]:
        import openai
        from azure.core.exceptions import AzureError
        from pydantic_ai import Agent
        from pydantic_ai.exceptions import AgentRunError, UserError
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai import OpenAIProvider
        from pydantic_ai.settings import ModelSettings
        from pydantic_ai.usage import RunUsage, UsageLimits

        heard = _Heard()
        usage = RunUsage()
        answer: A | None = None
        trouble = ""
        async with self._client(heard) as client:
            agent = Agent(
                OpenAIChatModel(self._name, provider=OpenAIProvider(openai_client=client)),
                output_type=form,
                instructions=instructions,
                retries=MOST_REQUESTS - 1,
            )
            try:
                done = await agent.run(
                    question,
                    usage=usage,
                    usage_limits=UsageLimits(request_limit=MOST_REQUESTS, total_tokens_limit=self._budget),
                    model_settings=ModelSettings(max_tokens=self._budget // _ANSWER_SHARE),
                    timeout=self._timeout,
                )
                answer = done.output
            except (AgentRunError, UserError, TimeoutError, openai.OpenAIError, AzureError) as error:
                trouble = self._told(error)
        return Answered(
            exchange=Exchange(
                model=self._name,
                sent=tuple(heard.sent),
                received=tuple(heard.received),
                trouble=trouble,
                calls=len(heard.sent),
                tokens=usage.input_tokens + usage.output_tokens,
            ),
            answer=answer,
        )

    def _client(self, heard: _Heard) -> AsyncOpenAI:
        from openai import AsyncOpenAI, DefaultAsyncHttpx2Client

        return AsyncOpenAI(
            base_url=self._url,
            api_key=self._credential(),
            # Repeating is decided here, within the time that one question has.
            max_retries=0,
            timeout=self._timeout,
            http_client=DefaultAsyncHttpx2Client(
                event_hooks={"request": [heard.request], "response": [heard.response]}, follow_redirects=False
            ),
        )

    def _credential(self) -> str | Callable[[], Awaitable[str]]:
        if self._key is not None:
            return self._key.get_secret_value()
        if self._azure:
            return self._token
        # The SDK demands one, and servers of one's own machine take any.
        return "none"

    async def _token(self) -> str:
        return await asyncio.to_thread(self._issued)

    def _issued(self) -> str:
        with self._lock:
            if self._identity is None:
                from azure.identity import DefaultAzureCredential

                self._identity = DefaultAzureCredential()
            return self._identity.get_token(SCOPE).token

    def _told(self, error: BaseException) -> str:
        """Why there is no answer, without anything that was sent or received."""
        from pydantic_ai import exceptions

        match error:
            case exceptions.UsageLimitExceeded():
                return f"the model went over the budget of {self._budget} tokens"
            case exceptions.RunTimedOut() | exceptions.ModelTimeoutError() | TimeoutError():
                return f"the model did not answer within {self._timeout:g} seconds"
            case exceptions.ModelHTTPError(status_code=status):
                return _STATUSES.get(status, f"the model's server answered {status}")
            case exceptions.ContentFilterError():
                return "the model's server withheld the answer by its content filter"
            case exceptions.UnexpectedModelBehavior():
                return "the model's answer has not the form that was asked for"
        return f"the model could not be asked ({type(error).__name__})"


_STATUSES = {
    401: "the model's server does not accept the key or identity (401)",
    403: "the model's server refuses the key or identity (403)",
    404: "the model's server knows no model of that name (404)",
    429: "the model's server throttles (429)",
}


class _Heard:
    """Bodies that went out and came in; headers, which hold the key, are not kept."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.received: list[str] = []

    async def request(self, request: httpx2.Request) -> None:
        """Keep what goes out."""
        self.sent.append((await request.aread()).decode("utf-8", "replace")[:LARGEST_KEPT])

    async def response(self, response: httpx2.Response) -> None:
        """Keep what comes in."""
        self.received.append((await response.aread()).decode("utf-8", "replace")[:LARGEST_KEPT])


def _address(url: str) -> tuple[str, bool]:
    """The base address of the API, and whether it is Azure OpenAI's. Raises ``RefusedError``."""
    parts = urlsplit(url.strip())
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if (
        parts.scheme not in {"http", "https"}
        or not host
        or parts.query
        or parts.fragment
        or parts.username
        or port == 0
    ):
        raise RefusedError(
            "the model's address is none",
            "Set DONERIGHT_MODEL_URL to https://, a host and a path, without user or query.",
        )
    if parts.scheme == "http" and host not in _LOCAL:
        raise RefusedError(
            "the model's address is not encrypted", "Use https://; a change and a key do not travel in the open."
        )
    azure = host.endswith(_AZURE)
    path = parts.path.rstrip("/")
    if azure and not path:
        # https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
        path = "/openai/v1"
    return f"{parts.scheme}://{parts.netloc}{path}/", azure
