"""What AH and ESP survive on the road, from the bytes that arrive: boxes that rewrite, and NATs (RFC 3715 2.1)."""

import hmac
from collections.abc import Callable
from hashlib import sha256

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.ipsec.association import Direction
from ipsecsim.ipsec.events import PacketOpened
from ipsecsim.net.events import DatagramReceived, EchoReplyReceived, FrameArrived, FrameSent
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.scenario import read
from ipsecsim.stack.path import Hook, Passage
from ipsecsim.wire import ipv4
from ipsecsim.wire.checksum import replaced, transport_checksum, transport_is_valid
from ipsecsim.wire.numbers import IpProtocol

ROAD = """
name: road
nodes:
  alice: {kind: host}
  hop: {kind: router}
  box: {kind: BOX}
  bob: {kind: host}
links: {inside: [alice, hop], middle: [hop, box], outside: [box, bob]}
tunnels: {hand: {ends: [alice, bob], keying: manual, child: {mode: MODE, PROPOSALS}}}
script: [do: SCRIPT]
"""
AH, ESP = "ah_proposals: sha256", "esp_proposals: aes256gcm16"
AH_NAT = "nat, nat: {ah: pass}"
PING = "ping alice bob df=yes"

LED_INSIDE = """
name: led_inside
nodes:
  alice:
    kind: host
    ipsec:
      sas: {out: {spi: 0x1001, src: alice, dst: box, PROPOSALS, key: seed:k1}}
      spd: [protect dst=NAMED sa=out mode=MODE, discard]
  hop: {kind: router}
  box: {kind: nat, nat: {outside: middle, ah: pass, forward: [proto=ah to=bob, proto=esp to=bob]}}
  bob:
    kind: host
    ipsec:
      sas: {in: {spi: 0x1001, src: alice, dst: bob, PROPOSALS, key: seed:k1, mode: MODE}}
      spd: [protect src=alice sa=in dir=in, discard]
links: {outside: [alice, hop], middle: [hop, box], inside: [box, bob]}
script: [do: send alice NAMED dport=9 size=10]
"""
"""A NAT that changes the destination: alice knows only the address outside."""

ANY_SOURCE = """
name: any_source
nodes:
  alice:
    kind: host
    ipsec:
      sas: {out: {spi: 0x1001, src: alice, dst: bob, esp_proposals: aes256gcm16, key: seed:k1}}
      spd: [protect dst=bob sa=out, discard]
  box: {kind: nat}
  bob:
    kind: host
    ipsec:
      sas: {in: {spi: 0x1001, src: alice, dst: bob, esp_proposals: aes256gcm16, key: seed:k1}}
      spd: [protect sa=in, discard]
links: {inside: [alice, box], outside: [box, bob]}
script: [do: SCRIPT]
"""
"""ESP in transport mode, and a receiver that does not mind who sends."""

TOLD = """
name: told
nodes:
  alice:
    kind: host
    ipsec:
      connections:
        home:
          remote_addrs: bob
          local: {auth: psk}
          remote: {auth: psk}
          children: {home: {remote_ts: bob, mode: transport, start_action: trap}}
      secrets: {ike-home: {secret: the same for both of us}}
  box: {kind: nat}
  bob:
    kind: host
    ipsec:
      connections:
        guests:
          local: {auth: psk}
          remote: {auth: psk}
          children: {guests: {local_ts: bob, remote_ts: box, mode: transport}}
      secrets: {ike-all: {secret: the same for both of us}}
links: {inside: [alice, box], outside: [box, bob]}
script: [do: send alice bob dport=9 size=10]
expect: {tunnel home: up, drops: none, packets link=outside layer=esp: 1}
"""
"""The same, but IKE makes the keys, and ESP rides in UDP."""

Change = Callable[[bytes], bytes]


def rewritten(at: int, new: Callable[[bytes], bytes]) -> Change:
    """A box that writes other bytes over the two at `at`, and mends the header's checksum as NATs do."""

    def change(packet: bytes) -> bytes:
        old = packet[at : at + 2]
        made = bytearray(packet)
        made[at : at + 2] = new(old)
        made[10:12] = replaced(int.from_bytes(packet[10:12], "big"), old, new(old)).to_bytes(2, "big")
        return bytes(made)

    return change


