"""Which Pipecat service, and what it is made of. Pipecat itself is imported when one is first needed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from inspect import signature
from typing import Any

from voice.providers.base import ProviderError

NEEDED = "1.14"
_INSTALL = f'Install it with: uv pip install "pipecat-ai=={NEEDED}.*" (the extra "pipecat" of Callwright).'
_ADDRESS_NAMES = ("url", "uri", "host", "endpoint")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec:
    """A service's class, as a dotted path, and the parameters that it is made with."""

    path: str
    params: Mapping[str, Any] = field(default_factory=dict, repr=False)
    api_key: str = field(default="", repr=False)
    """For classes that take one, unless `params` has it."""

    @classmethod
    def parse(cls, text: str, *, provider: str, api_key: str = "", may_have_addresses: bool = True) -> ServiceSpec:
        """A class's path, or a JSON object with `class` and perhaps `params`. Raises ProviderError."""
        path = text.strip()
        params: dict[str, Any] = {}
        if path.startswith("{"):
            path, params = _parsed(path, provider)
        if not path.startswith("pipecat.services.") or not all(part.isidentifier() for part in path.split(".")):
            raise ProviderError(
                provider, f"{path!r} is no class of pipecat.services, like pipecat.services.x.tts.XTTS."
            )
        if not may_have_addresses and (named := next(_addresses(params), "")):
            raise ProviderError(provider, f"Pipecat's services cannot be given an address here: leave out {named!r}.")
        return cls(path=path, params=params, api_key=api_key)

    @property
    def secret(self) -> str:
        return str(self.params.get("api_key") or self.api_key)

    def load(self, base: type, provider: str) -> type:
        """The class, which must be one of `base`. May take a second: call it in a thread. Raises ProviderError."""
        module, _, name = self.path.rpartition(".")
        try:
            found = getattr(import_module(module), name)
        except ImportError as error:
            text = f"{name} cannot be used: {error}. Install pipecat-ai with the extra that its vendor needs."
            raise ProviderError(provider, text) from error
        except AttributeError:
            raise ProviderError(provider, f"There is no {name} in {module}. Correct the class.") from None
        if not (isinstance(found, type) and issubclass(found, base)):
            raise ProviderError(provider, f"{name} is no {base.__name__} of Pipecat's. Choose a class that is one.")
        return found

    def make(self, service: type, provider: str, settings: Mapping[str, Any]) -> Any:
        """A service of that class. Of `settings` it gets those that it knows and the spec does not set itself.

        Raises ProviderError.
        """
        params = dict(self.params)
        own = params.pop("settings", {})
        if (kind := getattr(service, "Settings", None)) is not None:
            known = {one.name for one in fields(kind)}
            given = {name: value for name, value in settings.items() if name in known}
            params["settings"] = kind.from_mapping({**given, **own})
        elif "settings" in self.params:
            raise ProviderError(provider, f"{service.__name__} has no settings. Leave them out.")
        parameters = _parameters(service)
        if self.api_key and "api_key" in parameters:
            params.setdefault("api_key", self.api_key)
        # Pipecat's classes pass on what they do not know, and the last of them drops it.
        if unknown := params.keys() - parameters:
            raise ProviderError(provider, f"{service.__name__} has no parameter named {min(unknown)!r}. Correct it.")
        try:
            return service(**params, enable_direct_mode=True)
        except Exception as error:
            said = str(error).replace(self.secret, "[the key]") if self.secret else str(error)
            raise ProviderError(provider, f"{service.__name__} could not be made: {said}") from None


def library(provider: str) -> Any:
    """The module that runs services. May take a second: call it in a thread. Raises ProviderError without Pipecat."""
    installed_version(provider)
    return import_module("voice.providers.pipecat.host")


def installed_version(provider: str) -> str:
    """Raises ProviderError, which says how to install Pipecat, if it is absent or another version."""
    try:
        found = version("pipecat-ai")
    except PackageNotFoundError:
        raise ProviderError(provider, f"Pipecat is not installed here. {_INSTALL}") from None
    if not found.startswith(f"{NEEDED}."):
        raise ProviderError(provider, f"Pipecat {found} is installed, which may differ from {NEEDED}. {_INSTALL}")
    return found


def _parsed(text: str, provider: str) -> tuple[str, dict[str, Any]]:
    try:
        said = json.loads(text)
        path, params = said["class"], said.get("params", {})
    except (ValueError, KeyError):
        path, params = None, None
    settings = params.get("settings", {}) if isinstance(params, dict) else None
    if not isinstance(path, str) or not isinstance(params, dict) or not isinstance(settings, dict):
        raise ProviderError(provider, 'Write the service as {"class": "pipecat.services…", "params": {…}}.')
    return path, params


def _parameters(service: type) -> set[str]:
    """The names of all that a class, or one that it comes from, can be made with."""
    made = [vars(kind)["__init__"] for kind in service.__mro__ if "__init__" in vars(kind) and kind is not object]
    return {name for init in made for name in signature(init).parameters}


def _addresses(params: Mapping[str, Any]) -> Iterator[str]:
    """The names of parameters that are, or hold, the address of a server."""
    for name, value in params.items():
        if isinstance(value, Mapping):
            yield from _addresses(value)
        elif any(part in name.lower() for part in _ADDRESS_NAMES) or "://" in json.dumps(value):
            yield name
