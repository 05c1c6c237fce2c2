"""Rows of tests/data/hostile_inputs.csv about what stands around the packets: management, IKE, whole worlds."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import ConfigError, LocalError
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.ike.actions import InstallChildSa
from ipsecsim.ipsec.association import Mode
from ipsecsim.ipsec.events import PacketSealed
from ipsecsim.net.events import FrameSent
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.scenario import read
from ipsecsim.stack.events import IcmpErrorSent, PacketFragmented, PacketOriginated
from ipsecsim.wire import ip, udp
from ipsecsim.wire.ike.chain import emit_message, parse_message
from ipsecsim.wire.ike.header import INITIATOR, IkeHeader
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType, ProtocolId
from ipsecsim.wire.numbers import IpProtocol
from tests.exchanges.test_create_child_sa import REKEY
from tests.support.builders import World, two_gateways
from tests.support.by_hand import EAST, WEST, install
from tests.support.pair import Pair
from tests.support.sealed import answer_of_east, sealed_by_west
from tests.unit.ipsec.ends import Ends

both_outer = pytest.mark.parametrize("outer", [4, 6])
both_inner = pytest.mark.parametrize("inner", [4, 6])


# -- whoever manages SAs ------------------------------------------------------------------------


@pytest.mark.hos("HOS-05")
@pytest.mark.parametrize("words", ["aes256gcm16", "aes128-sha256", "aes256gcm16-esn-noesn"])
def test_an_sa_that_was_negotiated_has_a_window(words):
    pair = Pair(west={"esp": [words]}, east={"esp": [words]})
    pair.establish()
    pair.perform(pair.west, pair.west.endpoint.rekey("net", pair.now))
    pair.settle()
    for side in (pair.west, pair.east):
        made = [action.parameters for action in side.actions if isinstance(action, InstallChildSa)]
        assert len(made) == 4
        assert all(each.replay_window >= 32 for each in made)


ABSURD = [1, 31, 4097, 2**31, 2**32 - 1, 2**32, 2**64, 2**256]


@pytest.mark.hos("HOS-09")
@pytest.mark.parametrize(
    ("protocol", "words"), [("esp", "aes256gcm16"), ("esp", "null-sha256"), ("ah", "sha256")]
)
@pytest.mark.parametrize("window", [-1, *ABSURD])
def test_a_replay_window_of_absurd_size_is_never_built(protocol, words, window):
    with pytest.raises(LocalError, match="replay window"):
        Ends(protocol, words, replay_window=window)


BY_HAND = """\
name: by-hand
nodes:
  west:
    ipsec:
      sas:
        out: {spi: 0x1001, src: west, dst: east, esp_proposals: aes128gcm16, key: seed:k, replay_window: WINDOW}
        in: {spi: 0x1002, src: east, dst: west, esp_proposals: aes128gcm16, key: seed:j, replay_window: WINDOW}
      spd: [protect dst=east sa=out|in mode=transport]
  east: {}
