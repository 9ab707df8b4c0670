"""The prompt, and the words before it."""

from __future__ import annotations

from collections.abc import Iterator

from builder.config import LOCAL
from builder.problems.model import Problem, error, warning
from builder.problems.subject import Subject
from voice.flow.spec import ConversationStep, Flow, KnowledgeStep

LOCAL_CONTEXT = 4096
"""Tokens that the local model keeps in mind: prompt, tools and conversation."""
CONVERSATION = 1_000
"""Tokens that a conversation of some minutes needs of them."""
SLOW_SECONDS = 6.0
"""The local model reads the prompt while the call connects and the greeting is heard: so long nobody notices."""
LONG_HOSTED = 4_000
"""Tokens from which on a hosted model is slower to answer, and costs more, at every turn."""


def nothing_is_said_to_the_model(subject: Subject) -> Iterator[Problem]:
    has_steps = subject.config.flow is not None and subject.config.flow.steps
    if not subject.config.prompt.strip() and not has_steps and subject.answers_by != "agent":
        yield warning(
            "The prompt is empty: the agent does not know who it is.", "Write who it is and what it is to do.", "prompt"
        )


def it_is_too_long_for_the_model(subject: Subject) -> Iterator[Problem]:
    if subject.answering_vendor != LOCAL:
        return
    needed = subject.prompt_tokens + subject.config.model.max_tokens
    if needed > LOCAL_CONTEXT:
        yield error(
            f"Prompt, tools and longest answer take about {needed:,} tokens; the local model has {LOCAL_CONTEXT:,}.",
            "Shorten the prompt, take tools out, or choose a hosted language model.",
            "prompt",
        )
    elif needed + CONVERSATION > LOCAL_CONTEXT:
        left = LOCAL_CONTEXT - needed
        yield warning(
            f"Prompt and tools leave about {left:,} tokens for the conversation: the agent soon forgets how it began.",
            "Shorten the prompt, or move facts into a folder of knowledge.",
            "prompt",
        )


def it_takes_long_to_read(subject: Subject) -> Iterator[Problem]:
    count, speed = subject.prompt_tokens, subject.prompt_speed
    if subject.answers_by == "agent":
        return
    if subject.answering_vendor == LOCAL:
        if speed and count / speed > SLOW_SECONDS:
            yield warning(
                f"The local model needs about {1000 * count / speed:,.0f} ms to read the {count:,} tokens of prompt "
                "and tools; until then the first answer waits.",
                "Shorten the prompt, move facts into a folder of knowledge, or choose a faster language model.",
                "prompt",
            )
    elif count > LONG_HOSTED:
        cost = f" Each turn that finds it new waits about {1000 * count / speed:,.0f} ms for that." if speed else ""
        yield warning(
            f"About {count:,} tokens are sent to the model at every turn, and paid for.{cost}",
            "Shorten the prompt, or move facts into a folder of knowledge.",
            "prompt",
        )


def _begins_with_words(flow: Flow | None) -> bool:
    """Does the first step speak by itself, or lead to one that does?"""
    match flow.first if flow else None:
        case None:
            return False
        case ConversationStep(say=say):
            return bool(say.strip())
        case KnowledgeStep(question=question):
            return bool(question.strip())
    return True


def nobody_speaks_first(subject: Subject) -> Iterator[Problem]:
    config = subject.config
    if config.first_speaker == "greeting" and not config.greeting.strip() and not _begins_with_words(config.flow):
        yield warning(
            "The agent is to speak first, and has no greeting: it waits for the caller.",
            "Write a greeting, or let the model or the caller begin.",
            "greeting",
        )
