"""Documents of other systems, in the form in which they give them out."""

from __future__ import annotations

from typing import Any

CARTESIA: dict[str, Any] = {
    "id": "agent_1",
    "name": "Front desk",
    "description": None,
    "created_at": "2026-08-20T10:00:00Z",
    "config": {
        "instructions": "You answer the phone. The caller is {{system__caller_id}}.",
        "initial_message": "Hi, Acme here.",
        "timezone": "America/Los_Angeles",
        "model": {"id": "gpt-5.4-mini", "temperature": 0.4, "max_output_tokens": 300},
        "language": {"primary": "en"},
        "audio": {
            "input": {"noise_suppression": "auto", "keyterms": ["Acme"]},
            "output": {
                "voice_id": "voice-1",
                "speed": 1.1,
                "volume": 0.9,
                "emotion": "calm",
                "background_sound": {"file_id": "file_1", "volume": 1},
            },
        },
        "turn": {"inactivity_end_call_secs": 30, "inactivity_check_in_secs": 10},
        "tools": [
            {"id": "tool_elsewhere"},
            {
                "id": "tool_1",
                "type": "webhook",
                "name": "find_order",
                "description": "Finds an order.",
                "pre_tool_speech": "auto",
                "execution_mode": "immediate",
                "response_timeout_secs": 15,
                "api_schema": {
                    "url": "https://shop.example.org/orders/{number}",
                    "method": "POST",
                    "path_params_schema": {"number": {"type": "integer", "description": "On the receipt"}},
                    "request_body_schema": {
                        "type": "object",
                        "properties": {"size": {"type": "string", "enum": ["s", "m"]}, "by": {"type": "string"}},
                        "required": ["size"],
                    },
                    "request_headers": {"X-Key": {"type": "secret"}, "X-Region": "eu"},
                    "authentication": {"mode": "bearer"},
                },
            },
        ],
        "system_tools": {
            "end_call": {"description": None, "pre_tool_speech": "auto"},
            "send_dtmf": None,
            "transfer_to_number": {
                "transfers": [
                    {
                        "destination": {"type": "phone", "phone_number": "+14155550100"},
                        "condition": "They ask for billing",
                    }
                ]
            },
        },
        "dynamic_variable_placeholders": {"customer_name": "Ann", "visits": 3, "vip": True},
    },
}

VAPI: dict[str, Any] = {
    "id": "a-1",
    "orgId": "o-1",
    "name": "Pet hospital",
    "firstMessage": "Hello, this is Stacy.",
    "firstMessageMode": "assistant-speaks-first",
    "model": {
        "provider": "openai",
        "model": "gpt-4.1",
        "temperature": 0.3,
        "maxTokens": 300,
        "messages": [{"role": "system", "content": "You are Stacy. It is {{now}}. The caller is {{customer.number}}."}],
        "toolIds": ["t-9"],
        "tools": [
            {
                "type": "apiRequest",
                "name": "find_pet",
                "description": "Finds a pet.",
                "method": "GET",
                "url": "https://pets.example.org/pets/{{name}}?clinic=1",
                "body": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
                "headers": {
                    "type": "object",
                    "properties": {"X-Api-Key": {"type": "string", "value": "sk-very-secret"}},
                },
                "messages": [
                    {"type": "request-start", "content": "One moment."},
                    {"type": "request-failed", "content": "Oh"},
                ],
                "variableExtractionPlan": {"aliases": [{"key": "pet_id", "value": "{{pet.id}}"}]},
            },
            {
                "type": "function",
                "function": {
                    "name": "book",
                    "description": "Books.",
                    "parameters": {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]},
                },
                "server": {"url": "https://hook.example.org/vapi"},
            },
            {
                "type": "transferCall",
                "destinations": [{"type": "number", "number": "+14155550100", "description": "An emergency"}],
            },
            {"type": "endCall"},
            {"type": "google.calendar.event.create", "name": "calendar"},
        ],
    },
    "voice": {"provider": "11labs", "voiceId": "sarah", "stability": 0.5, "speed": 0.9},
    "transcriber": {"provider": "deepgram", "model": "nova-3", "language": "en-US", "keyterm": ["parvo"]},
    "endCallMessage": "Take care!",
    "endCallFunctionEnabled": True,
    "maxDurationSeconds": 40_000,
    "silenceTimeoutSeconds": 30,
    "backgroundSound": "office",
    "voicemailMessage": "Please call back.",
    "serverMessages": ["end-of-call-report"],
    "startSpeakingPlan": {"waitSeconds": 0.4},
    "stopSpeakingPlan": {"numWords": 2, "voiceSeconds": 0.3},
    "analysisPlan": {"summaryPlan": {"enabled": True}},
    "metadata": {"team": "vets"},
}

WORKFLOW: dict[str, Any] = {
    "name": "Leads",
    "globalPrompt": "You work for Summit Realty.",
    "nodes": [
        {
            "name": "introduction",
            "type": "conversation",
            "isStart": True,
            "metadata": {"position": {"x": -400, "y": -500}},
            "prompt": "Find out what the caller wants.",
            "messagePlan": {"firstMessage": "Hello, this is Summit Realty."},
            "model": {"provider": "openai", "model": "gpt-4o", "temperature": 0.3},
            "voice": {"provider": "cartesia", "voiceId": "v-1"},
        },
        {
            "name": "budget",
            "type": "conversation",
            "prompt": "Ask for the budget.",
            "messagePlan": {"firstMessage": "What is your budget?"},
            "model": {"provider": "openai", "model": "gpt-4o", "temperature": 0.3},
            "variableExtractionPlan": {
                "output": [
                    {"title": "budget", "type": "number", "description": "In dollars", "enum": []},
                    {"title": "kind", "type": "string", "enum": ["office", "retail"]},
                ]
            },
        },
        {
            "name": "save lead",
            "type": "tool",
            "tool": {
                "type": "apiRequest",
                "name": "save_lead",
                "method": "POST",
                "url": "https://crm.example.org/leads",
                "body": {"type": "object", "properties": {"budget": {"type": "number"}}},
            },
        },
        {
            "name": "human",
            "type": "tool",
            "globalNodePlan": {"enabled": True, "enterCondition": "The caller asks for a human"},
            "tool": {"type": "transferCall", "destinations": [{"type": "number", "number": "+14155550100"}]},
        },
        {
            "name": "bye",
            "type": "tool",
            "tool": {"type": "endCall", "messages": [{"type": "request-start", "content": "Goodbye, and thank you."}]},
        },
    ],
    "edges": [
        {"from": "introduction", "to": "budget", "condition": {"type": "ai", "prompt": "They want to buy"}},
        {"from": "introduction", "to": "bye", "condition": {"type": "ai", "prompt": "They want nothing"}},
        {"from": "budget", "to": "save lead", "condition": {"type": "ai", "prompt": "The budget is known"}},
        {"from": "save lead", "to": "bye"},
        {"from": "save lead", "to": "human", "condition": {"type": "failed"}},
        {"from": "bye", "to": "nowhere"},
    ],
    "maxDurationSeconds": 600,
}