links: {lan: [west, east]}
"""
IN_A_TUNNEL = """\
name: negotiated
nodes: {west: {kind: gateway}, east: {kind: gateway}}
links: {wan: [west, east]}
tunnels: {net: {ends: [west, east], KEYINGchild: {replay_window: WINDOW}}}
"""
WHERE = {
    "an SA by hand": BY_HAND,
    "a tunnel": IN_A_TUNNEL.replace("KEYING", ""),
    "a tunnel by hand": IN_A_TUNNEL.replace("KEYING", "keying: manual, "),
}


@pytest.mark.hos("HOS-09")
@pytest.mark.parametrize("where", WHERE.values(), ids=WHERE)
@pytest.mark.parametrize("window", [*map(str, (-1, *ABSURD)), "1e99", "0x7fffffff", "[32, 64]", "nan"])
def test_a_replay_window_of_absurd_size_is_refused_in_words(where, window):
    read(where.replace("WINDOW", "64"))
    with pytest.raises(ConfigError, match=r"replay.window|number"):
        read(where.replace("WINDOW", window))


# -- IKE in front of the data plane -------------------------------------------------------------


@pytest.mark.hos("HOS-14")
@pytest.mark.parametrize("spoil", ["no nonce", "no key exchange", "a length too long", "not even a payload"])
@pytest.mark.parametrize(
    "exchange", [ExchangeType.CREATE_CHILD_SA, ExchangeType.IKE_AUTH, ExchangeType.INFORMATIONAL]
)
def test_a_malformed_first_message_leaves_no_spi_to_write_to(spoil, exchange):
    pair = Pair()
    pair.initiate()
    real = pair.wire.pop()
    header, payloads = parse_message(real.payload)
    if spoil == "a length too long":
        real.payload = real.payload[:30] + b"\xff\xff" + real.payload[32:]
    elif spoil == "not even a payload":
        real.payload = emit_message(header, [])
    else:
        gone = "Nonce" if spoil == "no nonce" else "KeyExchange"
        real.payload = emit_message(header, [each for each in payloads if type(each).__name__ != gone])
    pair.inject(real)
    assert pair.east.endpoint.sas == ()
    assert pair.east.endpoint.next_deadline() is None
    answered = {parse_message(each.payload)[0].spi_r for each in pair.wire}
    pair.wire.clear()
    pair.east.events.clear()
    # whatever the answer may have named, nobody is there
    spis = [bytes(7) + b"\1", *(spi for spi in answered if any(spi))]
    for spi_r in spis:
        real.payload = emit_message(
            IkeHeader(header.spi_i, spi_r, 0, exchange, INITIATOR, 1), [Notify(NotifyType.REKEY_SA)]
        )
        pair.inject(real)
    assert pair.east.drops == [DropReason.NO_STATE] * len(spis)
    assert not pair.wire
    assert not pair.east.sas


@pytest.mark.hos("HOS-51")
@pytest.mark.parametrize(
    ("protocol", "spi", "notify"),
    [
        (0, bytes(4), NotifyType.INVALID_SYNTAX),
        (0, b"", NotifyType.INVALID_SYNTAX),
        (ProtocolId.IKE, bytes(8), NotifyType.INVALID_SYNTAX),
        (ProtocolId.IKE, b"", NotifyType.INVALID_SYNTAX),
        (4, bytes(4), NotifyType.INVALID_SYNTAX),
        (255, bytes(4), NotifyType.INVALID_SYNTAX),
        (ProtocolId.AH, b"\1\2\3\4", NotifyType.CHILD_SA_NOT_FOUND),
        (ProtocolId.ESP, b"\1\2\3\4", NotifyType.CHILD_SA_NOT_FOUND),
    ],
)
def test_a_child_is_to_be_replaced_that_cannot_be(protocol, spi, notify):
    pair = Pair()
    pair.establish()
    before = dict(pair.east.sas)
    rekey = Notify(NotifyType.REKEY_SA, protocol=protocol, spi=spi)
    asked = [rekey, *REKEY[1:]]
    pair.inject(sealed_by_west(pair, asked, exchange=ExchangeType.CREATE_CHILD_SA, message_id=2))
    told = answer_of_east(pair)
    assert [each.notify_type for each in told] == [notify]
    if notify is NotifyType.CHILD_SA_NOT_FOUND:
        # RFC 7296 3.10.1: it names the SA that was asked for
        assert (told[0].protocol, told[0].spi) == (protocol, spi)
        assert pair.east.sas == before
    else:
        # RFC 7296 2.21.3: whoever says so ends the IKE SA
        assert (told[0].protocol, told[0].spi) == (0, b"")
        assert not pair.east.sas
        assert not pair.east.endpoint.sas


# -- whole worlds -------------------------------------------------------------------------------

VXLAN_PORT = 4789
GRE = 47
SECRET = b"to be read by nobody but its receiver"


def vxlan(source: bytes, destination: bytes) -> bytes:
    header = bytes((8, 0, 0, 0, 0, 0, 1, 0))  # the VNI is 1 (RFC 7348 5)
    return udp.build(source, destination, 50000, VXLAN_PORT, header + SECRET)


def say(world: World, source: str, to: bytes, protocol: int, payload: bytes) -> None:
    """Plan a packet of any protocol."""
    node = world.nodes[source]
    world.simulator.plan(0, node, lambda: node.perform(node.stack.send(None, to, protocol, payload)))


def assert_nobody_can_read(world: World, source: str, ends: tuple[bytes, bytes]) -> None:
    """Both kinds of inner tunnel get through, and what they carry is in no frame between the gateways."""
    say(world, source, ends[1], GRE, bytes(2) + b"\x86\xdd" + SECRET)
    say(world, source, ends[1], IpProtocol.UDP, vxlan(*ends))
    world.run()
    frames = [event.packet for _, event in world.recorder.of(FrameSent) if event.link.startswith("wan")]
    there = [packet for packet in frames if ip.source(packet) != EAST[ip.version(packet)]]
    assert sum(ip.upper_layer(packet)[0] == IpProtocol.ESP for packet in there) == 4  # two, on two links
    assert not [packet for packet in frames if SECRET in packet]
    assert check(world.recorder, world.simulator) == []


@pytest.mark.hos("HOS-10")
@both_outer
@both_inner
@pytest.mark.parametrize("by_ike", [False, True])
def test_a_tunnel_inside_the_tunnel_does_not_leave_in_clear(inner, outer, by_ike):
    world = two_gateways(inner=inner, outer=outer)
    if not by_ike:
        install(world, IpProtocol.ESP, "aes256gcm16", inner=inner, outer=outer)
    ends = world.nodes["a"].address, world.nodes["b"].address
    assert_nobody_can_read(world, "a", ends)


@pytest.mark.hos("HOS-10")
@both_outer
def test_a_tunnel_inside_transport_mode_does_not_leave_in_clear(outer):
    world = install(
        two_gateways(inner=outer, outer=outer),
        IpProtocol.ESP,
        "aes256gcm16",
        Mode.TRANSPORT,
        inner=outer,
        outer=outer,
    )
    assert_nobody_can_read(world, "west", (WEST[outer], EAST[outer]))


LARGE = """\
name: large
ip: both
nodes: {alice: {}, west: {kind: gateway}, east: {kind: gateway}, bob: {}}
links:
  left: {endpoints: [alice, west], mtu: 65535}
  wan: {endpoints: [west, east], mtu: MTU}
  right: {endpoints: [east, bob], mtu: 65535}
