"""Every setting of an agent reaches what the engine runs, and a test shows what the engine makes of it.

A new setting of AgentConfig needs its lines here: another value than its default, and the engine's test.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Organization
from builder.compile import CompiledAgent, compile_config
from builder.config import AgentConfig
from builder.models import Agent
from builder.pronunciations.models import PronunciationEntry
from builder.tools.models import Secret, Tool
from tests.builder.test_config import paths
from tests.conftest import AgentFactory, ConnectionFactory

TESTS = Path(__file__).parent.parent
FEATURES, FAULTS, TURNS = "voice/test_call_features.py", "voice/test_faults.py", "voice/test_turns.py"
TALK, OPENING, GUARD = "voice/test_conversation.py", "voice/test_opening.py", "voice/test_guardrails.py"
VARIABLES, HONESTY, KEYS = "voice/test_variables.py", "voice/test_honesty.py", "voice/test_dtmf.py"
HOSTED = "voice/providers/test_hosted_llms.py"

SETTINGS: dict[str, tuple[Any, str, str]] = {
    "prompt": ("New.", TALK, "the_model_is_told_all_of_the_conversation"),
    "greeting": ("Hi.", TALK, "the_agent_greets_and_answers"),
    "first_speaker": ("caller", OPENING, "the_first_words"),
    "disclosure.text": ("An AI.", OPENING, "the_first_words"),
    "disclosure.when": ("after_greeting", OPENING, "the_first_words"),
    "language": ("de", FEATURES, "the_language_changes_with_its_voice_and_its_recognition"),
    "languages": ([{"language": "es"}], FEATURES, "the_language_changes_with_its_voice_and_its_recognition"),
    "detect_language": (True, FEATURES, "a_recogniser_that_detects_the_language_is_told_none"),
    "noise_suppression": ("max", FEATURES, "the_recogniser_hears_the_caller_through_the_filter"),
    "guardrails.topics": (["war"], GUARD, "a_refused_topic_is_refused_without_asking_the_model"),
    "guardrails.refusal": ("No.", GUARD, "a_refused_topic_is_refused_without_asking_the_model"),
    "guardrails.never_say": (["war"], GUARD, "what_is_never_said_is_not_spoken_though_it_comes_in_pieces"),
    "guardrails.instead": ("it", GUARD, "what_is_never_said_is_not_spoken_though_it_comes_in_pieces"),
    "webhook.url": ("https://x.example.org/", "builder/test_webhook.py", "a_call_runs_what_it_wants"),
    "webhook.secret": ("shop_key", "builder/test_webhook.py", "it_is_sent_what_is_known_of_the_call"),
    "webhook.timeout": (1.0, "builder/test_webhook.py", "what_it_does_wrong_is_told_and_changes_nothing"),
    "keyterms": (["Ortiz"], "voice/test_realtime.py", "the_session_knows_the_agent"),
    "knowledge": (["kf_1"], FAULTS, "the_model_answers_without_its_helpers"),
    "pronunciations": ([], FEATURES, "a_voice_is_given_what_the_dictionary_says_and_the_caller_reads_the_words"),
    "variables": ([{"name": "x"}], VARIABLES, "greeting_prompt_and_phrases_hold_what_the_call_was_given"),
    "timezone": ("Asia/Tokyo", VARIABLES, "the_time_is_that_of_the_agent_and_goes_on"),
    "hearing.connection": ("EARS", FEATURES, "the_next_recogniser_hears_the_turn_from_its_start"),
    "hearing.model": ("flux", FEATURES, "the_next_recogniser_hears_the_turn_from_its_start"),
    "hearing.fallbacks": ([{}], FEATURES, "the_next_recogniser_hears_the_turn_from_its_start"),
    "voice.connection": ("EARS", TALK, "the_spare_voice_speaks_when_the_first_one_fails"),
    "voice.model": ("aura-1", TALK, "the_spare_voice_speaks_when_the_first_one_fails"),
    "voice.id": ("am_puck", FEATURES, "the_language_changes_with_its_voice_and_its_recognition"),
    "voice.speed": (1.5, FEATURES, "a_voice_is_as_fast_as_it_was_set"),
    "voice.volume": (0.5, FEATURES, "a_voice_is_as_loud_as_it_was_set"),
    "voice.fallbacks": ([{"id": "joe"}], TALK, "the_spare_voice_speaks_when_the_first_one_fails"),
    "model.connection": ("MODEL", FEATURES, "the_next_model_answers_when_the_first_is_silent"),
    "model.name": ("large", FEATURES, "the_next_model_answers_when_the_first_is_silent"),
    "model.temperature": (0.9, HOSTED, "extra_settings_are_laid_over_the_request"),
    "model.max_tokens": (9, HOSTED, "extra_settings_are_laid_over_the_request"),
    "model.fallbacks": ([{}], FEATURES, "the_next_model_answers_when_the_first_is_silent"),
    "turns.finished_silence": (0.5, TURNS, "the_less_sure_the_model_is_the_longer_is_the_wait"),
    "turns.unfinished_silence": (2.0, TURNS, "the_less_sure_the_model_is_the_longer_is_the_wait"),
    "turns.finished_probability": (0.5, TURNS, "the_less_sure_the_model_is_the_longer_is_the_wait"),
    "turns.interruptible": (False, TALK, "an_agent_that_may_not_be_interrupted_answers_afterwards"),
    "turns.interruption_speech": (1.2, TALK, "long_speech_interrupts_before_its_words_are_known"),
    "turns.dictation": (2.0, FEATURES, "callers_who_dictate_are_given_longer_pauses"),
    "turns.backchannel": (True, FEATURES, "the_agent_shows_that_it_listens_to_callers_who_speak_for_long"),
    "inactivity.check_in_after": (5.0, TALK, "a_silent_caller_is_asked_and_then_left"),
    "inactivity.check_in_text": ("Hm?", TALK, "a_silent_caller_is_asked_and_then_left"),
    "inactivity.check_ins": (1, TALK, "a_silent_caller_is_asked_and_then_left"),
    "inactivity.farewell_text": ("Bye.", TALK, "a_silent_caller_is_asked_and_then_left"),
    "phrases.thinking": (["Hm."], FEATURES, "a_slow_answer_is_bridged_by_what_people_say_while_they_think"),
    "thinking_after": (0.4, FEATURES, "a_slow_answer_is_bridged_by_what_people_say_while_they_think"),
    "phrases.slow": ("Wait.", TALK, "a_slow_model_makes_the_agent_ask_for_a_moment"),
    "phrases.still_slow": ("Wait.", TALK, "a_slow_model_makes_the_agent_ask_for_a_moment"),
    "phrases.trouble": ("Oh.", TALK, "a_model_that_fails_is_told_in_words_and_the_call_goes_on"),
    "phrases.giving_up": ("Bye.", TALK, "a_model_that_keeps_failing_ends_the_call_in_words"),
    "phrases.goodbye": ("Bye.", TALK, "nobody_is_hung_up_on_without_a_word"),
    "phrases.time_is_up": ("Bye.", TALK, "the_longest_call_ends_in_words_whatever_the_caller_says"),
    "phrases.budget_warning": ("Soon.", TALK, "a_call_whose_money_is_used_up_is_told_so_and_ends_after_the_grace"),
    "phrases.budget_spent": ("Over.", TALK, "a_call_whose_money_is_used_up_is_told_so_and_ends_after_the_grace"),
    "phrases.no_transfer": ("Sorry.", FEATURES, "a_caller_whom_nobody_takes_comes_back"),
    "phrases.correction": ("No.", HONESTY, "a_false_claim_is_corrected_and_then_made_true"),
    "patience.first_words": (9.0, FEATURES, "the_next_model_answers_when_the_first_is_silent"),
    "patience.words_gap": (9.0, FAULTS, "the_next_provider_gives_the_answer"),
    "patience.longest_answer": (9.0, FAULTS, "the_caller_hears_words_or_the_call_ends_with_a_reason"),
    "patience.first_sound": (9.0, TALK, "the_spare_voice_speaks_when_the_first_one_fails"),
    "patience.sound_gap": (9.0, FEATURES, "the_next_voice_says_the_rest_when_the_first_breaks_off"),
    "patience.no_audio": (9.0, FEATURES, "a_line_on_which_nothing_arrives_any_more_is_given_up"),
    "digits.terminator": ("*", KEYS, "the_terminator_can_be_chosen"),
    "digits.most": (4, KEYS, "the_longest_entry_needs_no_terminator"),
    "digits.pause": (5.0, KEYS, "silence_after_a_key_ends_an_entry"),
    "ambient.bed": ("office", FEATURES, "the_room_is_heard_while_nobody_speaks"),
    "ambient.volume": (0.9, "voice/media/test_ambient.py", "at_no_volume_there_is_nothing_but_the_voice"),
    "ambient.duck": (0.1, FEATURES, "the_room_gives_way_to_the_agent_as_far_as_it_is_told"),
    "recording.enabled": (False, "builder/test_settings.py", "every_setting_reaches_what_the_engine_runs"),
    "recording.announcement": ("Recorded.", FEATURES, "nothing_is_recorded_before_the_caller_was_told"),
    "answering.detect": (True, FEATURES, "nobody_is_greeted_before_a_person_has_answered"),
    "answering.message": ("Hi.", FEATURES, "a_machine_is_left_the_message_when_it_has_finished"),
    "transfers": ([{"name": "A", "to": "+4912"}], FEATURES, "the_caller_is_transferred_when_all_is_said"),
    "handoffs": ([{"agent": "OTHER"}], FEATURES, "a_silent_hand_over_goes_on_with_the_conversation"),
    "tools": (["TOOL"], "builder/tools/test_agents.py", "it_brings_the_tools_with_their_secrets"),
    "can_end_call": (False, TALK, "the_agent_says_goodbye_and_hangs_up"),
    "can_send_digits": (True, FEATURES, "the_agent_presses_keys_as_tones_where_the_line_knows_no_others"),
    "honesty": ("correct", HONESTY, "a_false_claim_is_corrected_and_then_made_true"),
    "hedge_after": (1.0, FEATURES, "two_models_race_and_both_are_told"),
    "slow_after": (5.0, TALK, "a_slow_model_makes_the_agent_ask_for_a_moment"),
    "max_duration": (60.0, TALK, "the_longest_call_ends_in_words_whatever_the_caller_says"),
}
"""By their paths: another value, and the file and the name of the test that shows what the engine makes of it."""


@pytest.fixture
def other(
    workspace: Organization, agent_factory: AgentFactory, connection_factory: ConnectionFactory
) -> dict[str, str]:
    """What a setting may refer to, by the names that stand for it above."""
    Secret.objects.create(organization=workspace, name="shop_key", value="s3cret")
    ears = connection_factory("Deepgram", vendor="deepgram", base_url="", default_model="")
    return {
        "EARS": ears.pk,
        "MODEL": connection_factory("Groq").pk,
        "OTHER": agent_factory("Other").pk,
        "TOOL": Tool.objects.create(organization=workspace, kind="client", name="open_page", config={}).pk,
    }


@pytest.fixture
def pronounced(workspace: Organization) -> str:
    """The id of a dictionary with a word in it."""
    dictionary = workspace.pronunciation_dictionaries.create(name="Names")
    PronunciationEntry.objects.create(dictionary=dictionary, text="Nguyen", alias="win")
    return str(dictionary.pk)


def put(values: dict[str, Any], path: str, value: Any) -> None:
    *parents, name = path.split(".")
    reduce(lambda part, key: part.setdefault(key, {}), parents, values)[name] = value


def config(path: str, value: Any, other: dict[str, str]) -> AgentConfig:
    """An agent with this setting, and with what it makes no difference without."""
    values: dict[str, Any] = {"voice": {}, "hearing": {}, "model": {}}
    if path in ("language", "languages", "detect_language", "hearing.model"):
        values["hearing"] = {"connection": other["EARS"]}
    if path == "voice.model":
        values["voice"] = {"connection": other["EARS"]}
    if path == "model.name":
        values["model"] = {"connection": other["MODEL"]}
    if path.startswith("webhook."):
        values["webhook"] = {"url": "https://example.org/calls"}
    if value is not None:
        put(values, path, _with_ids(value, other))
    return AgentConfig.model_validate(values)


def _with_ids(value: Any, other: dict[str, str]) -> Any:
    match value:
        case list():
            return [_with_ids(one, other) for one in value]
        case dict():
            return {name: _with_ids(one, other) for name, one in value.items()}
    return other.get(value, value) if isinstance(value, str) else value


def made(agent: Agent, config: AgentConfig) -> CompiledAgent:
    return replace(compile_config(agent, config), agent_id="")


def test_every_setting_is_listed() -> None:
    assert set(SETTINGS) == paths(AgentConfig) - {"flow"}  # whose steps have tests of their own


@pytest.mark.django_db
@pytest.mark.parametrize("path", SETTINGS)
def test_every_setting_reaches_what_the_engine_runs(
    path: str, agent_factory: AgentFactory, other: dict[str, str], pronounced: str
) -> None:
    agent, value = agent_factory(), SETTINGS[path][0]
    changed = config(path, [pronounced] if path == "pronunciations" else value, other)
    assert made(agent, changed) != made(agent, config(path, None, other))


@pytest.mark.parametrize("path", SETTINGS)
def test_a_test_shows_what_the_engine_makes_of_it(path: str) -> None:
    _, file, name = SETTINGS[path]
    assert re.search(rf"^\s*(async )?def test_{name}\(", (TESTS / file).read_text(encoding="utf-8"), re.MULTILINE)
