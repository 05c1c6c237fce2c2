"""The path MTU of each outbound SA, and what fits into it (RFC 4301 8)."""

from enum import Enum

from ipsecsim.base.instant import Instant
from ipsecsim.base.timers import Timers
from ipsecsim.base.trace import Tap
from ipsecsim.ipsec.association import SecurityAssociation
from ipsecsim.ipsec.esp import Esp
from ipsecsim.ipsec.events import SaPathMtuLowered
from ipsecsim.ipsec.outbound import protected_length
from ipsecsim.ipsec.settings import Settings
from ipsecsim.ipsec.surroundings import Surroundings
from ipsecsim.ipsec.transport import TransportForm
from ipsecsim.ipsec.tunnel import OuterDontFragment, TunnelForm
from ipsecsim.wire import ip, ipv4, ipv6
from ipsecsim.wire.udp import HEADER_LENGTH as UDP_HEADER_LENGTH


class Fate(Enum):
    """What becomes of a packet, by its length."""

    FITS = "fits"
    CUT_BEFORE = "is cut, and each piece protected"
    CUT_AFTERWARDS = "is protected, and the result is cut"
    TOO_BIG = "is too big"


class PathMtus:
    """Keeps `look_length` and `path_mtu` of all outbound SAs up to date.

    What an ICMP message said about an SA is forgotten in time; what the host knows is asked for anew whenever a
    packet seems too long.
    """

    def __init__(self, surroundings: Surroundings, settings: Settings, tap: Tap | None) -> None:
        self._surroundings = surroundings
        self._settings = settings
        self.tap = tap
        self._timers: Timers[SecurityAssociation] = Timers()

    def refresh(self, sa: SecurityAssociation) -> int:
        """Ask the host, and say what the path MTU is."""
        mtu = min(self._surroundings.mtu_towards(sa.parameters.destination), ipv4.LARGEST_PACKET)
        if sa.path_mtu is not None:
            mtu = min(mtu, sa.path_mtu)
        is_ipv4 = len(sa.parameters.destination) == 4
        sa.look_length = _largest(sa, mtu, ipv4.HEADER_LENGTH if is_ipv4 else ipv6.HEADER_LENGTH)
        if isinstance(sa.transform, Esp):
            sa.transform.limit_flow_padding(sa.look_length)
        return mtu

    def lower(self, sa: SecurityAssociation, mtu: int, now: Instant) -> None:
        """Take in what an ICMP message said about a packet of this SA; a path MTU is never raised by it."""
        if len(sa.parameters.destination) == 4:
            mtu = max(mtu, ipv4.SMALLEST_PATH_MTU)
        elif mtu < ipv6.MINIMUM_MTU:  # such a message is discarded (RFC 8201 4)
            return
        if sa.path_mtu is not None and sa.path_mtu <= mtu:
            return
        sa.path_mtu = mtu
        self._timers.set(sa, now + self._settings.path_mtu_lifetime)
        self.refresh(sa)
        if self.tap is not None:
            self.tap(SaPathMtuLowered(sa.spi, sa.parameters.policy, mtu, sa.look_length))

    def forget(self, sa: SecurityAssociation) -> None:
        """The SA is gone."""
        self._timers.cancel(sa)

    def next_deadline(self) -> Instant | None:
        """When a path MTU is to be forgotten."""
        return self._timers.next_deadline()

    def forget_old(self, now: Instant) -> None:
        """Try larger packets again (RFC 4301 8.2.2)."""
        for sa in self._timers.pop_expired(now):
            sa.path_mtu = None
            self.refresh(sa)

    def judge(self, sa: SecurityAssociation, packet: bytes) -> tuple[Fate, int]:
        """What is to be done with a packet that looks too long, and how long it might have been.

        RFC 4301 8.2.1: an IPv4 packet without DF is cut, before or after as the SA says; others are refused.
        """
        mtu = self.refresh(sa)
        largest = _largest(sa, mtu, sa.form.header_length(packet))
        if len(packet) <= largest:
            return Fate.FITS, largest
        is_ipv6, may_be_cut = ip.version(packet) == 6, ip.may_be_fragmented_on_the_way(packet)
        is_possible = protected_length(sa, packet) <= _largest_packet(sa)
        if isinstance(sa.form, TransportForm):
            # who protects in transport mode is the source, and cuts afterwards (RFC 4303 3.3.4)
            return (Fate.CUT_AFTERWARDS if is_possible and (is_ipv6 or may_be_cut) else Fate.TOO_BIG), largest
        if is_ipv6 and largest < ipv6.MINIMUM_MTU:
            # no link may be smaller for IPv6 (RFC 8200 5): what it allows must get through, in pieces outside
            largest = ipv6.MINIMUM_MTU
            if len(packet) <= largest:
                return Fate.CUT_AFTERWARDS, largest
        if not may_be_cut:
            return Fate.TOO_BIG, largest
        parameters, carries_pieces = sa.parameters, _carries_fragments(sa)
        if not is_possible:
            return (Fate.CUT_BEFORE if carries_pieces else Fate.TOO_BIG), largest
        is_before = parameters.fragment_first or parameters.dont_fragment is OuterDontFragment.SET
        return (Fate.CUT_BEFORE if carries_pieces and is_before else Fate.CUT_AFTERWARDS), largest


def _largest_packet(sa: SecurityAssociation) -> int:
    """The length fields of the outer header allow no more."""
    if len(sa.parameters.destination) == 4:
        return ipv4.LARGEST_PACKET
    return ipv6.HEADER_LENGTH + ipv6.LARGEST_PAYLOAD


def _largest(sa: SecurityAssociation, mtu: int, header: int) -> int:
    """The longest packet whose protected form is no longer than `mtu`; `header` bytes of IP stand in front."""
    form = sa.form
    if isinstance(form, TunnelForm):
        header = form.outer.length
    room = mtu - header - (0 if sa.parameters.udp_ports is None else UDP_HEADER_LENGTH)
    payload = sa.transform.largest_payload(room)
    return payload + header if isinstance(form, TransportForm) else payload


def _carries_fragments(sa: SecurityAssociation) -> bool:
    """Not where the peer would look for ports in each piece (RFC 4301 7.3)."""
    parameters = sa.parameters
    return parameters.stateful_fragments or not any(row.names_ports for row in parameters.selectors)
