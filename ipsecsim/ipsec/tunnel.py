"""Tunnel mode: the outer header made from the inner packet, and what the outer one says on the way out.

RFC 4301 5.1.2 has the table of fields, RFC 6040 the rules for ECN. IP versions inside and outside may differ.
"""

from collections.abc import Callable
from enum import Enum
from functools import cache
from struct import Struct

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import LocalError
from ipsecsim.ipsec.errors import Refused
from ipsecsim.wire import ip, ipv4, ipv6
from ipsecsim.wire.checksum import update
from ipsecsim.wire.numbers import IpProtocol
from ipsecsim.wire.reader import Malformed

# version and type of service, length, ID, flags, time to live and protocol, checksum, addresses
_IPV4 = Struct("!HHHHHH8s")
_IPV6 = Struct("!IHBB32s")
_DF = 0x4000
_ECN = 3

_NOT_ECT, _ECT_1, _ECT_0, _CE = range(4)  # RFC 3168 5
_DROP = -1
# RFC 6040 figure 4: a row for each inner codepoint, a column for each outer one, both in the order above.
_ECN_AT_EXIT = (
    (_NOT_ECT, _NOT_ECT, _NOT_ECT, _DROP),
    (_ECT_1, _ECT_1, _ECT_1, _CE),
    (_ECT_0, _ECT_1, _ECT_0, _CE),
    (_CE, _CE, _CE, _CE),
)

_VERSIONS: dict[int, int] = {IpProtocol.IPV4: 4, IpProtocol.IPV6: 6}
_NEXT_HEADERS = {version: number for number, version in _VERSIONS.items()}


class OuterDontFragment(Enum):
    """Where the outer DF bit comes from, when both headers are IPv4 (RFC 4301 8.1)."""

    COPY = "copy"
    SET = "set"
    CLEAR = "clear"


class EcnEntry(Enum):
    """What the tunnel's entry writes into the outer ECN field (RFC 6040 4.1)."""

    NORMAL = "normal"
    COMPATIBILITY = "compatibility"


class OuterHeader:
    """All of the outer header that does not change, prepared once; `before` makes the rest of it.

    Addresses are packed. `dscp` None copies the inner one. `identification` gives a fresh IPv4 one each time.
    """

    __slots__ = (
        "_addresses",
        "_fixed_sum",
        "_flags",
        "_hop_limit",
        "_identification",
        "_protocol",
        "_time_and_protocol",
        "_tos",
        "destination",
        "is_ipv6",
        "length",
        "source",
    )

    def __init__(
        self,
        source: bytes,
        destination: bytes,
        protocol: int,
        identification: Callable[[], int],
        *,
        dont_fragment: OuterDontFragment = OuterDontFragment.COPY,
        dscp: int | None = None,
        ecn: EcnEntry = EcnEntry.NORMAL,
        hop_limit: int = 64,
    ) -> None:
        if len(source) != len(destination):
            raise LocalError("the ends of a tunnel have addresses of different families")
        self.source = source
        self.destination = destination
        self.is_ipv6 = len(source) == 16
        self.length = ipv6.HEADER_LENGTH if self.is_ipv6 else ipv4.HEADER_LENGTH
        self._addresses = source + destination
        self._protocol = protocol
        self._hop_limit = hop_limit
        self._identification = identification
        self._flags = _outer_flags(dont_fragment)
        self._time_and_protocol = hop_limit << 8 | protocol
        self._fixed_sum = (int.from_bytes(self._addresses, "big") + self._time_and_protocol) % 0xFFFF + 0x4500
        self._tos = _tos_table(dscp, ecn)

    def before(self, inner: bytes, length: int) -> bytes:
        """The header in front of `length` bytes of ESP or AH around `inner`.

        Raises LocalError above 65535 bytes.
        """
        if inner[0] >> 4 == 4:
            tos, flags = self._tos[inner[1]], self._flags[inner[6] >> 6 & 1]
        else:
            tos, flags = self._tos[ipv6.traffic_class(inner)], self._flags[1]
        if self.is_ipv6:
            if length > ipv6.LARGEST_PAYLOAD:
                raise LocalError(f"an IPv6 packet cannot carry {length} bytes")
            # RFC 4301 5.1.2.2, note 8: a gateway must not copy the flow label; 0 means none
            first = 6 << 28 | tos << 20
            return _IPV6.pack(first, length, self._protocol, self._hop_limit, self._addresses)
        total = ipv4.HEADER_LENGTH + length
        if total > ipv4.LARGEST_PACKET:
            raise LocalError(f"an IPv4 packet cannot have {total} bytes")
        identification = self._identification()
        checksum = -(self._fixed_sum + tos + total + identification + flags) % 0xFFFF
        return _IPV4.pack(
            0x4500 | tos, total, identification, flags, self._time_and_protocol, checksum, self._addresses
        )

    def traffic_class(self, inner: bytes) -> int:
        """DSCP and ECN of the outer header: copied, or mapped by the SA (RFC 4301 5.1.2.1)."""
        return self._tos[inner[1] if inner[0] >> 4 == 4 else ipv6.traffic_class(inner)]

    def dont_fragment(self, inner: bytes) -> bool:
        """The outer DF bit (RFC 4301 8.1). An IPv6 packet inside may not be cut by routers, so neither outside."""
        return bool(self._flags[inner[6] >> 6 & 1 if inner[0] >> 4 == 4 else 1])


