"""A bound UDP socket: datagrams in, datagrams out. The kernel writes the IP and UDP headers."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from ipsecsim.base.address import pack, unpack
from ipsecsim.base.errors import LocalError
from ipsecsim.wire.numbers import IKE_PORT, NAT_T_PORT

Arrived = Callable[[bytes, int, bytes], None]
"""Called with the sender's packed address, its port, and the payload."""


@dataclass(frozen=True, slots=True)
class PortPlan:
    """Which real ports stand for 500 and 4500 at an address. Ports below 1024 need privileges.

    The engines know 500 and 4500 only, so their NAT detection hashes are made of these: a peer that knows
    the real ports reads the difference as a NAT, and a NAT only forces what we force anyway.
    """

    ike: int = IKE_PORT
    nat_t: int = NAT_T_PORT

    def __post_init__(self) -> None:
        if self.ike == self.nat_t or not (0 < self.ike < 0x10000 and 0 < self.nat_t < 0x10000):
            raise LocalError(f"{self.ike} and {self.nat_t} are no two ports")

    def real(self, port: int) -> int:
        """The real port for one that an engine names."""
        return {IKE_PORT: self.ike, NAT_T_PORT: self.nat_t}.get(port, port)

    def meant(self, port: int) -> int:
        """What an engine is told about a real port; one that is in no plan, as behind a NAT, stays itself."""
        return {self.ike: IKE_PORT, self.nat_t: NAT_T_PORT}.get(port, port)


USUAL_PORTS = PortPlan()


class UdpPort(asyncio.DatagramProtocol):
    """One socket, bound to one address, so that every datagram's destination is known."""

    def __init__(self, arrived: Arrived) -> None:
        self._arrived = arrived
        self._transport: asyncio.DatagramTransport | None = None
        self._tos = 0

    @classmethod
    async def open(cls, address: bytes, port: int, arrived: Arrived) -> "UdpPort":
        """Bind. Raises OSError when the port is taken, the address not here, or the right to it missing."""
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_datagram_endpoint(
            lambda: cls(arrived), local_addr=(unpack(address), port), family=socket.AF_INET
        )
        return protocol

    def send(self, destination: bytes, port: int, payload: bytes, tos: int = 0) -> None:
        """Hand a datagram to the kernel, which chooses DF by its own path MTU and fills in the checksum.

        RFC 3948 2.1 wants the checksum of ESP in UDP to be zero, and receivers not to depend on it.
        """
        if self._transport is None:
            return
        if tos != self._tos:
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
            self._tos = tos
        self._transport.sendto(payload, (unpack(destination), port))

    def close(self) -> None:
        """Let go of the socket; harmless when repeated."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    @property
    def _socket(self) -> Any:
        assert self._transport is not None  # noqa: S101 - `send` has looked
        return self._transport.get_extra_info("socket")

    # -- what asyncio calls ---------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is bound."""
        self._transport = cast(asyncio.DatagramTransport, transport)  # not a subclass before Python 3.12

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """A datagram came."""
        if self._transport is not None:
            self._arrived(pack(addr[0]), addr[1], data)

    def error_received(self, exc: Exception) -> None:
        """ICMP said something. It may be forged, so it decides nothing (RFC 7296 2.4)."""
