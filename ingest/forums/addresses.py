"""Which addresses may be connected to: those of the public internet, unless local ones were asked for.

A name is resolved here and the connection then made to the very addresses that were checked, so that a name server
cannot answer differently the second time (DNS rebinding).
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from rag.errors import ForumError

_NAT64 = IPv6Network("64:ff9b::/96")
_UNICAST = IPv6Network("2000::/3")
"""All that was ever given out (https://www.iana.org/assignments/ipv6-address-space). What lies outside is local, or has
meanings that differ between systems: `::127.0.0.1`, `::ffff:0:127.0.0.1`, `fec0::1`."""
_SPECIAL = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"), IPv6Network("3fff::/20"))
"""Kept for protocols and examples, but global to Python or to some versions of it."""


class UnresolvedError(Exception):
    """The name is not known right now."""


def addresses(host: str, port: int, *, allow_local: bool = False) -> list[str]:
    """Resolve a host name to addresses that may be connected to.

    Raises:
        ForumError: One of them belongs to a local network, or no host can have the name.
        UnresolvedError: There are none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as exc:
        raise ForumError(f"{host[:80]} is no name of a host ({exc}).") from exc
    except OSError as exc:
        raise UnresolvedError(exc.strerror or str(exc)) from exc
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
    if address.version == 6 and address not in _UNICAST:
        return False
    return address.is_global and not address.is_multicast and not any(address in network for network in _SPECIAL)


def _carried(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
