"""A server that speaks Anthropic's protocol, for agents in processes of their own. It answers by the caller's words."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.voice.providers.hosted import block, block_stop, delta, message_end, message_start

LONG = "We are open from nine to five on weekdays. On Saturday we close at noon. On Sunday we are closed all day."


class FakeClaude:
    """What it was asked, and where it is."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[dict[str, Any]] = []

    def answer(self, asked: dict[str, Any]) -> Iterator[Any]:
        """The events of a message."""
        self.asked.append(asked)
        words = _last_words(asked["messages"])
        yield message_start(input_tokens=10, output_tokens=1)
        yield block(0, "text", text="")
        for word in ("Goodbye to you." if "bye" in words else LONG if "open" in words else "Certainly.").split(" "):
            yield delta(0, "text_delta", text=f"{word} ")
        yield block_stop(0)
        if "bye" in words:
            yield block(1, "tool_use", id="toolu_1", name="end_call", input={})
            yield delta(1, "input_json_delta", partial_json='{"reason": "They said goodbye."}')
            yield block_stop(1)
        yield from message_end("tool_use" if "bye" in words else "end_turn", output_tokens=5)


def _last_words(messages: list[dict[str, Any]]) -> str:
    content = next(message for message in reversed(messages) if message["role"] == "user")["content"]
    return content if isinstance(content, str) else " ".join(str(part.get("text", "")) for part in content)


@contextmanager
def serving_claude() -> Iterator[FakeClaude]:
    fake = FakeClaude()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for event in fake.answer(asked):
                self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())

        def log_message(self, *args: object) -> None:
            """Nothing: it is a test."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
