"""Turn taking, measured: `python -m benchmarks.turns [--models DIR] [--cache DIR] [--kind KIND] [--show]`.

Labelled clips are played to the real turn taker, voice activity, recognition and end-of-turn model, once for each
strategy: silence alone, the model alone, and all that the engine knows. Told are, of each kind of clip, the false
cut-ins (a turn taken before its end), the missed ends, the false interruptions and the delay from the true end to the
decision. Time is virtual: the first run makes the clips and asks the models, which takes minutes; later ones take less.
The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
from asyncio import Runner
from collections.abc import Sequence
from pathlib import Path

from benchmarks.engine.measure import percentile
from benchmarks.turns.clips import Clip, clips
from benchmarks.turns.play import COMBINED, Heard, Strategy, after_silence, as_the_model_says, play_all
from benchmarks.turns.studio import CACHE, Answers, StudioLoop, Voices
from voice import events
from voice.providers.local import manifest
from voice.providers.local.fetch import DEFAULT_MODELS
from voice.providers.local.vad import SileroVad

# The silence that ends a turn by default in APIs that go by silence; and of the end-of-turn model's own integration,
# what counts as finished and the longest wait after what does not.
SILENCE_SECONDS = 0.5
FINISHED_PROBABILITY = 0.5
UNFINISHED_SECONDS = 3.0
STRATEGIES = [
    Strategy("silence", after_silence(SILENCE_SECONDS), model=False),
    Strategy("smart_turn", as_the_model_says(FINISHED_PROBABILITY, UNFINISHED_SECONDS)),
    COMBINED,
]
_HEAD = f"{'':14}{'clips':>6}{'pauses':>8}{'cut-ins':>9}{'missed':>8}{'interr.':>9}{'p50':>8}{'p95':>8}"


def figures(heard: Sequence[Heard]) -> dict[str, float]:
    delays = [one.delay for one in heard if one.delay is not None]
    return {
        "false_cut_ins": sum(one.cut_ins for one in heard),
        "missed_ends": sum(one.clip.end is not None and one.delay is None for one in heard),
        "false_interruptions": sum(one.false_interruption for one in heard),
        "delay_p50_s": round(percentile(delays, 50) or 0.0, 3),
        "delay_p95_s": round(percentile(delays, 95) or 0.0, 3),
    }


def row(name: str, heard: Sequence[Heard]) -> str:
    found = figures(heard)
    pauses = sum(len(one.clip.pauses) for one in heard)
    ends = any(one.clip.end is not None for one in heard)
    delays = f"{found['delay_p50_s']:>8.2f}{found['delay_p95_s']:>8.2f}" if ends else ""
    return (
        f"{name:14}{len(heard):>6}{pauses:>8}{found['false_cut_ins']:>9}{found['missed_ends']:>8}"
        f"{found['false_interruptions']:>9}{delays}"
    )


def report(name: str, heard: Sequence[Heard]) -> None:
    print(f"\n{name}\n{_HEAD}")
    for group in ("kind", "condition"):
        for value in dict.fromkeys(getattr(one.clip, group) for one in heard):
            print(row(value, [one for one in heard if getattr(one.clip, group) == value]))
        print(row("in all", heard) if group == "condition" else "")


def show(heard: Heard) -> None:
    """What was decided at each pause."""
    clip = heard.clip
    marks = ", ".join(f"{begin:.2f}-{end:.2f}" for begin, end in clip.pauses)
    delay = "none" if heard.delay is None else f"{heard.delay:.2f}"
    wrong = bool(heard.cut_ins or heard.false_interruption or (clip.end is not None and heard.delay is None))
    print(f"{'!' if wrong else ' '} {clip.name} ({clip.condition}): {clip.says!r}")
    print(f"      pauses {marks or 'none'}, end {clip.end}, delay {delay}")
    for event in heard.log:
        if isinstance(event, events.CallerSegment):
            print(f"      {event.at:6.2f} {event.text!r}")
        elif isinstance(event, events.CallerPartial):
            print(f"      {event.at:6.2f} {event.text!r} so far")
        elif isinstance(event, events.TurnDecision):
            print(f"      {event.at:6.2f} waits {event.wait:.2f} by {event.by}, probability {event.probability}")
    for at, text in heard.turns:
        print(f"      {at:6.2f} turn {text!r}")
    for at in heard.cut_off:
        print(f"      {at:6.2f} the agent is cut off")


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.turns", description="Measure turn taking on labelled clips.")
    parser.add_argument("--models", type=Path, default=DEFAULT_MODELS)
    parser.add_argument("--cache", type=Path, default=CACHE, help="where voices and answers are kept")
    parser.add_argument("--kind", action="append", help="only clips of this kind (may be given again)")
    parser.add_argument("--show", action="store_true", help="print what was decided at each pause")
    options = parser.parse_args()
    answers = Answers(options.models, options.cache)
    wanted: list[Clip] = [
        clip for clip in clips(Voices(options.models, options.cache)) if not options.kind or clip.kind in options.kind
    ]
    vad = SileroVad(options.models / manifest.SILERO)
    with Runner(loop_factory=StudioLoop) as runner:
        try:
            results = runner.run(play_all(wanted, STRATEGIES, answers, vad))
        finally:
            answers.keep()
    for name, heard in results.items():
        report(name, heard)
    if options.show:
        for one in results[COMBINED.name]:
            show(one)
    print(json.dumps({name: figures(heard) for name, heard in results.items()}))


if __name__ == "__main__":
    main()
