"""Agents written in code with the Line SDK: an app of one's own decides on the words, and the engine does the rest."""

from __future__ import annotations

from voice.providers.line.brain import LineBrain, line_brain
from voice.providers.line.session import LineApp, LineCall

__all__ = ["LineApp", "LineBrain", "LineCall", "line_brain"]
