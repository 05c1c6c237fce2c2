"""Inbound processing of one ESP or AH packet, in the order of RFC 4301 5.2, RFC 4303 3.4 and RFC 4302 3.4."""

from ipsecsim.base.actions import Action
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import Instant
from ipsecsim.base.trace import Tap
from ipsecsim.ipsec.access import check_access
from ipsecsim.ipsec.actions import SenderMoved
from ipsecsim.ipsec.association import LAST_EXTENDED_SEQUENCE, SecurityAssociation
from ipsecsim.ipsec.errors import Refused, Wayward
from ipsecsim.ipsec.events import PacketOpened, ReplayRejected, SequenceResynchronised
from ipsecsim.ipsec.policy import SecurityPolicyDatabase
from ipsecsim.ipsec.sad import SecurityAssociationDatabase
from ipsecsim.ipsec.selector import flow_key
from ipsecsim.wire import ah, esp, ip, udp
from ipsecsim.wire.numbers import IpProtocol

RESYNCHRONISE_AFTER = 64  # integrity failures in a row (RFC 4303 A3.1)
MOST_SUBSPACES_TRIED = 4  # high halves tried for one packet (RFC 4303 A3.2)

# to look into an Enum takes long, per packet
_ESP, _UDP, _NO_NEXT = int(IpProtocol.ESP), int(IpProtocol.UDP), int(IpProtocol.NO_NEXT)
_LOW_HALF = 0xFFFF_FFFF
_NOT_AUTHENTIC = (DropReason.ICV_FAIL, DropReason.AH_ICV_FAIL)


def unprotect(
    sad: SecurityAssociationDatabase,
    spd: SecurityPolicyDatabase,
    protocol: int,
    packet: bytes,
    start: int,
    now: Instant,
    tap: Tap | None,
) -> tuple[SecurityAssociation, bytes]:
    """Find the SA, check and open the packet, and return both SA and the packet that was inside.

    `packet` is a whole IP packet in which ESP or AH (`protocol`) begins at `start`, behind a UDP header perhaps.
    Raises RemoteError with the reason of the first check that fails; the replay window moves only once the
    integrity check held (RFC 4303 3.4.3).
    """
    if packet[0] >> 4 == 4:
        end, is_whole = packet[2] << 8 | packet[3], not (packet[6] & 0x3F or packet[7])
    else:
        end, is_whole = ip.total_length(packet), ip.is_whole(packet)
    is_esp = protocol == _ESP
    if not is_whole:
        raise Refused(DropReason.ESP_FRAGMENT if is_esp else DropReason.AH_FRAGMENT)
    spi, low = (esp if is_esp else ah).numbers(packet, start, end)
    sa = sad.inbound(protocol, spi)
    if sa is None:
        raise Refused(DropReason.NO_SA, f"SPI {spi:08x}, sequence {low}", Wayward(spi))
    sequence = sa.replay.whole(low)
    reason = sa.replay.check(sequence)
    if reason is not None:
        raise _replayed(sa, sequence, reason, tap)
    try:
        authentic = sa.transform.open(packet, start, end, sequence)
        sa.failures = 0
    except RemoteError as failed:
        authentic, sequence = _open_later(sa, packet, start, end, sequence, failed, tap)
    # now, whatever is wrong inside: an authentic packet must not be tried twice
    sa.replay.accept(sequence)
    payload, next_header = sa.transform.content(authentic)
    if next_header == _NO_NEXT and is_esp:  # under AH it is a packet of no protocol
        raise Refused(DropReason.DUMMY)
    inner = sa.form.disclose(packet, start, payload, next_header)
    key = flow_key(inner)
    if key is None or key not in sa.accepted_flows or sa.accepted_revision != spd.revision:
        check_access(sa, sad, spd, inner, key, now)
    if tap is not None:
        tap(
            PacketOpened(
                spi,
                sequence,
                sa.parameters.policy,
                inner,
                sa.replay.top if sa.parameters.replay_window else None,
                sa.parameters.protocol.name,
                sa.transform.is_authenticated,
            )
        )
    return sa, inner


def sender_moved(sa: SecurityAssociation, packet: bytes, start: int) -> list[Action]:
    """What IKE is to hear when a packet that was just opened came from elsewhere than its SA's others.

    Only the newest one can say so, and only where replays are looked for: an old packet, sent again from somewhere
    else, would lead the answers astray (RFC 7296 2.23).
    """
    known = sa.parameters
    if known.udp_ports is None or ip.upper_layer(packet)[0] != _UDP:
        return []
    source, ports = ip.source(packet), packet[start - udp.HEADER_LENGTH : start]
    port, own_port = ports[0] << 8 | ports[1], ports[2] << 8 | ports[3]
    if port == known.udp_ports[0] and source == known.source:
        return []
    # without a window a copy would do as well
    if not known.replay_window or esp.numbers(packet, start)[1] != sa.replay.top & _LOW_HALF:
        return []
    return [SenderMoved(sa.spi, source, port, ip.destination(packet), own_port)]


def _open_later(
    sa: SecurityAssociation,
    packet: bytes,
    start: int,
    end: int,
    sequence: int,
    failed: RemoteError,
    tap: Tap | None,
) -> tuple[bytes, int]:
    """What is authentic of a packet that did not open, and its whole sequence number, if it was that.

    Raises `failed`, as long as too few have failed in a row.
    """
    if failed.reason not in _NOT_AUTHENTIC:
        raise failed
    sa.failures += 1
    if not sa.parameters.extended_sequence or sa.failures < RESYNCHRONISE_AFTER:
        raise failed
    return _resynchronise(sa, packet, start, end, sequence, tap)


def _resynchronise(
    sa: SecurityAssociation, packet: bytes, start: int, end: int, sequence: int, tap: Tap | None
) -> tuple[bytes, int]:
    """Perhaps 2^32 packets were lost: try the next high halves (RFC 4303 A3.2)."""
    # counted afresh, so that a stream of forgeries does not make every packet cost so much
    sa.failures = 0
    for tried in range(1, MOST_SUBSPACES_TRIED):
        later = sequence + (tried << 32)
        if later > LAST_EXTENDED_SEQUENCE:
            break
        try:
            authentic = sa.transform.open(packet, start, end, later)
        except RemoteError:
            continue
        if tap is not None:
            tap(SequenceResynchronised(sa.spi, sequence, later))
        return authentic, later
    return sa.transform.open(packet, start, end, sequence), sequence  # fails, with its reason


def _replayed(sa: SecurityAssociation, sequence: int, reason: DropReason, tap: Tap | None) -> Refused:
    if tap is not None:
        tap(ReplayRejected(sa.spi, sequence, sa.replay.top))
    return Refused(reason, f"sequence {sequence}, window top {sa.replay.top}")
