"""Agents to start from: each answers well as it is, and shows by its prompt how one is written.

Each is a file in `agents/`. Prompts are short, since a local model reads about sixty tokens a second, and say facts as
plain sentences, which is the form in which a small model repeats them correctly. The businesses are made up. None of
them has a tool: all of them work as they are, without a network.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from builder.config import AgentConfig

STYLE = (
    "You are on the phone, so answer in one or two short spoken sentences, warm and plain. "
    "Say no lists, no symbols and no emojis. Ask one question at a time."
)
"""Stands in the prompts where their files have @STYLE@."""
THINKING = ("Okay.", "Let me see.")
"""What they say before an answer that takes its time, as it does on a small machine."""
AGENTS = Path(__file__).parent / "agents"


@dataclass(frozen=True, slots=True)
class Starter:
    """`title`, `summary` and `needs` are for the gallery, `icon` is a Lucide name, `name` is the new agent's.

    `needs` says what it wants from you, and `questions` what to say in the first test call.
    """

    key: str
    title: str
    summary: str
    icon: str
    needs: str
    name: str
    config: AgentConfig
    questions: tuple[str, ...] = ()


def _read(key: str) -> Starter:
    text = (AGENTS / f"{key}.yaml").read_text(encoding="utf-8")
    about = yaml.safe_load(text.replace("@STYLE@", STYLE))
    config = AgentConfig.model_validate({"phrases": {"thinking": THINKING}, **about.pop("agent")})
    return Starter(key, config=config, questions=tuple(about.pop("questions")), **about)


BLANK = Starter(
    "blank",
    "Blank agent",
    "An empty page, with the defaults for everything else.",
    "file",
    "Your words.",
    "New agent",
    AgentConfig(),
)
_KEYS = "receptionist appointments orders leads survey support reservation reminder screening tutor".split()
STARTERS = (BLANK, *map(_read, _KEYS))
"""In the order of the gallery."""


def starter(key: str) -> Starter | None:
    return next((known for known in STARTERS if known.key == key), None)


RECEPTIONIST = starter("receptionist") or BLANK
SUPPORT = starter("support") or BLANK
