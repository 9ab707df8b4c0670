"""The voices that people choose from, with words that help them choose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VoiceChoice:
    id: str
    label: str
    description: str = ""
    provider: str = "local"

    @property
    def gender(self) -> str:
        return "female" if self.id[1:3] == "f_" else "male"

    @property
    def language(self) -> str:
        """What it was made to speak."""
        return LANGUAGES.get(self.id[0], "en-US") if self.id[1:3] in ("f_", "m_") else "en-US"

    def note(self, *, espeak: bool) -> str:
        """What the voice can and cannot speak on this machine, where that is not simply English; `espeak` says whether
        the program is there."""
        if self.language.startswith("en"):
            return ""
        name = NAMES[self.language]
        accent = f"English with an accent ({name})"
        if self.language not in ESPEAK:
            return f"Speaks {accent}. It cannot speak {name} here: nothing on this machine knows how {name} sounds."
        if espeak:
            return f"Speaks {name}, and {accent}."
        return f"Speaks {accent}. For {name} it needs the program espeak-ng, which is not installed."


@dataclass(frozen=True, slots=True)
class VoiceGroup:
    label: str
    voices: tuple[VoiceChoice, ...]


LANGUAGES = {
    "a": "en-US",
    "b": "en-GB",
    "e": "es",
    "f": "fr",
    "h": "hi",
    "i": "it",
    "j": "ja",
    "p": "pt-BR",
    "z": "zh",
}
"""By the first letter of Kokoro's names."""
NAMES = {
    "es": "Spanish",
    "fr": "French",
    "hi": "Hindi",
    "it": "Italian",
    "ja": "Japanese",
    "pt-BR": "Portuguese",
    "zh": "Chinese",
}
ESPEAK = ("es", "fr", "hi", "it", "pt-BR")
"""The languages that are spoken where espeak-ng says how they sound."""

# Kokoro's voices, the best English ones first; the ids are the names of its voice files.
GROUPS = (
    VoiceGroup(
        "American",
        (
            VoiceChoice("af_heart", "Heart", "Warm and natural; the best of all voices here"),
            VoiceChoice("af_bella", "Bella", "One of the best voices here"),
            VoiceChoice("af_nicole", "Nicole", "Soft, close to a whisper"),
            VoiceChoice("af_sarah", "Sarah", "Even"),
            VoiceChoice("af_kore", "Kore", "Clear and businesslike"),
            VoiceChoice("af_aoede", "Aoede", "Friendly"),
            VoiceChoice("af_nova", "Nova", "Young"),
            VoiceChoice("am_michael", "Michael", "Steady, trustworthy"),
            VoiceChoice("am_fenrir", "Fenrir", "Strong and direct"),
            VoiceChoice("am_puck", "Puck", "Cheerful"),
            VoiceChoice("af_alloy", "Alloy", "Even, a little dry"),
            VoiceChoice("af_sky", "Sky", "Airy"),
            VoiceChoice("af_jessica", "Jessica", "Young, with a smile"),
            VoiceChoice("af_river", "River", "Low and level"),
            VoiceChoice("am_onyx", "Onyx", "Very deep"),
            VoiceChoice("am_echo", "Echo", "Plain and near"),
            VoiceChoice("am_eric", "Eric", "Matter-of-fact"),
            VoiceChoice("am_liam", "Liam", "Young"),
            VoiceChoice("am_adam", "Adam", "Rough at the edges"),
            VoiceChoice("am_santa", "Santa", "Old and jolly"),
        ),
    ),
    VoiceGroup(
        "British",
        (
            VoiceChoice("bf_emma", "Emma", "Polite and clear"),
            VoiceChoice("bf_isabella", "Isabella", "Gentle"),
            VoiceChoice("bm_george", "George", "Mature and composed"),
            VoiceChoice("bm_fable", "Fable", "Lively, a storyteller"),
            VoiceChoice("bf_alice", "Alice", "Well spoken"),
            VoiceChoice("bf_lily", "Lily", "Young and soft"),
            VoiceChoice("bm_lewis", "Lewis", "Deep and slow"),
            VoiceChoice("bm_daniel", "Daniel", "Crisp, a newsreader"),
        ),
    ),
    VoiceGroup(
        "Spanish",
        (
            VoiceChoice("ef_dora", "Dora"),
            VoiceChoice("em_alex", "Alex"),
            VoiceChoice("em_santa", "Santa"),
        ),
    ),
    VoiceGroup("French", (VoiceChoice("ff_siwis", "Siwis"),)),
    VoiceGroup(
        "Hindi",
        (
            VoiceChoice("hf_alpha", "Alpha"),
            VoiceChoice("hf_beta", "Beta"),
            VoiceChoice("hm_omega", "Omega"),
            VoiceChoice("hm_psi", "Psi"),
        ),
    ),
    VoiceGroup(
        "Italian",
        (
            VoiceChoice("if_sara", "Sara"),
            VoiceChoice("im_nicola", "Nicola"),
        ),
    ),
    VoiceGroup(
        "Portuguese",
        (
            VoiceChoice("pf_dora", "Dora"),
            VoiceChoice("pm_alex", "Alex"),
            VoiceChoice("pm_santa", "Santa"),
        ),
    ),
    VoiceGroup(
        "Japanese",
        (
            VoiceChoice("jf_alpha", "Alpha"),
            VoiceChoice("jf_gongitsune", "Gongitsune"),
            VoiceChoice("jf_nezumi", "Nezumi"),
            VoiceChoice("jf_tebukuro", "Tebukuro"),
            VoiceChoice("jm_kumo", "Kumo"),
        ),
    ),
    VoiceGroup(
        "Chinese",
        (
            VoiceChoice("zf_xiaobei", "Xiaobei"),
            VoiceChoice("zf_xiaoni", "Xiaoni"),
            VoiceChoice("zf_xiaoxiao", "Xiaoxiao"),
            VoiceChoice("zf_xiaoyi", "Xiaoyi"),
            VoiceChoice("zm_yunjian", "Yunjian"),
            VoiceChoice("zm_yunxi", "Yunxi"),
            VoiceChoice("zm_yunxia", "Yunxia"),
            VoiceChoice("zm_yunyang", "Yunyang"),
        ),
    ),
    VoiceGroup(
        "Light",
        (VoiceChoice("joe", "Joe", "Costs the least processor time, so it suits many calls at once"),),
    ),
)

LIGHT = "joe"
OWN = "Your own"
"""The group of voices that a workspace has uploaded."""

_BY_ID = {voice.id: voice for group in GROUPS for voice in group.voices}

CHOICES = [(group.label, [(voice.id, voice.label) for voice in group.voices]) for group in GROUPS]
"""As a form's select takes them."""


def voice(voice_id: str) -> VoiceChoice | None:
    return _BY_ID.get(voice_id)


def label(voice_id: str) -> str:
    """A voice's name for people; the id itself when it is no longer offered."""
    known = _BY_ID.get(voice_id)
    return known.label if known else voice_id
