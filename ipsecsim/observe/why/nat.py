"""What NATs do to traffic that nobody on either end did anything wrong to (RFC 3715)."""

from collections.abc import Iterator
from dataclasses import replace

from ipsecsim.base.address import unpack
from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import format_seconds
from ipsecsim.ipsec.association import Direction
from ipsecsim.ipsec.events import PacketSealed, SaConflictFound
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.selector import flow_of
from ipsecsim.net.events import FrameArrived, FrameSent
from ipsecsim.observe.record import Record
from ipsecsim.observe.telling.shape import count
from ipsecsim.observe.why.finding import Case, Finding
from ipsecsim.stack.events import PacketReassembled
from ipsecsim.stack.nat import rewriting
from ipsecsim.stack.nat.events import MappingEnded, MappingMade, PacketTranslated
from ipsecsim.stack.nat.mappings import OutsideKey
from ipsecsim.wire import ip
from ipsecsim.wire.checksum import transport_is_valid
from ipsecsim.wire.headers import Security, security
from ipsecsim.wire.ike.numbers import ExchangeType
from ipsecsim.wire.in_udp import ike_of
from ipsecsim.wire.numbers import IpProtocol, protocol_name

Ends = tuple[bytes, bytes]
"""Source and destination of a packet, packed."""

_WITH_PORTS = (IpProtocol.TCP, IpProtocol.UDP)
_TO_NOBODY = (
    DropReason.NAT_MAPPING_EXPIRED,
    DropReason.NAT_NO_MAPPING,
    DropReason.NO_NEIGHBOUR,
    DropReason.PORT_CLOSED,
)
"""Where a packet ends whose mapping is gone: at the NAT, or where its address outside has been."""


def ah_icv_nat(case: Case) -> Iterator[Finding]:
    """AH arrived with other addresses than it was sent with."""
    failed = case.drops(DropReason.AH_ICV_FAIL)
    sent: dict[Security, Ends] = {}
    for _, event in case.of(FrameSent) if failed else ():
        found = security(event.packet)
        if found is not None and found.protocol == "AH":
            sent.setdefault(found, ip.addresses(event.packet))
    changed: dict[tuple[str, int, Ends, Ends], list[Record]] = {}
    for row, dropped in failed:
        found = security(dropped.packet)
        before, after = sent.get(found) if found else None, ip.addresses(dropped.packet)
        if found is not None and before is not None and before != after:
            changed.setdefault((row.node, found.spi, before, after), []).append(row)
    for (node, spi, before, after), rows in changed.items():
        sentence = f"{node}: AH SPI {spi:08x} was signed with {_difference(case, before, after)}"
        yield Finding(Diagnosis.AH_ICV_NAT, tuple(rows), sentence)


def transport_nat_checksum(case: Case) -> Iterator[Finding]:
    """What ESP brought is right for the addresses of its sender, and wrong for those with which it arrived."""
    failed = case.drops(DropReason.UDP_CHECKSUM, DropReason.SA_SELECTOR_MISMATCH)
    sealed = {
        Security.of(event.protocol, event.spi, event.sequence): event
        for _, event in (case.of(PacketSealed) if failed else ())
        if (event.protocol, event.mode) == ("ESP", "transport")
    }
    changed: dict[tuple[str, int, Ends, Ends], list[Record]] = {}
    for row, _ in failed:
        arrived = _arrived(case, row)
        found = security(arrived)
        made = sealed.get(found) if found else None
        if found is None or made is None:
            continue
        before, after = ip.addresses(made.inner), ip.addresses(arrived)
        if _fits(made.inner, before) and not _fits(made.inner, after):
            changed.setdefault((row.node, found.spi, before, after), []).append(row)
    for (node, spi, before, after), rows in changed.items():
        counted = _difference(case, before, after)
        sentence = f"{node}: what came in ESP SPI {spi:08x} has a checksum that counts {counted}"
        yield Finding(Diagnosis.TRANSPORT_NAT_CHECKSUM, tuple(rows), sentence)


def responder_behind_nat(case: Case) -> Iterator[Finding]:
    """The first message of an IKE SA came to a NAT, and nobody inside is to get it."""
    turned_away: dict[tuple[str, int], list[Record]] = {}
    for row, event in case.drops(DropReason.NAT_NO_MAPPING, DropReason.NAT_FILTERED):
        header = ike_of(event.packet)
        if header is None or header.exchange != ExchangeType.IKE_SA_INIT or any(header.spi_r):
            continue
        flow = rewriting.flow_of(event.packet)
        port = 0 if flow is None else flow.destination[1]
        turned_away.setdefault((row.node, port), []).append(row)
    for (node, port), rows in turned_away.items():
        sentence = (
            f"{node}: {count(len(rows), 'first message', 'first messages')} of IKE came to UDP {port}, "
            "and it has no forward for that"
        )
        yield Finding(Diagnosis.RESPONDER_BEHIND_NAT, tuple(rows), sentence)


