"""Where sealed traffic may be read: inside an SA that hides nothing, and nowhere else.

The other half, what a gateway lets out in clear, is in test_invariants.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.base.trace import PacketDropped, TraceEvent
from ipsecsim.experiment.run import Run
from ipsecsim.ipsec.association import Mode
from ipsecsim.ipsec.events import PacketSealed, SaInstalled
from ipsecsim.net.apps.ping import Ping
from ipsecsim.net.events import FrameLost, FrameSent
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.observe.invariants.leaks import check_leaks
from ipsecsim.scenario import read
from ipsecsim.stack.events import PacketOriginated
from ipsecsim.wire import esp, icmpv4, icmpv6, ip, ipv4, ipv6, udp
from ipsecsim.wire.headers import Security, quoted, security
from ipsecsim.wire.ipv6 import FragmentFields
from ipsecsim.wire.numbers import IpProtocol
from tests.support.builders import World, two_gateways
from tests.support.by_hand import EAST, SPI, install
from tests.unit.observe.replayed import with_more
from tests.unit.wire.samples import chained

A, B = pack("10.1.0.2"), pack("10.2.0.2")
WEST6, EAST6 = pack("2001:db8:1::1"), pack("2001:db8:2::1")
SECRET = ipv4.build(A, B, 17, udp.build(A, B, 1111, 2222, b"attack at dawn"))
SECRET6 = ipv6.build(WEST6, EAST6, 17, udp.build(WEST6, EAST6, 1111, 2222, b"attack at dawn"))
HIDING, SHOWING = "aes256gcm16", "null-sha256"


# -- worlds ---------------------------------------------------------------------------------------


def protected(
    protocol: IpProtocol, words: str, mode: Mode, inner: int = 4, outer: int = 4, wan_mtu: int = 1500
) -> World:
    """Traffic of several kinds over SAs made by hand: pings, pieces, and an error that quotes."""
    world = two_gateways(inner=inner, outer=outer, wan_mtu=wan_mtu)
    install(world, protocol, words, mode, inner=inner, outer=outer)
    if mode is Mode.TUNNEL:
        world.ping("a", "b", count=2)
        world.ping("b", "a", size=4000)
        world.send("a", "b", at=SECOND, size=1300)
        world.send("a", "b", at=SECOND, destination_port=7)
        return world.run()
    west = world.nodes["west"]
    for size in (56, 3000):
        application = Ping(west, EAST[outer], count=2, size=size)
        world.simulator.plan(1, west, lambda application=application: west.run(application))
    return world.run()


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(
    ("inner", "outer", "wan_mtu"),
    [(4, 4, 1500), (4, 4, 600), (6, 6, 1500), (6, 6, 1280), (6, 4, 1500), (4, 6, 1280)],
)
@pytest.mark.parametrize(
    ("protocol", "words"),
    [
        (IpProtocol.AH, "sha256"),
        *((IpProtocol.ESP, words) for words in (HIDING, "aes128-sha256", SHOWING, "aes128gmac")),
    ],
)
def test_no_sa_leaks_whether_it_hides_or_not(protocol, words, mode, inner, outer, wan_mtu):
    world = protected(protocol, words, mode, inner, outer, wan_mtu)
    assert world.recorder.of(PacketSealed)
    assert check(world.recorder, world.simulator) == []


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("version", [4, 6])
def test_what_ah_has_signed_is_a_leak_once_it_travels_without_it(mode, version):
    world = protected(IpProtocol.AH, "sha256", mode, version, version)
    row, sealed = world.recorder.of(PacketSealed)[0]
    found = leaks(world, [*frame(sealed.inner)])
    assert [violation.sentence.split(":")[0] for violation in found] == [
        f"a packet sealed in turn {row.turn.number} can be read on wan_east"
    ]


# -- recordings with something planted ------------------------------------------------------------


@pytest.fixture(scope="module")
def quiet() -> World:
    """Two gateways that have exchanged a ping, by IKE and ESP."""
    world = two_gateways()
    world.ping("a", "b")
    return world.run()


def frame(packet: bytes, link: str = "wan_east") -> Sequence[TraceEvent]:
    """A packet that somebody puts onto a link, and that is lost there, so that all books are in order."""
    sent = FrameSent(link=link, interface="eth1", next_hop=B, frame=10_000, packet=packet)
    return (
        PacketOriginated(packet),
        sent,
        FrameLost(10_000, link),
        PacketDropped(DropReason.LINK_DOWN, packet),
    )


def sealing(protocol: str, inner: bytes, sequence: int, mode: str = "tunnel") -> PacketSealed:
    return PacketSealed(
        SPI, sequence, "net", inner, len(inner), len(inner) + 40, 0, 0, 16, False, protocol, mode
    )


def leaks(world: World, events: Sequence[TraceEvent]):
    """The leaks in a recording to which the router tells some more at its end."""
    row = next(row for row, _ in reversed(world.recorder.of(FrameSent)) if row.node == "internet")
    return list(check_leaks(with_more(world.recorder, row.sequence, *events), world.simulator))


def installed(world: World, protocol: str, suite: str) -> SaInstalled:
    template = world.recorder.of(SaInstalled)[0][1]
    return replace(template, spi=SPI, direction="out", policy="net", suite=suite, protocol=protocol)


def esp_packet(content: bytes, sequence: int = 1, source: bytes = A, destination: bytes = B) -> bytes:
    payload = esp.HEADER.pack(SPI, sequence) + content
    if len(source) == 4:
        return ipv4.build(source, destination, IpProtocol.ESP, payload)
    return ipv6.build(source, destination, IpProtocol.ESP, payload)


def ah_packet(content: bytes, following: int = IpProtocol.IPV4, sequence: int = 1) -> bytes:
    fixed = bytes((following, 5, 0, 0)) + esp.HEADER.pack(SPI, sequence)
    return ipv4.build(A, B, IpProtocol.AH, fixed + bytes(16) + content)


@pytest.mark.parametrize("secret", [SECRET, SECRET6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("suite", [SHOWING, "aes128gmac"])
def test_esp_that_does_not_encrypt_may_be_read_and_a_copy_outside_it_may_not(quiet, suite, secret):
    told = [installed(quiet, "ESP", suite), sealing("ESP", secret, 1)]
    packet = esp_packet(secret + bytes(18))
    assert leaks(quiet, [*told, *frame(packet)]) == []
    in_udp = ipv4.build(A, B, 17, udp.build(A, B, 4500, 4500, packet[20:]))
    assert leaks(quiet, [*told, *frame(in_udp)]) == []
    assert len(leaks(quiet, [*told, *frame(secret)])) == 1
    # a packet of the same SA that does not hold the secret by right
    assert len(leaks(quiet, [*told, *frame(esp_packet(secret, sequence=2))])) == 1


@pytest.mark.parametrize("secret", [SECRET, SECRET6], ids=["IPv4", "IPv6"])
def test_a_cipher_that_does_not_encrypt_is_noticed(quiet, secret):
    told = [installed(quiet, "ESP", HIDING), sealing("ESP", secret, 1)]
    (violation,) = leaks(quiet, [*told, *frame(esp_packet(secret))])
    assert "ESP SPI 5e0d77aa sequence 1" in violation.sentence
    assert leaks(quiet, [*told, *frame(esp_packet(bytes(len(secret))))]) == []


def test_ah_around_esp_shows_no_more_than_esp_does(quiet):
    inside, broken = esp_packet(bytes(60)), esp_packet(SECRET)
    for packet, count in ((inside, 0), (broken, 1)):
        told = [
            installed(quiet, "ESP", HIDING),
            installed(quiet, "AH", "sha256"),
            sealing("ESP", SECRET, 1),
            sealing("AH", packet, 1, "transport"),
        ]
        around = ah_packet(packet[20:], IpProtocol.ESP)
        assert len(leaks(quiet, [*told, *frame(around)])) == count


def test_two_sas_that_hide_nothing_around_each_other(quiet):
    told = [
        installed(quiet, "ESP", SHOWING),
        installed(quiet, "AH", "sha256"),
        sealing("ESP", SECRET, 1),
        sealing("AH", esp_packet(SECRET), 1, "transport"),
    ]
    assert leaks(quiet, [*told, *frame(ah_packet(esp_packet(SECRET)[20:], IpProtocol.ESP))]) == []


def test_an_sa_that_goes_on_after_the_tunnel_around_it_is_no_leak(quiet):
    """AH inside an ESP tunnel that ends earlier: what is seen then is AH, by its own choice."""
    signed = ah_packet(SECRET)
    told = [
        installed(quiet, "AH", "sha256"),
        installed(quiet, "ESP", HIDING),
        sealing("AH", SECRET, 1),
        sealing("ESP", signed, 7),
    ]
    assert leaks(quiet, [*told, *frame(signed)]) == []
    assert len(leaks(quiet, [*told, *frame(SECRET)])) == 1


def test_an_sa_that_was_replaced_by_one_that_hides_is_asked_anew(quiet):
    told = [installed(quiet, "ESP", SHOWING), installed(quiet, "ESP", HIDING), sealing("ESP", SECRET, 1)]
    assert len(leaks(quiet, [*told, *frame(esp_packet(SECRET))])) == 1


def test_one_spi_in_both_directions(quiet):
    back = ipv4.build(B, A, 17, udp.build(B, A, 2222, 1111, b"understood"))
    told = [installed(quiet, "AH", "sha256"), sealing("AH", SECRET, 1), sealing("AH", back, 1)]
    for inner in (SECRET, back):
        assert leaks(quiet, [*told, *frame(ah_packet(inner))]) == []


def test_the_number_on_the_wire_is_the_low_half(quiet):
    told = [installed(quiet, "AH", "sha256"), sealing("AH", SECRET, 0x7_0000_0001)]
    assert leaks(quiet, [*told, *frame(ah_packet(SECRET))]) == []


def test_an_icmp_error_may_quote_what_may_be_read(quiet):
    told = [installed(quiet, "AH", "sha256"), sealing("AH", SECRET, 1)]
    quote = ah_packet(SECRET)[:90]
    assert quote.find(SECRET[20:28]) > 0
    error = icmpv4.IcmpError(3, 4, quote, 1400).emit()
    assert leaks(quiet, [*told, *frame(ipv4.build(B, A, IpProtocol.ICMP, error))]) == []
    error = icmpv4.IcmpError(3, 4, SECRET, 1400).emit()
    assert len(leaks(quiet, [*told, *frame(ipv4.build(B, A, IpProtocol.ICMP, error))])) == 1


@pytest.mark.parametrize("more", [True, False])
def test_fragments_of_inner_packets(quiet, more):
    """The first one holds the ports; others begin anywhere and prove nothing."""
    first, later = (
        ipv4.build(A, B, 17, SECRET[20:36], more_fragments=more or not offset, fragment_offset=offset)
        for offset in (0, 1480)
    )
    told = [installed(quiet, "ESP", HIDING), sealing("ESP", first, 1), sealing("ESP", later, 2)]
    assert len(leaks(quiet, [*told, *frame(first)])) == 1
    told = [installed(quiet, "ESP", HIDING), sealing("ESP", later, 2)]
    assert leaks(quiet, [*told, *frame(later)]) == []


def test_fragments_of_inner_ipv6_packets(quiet):
    data = SECRET6[40:]
    first, later = (
        chained(
            WEST6,
            EAST6,
            [(IpProtocol.FRAGMENT, ipv6.fragment_header(FragmentFields(0, offset, not offset, 9))[1:])],
            17,
            data,
        )
        for offset in (0, 1448)
    )
    hiding = installed(quiet, "ESP", HIDING)
    assert len(leaks(quiet, [hiding, sealing("ESP", first, 1), *frame(first)])) == 1
    assert leaks(quiet, [hiding, sealing("ESP", later, 1), *frame(later)]) == []


# -- what a gateway sends -------------------------------------------------------------------------


def sent_by_west(world: World, *events: TraceEvent):
    """Leaks by the rules, when west tells some more at the end of a turn in which it sent."""
    row = next(row for row, event in world.recorder.of(FrameSent) if row.node == "west")
    recording = with_more(world.recorder, row.sequence, *events)
    return [each.sentence for each in check_leaks(recording, world.simulator) if each.node == "west"]


def out(packet: bytes) -> FrameSent:
    return FrameSent(link="wan_west", interface="wan", next_hop=EAST[4], frame=10_000, packet=packet)


@pytest.mark.parametrize(
    ("protocol", "packet"),
    [
        ("ESP", esp_packet(bytes(60))),
        ("AH", ah_packet(SECRET)),
        ("ESP", esp_packet(bytes(60), 1, WEST6, EAST6)),
    ],
    ids=["ESP", "AH", "ESP over IPv6"],
)
def test_only_what_was_sealed_in_that_turn_may_leave_as_esp_or_ah(quiet, protocol, packet):
    """The addresses say nothing: in transport mode they are those of the packet itself."""
    sealed = (installed(quiet, protocol, "sha256"), sealing(protocol, SECRET, 1))
    assert sent_by_west(quiet, *sealed, PacketOriginated(packet), out(packet)) == []
    (sentence,) = sent_by_west(quiet, PacketOriginated(packet), out(packet))
    assert sentence.startswith("sent in clear on wan_west though ")


def test_a_protected_packet_in_clear_is_noticed_in_ipv6_too(quiet):
    west = quiet.gateway("west")
    (sentence,) = sent_by_west(quiet, PacketOriginated(SECRET6), out(SECRET6))
    assert "no rule lets it: 2001:db8:1::1 > 2001:db8:2::1, UDP 1111 > 2222" in sentence
    assert ip.source(SECRET6) not in west.stack.addresses


@pytest.mark.parametrize("extensions", [[], [(IpProtocol.HOP_BY_HOP, bytes(6))]])
def test_pieces_of_a_sealed_ipv6_packet_are_known_by_their_whole(quiet, extensions):
    payload = esp.HEADER.pack(SPI, 1) + bytes(60)
    whole = chained(WEST6, EAST6, extensions, IpProtocol.ESP, payload)
    pieces = [
        chained(
            WEST6,
            EAST6,
            [
                *extensions,
                (IpProtocol.FRAGMENT, ipv6.fragment_header(FragmentFields(0, offset, more, 9))[1:]),
            ],
            IpProtocol.ESP,
            payload[offset : offset + 32],
        )
        for offset, more in ((0, True), (32, True), (64, False))
    ]
    told = [installed(quiet, "ESP", HIDING), sealing("ESP", SECRET6, 1), PacketOriginated(whole)]
    assert sent_by_west(quiet, *told, *map(out, pieces)) == []
    assert len(sent_by_west(quiet, PacketOriginated(whole), *map(out, pieces))) == 3


FIRST_PIECES = {
    4: ipv4.build(A, B, 17, udp.build(A, B, 500, 500, bytes(24))[:24], identification=9, more_fragments=True),
    6: chained(
        WEST6,
        EAST6,
        [
            (IpProtocol.DESTINATION_OPTIONS, bytes(6)),
            (IpProtocol.FRAGMENT, ipv6.fragment_header(FragmentFields(0, 0, True, 9))[1:]),
            (IpProtocol.ROUTING, bytes(6)),  # it belongs to the data, and only the first piece shows it
        ],
        IpProtocol.UDP,
        udp.build(WEST6, EAST6, 500, 500, bytes(24))[:24],
    ),
}
LATER_PIECES = {
    4: ipv4.build(A, B, 17, bytes(8), identification=9, fragment_offset=24),
    6: chained(
        WEST6,
        EAST6,
        [
            (IpProtocol.DESTINATION_OPTIONS, bytes(6)),
            (IpProtocol.FRAGMENT, ipv6.fragment_header(FragmentFields(0, 32, False, 9))[1:]),
        ],
        IpProtocol.ROUTING,
        bytes(8),
    ),
}


@pytest.mark.parametrize("version", [4, 6])
def test_later_pieces_may_go_where_their_first_one_was_let(quiet, version):
    """The rule for IKE stands before the one that wants all protected, and only the first piece shows the port."""
    first, later = FIRST_PIECES[version], LATER_PIECES[version]
    assert sent_by_west(quiet, PacketOriginated(first), out(first), PacketOriginated(later), out(later)) == []
    assert len(sent_by_west(quiet, PacketOriginated(later), out(later))) == 1


# -- who is who -----------------------------------------------------------------------------------


def test_the_outermost_of_esp_and_ah_names_a_packet():
    assert security(esp_packet(bytes(60), 3)) == Security("ESP", SPI, 3)
    assert security(ah_packet(esp_packet(b"")[20:], IpProtocol.ESP, 4)) == Security("AH", SPI, 4)
    tunnelled = ipv4.build(A, B, IpProtocol.IPV4, esp_packet(bytes(60), 5))
    assert security(tunnelled) == Security("ESP", SPI, 5)
    assert security(SECRET) is security(b"") is None


@pytest.mark.parametrize(
    ("packet", "quote"),
    [
        (ipv4.build(B, A, 1, icmpv4.IcmpError(11, 0, SECRET[:28]).emit()), SECRET[:28] + bytes(14)),
        (ipv4.build(B, A, 1, icmpv4.IcmpError(11, 0, SECRET).emit()), SECRET),
        (ipv4.build(B, A, 1, icmpv4.IcmpError(11, 0, SECRET[:19]).emit()), b""),
        (ipv4.build(B, A, 1, icmpv4.IcmpError(11, 0, b"").emit()), b""),
        (ipv4.build(B, A, 1, icmpv4.Echo(False, 1, 1, SECRET).emit()), b""),
        (ipv4.build(B, A, 1, b"\x0b"), b""),
        (ipv4.build(B, A, 1, icmpv4.IcmpError(11, 0, SECRET).emit(), more_fragments=True), b""),
        (
            ipv6.build(EAST6, WEST6, 58, icmpv6.IcmpError(2, 0, SECRET6[:48], 1280).emit(EAST6, WEST6)),
            SECRET6[:48] + bytes(14),
        ),
        (ipv6.build(EAST6, WEST6, 58, icmpv6.Echo(True, 1, 1, SECRET6).emit(EAST6, WEST6)), b""),
        (SECRET, b""),
        (b"", b""),
    ],
)
def test_what_an_icmp_error_quotes(packet, quote):
    assert quoted(packet) == quote


def test_a_rule_for_what_arrives_says_nothing_about_what_leaves() -> None:
    source = """
name: one_way
nodes:
  alice: {kind: host, ipsec: {spd: [discard dir=in proto=udp, bypass]}}
  bob: {kind: host}
links: {lan: [alice, bob]}
script: [do: send alice bob]
"""
    run = Run(read(source)).run()
    assert list(check_leaks(run.recorder, run.world.simulator)) == []
