"""Lets pr-agent review pull requests, one a line of standard input, in a process that has imported and set up everything.

Run by the python of the virtual environment beside it, with a job of base_url, token and model_url as its one argument.
Prints ``{"ready": true}``, then for each address ``{"seconds": …, "done": …}`` as one line of JSON.
"""

import asyncio
import importlib.util
import json
import os
import sys
import time
from pathlib import Path

# It would fetch a list of prices from the internet at its import.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
# It would fetch the encoding of its model's tokens, which a package of its own brings along.
_LITELLM = importlib.util.find_spec("litellm")
if _LITELLM and _LITELLM.origin:
    os.environ["TIKTOKEN_CACHE_DIR"] = str(Path(_LITELLM.origin).parent / "litellm_core_utils" / "tokenizers")
MODEL = "openai/stub"


def configure(job):
    """Everything as it ships, but for where the forge and the model are."""
    from pr_agent.config_loader import get_settings

    settings = get_settings()
    settings.set("config.git_provider", "github")
    settings.set("config.model", MODEL)
    settings.set("config.fallback_models", [])
    settings.set("config.custom_model_max_tokens", 200_000)
    settings.set("github.base_url", job["base_url"])
    settings.set("github.user_token", job["token"])
    settings.set("github.deployment_type", "user")
    settings.set("openai.key", "none")
    settings.set("openai.api_base", job["model_url"])


def main():
    """Serve until standard input ends."""
    job = json.loads(sys.argv[1])
    told = os.fdopen(os.dup(1), "w")
    # It logs to standard output, where only the answers belong.
    os.dup2(2, 1)
    from pr_agent.agent.pr_agent import PRAgent

    configure(job)

    def tell(**answer):
        print(json.dumps(answer), file=told, flush=True)

    tell(ready=True)
    for line in sys.stdin:
        began = time.perf_counter()
        done = asyncio.run(PRAgent().handle_request(line.strip(), ["/review"]))
        tell(seconds=time.perf_counter() - began, done=bool(done))


if __name__ == "__main__":
    main()