def nat_mapping_lost(case: Case) -> Iterator[Finding]:
    """Packets came for a mapping that a NAT no longer has."""
    events: list[tuple[Record, MappingMade | MappingEnded]] = [*case.of(MappingMade), *case.of(MappingEnded)]
    history: dict[OutsideKey, list[tuple[Record, MappingMade | MappingEnded]]] = {}
    for row, event in sorted(events, key=lambda pair: pair[0].sequence):
        history.setdefault((event.protocol, event.outside), []).append((row, event))
    lost: dict[int, tuple[Record, MappingEnded, list[Record]]] = {}
    for row, dropped in case.drops(*_TO_NOBODY) if events else ():
        flow = rewriting.flow_of(dropped.packet) if ip.version(dropped.packet) == 4 else None
        known = () if flow is None else history.get((flow.protocol, flow.destination), ())
        last = next((each for each in reversed(known) if each[0].sequence < row.sequence), None)
        if last is None:
            continue
        end, event = last
        if isinstance(event, MappingEnded):
            lost.setdefault(end.sequence, (end, event, []))[2].append(row)
    for end, event, rows in lost.values():
        (inside, port), (outside, outside_port) = event.inside, event.outside
        sentence = (
            f"{end.node}: {protocol_name(event.protocol)} {unpack(inside)}:{port} was "
            f"{unpack(outside)}:{outside_port} until {format_seconds(end.at, 3)} ({event.why}); "
            f"{count(len(rows), 'packet')} came for it afterwards"
        )
        yield Finding(Diagnosis.NAT_MAPPING_LOST, (end, *rows), sentence)


def spd_conflict_same_outer(case: Case) -> Iterator[Finding]:
    """Two peers want SAs for the same traffic, since both have the address of one NAT."""
    found: dict[tuple[str, str, str], list[tuple[Record, SaConflictFound]]] = {}
    for row, event in case.of(SaConflictFound):
        if event.mode == "transport":
            found.setdefault((row.node, event.peer, event.standing_peer), []).append((row, event))
    for (node, peer, standing), conflicts in found.items():
        first = conflicts[0][1]
        outcome = "is refused" if first.is_refused else f"takes what {standing} was to get"
        sentence = (
            f"{node}: {peer} wants transport mode for {', '.join(first.selectors)} as {standing} has it, "
            f"and {outcome}"
        )
        yield Finding(Diagnosis.SPD_CONFLICT_SAME_OUTER, tuple(row for row, _ in conflicts), sentence)


def nat_before_spd(case: Case) -> Iterator[Finding]:
    """A packet that a rule protects had another source by the time policy was asked."""
    missed: dict[tuple[str, str, bytes, bytes], list[Record]] = {}
    for row, event in case.drops(DropReason.SPD_NO_MATCH, DropReason.SPD_DISCARD):
        translated = _source_changed(case, row)
        if translated is None or row.node not in case.gateways:
            continue
        policy = _rule_before(case, row.node, event.packet, translated)
        if policy is not None and policy.action is PolicyAction.PROTECT:
            key = row.node, policy.name, translated.before[0], translated.after[0]
            missed.setdefault(key, []).append(row)
    for (node, rule, before, after), rows in missed.items():
        sentence = (
            f"{node}: rule {rule} is for {unpack(before)}, and the NAT of the same box had made it "
            f"{unpack(after)}; an exemption would help"
        )
        yield Finding(Diagnosis.NAT_BEFORE_SPD, tuple(rows), sentence, ((node, rule),))


def _difference(case: Case, before: Ends, after: Ends) -> str:
    """'source 192.168.1.2, which box made 192.0.2.1': of several NATs the last one is named."""
    made = {(event.where, event.after[0]): row.node for row, event in case.of(PacketTranslated)}
    return " and ".join(
        f"{end} {unpack(was)}, which {made.get((end, now), 'somebody')} made {unpack(now)}"
        for end, was, now in zip(("source", "destination"), before, after, strict=True)
        if was != now
    )


def _arrived(case: Case, row: Record) -> bytes:
    """The packet with which a turn began, put together; empty when it began otherwise."""
    for earlier in reversed(case.before(row)):
        if isinstance(earlier.event, FrameArrived | PacketReassembled):
            return earlier.event.packet
    return b""


def _fits(packet: bytes, ends: Ends) -> bool:
    """Is the checksum of a packet's TCP or UDP right for these addresses? So it is where there is none."""
    protocol, start = ip.upper_layer(packet)
    segment = packet[start : ip.total_length(packet)]
    if protocol not in _WITH_PORTS or (protocol == IpProtocol.UDP and not any(segment[6:8])):
        return True
    return transport_is_valid(*ends, protocol, segment)


def _source_changed(case: Case, row: Record) -> PacketTranslated | None:
    """How a packet's source was exchanged in the turn in which it was dropped."""
    for earlier in reversed(case.before(row)):
        if isinstance(earlier.event, PacketTranslated) and earlier.event.where == "source":
            return earlier.event
    return None


def _rule_before(case: Case, node: str, packet: bytes, translated: PacketTranslated) -> Policy | None:
    """The SPD rule for a packet as it was before the NAT of this node."""
    flow = flow_of(packet)
    address, port = translated.before
    if flow.protocol in _WITH_PORTS and flow.source_port is not None:
        flow = replace(flow, source_port=port)
    return case.gateways[node].ipsec.spd.search(replace(flow, source=address), Direction.OUTBOUND)
