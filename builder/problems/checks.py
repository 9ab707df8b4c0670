"""All checks, in the order of the agent's page."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from builder.problems import flow, parts, people, prompt, services, speech, tools, variables
from builder.problems.model import Problem
from builder.problems.subject import Subject

Check = Callable[[Subject], Iterable[Problem]]

CHECKS: tuple[Check, ...] = (
    prompt.nothing_is_said_to_the_model,
    prompt.it_is_too_long_for_the_model,
    prompt.it_takes_long_to_read,
    prompt.nobody_speaks_first,
    variables.nothing_knows_a_variable,
    parts.something_is_gone,
    parts.a_sound_is_gone,
    parts.a_folder_is_empty,
    parts.a_dictionary_is_empty,
    speech.a_voice_is_gone,
    speech.a_voice_speaks_another_language,
    speech.nobody_understands_the_language,
    services.a_connection_does_not_do_it,
    services.a_key_is_missing,
    services.a_model_is_not_named,
    services.a_voice_is_not_chosen,
    services.the_local_model_is_off,
    services.a_fallback_is_the_same,
    tools.a_secret_is_missing,
    tools.nothing_sends_its_messages,
    tools.two_have_the_same_name,
    tools.the_model_is_not_told_when_to_use_one,
    variables.a_tool_needs_a_variable_that_nothing_sets,
    tools.one_was_never_tested,
    tools.one_is_never_used,
    people.a_number_cannot_be_called,
    people.the_model_is_not_told_when_to_transfer,
    people.a_colleague_takes_no_calls,
    flow.nobody_walks_the_steps,
    flow.it_begins_nowhere,
    flow.a_way_leads_to_a_step_that_is_gone,
    flow.a_step_lacks_what_it_works_with,
    flow.a_text_message_has_no_number,
    flow.a_step_may_use_a_tool_that_the_agent_has_not,
    flow.a_way_leads_nowhere,
    flow.a_step_is_never_reached,
    flow.a_condition_never_holds,
    flow.a_way_is_never_taken,
)