tunnels: {net: {ends: [west, east]OUTER}}
script: [{do: ping alice bob size=SIZE ip=INNER df=DF}]
"""
PING = {4: 28, 6: 48}  # bytes of headers
MTUS = (1500, 65535)


def ping_in_a_tunnel(inner: int, outer: int, mtu: int, length: int, df: str) -> Run:
    words = {
        "OUTER": ", remote_addrs: 2001:db8:1::2" if outer == 6 else "",
        "MTU": str(mtu),
        "SIZE": str(length - PING[inner]),
        "INNER": str(inner),
        "DF": df,
    }
    text = LARGE
    for name, value in words.items():
        text = text.replace(name, value)
    run = Run(read(text)).run()
    assert check(run.recorder, run.world.simulator) == []
    assert max(len(event.packet) for _, event in run.recorder.of(FrameSent) if event.link == "wan") <= mtu
    return run


@pytest.mark.hos("HOS-08")
@both_outer
@pytest.mark.parametrize("mtu", MTUS)
@pytest.mark.parametrize("length", [65535, 65500])
@pytest.mark.parametrize(("inner", "df"), [(4, "yes"), (6, "yes"), (6, "no")])
def test_a_packet_that_no_tunnel_can_hold_is_too_big_and_its_sender_is_told(inner, df, outer, mtu, length):
    run = ping_in_a_tunnel(inner, outer, mtu, length, df)
    drops = [(row.node, event.reason) for row, event in run.recorder.of(PacketDropped)]
    assert drops == [("west", DropReason.TOO_BIG)]
    ((row, error),) = run.recorder.of(IcmpErrorSent)
    assert (row.node, len(error.destination)) == ("west", {4: 4, 6: 16}[inner])
    assert mtu - 80 < error.mtu < mtu
    assert not run.recorder.of(PacketSealed)


@pytest.mark.hos("HOS-08")
@both_outer
@pytest.mark.parametrize("mtu", MTUS)
@pytest.mark.parametrize("length", [65535, 65500])
def test_a_packet_that_no_tunnel_can_hold_and_that_may_be_cut_is_cut_before(outer, mtu, length):
    run = ping_in_a_tunnel(4, outer, mtu, length, "no")
    assert run.world.pings["ping"].received == 1
    assert not run.recorder.of(PacketDropped)
    assert not run.recorder.of(IcmpErrorSent)
    cut = [(row.node, event.pieces) for row, event in run.recorder.of(PacketFragmented)]
    pieces = cut[0][1]
    assert cut == [("west", pieces), ("east", pieces)]
    # each piece travels in a packet of its own: nothing is cut behind the seal
    assert len(run.recorder.of(PacketSealed)) == 2 * pieces


@pytest.mark.hos("HOS-86")
@both_outer
@both_inner
@pytest.mark.parametrize("protocol", [IpProtocol.ICMP, IpProtocol.TCP, IpProtocol.UDP, GRE])
def test_an_address_behind_the_tunnel_cannot_be_probed_from_outside(inner, outer, protocol):
    world = two_gateways(inner=inner, outer=outer)
    world.ping("a", "b")
    world.run()
    said = len(world.recorder.rows)
    internet, west = world.nodes["internet"], world.gateway("west")
    inside = [world.nodes["a"].address, west.stack.interfaces["lan"].address_like(world.nodes["a"].address)]
    for destination in inside:
        probe = ip.build(world.nodes["b"].address, destination, protocol, b"\x08\0" + bytes(30))

        def send(probe: bytes = probe) -> None:
            internet.tap(PacketOriginated(probe))
            world.simulator.links["wan_west"].carry(internet, "eth0", WEST[outer], probe)

        world.simulator.plan(world.simulator.now, internet, send)
    world.run()
    fresh = world.recorder.rows[said:]
    drops = [(row.node, row.event.reason) for row in fresh if hasattr(row.event, "reason")]
    assert drops == [("west", DropReason.INBOUND_CLEAR_PROTECTED)] * 2
    # no answer, no error, nothing that tells whether anybody is there
    sent = [row.node for row in fresh if isinstance(row.event, FrameSent)]
    assert sent == ["internet"] * 2
