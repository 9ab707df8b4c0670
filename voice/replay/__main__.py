"""`python -m voice.replay CALL.events`: hold a stored call again, and show where it goes another way."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from voice import events
from voice.replay.compare import TOLERANCE, compared, first_divergence
from voice.replay.ears import Edge
from voice.replay.listen import heard
from voice.replay.record import NotReplayable, Record, read_events
from voice.replay.rerun import rerun
from voice.spec import AgentSpec

SAME, DIVERGED, UNUSABLE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """0: the same; 1: it diverges; 2: these files cannot be replayed."""
    options = _parser().parse_args(arguments)
    try:
        given = AgentSpec.model_validate_json(options.spec.read_text(encoding="utf-8")) if options.spec else None
        record = Record(read_events(options.events), given)
        spec = changed(record.spec, options.set)
        audio, edges = heard(options.audio, options.vad) if options.audio else (b"", list[Edge]())
    except (NotReplayable, ValidationError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return UNUSABLE
    replayed = rerun(record, spec=spec, audio=audio, edges=edges)
    if options.write:
        lines = [json.dumps(events.encode(event), ensure_ascii=False) for event in replayed]
        options.write.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if not record.whole:
        sys.stdout.write("Up to the hand-off to another agent:\n")
    divergence = first_divergence(record.events, replayed, options.tolerance)
    if divergence is None:
        count, call = compared(replayed), record.started.call_id
        sys.stdout.write(f"The same: {count} events of {call}, {record.ends_at:.1f} s.\n")
        return SAME
    sys.stdout.write(f"{divergence}\n")
    return DIVERGED


def changed(spec: AgentSpec, settings: Sequence[str]) -> AgentSpec:
    """The spec with settings such as `turns.finished_silence=0.5`. Raises NotReplayable, ValidationError."""
    data = spec.model_dump(mode="json")
    for setting in settings:
        path, found, value = setting.partition("=")
        *parents, name = path.split(".")
        place: Any = data
        for parent in parents:
            place = place.get(parent) if isinstance(place, dict) else None
        if not found or not isinstance(place, dict) or name not in place:
            raise NotReplayable(f"There is no setting {path}. Write it like turns.finished_silence=0.5.")
        try:
            place[name] = json.loads(value)
        except ValueError:
            place[name] = value
    return AgentSpec.model_validate(data)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m voice.replay", description=__doc__)
    parser.add_argument("events", type=Path, help="the call's events: its events.json, or JSON lines")
    parser.add_argument("--audio", type=Path, help="the call's recording: voice activity is detected in it anew")
    parser.add_argument(
        "--vad", type=Path, help="the voice activity model for --audio, if it is not where it should be"
    )
    parser.add_argument("--spec", type=Path, help="the agent's AgentSpec as JSON, if the events do not hold it")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting to change")
    parser.add_argument("--tolerance", type=float, default=TOLERANCE, help="seconds that events may differ")
    parser.add_argument("--write", type=Path, help="where to write the events of the replay, as JSON lines")
    return parser


if __name__ == "__main__":
    sys.exit(main())
