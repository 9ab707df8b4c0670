"""Secrets in the requests of tools, and nowhere else: not in events, results or messages."""

from __future__ import annotations

import base64
import json
from collections import ChainMap
from collections.abc import Mapping, MutableMapping
from dataclasses import replace
from typing import Any, cast
from urllib.parse import quote

import httpx

from voice.tools import CallControl, Outcome, Tool, ToolError
from voice.values import SECRET_PREFIX

HIDDEN = "••••"


class Mask:
    """Writes dots for secrets, in every form in which a request carries them. `also` are more texts to hide."""

    def __init__(self, secrets: Mapping[str, str], *also: str) -> None:
        texts = {form for secret in (*secrets.values(), *also) if secret for form in _forms(secret)}
        self._texts = sorted(texts, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for secret in self._texts:
            text = text.replace(secret, HIDDEN)
        return text

    def data(self, value: object) -> object:
        """JSON data without the secrets."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, Mapping):
            return {self(str(name)): self.data(each) for name, each in value.items()}
        return [self.data(each) for each in value] if isinstance(value, list) else value


def _forms(secret: str) -> set[str]:
    plain = " ".join(secret.split())
    in_query = str(httpx.QueryParams({"": plain}))[1:]
    return {
        secret,
        plain,
        quote(plain, safe=""),
        in_query,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
    }


def basic(user: str, password: str) -> str:
    """What the Authorization header says after "Basic"."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()


class SecretiveTool:
    """A tool whose requests hold secrets: they are variables for it alone, and masked in all that it says."""

    def __init__(self, tool: Tool, secrets: Mapping[str, str], mask: Mask) -> None:
        self.schema = tool.schema
        self.policy = tool.policy
        self._tool = tool
        self._secrets = {SECRET_PREFIX + name: value for name, value in secrets.items()}
        self._mask = mask

    async def run(self, arguments: Mapping[str, object], call: CallControl) -> Outcome:
        try:
            outcome = await self._tool.run(arguments, cast("CallControl", _Informed(call, self._secrets)))
        except ToolError as error:
            raise ToolError(self._mask(str(error))) from None
        except Exception as error:  # whatever it says may quote the request
            raise ToolError(self._mask(f"The tool broke: {type(error).__name__}: {error}")) from None
        variables = {name: self._mask.data(value) for name, value in outcome.variables.items()}
        return replace(outcome, text=self._mask(outcome.text), say=self._mask(outcome.say), variables=variables)


class _Informed:
    """A call among whose variables the secrets are."""

    def __init__(self, call: CallControl, secrets: Mapping[str, str]) -> None:
        self._call = call
        self.variables: MutableMapping[str, object] = ChainMap(dict[str, object](secrets), call.variables)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)
