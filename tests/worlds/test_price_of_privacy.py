"""What protection costs in bytes, measured on the wire for every suite, mode and packet length, NAT or not.

The sizes of ML-KEM's public keys in IKE_INTERMEDIATE belong here too, and wait until ML-KEM can be negotiated.
"""

import pytest

from ipsecsim.experiment.run import Run
from ipsecsim.net.events import FrameSent
from ipsecsim.scenario import read
from ipsecsim.stack.events import PathMtuLowered
from ipsecsim.wire import ipv4
from ipsecsim.wire.numbers import IpProtocol

HOSTS = """
name: hosts
nodes: {alice: {kind: host}, bob: {kind: host}}
links: {wan: [alice, bob]}
tunnels: {hand: {ends: [alice, bob], keying: manual, child: {mode: transport, CHILD}}}
script: [do: [SCRIPT]]
"""
GATEWAYS = """
name: gateways
nodes: {alice: {kind: host}, west: {kind: gateway}, east: {kind: gateway}, bob: {kind: host}}
links: {left: [alice, west], wan: [west, east], right: [east, bob]}
tunnels: {hand: {ends: [west, east], keying: manual, encap: ENCAP, child: {CHILD}}}
script: [do: [SCRIPT]]
"""
FORMS = {
    "tunnel": GATEWAYS.replace("ENCAP", "no"),
    "tunnel in UDP": GATEWAYS.replace("ENCAP", "yes"),
    "transport": HOSTS,
}

GCM = {"tunnel": (54, 57), "tunnel in UDP": (62, 65), "transport": (34, 37)}
OVERHEADS = {
    "aes128gcm16": GCM,
    "aes256gcm16": GCM,
    "chacha20poly1305": GCM,
    "aes128-sha1": {"tunnel": (58, 73), "tunnel in UDP": (66, 81), "transport": (38, 53)},
    "aes256-sha256": {"tunnel": (62, 77), "tunnel in UDP": (70, 85), "transport": (42, 57)},
    "null-sha256": {"tunnel": (46, 49), "tunnel in UDP": (54, 57), "transport": (26, 29)},
}
"""Bytes added at least and at most, by suite and form."""

LARGEST = {
    "aes256gcm16": {"tunnel": 1446, "tunnel in UDP": 1438},
    "chacha20poly1305": {"tunnel": 1446, "tunnel in UDP": 1438},
    "aes128-sha1": {"tunnel": 1438, "tunnel in UDP": 1422},
    "aes256-sha256": {"tunnel": 1438, "tunnel in UDP": 1422},
    "null-sha256": {"tunnel": 1454, "tunnel in UDP": 1446},
}
"""The largest packet that passes a wire of 1500 bytes in one piece."""

BLOCKS = range(100, 116)  # sixteen lengths in a row: every remainder of every block size
HEADERS = 28  # of IP and UDP or ICMP
TCP_HEADERS = 40


def play(form: str, suite: str, script: str, protocol: str = "esp") -> Run:
    child = f"{protocol}_proposals: '{suite}'"
    return Run(read(FORMS[form].replace("CHILD", child).replace("SCRIPT", script))).run()


def on(run: Run, link: str) -> list[bytes]:
    return [event.packet for _, event in run.recorder.of(FrameSent) if event.link == link]


def added(form: str, suite: str, lengths: range = BLOCKS, protocol: str = "esp") -> dict[int, int]:
    """What each packet of these lengths grows by on the wire, by its length."""
    script = ", ".join(f"send alice bob size={length - HEADERS}" for length in lengths)
    frames = on(play(form, suite, script, protocol), "wan")
    return {length: len(frame) - length for length, frame in zip(lengths, frames, strict=True)}


def carry(run: Run, protocol: int, payload: bytes, *, dont_fragment: bool = False) -> Run:
    """Let alice send a packet of her own making."""
    nodes = run.world.simulator.nodes
    alice = nodes["alice"]
    packet = ipv4.build(alice.address, nodes["bob"].address, protocol, payload, dont_fragment=dont_fragment)
    run.world.simulator.plan(0, alice, lambda: alice.perform(alice.stack.send_packet(packet, exempt=False)))
    return run.run()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("suite", OVERHEADS)
def test_a_packet_grows_by_what_the_table_says(suite: str, form: str) -> None:
    grown = added(form, suite).values()
    assert (min(grown), max(grown)) == OVERHEADS[suite][form]


@pytest.mark.parametrize("suite", OVERHEADS)
def test_nat_traversal_costs_eight_bytes_and_never_sixteen(suite: str) -> None:
    bare, in_udp = added("tunnel", suite), added("tunnel in UDP", suite)
    assert {in_udp[length] - bare[length] for length in BLOCKS} == {8}


