"""Pipecat's services, of some ninety vendors, without its pipeline: an optional extra.

What other vendors call a model is here the service's class, alone or with what it is made of:

    pipecat.services.deepgram.stt.DeepgramSTTService
    {"class": "pipecat.services.openai.tts.OpenAITTSService", "params": {"settings": {"voice": "ash"}}}

`params` go to the class as they are, but `settings` become its `Settings`; the key of the account is its `api_key`.
Speech is asked for at 24 kHz and resampled; `"sample_rate": 16000` spares that where the vendor can do it.
"""

from __future__ import annotations

from voice.providers.pipecat.llm import PipecatLlm
from voice.providers.pipecat.spec import ServiceSpec, installed_version
from voice.providers.pipecat.stt import PipecatStt
from voice.providers.pipecat.tts import PipecatTts
from voice.providers.vendor import Account, Vendor

__all__ = ["VENDOR", "PipecatLlm", "PipecatStt", "PipecatTts", "ServiceSpec"]

_NAME = "pipecat"


def _spec(account: Account, model: str) -> ServiceSpec:
    # Pipecat opens its own connections. Where addresses are to be judged, none can be given to it.
    return ServiceSpec.parse(
        model, provider=account.name or _NAME, api_key=account.api_key, may_have_addresses=account.client is None
    )


def _stt(account: Account, model: str) -> PipecatStt:
    return PipecatStt(_spec(account, model), name=account.name or _NAME)


def _tts(account: Account, model: str) -> PipecatTts:
    return PipecatTts(_spec(account, model), name=account.name or _NAME)


def _llm(account: Account, model: str) -> PipecatLlm:
    return PipecatLlm(_spec(account, model), name=account.name or _NAME)


async def _check(account: Account) -> str:
    version = installed_version(account.name or _NAME)
    return f"Pipecat {version} is installed. Whether a service's key works shows when it is first used."


VENDOR = Vendor(
    id="pipecat",
    label="Pipecat services",
    base_url="",
    key_hint="the vendor of the service",
    models={
        "stt": (
            "pipecat.services.assemblyai.stt.AssemblyAISTTService",
            "pipecat.services.gladia.stt.GladiaSTTService",
            "pipecat.services.soniox.stt.SonioxSTTService",
        ),
        "tts": (
            "pipecat.services.rime.tts.RimeTTSService",
            "pipecat.services.neuphonic.tts.NeuphonicTTSService",
            "pipecat.services.inworld.tts.InworldTTSService",
        ),
        "llm": (
            "pipecat.services.groq.llm.GroqLLMService",
            "pipecat.services.mistral.llm.MistralLLMService",
            "pipecat.services.cerebras.llm.CerebrasLLMService",
        ),
    },
    check=_check,
    stt=_stt,
    tts=_tts,
    llm=_llm,
    needs_key=False,
)
