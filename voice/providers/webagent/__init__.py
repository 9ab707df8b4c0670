"""A program of one's own as the brain: anything that takes the caller's words and answers with text.

Three shapes, of which one will suit: OpenAI's chat completions (`chat_brain`), Twilio's ConversationRelay over a
WebSocket (`relay_brain`), and plain HTTP (`text_brain`). The doors are given from outside, so that they can judge
an address that somebody typed; who made them closes them.
"""

from __future__ import annotations

from voice.providers.webagent.app import VENDOR
from voice.providers.webagent.call import WebCall
from voice.providers.webagent.chat import chat_brain, text_brain
from voice.providers.webagent.plain import TextLlm
from voice.providers.webagent.relay import RelayApp, RelayBrain, relay_brain

__all__ = ["VENDOR", "RelayApp", "RelayBrain", "TextLlm", "WebCall", "chat_brain", "relay_brain", "text_brain"]
