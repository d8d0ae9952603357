"""Which addresses may be connected to: those of the public internet, unless local ones were asked for.

A name is resolved here and the connection then made to the very addresses that were checked, so that a name server
cannot answer differently the second time (DNS rebinding).
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from rag.errors import ForumError

_NAT64 = IPv6Network("64:ff9b::/96")


class UnresolvedError(Exception):
    """The name is not known right now."""


def addresses(host: str, port: int, *, allow_local: bool = False) -> list[str]:
    """Resolve a host name to addresses that may be connected to.

    Raises:
        ForumError: One of them belongs to a local network.
        UnresolvedError: There are none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise UnresolvedError(getattr(exc, "strerror", None) or str(exc)) from exc
    numbers = list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
    for number in numbers if not allow_local else ():
        if not is_public(number):
            place = host if host == number else f"{host} ({number})"
            raise ForumError(
                f"{place} is an address of this machine or a local network, which is never asked. "
                "If it is your own forum, name it with --host and add --allow-local."
            )
    return numbers


def is_public(number: str) -> bool:
    """Whether an IP address belongs to the public internet, also through the ways that carry IPv4 inside IPv6."""
    address = ip_address(number)
    inside = _carried(address)
    if inside is not None:
        return is_public(str(inside))
    return address.is_global and not address.is_multicast


def _carried(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