def test_gcm_does_not_get_by_without_pad_length_and_next_header() -> None:
    """Not 52: 20 of IP, 8 of ESP, 8 of IV, 16 of ICV, and two bytes that no packet goes without (RFC 4303 2.4)."""
    assert min(added("tunnel", "aes256gcm16").values()) == 20 + 8 + 8 + 16 + 2


@pytest.mark.parametrize(
    ("suite", "differences"),
    [
        ("aes256gcm16", {20}),
        ("chacha20poly1305", {20}),
        ("null-sha256", {20}),
        ("aes128-sha1", {16, 32}),
        ("aes256-sha256", {16, 32}),
        ("3des-sha1", {16, 24}),
    ],
)
def test_tunnel_mode_costs_more_than_transport_mode_by_whole_blocks(
    suite: str, differences: set[int]
) -> None:
    """The inner header is 20 bytes long; with a block of 16 or 8 these become the next one or the one before."""
    tunnel, transport = added("tunnel", suite), added("transport", suite)
    assert {tunnel[length] - transport[length] for length in BLOCKS} == differences


@pytest.mark.parametrize(
    ("suite", "form", "largest"),
    [(suite, form, size) for suite, forms in LARGEST.items() for form, size in forms.items()],
)
def test_the_largest_packet_is_what_the_gateway_says_it_is(suite: str, form: str, largest: int) -> None:
    """It is told by ICMP; that much passes whole, and one byte more does not."""
    asked = play(form, suite, "ping alice bob size=1472 df=yes")
    assert [event.mtu for _, event in asked.recorder.of(PathMtuLowered)] == [largest]
    fits, over = (
        play(form, suite, f"ping alice bob size={largest - HEADERS + more} df=yes") for more in (0, 1)
    )
    assert [run.world.pings["ping"].received for run in (fits, over)] == [1, 0]
    assert max(len(frame) for frame in on(fits, "wan")) <= 1500
    assert on(over, "wan") == []


@pytest.mark.parametrize(
    ("suite", "form", "segment"),
    [(suite, form, size - TCP_HEADERS) for suite, forms in LARGEST.items() for form, size in forms.items()],
)
def test_the_largest_tcp_segment_fills_the_largest_packet(suite: str, form: str, segment: int) -> None:
    """Whose data is 1406 bytes with GCM, and 1398 with GCM in UDP."""
    header = bytes.fromhex("9c400050 00000001 00000001 5010faf0 0000 0000")
    arrived = [
        carry(play(form, suite, "note before"), IpProtocol.TCP, header + bytes(size), dont_fragment=True)
        for size in (segment, segment + 1)
    ]
    assert [
        [ipv4.payload(frame)[20:] for frame in on(run, "right") if frame[ipv4.PROTOCOL] == IpProtocol.TCP]
        for run in arrived
    ] == [
        [bytes(segment)],
        [],
    ]


@pytest.mark.parametrize("remainder", range(4))
def test_gre_with_a_key_in_esp_costs_62_to_65_bytes_by_the_packets_length(remainder: int) -> None:
    """A measured 62 and a calculated 64 are both right, for different packets."""
    inner = ipv4.build(bytes((10, 1, 0, 1)), bytes((10, 2, 0, 1)), IpProtocol.UDP, bytes(80 + remainder))
    gre = bytes.fromhex("20000800 00000007")
    run = carry(play("transport", "aes256gcm16", "note before"), 47, gre + inner)
    assert len(on(run, "wan")[0]) - len(inner) == {2: 62, 1: 63, 0: 64, 3: 65}[len(inner) % 4]


@pytest.mark.parametrize("length", [100, 108])
def test_eighty_bytes_in_a_tunnel_of_cbc_and_sha1_make_168(length: int) -> None:
    """Whether they stand behind the IP header alone or behind that of UDP too: the block is the same."""
    assert length + added("tunnel", "aes256-sha1", range(length, length + 1))[length] == 168


def test_a_voice_packet_of_sixty_bytes_nearly_doubles() -> None:
    """G.729: 93 % more in tunnel mode, 60 % in transport mode."""
    grown = {form: added(form, "aes128gcm16", range(60, 61))[60] for form in ("tunnel", "transport")}
    assert {form: round(100 * more / 60) for form, more in grown.items()} == {"tunnel": 93, "transport": 60}


@pytest.mark.parametrize(
    ("suite", "version", "header"), [("sha1", 4, 24), ("sha256", 4, 28), ("sha1", 6, 24), ("sha256", 6, 32)]
)
def test_ah_adds_one_header_whose_length_goes_by_eight_in_ipv6(suite: str, version: int, header: int) -> None:
    source = HOSTS.replace("CHILD", f"ah_proposals: {suite}").replace("SCRIPT", "send alice bob size=72")
    run = Run(read(f"ip: {version}{source}")).run()
    assert len(on(run, "wan")[0]) == (20 if version == 4 else 40) + 8 + 72 + header