UNTOUCHED: Change = lambda packet: packet  # noqa: E731  # one row of the table below
TOLERATED: dict[str, tuple[Change, set[int]]] = {
    "only routers": (UNTOUCHED, {8}),
    "seven off the TTL": (rewritten(8, lambda old: bytes((old[0] - 5, old[1]))), {8}),
    "another DSCP": (rewritten(0, lambda old: bytes((old[0], 46 << 2))), {1, 8}),
    "another ECN": (rewritten(0, lambda old: bytes((old[0], old[1] | 2))), {1, 8}),
    "DF cleared": (rewritten(6, lambda old: bytes((old[0] & ~0x40, old[1]))), {6, 8}),
}
"""What is done to a packet, and which bytes of its header differ in the end, the checksum apart."""


def play(source: str, change: Change = UNTOUCHED) -> Run:
    """Run it, with a hop that changes what it forwards."""
    run = Run(read(source))
    if "hop" in run.world.simulator.nodes:
        stack = run.world.simulator.nodes["hop"].stack

        def meddle(packet: bytes, _: Passage) -> bytes:
            return change(packet)

        stack.hooks.add(Hook.POSTROUTING, meddle)
    run.run()
    assert check(run.recorder, run.world.simulator) == []
    return run


def road(
    mode: str, proposals: str, box: str = "router", change: Change = UNTOUCHED, script: str = PING
) -> Run:
    words = {"MODE": mode, "PROPOSALS": proposals, "BOX": box, "SCRIPT": script}
    return play(filled(ROAD, words), change)


def filled(source: str, words: dict[str, str]) -> str:
    for word, text in words.items():
        source = source.replace(word, text)
    return source


def ends(run: Run) -> list[tuple[str, DropReason]]:
    return [(record.node, event.reason) for record, event in run.recorder.of(PacketDropped)]


def sent_and_arrived(run: Run) -> tuple[bytes, bytes]:
    """Alice's first packet, as she sent it and as it came to bob."""
    sent = next(event.packet for record, event in run.recorder.of(FrameSent) if record.node == "alice")
    arrived = next(event.packet for record, event in run.recorder.of(FrameArrived) if record.node == "bob")
    return sent, arrived


def differing(one: bytes, other: bytes) -> set[int]:
    """Bytes that differ, without those of the header's checksum."""
    assert len(one) == len(other)
    return {at for at in range(len(one)) if one[at] != other[at]} - {10, 11}


# AH


@pytest.mark.parametrize("mode", ["transport", "tunnel"])
@pytest.mark.parametrize(("change", "bytes_changed"), TOLERATED.values(), ids=TOLERATED)
def test_ah_survives_what_routers_may_change(mode: str, change: Change, bytes_changed: set[int]) -> None:
    run = road(mode, AH, change=change)
    assert differing(*sent_and_arrived(run)) == bytes_changed
    assert ends(run) == []
    assert len(run.recorder.of(EchoReplyReceived)) == 1


@pytest.mark.parametrize("mode", ["transport", "tunnel"])
def test_ah_dies_when_the_identification_changes(mode: str) -> None:
    """RFC 4302 3.3.3.1.1.1 has it among the immutable fields, and RFC 6864 7 forbids to rewrite it under AH."""
    run = road(mode, AH, change=rewritten(4, lambda old: bytes((old[0] ^ 1, old[1]))))
    assert differing(*sent_and_arrived(run)) == {4, 8}
    assert ends(run) == [("bob", DropReason.AH_ICV_FAIL)]


@pytest.mark.parametrize("mode", ["transport", "tunnel"])
def test_ah_dies_when_a_nat_changes_the_source(mode: str) -> None:
    run = road(mode, AH, AH_NAT)
    sent, arrived = sent_and_arrived(run)
    changed = differing(sent, arrived)
    assert changed - {8} <= set(range(12, 16))
    assert arrived[ipv4.SOURCE] == run.world.simulator.nodes["box"].address != sent[ipv4.SOURCE]
    assert ends(run) == [("bob", DropReason.AH_ICV_FAIL)]


