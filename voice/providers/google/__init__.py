"""Google's Gemini models, by the Gemini API."""

from __future__ import annotations

from voice.providers.google.llm import GoogleLlm
from voice.providers.language import check_models
from voice.providers.vendor import Account, Vendor

__all__ = ["VENDOR", "GoogleLlm"]


def _llm(account: Account, model: str) -> GoogleLlm:
    client = account.client() if account.client else None
    return GoogleLlm(account.base_url, account.api_key, client=client, name=account.name or "google")


async def _check(account: Account) -> str:
    return await check_models(_llm(account, ""))


VENDOR = Vendor(
    id="google",
    label="Google Gemini",
    base_url="https://generativelanguage.googleapis.com/v1beta",
    key_hint="aistudio.google.com, under API keys",
    models={"llm": ("gemini-3.5-flash-lite", "gemini-3.8-flash", "gemini-3.6-flash", "gemini-2.5-flash")},
    check=_check,
    llm=_llm,
)
