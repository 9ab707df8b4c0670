"""Which ASGI server carries test calls best: a Channels consumer that echoes the audio frames of N calls.

Each server runs as `manage.py serve` configures it (`config.servers`), in a process of its own. The client holds N
sockets and sends a frame of 640 bytes on each every 20 ms, as a browser does. CPU is that of the server process.

    python -m benchmarks.servers [--calls 20 60] [--seconds 10]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from typing import Any

from websockets.asyncio.client import connect

from config.servers import SERVERS

FRAME = 640
INTERVAL = 0.02
WARM_UP = 1.0


def serve(name: str, port: int) -> None:
    """The server under test; `GET /` says how many CPU-seconds it has used."""
    from django.conf import settings

    settings.configure()
    from channels.generic.websocket import AsyncWebsocketConsumer
    from channels.routing import ProtocolTypeRouter, URLRouter
    from django.urls import path

    from core import lifespan

    class Echo(AsyncWebsocketConsumer):
        async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
            await self.send(bytes_data=bytes_data)

    async def cpu(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(time.process_time()).encode()})

    websocket = URLRouter([path("echo", Echo.as_asgi())])
    application = ProtocolTypeRouter({"http": cpu, "websocket": websocket, "lifespan": lifespan.application})
    server = SERVERS[name](application, socket.create_server(("127.0.0.1", port)), lambda: None)
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    server.run()


async def call(url: str, seconds: float, delay: float, times: list[float]) -> None:
    """One call: sends frames at their times and appends how long each took to come back."""
    async with connect(url, compression=None, ping_interval=None) as connection:
        loop = asyncio.get_running_loop()
        start = loop.time() + delay

        async def listen() -> None:
            async for message in connection:
                sent = float(bytes(message[:24]))  # type: ignore[arg-type]
                if sent > start + WARM_UP:
                    times.append(loop.time() - sent)

        listener = asyncio.create_task(listen())
        for number in range(int((seconds + WARM_UP) / INTERVAL)):
            await asyncio.sleep(start + number * INTERVAL - loop.time())
            await connection.send(f"{loop.time():<24.9f}".encode().ljust(FRAME, b"\0"))
        await asyncio.sleep(0.2)
        listener.cancel()


async def measure(port: int, calls: int, seconds: float) -> dict[str, float]:
    times: list[float] = []
    url = f"ws://127.0.0.1:{port}/echo"
    async with asyncio.TaskGroup() as group:
        for number in range(calls):
            group.create_task(call(url, seconds, INTERVAL * number / calls, times))
        await asyncio.sleep(WARM_UP)
        before = await asyncio.to_thread(cpu_seconds, port)
        await asyncio.sleep(seconds)
        used = await asyncio.to_thread(cpu_seconds, port) - before
    cuts = statistics.quantiles(times, n=100)
    return {
        "calls": calls,
        "cpu_percent_per_call": round(100 * used / seconds / calls, 2),
        "p50_ms": round(1000 * cuts[49], 2),
        "p99_ms": round(1000 * cuts[98], 2),
    }


def cpu_seconds(port: int) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as response:
        return float(response.read())


def run(name: str, calls: list[int], seconds: float) -> list[dict[str, float]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.servers", "--serve", name, "--port", str(port)])
    try:
        for _ in range(100):
            try:
                cpu_seconds(port)
                break
            except OSError:
                time.sleep(0.1)
        return [asyncio.run(measure(port, number, seconds)) for number in calls]
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare ASGI servers on the audio frames of test calls.")
    parser.add_argument("--calls", type=int, nargs="+", default=[20, 60])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--serve", choices=SERVERS, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.port)
        return
    results = {name: run(name, options.calls, options.seconds) for name in SERVERS}
    print("| server | calls | % of a core per call | round trip p50 | p99 |\n|---|---|---|---|---|")
    for name, rows in results.items():
        for row in rows:
            print(
                f"| {name} | {row['calls']} | {row['cpu_percent_per_call']} | {row['p50_ms']} ms | {row['p99_ms']} ms |"
            )
    print(json.dumps(results))


if __name__ == "__main__":
    main()
