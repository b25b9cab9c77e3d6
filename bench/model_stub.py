"""Serves a model that answers every question at once and alike, over the interface that OpenAI's clients know.

Run: ``python -m bench.model_stub``; prints ``{"ready": true, "url": …}``.
"""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER = """```yaml
review:
  estimated_effort_to_review_[1-5]: |
    3
  relevant_tests: |
    yes
  key_issues_to_review:
    - relevant_file: |
        src/prices/module_3.py
      issue_header: |
        Possible rounding error
      issue_content: |
        Prices are rounded down, which favours the customer; say so where they are told.
      start_line: 1
      end_line: 2
  security_concerns: |
    No
```"""


def completion(asked: dict[str, Any]) -> dict[str, Any]:
    """The answer to one request. https://platform.openai.com/docs/api-reference/chat/object"""
    said = {"role": "assistant", "content": ANSWER}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": asked.get("model", "stub"),
        "choices": [{"index": 0, "message": said, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
        body = json.dumps(completion(asked)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


def main() -> None:
    """Serve until the process is ended."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(json.dumps({"ready": True, "url": f"http://127.0.0.1:{server.server_address[1]}/v1"}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