@pytest.mark.parametrize("mode", ["transport", "tunnel"])
def test_ah_dies_when_a_nat_changes_the_destination(mode: str) -> None:
    run = led_inside(mode, AH)
    sent, arrived = sent_and_arrived(run)
    assert differing(sent, arrived) - {8} <= set(range(16, 20))
    assert arrived[ipv4.DESTINATION] == run.world.simulator.nodes["bob"].address != sent[ipv4.DESTINATION]
    assert ends(run) == [("bob", DropReason.AH_ICV_FAIL)]


@pytest.mark.parametrize("mode", ["transport", "tunnel"])
def test_ah_does_not_see_a_nat_that_is_undone_before_the_packet_arrives(mode: str) -> None:
    """AH judges what arrives, and keeps no history."""
    source = ROAD.replace(
        "hop: {kind: router}", "first: {kind: nat, nat: {ah: pass, outside: between}}\n  hop: {kind: router}"
    )
    source = source.replace("inside: [alice, hop]", "home: [alice, first], between: [first, hop]")
    source = filled(source, {"MODE": mode, "PROPOSALS": AH, "BOX": "router", "SCRIPT": PING})
    alice = read(source).nodes["alice"].interfaces[0].addresses[0][0]
    high, low = rewritten(12, lambda _: alice[:2]), rewritten(14, lambda _: alice[2:])
    run = play(source, lambda packet: low(high(packet)) if packet[ipv4.PROTOCOL] == IpProtocol.AH else packet)
    sent, arrived = sent_and_arrived(run)
    middle = next(event.packet for _, event in run.recorder.of(FrameSent) if event.link == "between")
    assert middle[ipv4.SOURCE] != sent[ipv4.SOURCE]
    assert differing(sent, arrived) == {8}
    assert [opened.protocol for record, opened in run.recorder.of(PacketOpened) if record.node == "bob"] == [
        "AH"
    ]


# The ICV, worked out by hand


def icv_by_hand(packet: bytes, key: bytes) -> bytes:
    """HMAC-SHA-256-128 over a packet without IP options, zeros in place of what may change (RFC 4302 3.3.3.1)."""
    signed = bytearray(packet)
    signed[1], signed[6:9], signed[10:12], signed[32:48] = 0, bytes(3), bytes(2), bytes(16)
    return hmac.new(key, signed, sha256).digest()[:16]


def test_the_hand_is_right_about_a_packet_that_was_made_elsewhere() -> None:
    known = bytes.fromhex(
        "4500004e1c4640004033e9e40a01000ac6336414060500000000100100000001ff6855dbdc10eeab"
        "aa883dfe53516ce29c400050000003e8000007d05018faf03b8d0000474554202f68656c6c6f"
    )
    assert icv_by_hand(known, bytes(range(32))) == known[32:48]


@pytest.mark.parametrize(("box", "is_good"), [("router", True), (AH_NAT, False)])
@pytest.mark.parametrize("mode", ["transport", "tunnel"])
def test_the_receiver_finds_another_icv_because_it_signs_what_arrived(
    mode: str, box: str, is_good: bool
) -> None:
    run = road(mode, AH, box)
    bob = run.world.simulator.nodes["bob"]
    assert isinstance(bob, VpnGateway)
    (key,) = (
        sa.parameters.integrity_key
        for sa in bob.ipsec.sad.all()
        if sa.parameters.direction is Direction.INBOUND
    )
    sent, arrived = sent_and_arrived(run)
    assert icv_by_hand(sent, key) == sent[32:48] == arrived[32:48]
    assert (icv_by_hand(arrived, key) == arrived[32:48]) is is_good


@pytest.mark.parametrize(
    ("mode", "proposals", "length"),
    [("transport", AH, 78), ("tunnel", AH, 98), ("tunnel", "esp_proposals: 'null-sha256'", 96)],
)
def test_ten_bytes_of_tcp_are_this_long(mode: str, proposals: str, length: int) -> None:
    """Fifty bytes in clear; ESP without encryption is two bytes shorter than AH here."""
    words = {"MODE": mode, "PROPOSALS": proposals, "BOX": "router", "SCRIPT": "note before"}
    run = Run(read(filled(ROAD, words)))
    send_segment(run, IpProtocol.TCP)
    run.run()
    (frame,) = [event.packet for _, event in run.recorder.of(FrameSent) if event.link == "middle"][:1]
    assert len(frame) == length
    assert b"GET /hello" in frame


# ESP


