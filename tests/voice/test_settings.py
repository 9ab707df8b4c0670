"""Every setting of an agent changes what the engine does: here is the test that shows it for each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from builder.config import AgentConfig

TESTS = Path(__file__).parent.parent
SHOWN: dict[str, str] = {
    "prompt": "voice/test_conversation.py::test_the_model_is_told_all_of_the_conversation",
    "greeting": "voice/test_conversation.py::test_the_agent_greets_and_answers",
    "first_speaker": "voice/test_opening.py::test_the_first_words",
    "disclosure.text": "voice/test_opening.py::test_the_first_words",
    "disclosure.when": "voice/test_opening.py::test_the_first_words",
    "languages": "voice/test_call_features.py::test_the_language_changes_with_its_voice_and_its_recognition",
    "detect_language": "voice/test_call_features.py::test_a_recogniser_that_detects_the_language_is_told_none",
    "noise_suppression": "voice/test_call_features.py::test_the_recogniser_hears_the_caller_through_the_filter",
    "guardrails.topics": "voice/test_guardrails.py::test_a_refused_topic_is_refused_without_asking_the_model",
    "guardrails.refusal": "voice/test_guardrails.py::test_a_refused_topic_is_refused_without_asking_the_model",
    "guardrails.never_say": "voice/test_guardrails.py::test_what_is_never_said_is_not_spoken_though_it_comes_in_pieces",
    "guardrails.instead": "voice/test_guardrails.py::test_what_is_never_said_is_not_spoken_though_it_comes_in_pieces",
    "variables": "voice/test_variables.py::test_greeting_prompt_and_phrases_hold_what_the_call_was_given",
    "timezone": "voice/test_variables.py::test_the_time_is_that_of_the_agent_and_goes_on",
    "webhook.url": "builder/test_webhook.py::test_it_is_sent_what_is_known_of_the_call",
    "webhook.secret": "builder/test_webhook.py::test_the_secret_is_one_of_the_workspace",
    "webhook.timeout": "builder/test_webhook.py::test_the_secret_is_one_of_the_workspace",
    "handoffs": "voice/test_call_features.py::test_a_silent_hand_over_goes_on_with_the_conversation",
    "turns.dictation": "voice/test_call_features.py::test_callers_who_dictate_are_given_longer_pauses",
    "turns.backchannel": "voice/test_call_features.py::test_the_agent_shows_that_it_listens_to_callers_who_speak_for_long",
    "phrases.slow": "voice/test_variables.py::test_greeting_prompt_and_phrases_hold_what_the_call_was_given",
    "transfers": "voice/test_call_features.py::test_the_caller_is_transferred_when_all_is_said",
}
