"""Free addresses and ports on loopback."""

from __future__ import annotations

import contextlib
import errno
import random
import socket
from collections.abc import Iterator, Sequence


def accepts_connections(host: str, port: int) -> bool:
    """Tell whether something listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def free_port(host: str = "127.0.0.1") -> int:
    """Give a TCP port that nothing listens on at this address."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def free_loopback_addresses(count: int) -> list[str]:
    """Give ``count`` neighbouring loopback addresses for one cluster, such as 127.83.7.1, .2, .3.

    All of 127.0.0.0/8 is loopback on Linux; a random part of it keeps two test sessions on one machine apart.
    """
    for _ in range(50):
        prefix = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}"
        addresses = [f"{prefix}.{number}" for number in range(1, count + 1)]
        if all(not accepts_connections(address, 9042) for address in addresses):
            return addresses
    raise OSError(errno.EADDRINUSE, "no free loopback addresses")


def free_common_ports(addresses: Sequence[str], count: int) -> list[int]:
    """Give ``count`` ports, each free at every one of the addresses."""
    ports: list[int] = []
    with contextlib.ExitStack() as held:
        for port in _candidate_ports():
            if len(ports) == count:
                break
            with contextlib.ExitStack() as attempt:
                try:
                    for address in addresses:
                        probe = attempt.enter_context(socket.socket())
                        probe.bind((address, port))
                except OSError:
                    continue
                held.enter_context(attempt.pop_all())
                ports.append(port)
    if len(ports) < count:
        raise OSError(errno.EADDRINUSE, "no free ports")
    return ports


def _candidate_ports() -> Iterator[int]:
    # Below the range that Linux hands out to outgoing connections (32768 and up), so that nothing slips in.
    return iter(random.sample(range(10000, 32000), 200))
