"""The request behind a page, as something to paste into a terminal or a program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest

VERSION = "2026-08-14"


@dataclass(frozen=True, slots=True)
class Snippet:
    """One GET of the API. `key` is the environment variable in which the reader keeps their API key."""

    base: str
    path: str
    params: Mapping[str, str]
    key: str

    @property
    def curl(self) -> str:
        query = f"?{urlencode(self.params)}" if self.params else ""
        return (
            f"curl '{self.base}{self.path}{query}' \\\n"
            f'  -H "Authorization: Bearer ${self.key}" \\\n'
            f"  -H 'Cartesia-Version: {VERSION}'"
        )

    @property
    def python(self) -> str:
        """With the official `cartesia` package."""
        params = "".join(f"        {name!r}: {value!r},\n" for name, value in self.params.items())
        return (
            "import os\n\nfrom cartesia import Cartesia\n\n"
            f"client = Cartesia(base_url={self.base!r}, api_key=os.environ[{self.key!r}])\n"
            f"found = client.get(\n    {self.path!r},\n    cast_to=object,\n"
            f"    options={{'params': {{\n{params}    }}}},\n)\n"
        )


def api_get(request: HttpRequest, path: str, params: Mapping[str, str], *, key: str) -> Snippet:
    """The snippet of a GET to this server, at the address by which the reader reaches it."""
    base = settings.SITE_URL or request.build_absolute_uri("/").rstrip("/")
    return Snippet(base, path, params, key)