def led_inside(mode: str, proposals: str) -> Run:
    named = "bob" if mode == "tunnel" else "box"
    source = LED_INSIDE.replace("PROPOSALS", proposals).replace("MODE", mode).replace("NAMED", named)
    return play(source)


@pytest.mark.parametrize("proposals", [ESP, "esp_proposals: aes128-sha256", "esp_proposals: 'null-sha256'"])
def test_esp_in_tunnel_mode_passes_a_nat_that_changes_the_source(proposals: str) -> None:
    run = road("tunnel", proposals, "nat", script="send alice bob dport=9 size=10")
    sent, arrived = sent_and_arrived(run)
    assert sent[ipv4.SOURCE] != arrived[ipv4.SOURCE]
    assert ends(run) == []
    assert [event.size for record, event in run.recorder.of(DatagramReceived) if record.node == "bob"] == [10]


def test_esp_in_tunnel_mode_passes_a_nat_that_changes_the_destination() -> None:
    run = led_inside("tunnel", ESP)
    assert ends(run) == []
    assert len(run.recorder.of(DatagramReceived)) == 1


def test_esp_in_transport_mode_passes_its_icv_and_dies_of_the_checksum_inside() -> None:
    run = play(ANY_SOURCE.replace("SCRIPT", "send alice bob dport=9 size=10"))
    ((opening, opened),) = run.recorder.of(PacketOpened)
    ((drop, dropped),) = run.recorder.of(PacketDropped)
    assert opened.is_authenticated
    assert (drop.node, dropped.reason, drop.turn.number) == (
        "bob",
        DropReason.UDP_CHECKSUM,
        opening.turn.number,
    )


@pytest.mark.parametrize("protocol", [IpProtocol.UDP, IpProtocol.TCP])
def test_the_checksum_inside_is_right_for_the_address_before_the_nat_and_wrong_behind_it(
    protocol: IpProtocol,
) -> None:
    run = Run(read(ANY_SOURCE.replace("SCRIPT", "note nothing of its own")))
    segment = send_segment(run, protocol)
    run.run()
    alice, bob, box = (run.world.simulator.nodes[name].address for name in ("alice", "bob", "box"))
    ((_, opened),) = run.recorder.of(PacketOpened)
    assert opened.inner[ipv4.SOURCE] == box
    assert ipv4.payload(opened.inner) == segment
    assert transport_is_valid(alice, bob, protocol, segment)
    assert not transport_is_valid(box, bob, protocol, segment)


def send_segment(run: Run, protocol: IpProtocol) -> bytes:
    """Let alice send ten bytes to bob in TCP or UDP; what stands behind the IP header."""
    alice, bob = (run.world.simulator.nodes[name] for name in ("alice", "bob"))
    segment = a_segment(protocol, alice.address, bob.address)
    packet = ipv4.build(alice.address, bob.address, protocol, segment)
    run.world.simulator.plan(0, alice, lambda: alice.perform(alice.stack.send_packet(packet, exempt=False)))
    return segment


def a_segment(protocol: IpProtocol, source: bytes, destination: bytes) -> bytes:
    """Ten bytes of data behind a header of TCP, or of UDP, with the right checksum."""
    data = b"GET /hello"
    if protocol == IpProtocol.TCP:
        header, at = bytes.fromhex("9c400050 000003e8 000007d0 5018faf0 0000 0000"), 16
    else:
        header, at = bytes.fromhex("9c400009 0012 0000"), 6
    sum_ = transport_checksum(source, destination, protocol, header + data)
    return header[:at] + sum_.to_bytes(2, "big") + header[at + 2 :] + data


def test_esp_in_transport_mode_arrives_when_ike_has_told_the_address_before_the_nat() -> None:
    """RFC 7296 2.23.1, RFC 3948 3.1.2: the traffic selectors say what the checksum was made for."""
    run = play(TOLD)
    assert [str(each) for each in run.verdicts() if not each.is_met] == []
    assert [event.size for record, event in run.recorder.of(DatagramReceived) if record.node == "bob"] == [10]
    (inner,) = (opened.inner for record, opened in run.recorder.of(PacketOpened) if record.node == "bob")
    box, bob = (run.world.simulator.nodes[name].address for name in ("box", "bob"))
    assert inner[ipv4.SOURCE] == box
    assert transport_is_valid(box, bob, IpProtocol.UDP, ipv4.payload(inner))
