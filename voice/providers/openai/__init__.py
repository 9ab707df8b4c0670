"""OpenAI, and whatever speaks its protocols at another address: OpenRouter, vLLM, Ollama, llama.cpp and many more.

Spoken to with httpx directly. The official library would bring its own models, retries and 0.6 s of imports, hide the
stream that we must cancel in the middle, and know less of the servers that are only nearly compatible.
"""

from __future__ import annotations

from voice.providers.openai.llm import OpenAiLlm
from voice.providers.vendor import Account, Vendor

__all__ = ["VENDOR", "OpenAiLlm"]


def _llm(account: Account, model: str) -> OpenAiLlm:
    client = account.client() if account.client else None
    return OpenAiLlm(account.base_url, account.api_key, client=client, name=account.name or "openai")


async def _check(account: Account) -> str:
    llm = _llm(account, "")
    try:
        models = await llm.list_models()
    finally:
        await llm.close()
    return f"The key works; {len(models)} models can be used."


VENDOR = Vendor(
    id="openai",
    label="OpenAI",
    base_url="https://api.openai.com/v1",
    key_hint="platform.openai.com, under API keys",
    models={"llm": ("gpt-5.4-mini", "gpt-4.1-mini", "gpt-4.1", "gpt-4o-mini")},
    check=_check,
    llm=_llm,
)