def _outer_flags(dont_fragment: OuterDontFragment) -> tuple[int, int]:
    """The flags field, for an inner packet without and with DF."""
    if dont_fragment is OuterDontFragment.COPY:
        return 0, _DF
    return (_DF, _DF) if dont_fragment is OuterDontFragment.SET else (0, 0)


@cache
def _tos_table(dscp: int | None, ecn: EcnEntry) -> bytes:
    """The outer byte of DSCP and ECN for every inner one."""
    return bytes(
        (inner & ~_ECN if dscp is None else dscp << 2)
        | (inner & _ECN if ecn is EcnEntry.NORMAL else _NOT_ECT)
        for inner in range(256)
    )


class TunnelForm:
    """A whole packet inside a new one."""

    __slots__ = ("_copy_dscp_in", "header", "outer")

    def __init__(self, outer: OuterHeader, *, copy_dscp_in: bool = False) -> None:
        self.outer = outer
        self.header = outer.before
        self._copy_dscp_in = copy_dscp_in

    def header_length(self, packet: bytes) -> int:
        """Bytes of IP header that will stand in front of ESP or AH."""
        return self.outer.length

    def enclose(self, packet: bytes) -> tuple[bytes, int]:
        """What goes into ESP or AH, and the next header that names it."""
        return packet, _NEXT_HEADERS[packet[0] >> 4]

    def disclose(self, outer: bytes, start: int, payload: bytes, next_header: int) -> bytes:
        """The inner packet, checked, and changed where the outer header asks for it.

        Raises RemoteError: MODE_MISMATCH, INNER_MALFORMED, ECN_ILLEGAL.
        """
        version = _VERSIONS.get(next_header)
        if version is None:
            raise Refused(DropReason.MODE_MISMATCH, f"next header {next_header} on a tunnel SA")
        inner = _checked(payload, version)
        if version == 4 and outer[1] == inner[1] and outer[0] >> 4 == 4:
            return inner  # as nearly always: nobody has marked the outer header
        arrived, own = ip.traffic_class(outer), ip.traffic_class(inner)
        ecn = _ECN_AT_EXIT[own & _ECN][arrived & _ECN]
        if ecn == _DROP:
            raise Refused(
                DropReason.ECN_ILLEGAL, "congestion on the way, and the sender would not understand it"
            )
        changed = (arrived if self._copy_dscp_in else own) & ~_ECN | ecn
        return inner if changed == own else _with_traffic_class(inner, changed)


def _checked(payload: bytes, version: int) -> bytes:
    """The inner packet at its own length: what follows it is traffic flow padding (RFC 4303 2.7)."""
    try:
        total = ipv4.check(payload) if version == 4 else ipv6.check(payload)
    except Malformed as wrong:
        raise Refused(DropReason.INNER_MALFORMED, str(wrong)) from wrong
    return payload if total == len(payload) else payload[:total]


def _with_traffic_class(packet: bytes, value: int) -> bytes:
    if packet[0] >> 4 == 6:
        first = int.from_bytes(packet[:4], "big") & 0xF00F_FFFF | value << 20
        return first.to_bytes(4, "big") + packet[4:]
    old, new = packet[0] << 8 | packet[1], packet[0] << 8 | value
    checksum = update(packet[10] << 8 | packet[11], old, new)
    return new.to_bytes(2, "big") + packet[2:10] + checksum.to_bytes(2, "big") + packet[12:]
