"""Progress of the models for a terminal: one line that is redrawn, or a line now and then where nobody watches."""

from __future__ import annotations

import threading
import time
from typing import TextIO

from voice.providers.local.status import Component

REDRAW_SECONDS = 0.1
LINE_SECONDS = 5.0
_PREFIX = "callwright: "


class Printer:
    """Shows changes of components on `out`. Called by several threads."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._redraws = out.isatty()
        self._lock = threading.Lock()
        self._shown: dict[str, tuple[str, str]] = {}
        self._last = 0.0
        self._open = False

    def show(self, component: Component) -> None:
        with self._lock:
            now = time.monotonic()
            told = self._shown.get(component.name)
            news = (component.state, component.message)
            if component.state == "downloading":
                if told == news and now - self._last < (REDRAW_SECONDS if self._redraws else LINE_SECONDS):
                    return
                self._write(line(component), stays=not self._redraws)
                self._last = now
            elif told != news and component.state != "off" and (component.state != "waiting" or component.message):
                self._write(line(component), stays=True)
            self._shown[component.name] = news

    def _write(self, text: str, *, stays: bool) -> None:
        start = "\r\033[K" if self._open else ""
        self._out.write(f"{start}{_PREFIX}{text}" + ("\n" if stays else ""))
        self._out.flush()
        self._open = not stays


def line(component: Component) -> str:
    """One line about a component."""
    if component.state == "downloading":
        megabytes = f"{component.done / 1e6:.0f} of {component.total / 1e6:.0f} MB"
        return f"{component.label}: {megabytes}, {component.speed / 1e6:.1f} MB/s"
    text = f"{component.label}: {component.state}"
    return f"{text}. {component.message}" if component.message else text
