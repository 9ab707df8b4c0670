"""Anthropic's Claude models, by the Messages API."""

from __future__ import annotations

from voice.providers.anthropic.llm import AnthropicLlm
from voice.providers.language import check_models
from voice.providers.vendor import Account, Vendor

__all__ = ["VENDOR", "AnthropicLlm"]


def _llm(account: Account, model: str) -> AnthropicLlm:
    client = account.client() if account.client else None
    return AnthropicLlm(account.base_url, account.api_key, client=client, name=account.name or "anthropic")


async def _check(account: Account) -> str:
    return await check_models(_llm(account, ""))


VENDOR = Vendor(
    id="anthropic",
    label="Anthropic",
    base_url="https://api.anthropic.com/v1",
    key_hint="platform.claude.com, under API keys",
    models={"llm": ("claude-haiku-5-5", "claude-sonnet-5-5", "claude-haiku-4-5", "claude-opus-5-5")},
    check=_check,
    llm=_llm,
)
