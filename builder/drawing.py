"""Drawing the controls of an agent, which are many: one looks the same whenever it has the same value."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

from django.utils.safestring import SafeString

from core.forms import BoundField

KEPT = 16_000_000
"""Letters, of all drawings together."""
LONGEST = 20_000
"""Letters of what a control depends on. A long prompt is drawn each time: that is quick, for it is one text."""


class Drawings:
    """What was drawn, by what it depends on. When it is full it begins anew."""

    def __init__(self) -> None:
        self._kept: dict[str, SafeString] = {}
        self._size = 0
        self._lock = Lock()

    def get(self, depends_on: str, draw: Callable[[], SafeString]) -> SafeString:
        if len(depends_on) > LONGEST:
            return draw()
        if (found := self._kept.get(depends_on)) is None:
            found = draw()
            with self._lock:
                self._size += len(depends_on) + len(found)
                if self._size > KEPT:
                    self._kept, self._size = {}, 0
                self._kept[depends_on] = found
        return found


_drawings = Drawings()


class DrawnField(BoundField):
    """A control that is drawn once for each value and set of offers, as long as nothing is wrong with it."""

    def render(self, template_name: str | None = None, context: Any = None, renderer: Any = None) -> SafeString:
        def draw() -> SafeString:
            return super(DrawnField, self).render(template_name, context, renderer)

        if self.form.is_bound or template_name or context or renderer:
            return draw()
        return _drawings.get(f"field {self._depends_on}", draw)

    def as_widget(self, widget: Any = None, attrs: Any = None, only_initial: bool = False) -> SafeString:
        def draw() -> SafeString:
            return super(DrawnField, self).as_widget(widget, attrs, only_initial)

        if self.form.is_bound or widget or attrs or only_initial:
            return draw()
        return _drawings.get(f"widget {self._depends_on}", draw)

    @property
    def _depends_on(self) -> str:
        """All that is not the same for every agent."""
        widget = self.field.widget
        offered = getattr(widget, "columns", None) or getattr(widget, "choices", None) or ()
        return repr((self.name, self.value(), list(offered)))
