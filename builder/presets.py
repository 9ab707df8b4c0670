"""Services that speak OpenAI's protocol, to fill a new connection in. Any other one works as well."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preset:
    """`model` is one that answers quickly enough for a call; `local` services run on the user's own machine."""

    name: str
    base_url: str
    model: str
    local: bool = False


PRESETS = (
    Preset("Groq", "https://api.groq.com/openai/v1", "llama-3.3-70b-versatile"),
    Preset("OpenRouter", "https://openrouter.ai/api/v1", "google/gemini-2.5-flash"),
    Preset("Ollama", "http://127.0.0.1:11434/v1", "qwen2.5:7b", local=True),
    Preset("LM Studio", "http://127.0.0.1:1234/v1", "qwen2.5-7b-instruct", local=True),
    Preset("vLLM", "http://127.0.0.1:8000/v1", "Qwen/Qwen2.5-7B-Instruct", local=True),
)
