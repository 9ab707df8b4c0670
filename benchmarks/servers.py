"""Which ASGI server carries test calls best: a Channels consumer that echoes the audio frames of N calls.

Each server runs as `manage.py serve` configures it (`config.servers`), in a process of its own. The client holds N
sockets and sends a frame of 640 bytes on each every 20 ms, as a browser does. CPU is that of the server process for the
frames that it has echoed; when the round trip grows, the machine is full and only the CPU figures mean something.

    python -m benchmarks.servers [--calls 10 40] [--seconds 10]
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

from config import preflight
from config.servers import SERVERS

FRAME = 640
INTERVAL = 0.02
WARM_UP = 1.0


def serve(name: str, port: int) -> None:
    """The server under test; `GET /` says how many CPU-seconds it has used and how many frames it has echoed."""
    from django.conf import settings

    settings.configure()
    from channels.generic.websocket import AsyncWebsocketConsumer
    from channels.routing import ProtocolTypeRouter, URLRouter
    from django.urls import path

    from core import lifespan

    frames = 0

    class Echo(AsyncWebsocketConsumer):
        async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
            nonlocal frames
            frames += 1
            await self.send(bytes_data=bytes_data)

    async def usage(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps([time.process_time(), frames]).encode()})

    websocket = URLRouter([path("echo", Echo.as_asgi())])
    application = ProtocolTypeRouter({"http": usage, "websocket": websocket, "lifespan": lifespan.application})
    server = SERVERS[name](application, preflight.listener("127.0.0.1", port), lambda: None)
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    server.run()


async def call(url: str, seconds: float, delay: float, times: list[float]) -> None:
    """One call: sends frames at their times and appends how long each took to come back."""
    async with connect(url, compression=None, ping_interval=None) as connection:
        loop = asyncio.get_running_loop()
        start = loop.time() + delay
        frames = int((seconds + WARM_UP) / INTERVAL)

        async def listen() -> None:
            for _ in range(frames):
                sent = float(bytes(await connection.recv(decode=False))[:24])
                if sent > start + WARM_UP:
                    times.append(loop.time() - sent)

        listener = asyncio.create_task(listen())
        for number in range(frames):
            await asyncio.sleep(start + number * INTERVAL - loop.time())
            await connection.send(f"{loop.time():<24.9f}".encode().ljust(FRAME, b"\0"))
        await listener


async def measure(port: int, calls: int, seconds: float) -> dict[str, float]:
    times: list[float] = []
    url = f"ws://127.0.0.1:{port}/echo"
    async with asyncio.TaskGroup() as group:
        for number in range(calls):
            group.create_task(call(url, seconds, INTERVAL * number / calls, times))
        await asyncio.sleep(WARM_UP)
        cpu_before, frames_before = await asyncio.to_thread(usage, port)
        await asyncio.sleep(seconds)
        cpu, frames = await asyncio.to_thread(usage, port)
    per_frame = (cpu - cpu_before) / (frames - frames_before)
    cuts = statistics.quantiles(times, n=100)
    return {
        "calls": calls,
        "cpu_percent_per_call": round(100 * per_frame / INTERVAL, 2),
        "p50_ms": round(1000 * cuts[49], 2),
        "p99_ms": round(1000 * cuts[98], 2),
    }


def usage(port: int) -> tuple[float, int]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as response:
        cpu, frames = json.load(response)
        return float(cpu), int(frames)


def run(name: str, calls: list[int], seconds: float) -> list[dict[str, float]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.servers", "--serve", name, "--port", str(port)])
    try:
        for _ in range(600):
            try:
                usage(port)
                break
            except OSError:
                time.sleep(0.1)
        return [asyncio.run(measure(port, number, seconds)) for number in calls]
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare ASGI servers on the audio frames of test calls.")
    parser.add_argument("--calls", type=int, nargs="+", default=[10, 40])
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
