"""An agent as the SDK's first example has it: a language model, its tools, and a prompt that the platform may set."""

from __future__ import annotations

import os

import litellm  # noqa: F401  read before the first call, which would have to wait for it
from line.llm_agent import LlmAgent, LlmConfig, end_call
from line.voice_agent_app import AgentEnv, CallRequest, VoiceAgentApp


async def get_agent(env: AgentEnv, call_request: CallRequest) -> LlmAgent:
    return LlmAgent(
        model="anthropic/claude-haiku-4-5-20251001",
        api_key=os.environ["ANTHROPIC_API_KEY"],
        tools=[end_call],
        config=LlmConfig.from_call_request(
            call_request, fallback_system_prompt="You are brief.", fallback_introduction="Hey! What is it?"
        ),
    )


app = VoiceAgentApp(get_agent=get_agent)

if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]))
