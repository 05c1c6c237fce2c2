"""What is too large for a link on the way, and nobody who could do something about it is told."""

from collections import deque
from collections.abc import Iterator, Mapping

from ipsecsim.base.address import unpack
from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.net.events import FrameArrived
from ipsecsim.observe.lives.causality import followers
from ipsecsim.observe.record import Record
from ipsecsim.observe.telling.shape import count
from ipsecsim.observe.why.finding import Case, Finding
from ipsecsim.stack.events import IcmpErrorSent
from ipsecsim.wire import ip, udp
from ipsecsim.wire.ip import FragmentKey
from ipsecsim.wire.numbers import IKE_PORT, NAT_T_PORT, IpProtocol


def pmtu_blackhole(case: Case) -> Iterator[Finding]:
    """A packet with DF was too large for the next link, and its sender has never heard of that."""
    dropped = case.drops(DropReason.IP_DF_TOO_BIG)
    led_to = followers(case.recorder) if dropped else {}
    vanished: dict[tuple[str, str, bytes, bytes], list[tuple[Record, int]]] = {}
    for row, event in dropped:
        ends = ip.addresses(event.packet)
        if ends[0] in case.simulator.nodes[row.node].stack.addresses:
            continue
        silenced = _silenced(case, row, ends[0], led_to)
        if silenced is None:
            continue
        vanished.setdefault((row.node, silenced, *ends), []).append((row, len(event.packet)))
    for (node, silenced, source, destination), packets in vanished.items():
        sizes = [size for _, size in packets]
        span = f"{min(sizes)} B" if min(sizes) == max(sizes) else f"{min(sizes)} to {max(sizes)} B"
        sentence = (
            f"{node}: {count(len(packets), 'packet')} of {span} from {unpack(source)} to {unpack(destination)} "
            f"too large for the next link, and {silenced}"
        )
        yield Finding(Diagnosis.PMTU_BLACKHOLE, tuple(row for row, _ in packets), sentence)


def _silenced(case: Case, row: Record, sender: bytes, led_to: Mapping[int, list[int]]) -> str | None:
    """Where the message ended that should have told the sender; None when it got there."""
    if not any(isinstance(each.event, IcmpErrorSent) for each in case.after(row)):
        return "no ICMP error was sent"
    ended = None
    turns = deque([row.turn.number])
    while turns:
        number = turns.popleft()
        turns.extend(led_to.get(number, ()))
        for each in case.recorder.turn(number):
            event = each.event
            if each.sequence <= row.sequence:
                continue
            if isinstance(event, FrameArrived) and ip.destination(event.packet) == sender:
                if sender in case.simulator.nodes[each.node].stack.addresses:
                    return None
            elif isinstance(event, PacketDropped) and ended is None:
                ended = f"the ICMP error ended at {each.node} ({event.reason.name})"
    return ended or "the ICMP error came to nobody"


def ike_frag_lost(case: Case) -> Iterator[Finding]:
    """An IKE message that IP has cut never came together, since some of its pieces were dropped."""
    waited: dict[FragmentKey, list[Record]] = {}
    for row, event in case.drops(DropReason.FRAG_TIMEOUT):
        if _begins_ike(event.packet):
            waited.setdefault(ip.fragment_key(event.packet), []).append(row)
    if not waited:
        return
    ended: dict[FragmentKey, list[tuple[Record, DropReason]]] = {}
    for row, event in case.of(PacketDropped):
        if event.reason is not DropReason.FRAG_TIMEOUT and ip.is_fragment(event.packet):
            key = ip.fragment_key(event.packet)
            if key in waited:
                ended.setdefault(key, []).append((row, event.reason))
    found: dict[tuple[str, str, bytes, bytes], list[Record]] = {}
    for key, rows in waited.items():
        where = sorted({f"{row.node} ({reason.name})" for row, reason in ended.get(key, [])})
        at = ", ".join(where) or "nobody knows where"
        lost = [row for row, _ in ended.get(key, [])]
        found.setdefault((rows[0].node, at, *key[:2]), []).extend([*lost, *rows])
    for (node, at, source, destination), rows in found.items():
        waiting = sum(row.node == node for row in rows)
        sentence = (
            f"{node} waited in vain for the other IP fragments of {count(waiting, 'IKE message')} "
            f"from {unpack(source)} to {unpack(destination)}; they ended at {at}"
        )
        yield Finding(Diagnosis.IKE_FRAG_LOST, tuple(sorted(rows, key=lambda row: row.sequence)), sentence)


def _begins_ike(fragment: bytes) -> bool:
    """Is this the first piece of a datagram between the ports of IKE?"""
    protocol, at = ip.upper_layer(fragment)
    if protocol != IpProtocol.UDP or ip.fragment_offset(fragment) or len(fragment) < at + udp.HEADER_LENGTH:
        return False
    ports = int.from_bytes(fragment[at : at + 2], "big"), int.from_bytes(fragment[at + 2 : at + 4], "big")
    return bool({IKE_PORT, NAT_T_PORT} & set(ports))
