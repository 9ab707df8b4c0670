"""Which addresses requests for people may go to. `core.http` asks before each connection."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

import httpx
from django.conf import settings

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# Of a host's addresses so many are tried.
_ATTEMPTS = 3
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_IPV4_COMPATIBLE = ipaddress.IPv6Network("::/96")


class BlockedAddress(httpx.ConnectError):
    """The host is at an address that requests may not go to. The text says which setting would allow it."""


def only_used_here() -> bool:
    """Whether only people on this machine can reach Callwright: it listens on loopback, and stands behind no proxy.

    Behind a proxy it would answer to a public name, so SITE_URL, TRUST_PROXY or a name in ALLOWED_HOSTS betrays one.
    (A proxy that hides its own name from us is of no use to anybody: forms that it passes on fail the origin check.)
    """
    names = [settings.HOST, *settings.ALLOWED_HOSTS]
    return not settings.SITE_URL and not settings.TRUST_PROXY and all(map(_is_loopback_name, names))


def _is_loopback_name(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def is_public(address: IpAddress) -> bool:
    """Whether `address`, and the IPv4 address that it may carry inside, belong to the public internet."""
    address = getattr(address, "ipv4_mapped", None) or address
    return all(
        ip.is_global
        and not ip.is_multicast
        and not ip.is_reserved
        and not ip.is_unspecified
        and not getattr(ip, "is_site_local", False)
        for ip in (address, *_carried(address))
    )


def _carried(address: IpAddress) -> list[IpAddress]:
    """The IPv4 addresses at which a packet for an IPv6 `address` may come out."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    carried: list[IpAddress] = [ip for ip in [address.sixtofour] if ip is not None]
    if address.teredo is not None:
        carried += address.teredo
    if any(address in network for network in (*_NAT64, _IPV4_COMPATIBLE)):
        carried.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return carried


class Guard:
    """Says which of a host's addresses may be connected to."""

    def __init__(self, own_machine: bool) -> None:
        self._own_machine = own_machine

    def permitted(self, host: str, port: int, found: Iterable[Any]) -> list[str]:
        """The permitted addresses among the results of `getaddrinfo`. Raises BlockedAddress when there is none."""
        addresses = [ipaddress.ip_address(info[4][0].partition("%")[0]) for info in found]
        good = [str(address) for address in addresses if self._is_permitted(host, port, address)]
        if not good:
            where = ", ".join(dict.fromkeys(map(str, addresses))) or "no address"
            raise BlockedAddress(
                f"{host} is at {where}, which is not a public address, so it was not contacted. If it is a service "
                f"of yours, set OUTBOUND_ALLOWED_PRIVATE_HOSTS={_name(host, port)} (commas between several), restart."
            )
        return list(dict.fromkeys(good))[:_ATTEMPTS]

    def _is_permitted(self, host: str, port: int, address: IpAddress) -> bool:
        if is_public(address):
            return True
        plain = getattr(address, "ipv4_mapped", None) or address
        allowed = {entry.strip().lower() for entry in settings.OUTBOUND_ALLOWED_PRIVATE_HOSTS}
        if _name(host.lower().rstrip("."), port) in allowed or _name(str(plain), port) in allowed:
            return True
        return self._own_machine and plain.is_loopback and only_used_here()


def _name(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
