"""Messages to somebody's server, signed as https://www.standardwebhooks.com says."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

import httpx

from core import http

PREFIX = "whsec_"


def new_secret() -> str:
    """A secret that the receiver checks signatures with."""
    return PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def headers(*, secret: str, message_id: str, body: bytes, timestamp: int) -> dict[str, str]:
    """`webhook-id`, `webhook-timestamp` and `webhook-signature` of a message."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }


def deliver(*, url: str, secret: str, message_id: str, data: Mapping[str, Any]) -> None:
    """Send `data` as JSON to an address that somebody typed. The same `message_id` tells the receiver that it is sent
    again. Raises httpx.HTTPError when it was not taken with a 2xx."""
    body = json.dumps(data, separators=(",", ":")).encode()
    signed = headers(secret=secret, message_id=message_id, body=body, timestamp=int(time.time()))
    with http.client(max_bytes=100_000, total=15.0) as client:
        answer = client.post(url, content=body, headers={"Content-Type": "application/json", **signed})
    if not answer.is_success:
        raise httpx.HTTPStatusError(f"It answered {answer.status_code}.", request=answer.request, response=answer)
