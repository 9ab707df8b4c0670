"""Replay: a stored call held again on the virtual clock, to see whether, and where, it would go another way.

Whatever the engine did not decide is taken from the call's events: what the caller did, and what each provider gave and
when. What the engine decides it decides anew, with the code and the settings of now.
"""

from __future__ import annotations

from voice.replay.compare import Divergence, first_divergence
from voice.replay.record import NotReplayable, Record, read_events
from voice.replay.rerun import rerun

__all__ = ["Divergence", "NotReplayable", "Record", "first_divergence", "read_events", "rerun"]
