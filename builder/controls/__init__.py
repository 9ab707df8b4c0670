"""The controls of the agent page: what each is called, and which setting it sets.

A class for each part of the page, in the order of the page:

    words       what it says; its flow
    services    knowledge, voice, speech recognition, language model, tools
    beginning   variables, before a call, first words, languages
    turns       turn taking, silence, when something is slow or wrong
    conduct     guardrails, other agents, transfers
    line        keypad, sound and recording, calls that the agent makes, limits
"""

from __future__ import annotations

from typing import ClassVar, cast

from django import forms

from builder.controls.beginning import BeforeACall, FirstWords, Languages, Variables
from builder.controls.conduct import Guardrails, OtherAgents, Transfers
from builder.controls.line import Keypad, Limits, OutgoingCalls, Sound
from builder.controls.part import Advanced, Part
from builder.controls.services import Hearing, Knowledge, LanguageModel, Tools, Voice
from builder.controls.turns import Silence, Trouble, TurnTaking
from builder.controls.words import Steps, Words

__all__ = ["Advanced", "AgentControls", "Part"]


class AgentControls(
    Words,
    Steps,
    Knowledge,
    Voice,
    Hearing,
    LanguageModel,
    Tools,
    Variables,
    BeforeACall,
    FirstWords,
    Languages,
    TurnTaking,
    Silence,
    Trouble,
    Guardrails,
    OtherAgents,
    Transfers,
    Keypad,
    Sound,
    OutgoingCalls,
    Limits,
):
    """All of them. Every setting of AgentConfig has its control."""

    PARTS: ClassVar[tuple[type[Part], ...]]

    revision = forms.IntegerField(widget=forms.HiddenInput)
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)
    choices = forms.CharField(required=False, widget=forms.HiddenInput)


AgentControls.PARTS = cast("tuple[type[Part], ...]", AgentControls.__bases__)
AgentControls.PATHS = {control: path for part in AgentControls.PARTS for control, path in part.PATHS.items()}
