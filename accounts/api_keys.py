"""API keys: what they look like, and how one is known again.

    sk_cw_<id>_<secret>_<check>          a standard key
    sk_cw_admin_<id>_<secret>_<check>    an admin key

The id (8 characters) finds the key, the secret (32 characters, 160 bits) proves it, and the check (7 characters) is the
CRC-32 of all before it: what was mistyped is refused without asking the database, and scanners of repositories can tell
a leaked key from a word. Only the SHA-256 of the secret is stored. That is enough for 160 random bits, which no slow
hash would make harder to guess.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from dataclasses import dataclass
from datetime import timedelta
from secrets import compare_digest, randbits

from django.db.models import Q
from django.utils import timezone

from accounts.models import ApiKey
from core.ids import base32

SEEN_EVERY = timedelta(minutes=1)
"""How fine the time of a key's last use is kept."""

_FORM = re.compile(r"sk_cw_(admin_)?([0-9a-z]{8})_([0-9a-z]{32})_([0-9a-z]{7})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """The parts of a key. `text` is what its owner is shown, once."""

    kind: str
    public_id: str
    secret: str

    @property
    def text(self) -> str:
        body = f"{prefix(self.kind, self.public_id)}_{self.secret}"
        return f"{body}_{_check(body)}"

    @property
    def secret_hash(self) -> str:
        return hashlib.sha256(self.secret.encode()).hexdigest()


def prefix(kind: str, public_id: str) -> str:
    """The part of a key that may be shown."""
    return f"sk_cw_{'admin_' if kind == ApiKey.Kind.ADMIN else ''}{public_id}"


def new_token(kind: str) -> Token:
    return Token(kind, public_id=base32(randbits(40), 8), secret=base32(randbits(160), 32))


def parse(text: str) -> Token | None:
    """The parts of what a client sent; None when it is no key of ours, or was mistyped."""
    match = _FORM.fullmatch(text)
    if match is None or match[4] != _check(text.rpartition("_")[0]):
        return None
    return Token(ApiKey.Kind.ADMIN if match[1] else ApiKey.Kind.STANDARD, public_id=match[2], secret=match[3])


def find_api_key(text: str) -> ApiKey | None:
    """The key that a client sent, with its workspace; None alike for unknown, revoked and expired ones."""
    token = parse(text)
    if token is None:
        return None
    now = timezone.now()
    valid = ApiKey.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)
    key = valid.select_related("organization").filter(public_id=token.public_id, kind=token.kind).first()
    if key is None or not compare_digest(key.secret_hash, token.secret_hash):
        return None
    if key.last_used_at is None or now - key.last_used_at > SEEN_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key


def _check(body: str) -> str:
    return base32(zlib.crc32(body.encode()), 7)
