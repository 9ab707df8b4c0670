"""Who may ask an API, by the security schemes of its OpenAPI document."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from builder.documents import NotUnderstood
from builder.tools.curl import keep_secret, secret_name
from builder.tools.openapi.schemas import Schemas, listed


@dataclass(slots=True)
class Access:
    """What requests carry to prove who asks. `secrets` say for what each is, by their names."""

    auth: dict[str, str] = field(default_factory=lambda: {"scheme": "none"})
    headers: list[dict[str, str]] = field(default_factory=list)
    parameters: list[dict[str, Any]] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)


class Security:
    """Reads what the operations of one document require. `api` begins the names of its secrets."""

    def __init__(self, document: dict[str, Any], schemas: Schemas, api: str) -> None:
        components = document.get("components")
        known = components.get("securitySchemes") if isinstance(components, dict) else None
        self._schemes: dict[str, Any] = known if isinstance(known, dict) else {}
        self._everywhere = document.get("security")
        self._schemas = schemas
        self._api = api
        self._secrets: dict[str, str] = {}
        """The schemes by the names of their secrets."""

    def access(self, operation: dict[str, Any]) -> Access:
        """The first of its requirements that a tool can meet. Raises NotUnderstood when there are some, and none is."""
        required = listed(operation.get("security", self._everywhere))
        reasons: list[str] = []
        for requirement in required:
            try:
                return self._meet(requirement if isinstance(requirement, dict) else {})
            except NotUnderstood as error:
                reasons.append(str(error))
        if reasons:
            raise NotUnderstood(reasons[0])
        return Access()

    def _meet(self, requirement: dict[str, Any]) -> Access:
        access = Access()
        for name in requirement:
            if name not in self._schemes:
                raise NotUnderstood(f"It requires {name[:60]}, which the document does not describe.")
            self._add(access, name, self._schemas.at(self._schemes[name]))
        return access

    def _add(self, access: Access, name: str, scheme: dict[str, Any]) -> None:
        secret = keep_secret(self._secrets, secret_name(self._api, name), name)
        kind, style = str(scheme.get("type", "")), str(scheme.get("scheme", "")).lower()
        if kind == "apiKey":
            access.secrets[secret] = f"The key that goes into {scheme.get('name', name)}"
            self._add_key(access, scheme, secret)
        elif kind == "http" and style == "basic":
            access.secrets[secret] = "The password; the user name is written on the tool's page"
            access.auth = {"scheme": "basic", "secret": secret}
        elif (kind == "http" and style == "bearer") or kind in ("oauth2", "openIdConnect"):
            access.secrets[secret] = "The token" if kind == "http" else "An access token, which the service gives out"
            access.auth = {"scheme": "bearer", "secret": secret}
        else:
            raise NotUnderstood(f"It requires {style or kind or name}, by which tools cannot prove who they are.")

    def _add_key(self, access: Access, scheme: dict[str, Any], secret: str) -> None:
        name, where = str(scheme.get("name", "")), scheme.get("in")
        value = f"{{{{secret__{secret}}}}}"
        if where == "query":
            access.parameters.append({"name": name, "where": "query", "source": "constant", "value": value})
        elif where == "header":
            access.headers.append({"name": name, "value": value})
        elif where == "cookie":
            access.headers.append({"name": "Cookie", "value": f"{name}={value}"})
        else:
            raise NotUnderstood("It requires a key, and does not say where it goes.")
