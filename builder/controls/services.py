"""What the agent knows and is made of: knowledge, voice, speech recognition, language model, tools."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from builder.config import FALLBACKS
from builder.controls.part import Part
from builder.fields import Column, LinesField, RowsField, number, whole

SOURCE = [
    Column(name="connection", label="From", choices=[("", "")], required=True, longest=40),
    Column(name="model", label="Model", placeholder="its default", longest=300),
]
VOICE = Column(name="id", label="Voice", placeholder="its first", longest=200)
_BEHIND: dict[str, Any] = {
    "most": FALLBACKS,
    "help_text": "Tried in this order. What was said is not lost.",
}


def _model_name(label: str) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, max_length=300, help_text="As the vendor calls it. Empty: its default."
    )


class Knowledge(Part):
    TITLE = "Knowledge"
    PATHS: ClassVar = {
        "knowledge": "knowledge",
    }

    knowledge = forms.MultipleChoiceField(
        label="Folders",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="What fits the caller's words is looked up in them at every turn, and given to the language model.",
    )


class Voice(Part):
    TITLE = "Voice"
    PATHS: ClassVar = {
        "voice_connection": "voice.connection",
        "voice_model": "voice.model",
        "voice": "voice.id",
        "speed": "voice.speed",
        "volume": "voice.volume",
        "voice_fallbacks": "voice.fallbacks",
        "pronunciations": "pronunciations",
    }

    voice_connection = forms.ChoiceField(label="Voices of", help_text="Where the speech is made.")
    voice_model = _model_name("Voice model")
    voice = forms.CharField(label="Voice", required=False, max_length=200)
    speed = number("voice.speed", "Speed", "1 is the voice's own pace.", step=0.05)
    volume = number("voice.volume", "Volume", "1 is the voice's own loudness.", step=0.05)
    voice_fallbacks = RowsField([*SOURCE, VOICE], label="If the voice fails", adds="Add a voice", **_BEHIND)
    pronunciations = forms.MultipleChoiceField(
        label="Pronunciations",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Dictionaries of how names and words are said.",
    )


class Hearing(Part):
    TITLE = "Speech recognition"
    PATHS: ClassVar = {
        "hearing_connection": "hearing.connection",
        "hearing_model": "hearing.model",
        "hearing_fallbacks": "hearing.fallbacks",
        "keyterms": "keyterms",
    }

    hearing_connection = forms.ChoiceField(label="Speech recognition", help_text="What turns speech into words.")
    hearing_model = _model_name("Recognition model")
    hearing_fallbacks = RowsField(SOURCE, label="If recognition fails", adds="Add recognition", **_BEHIND)
    keyterms = LinesField(
        label="Words to expect",
        most=100,
        longest=60,
        help_text="Names and words of your trade, one a line. Hosted recognition listens for them.",
    )


class LanguageModel(Part):
    TITLE = "Language model"
    PATHS: ClassVar = {
        "connection": "model.connection",
        "model": "model.name",
        "temperature": "model.temperature",
        "max_tokens": "model.max_tokens",
        "model_fallbacks": "model.fallbacks",
    }

    connection = forms.ChoiceField(label="Language model", help_text="Where the answers are made.")
    model = forms.CharField(
        label="Model name",
        required=False,
        max_length=300,
        help_text="As the service calls it. Empty: the connection's default.",
    )
    temperature = number("model.temperature", "Temperature", "0 gives the same answer each time; higher varies more.")
    max_tokens = whole(
        "model.max_tokens", "Longest answer", "In tokens; a token is about four letters. Callers prefer short answers."
    )
    model_fallbacks = RowsField(SOURCE, label="If the model fails", adds="Add a model", **_BEHIND)


class Tools(Part):
    TITLE = "Tools"
    PATHS: ClassVar = {
        "tools": "tools",
    }

    tools = forms.MultipleChoiceField(
        label="What the agent can do",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="It uses them by itself when it fits.",
    )
