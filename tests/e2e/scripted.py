"""What an agent reaches in the tests: a shop, and a language model that answers by rule, in OpenAI's protocol."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
ORDER = re.compile(r"\border (\d+)", re.IGNORECASE)
JUDGES = "Which line is true"
"""Begins what the platform asks when a flow may go on to another step."""


@dataclass(frozen=True)
class Scripted:
    """`host` is host:port. `orders` are the paths that the shop was asked for."""

    host: str
    orders: list[str]

    @property
    def model_url(self) -> str:
        return f"http://{self.host}/v1"

    @property
    def shop_url(self) -> str:
        return f"http://{self.host}/orders"


def completion(messages: list[Json], tools: list[Json]) -> list[Json]:
    """The deltas of the answer: the shop is asked about an order, told what it said; an invoice is for another agent;
    a step is over when somebody wants a stall; else the knowledge is quoted."""
    last = messages[-1]
    said = str(last["content"])
    if last["role"] == "tool":
        return [{"content": f"The shop says: {json.loads(said)['status']}."}]
    if JUDGES in said:
        return [{"content": json.dumps({"line": int("stall" in said.partition(JUDGES)[0])})}]
    if order := ORDER.search(said):
        return _calls("find_order", order_number=order[1])
    if "invoice" in said and (others := _others(tools)):
        return _calls("hand_off", to=others[0])
    knows = any("walled garden" in str(message["content"]) for message in messages)
    return [{"content": "We open at ten, in the walled garden." if knows else "I do not know."}]


def _calls(tool: str, **arguments: str) -> list[Json]:
    function = {"name": tool, "arguments": json.dumps(arguments)}
    return [{"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": function}]}]


def _others(tools: list[Json]) -> list[str]:
    """The agents that the call can be handed to."""
    functions = [tool["function"] for tool in tools]
    return [
        name
        for each in functions
        if each["name"] == "hand_off"
        for name in each["parameters"]["properties"]["to"]["enum"]
    ]


@contextlib.contextmanager
def scripted() -> Iterator[Scripted]:
    """Serve both on a free port of this machine."""
    orders: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path.startswith("/orders/"):
                orders.append(self.path)
                self.answer("application/json", {"status": "it left the harbour on Tuesday"})
            else:
                self.answer("application/json", {"object": "list", "data": [{"id": "rule-book", "object": "model"}]})

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            deltas = completion(asked["messages"], asked.get("tools", []))
            finish = "tool_calls" if "tool_calls" in deltas[-1] else "stop"
            choices: list[Json] = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
            choices.append({"index": 0, "delta": {}, "finish_reason": finish})
            lines = [*(json.dumps({"choices": [choice]}) for choice in choices), "[DONE]"]
            self.answer("text/event-stream", "".join(f"data: {line}\n\n" for line in lines))

        def answer(self, kind: str, body: Json | str) -> None:
            content = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Scripted(f"127.0.0.1:{server.server_port}", orders)
    finally:
        server.shutdown()
        server.server_close()
