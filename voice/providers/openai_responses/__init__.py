"""OpenAI by its newer Responses API, which its reasoning models are made for. `openai` is the older and the common one:
servers of others speak that."""

from __future__ import annotations

from voice.providers.language import check_models
from voice.providers.openai import VENDOR as OPENAI
from voice.providers.openai.responses import OpenAiResponses
from voice.providers.vendor import Account, Vendor

__all__ = ["VENDOR", "OpenAiResponses"]


def _llm(account: Account, model: str) -> OpenAiResponses:
    client = account.client() if account.client else None
    return OpenAiResponses(account.base_url, account.api_key, client=client, name=account.name or "openai_responses")


async def _check(account: Account) -> str:
    return await check_models(_llm(account, ""))


VENDOR = Vendor(
    id="openai_responses",
    label="OpenAI (Responses API)",
    base_url=OPENAI.base_url,
    key_hint=OPENAI.key_hint,
    models={"llm": ("gpt-5.4-mini", "gpt-5.4-nano", "gpt-5.5", "gpt-4.1-mini")},
    check=_check,
    llm=_llm,
)
