"""Language models behind any OpenAI-compatible `/chat/completions`: OpenAI itself, OpenRouter, vLLM, Ollama, llama.cpp.

Spoken to with httpx directly. The official library would bring its own models, retries and 0.6 s of imports, hide the
stream that we must cancel in the middle, and know less of the servers that are only nearly compatible.
"""

from __future__ import annotations

from voice.providers.openai.llm import OpenAiLlm

__all__ = ["OpenAiLlm"]
