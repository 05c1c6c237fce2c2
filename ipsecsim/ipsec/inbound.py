"""Inbound processing of one ESP packet, in the order of RFC 4301 5.2 and RFC 4303 3.4."""

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import Instant
from ipsecsim.base.trace import Tap
from ipsecsim.ipsec.association import SecurityAssociation
from ipsecsim.ipsec.events import PacketOpened, ReplayRejected
from ipsecsim.ipsec.sad import SecurityAssociationDatabase
from ipsecsim.ipsec.selector import any_matches_inbound, flow_key, flow_of
from ipsecsim.wire import esp, ipv4
from ipsecsim.wire.numbers import IpProtocol
from ipsecsim.wire.reader import Malformed

MOST_ACCEPTED_FLOWS = 10_000  # remembered for an SA; an authentic peer must not fill the memory either


class Refused(RemoteError):
    """A received ESP packet failed a check; `reason` says which."""

    def __init__(self, reason: DropReason, detail: str = "") -> None:
        super().__init__(detail or reason.sentence)
        self.reason = reason


def unprotect(
    sad: SecurityAssociationDatabase, payload: bytes, now: Instant, tap: Tap | None
) -> tuple[SecurityAssociation, bytes]:
    """Find the SA, check and open the packet, and return both SA and inner packet.

    `payload` starts at the SPI. Raises RemoteError with the reason of the first check that fails;
    the replay window moves only once the integrity check held (RFC 4303 3.4.3).
    """
    spi, sequence, sealed = esp.split(payload)
    sa = sad.inbound(spi)
    if sa is None:
        raise Refused(DropReason.NO_SA, f"SPI {spi:08x}")
    _check_replay(sa, sequence, tap)
    plaintext = _open(sa, payload, sealed)
    sa.replay.accept(sequence)
    inner, next_header = esp.strip_trailer(plaintext)
    if next_header == IpProtocol.NO_NEXT:
        raise Refused(DropReason.DUMMY)
    if next_header != IpProtocol.IPV4:
        raise Refused(DropReason.MODE_MISMATCH, f"next header {next_header} on a tunnel SA")
    inner = _checked_inner(inner)
    _check_selectors(sa, inner)
    sa.packets += 1
    sa.octets += len(inner)
    sa.last_used = now
    if tap is not None:
        tap(PacketOpened(spi, sequence, sa.parameters.policy, inner, sa.replay.top))
    return sa, inner


def decapsulate(sa: SecurityAssociation, payload: bytes, sealed: bytes | memoryview) -> tuple[bytes, int]:
    """Check the seal and take the trailer off: the payload data and its next header."""
    return esp.strip_trailer(_open(sa, payload, sealed))


def _open(sa: SecurityAssociation, payload: bytes, sealed: bytes | memoryview) -> bytes:
    """Check the seal: payload data and trailer."""
    protection = sa.protection
    ciphertext = len(sealed) - protection.iv_length - protection.icv_length
    if ciphertext < 2:  # pad length and next header
        raise Refused(DropReason.ESP_SHORT, f"{len(payload)} bytes")
    if ciphertext % protection.alignment:
        raise Refused(DropReason.ESP_ALIGN, f"{ciphertext} bytes of ciphertext")
    return protection.open(payload[: esp.HEADER.size], sealed)


def _check_replay(sa: SecurityAssociation, sequence: int, tap: Tap | None) -> None:
    reason = sa.replay.check(sequence)
    if reason is None:
        return
    if tap is not None:
        tap(ReplayRejected(sa.spi, sequence, sa.replay.top))
    raise Refused(reason, f"sequence {sequence}, window top {sa.replay.top}")


def _check_selectors(sa: SecurityAssociation, inner: bytes) -> None:
    """An authentic packet may still lie about what it is (RFC 4301 5.2, step 4)."""
    key = flow_key(inner)
    if key is not None and key in sa.accepted_flows:
        return
    flow = flow_of(inner)
    if not any_matches_inbound(sa.parameters.selectors, flow):
        raise Refused(DropReason.SA_SELECTOR_MISMATCH, str(flow))
    if key is not None:
        if len(sa.accepted_flows) >= MOST_ACCEPTED_FLOWS:
            sa.accepted_flows.clear()
        sa.accepted_flows.add(key)


def _checked_inner(inner: bytes) -> bytes:
    """The inner packet at its own length: what follows it is traffic flow padding (RFC 4303 2.7)."""
    try:
        ipv4.check(inner)
    except Malformed as wrong:
        raise Refused(DropReason.INNER_MALFORMED, str(wrong)) from wrong
    total = int.from_bytes(inner[2:4], "big")
    return inner if total == len(inner) else inner[:total]
