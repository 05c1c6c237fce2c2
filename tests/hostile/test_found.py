"""What hostile bytes once did, each test named after the wrong behaviour; the bytes are in the corpus."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.entropy import SeededEntropy
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import SECOND
from ipsecsim.base.trace import PacketDropped
from ipsecsim.crypto.signatures import pss_algorithm, scheme_of
from ipsecsim.ike.narrowing import MOST_SELECTORS, describe, narrow
from ipsecsim.ike.v2.states import State
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.ipsec.association import Direction, Mode
from ipsecsim.ipsec.events import PacketOpened
from ipsecsim.net.nodes.vpn_gateway import MOST_NESTED
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.stack.events import PacketOriginated
from ipsecsim.stack.fragments import fragment
from ipsecsim.stack.icmp import Refused
from ipsecsim.stack.reassembly import MOST_PACKETS, Reassembler
from ipsecsim.wire import esp, ipv4, udp
from ipsecsim.wire.dissect import dissect_payloads
from ipsecsim.wire.icmpv4 import Echo
from ipsecsim.wire.ike.chain import emit_message, parse_message
from ipsecsim.wire.ike.delete import Delete
from ipsecsim.wire.ike.header import INITIATOR, RESPONSE, IkeHeader
from ipsecsim.wire.ike.key_exchange import KeyExchange
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, HashAlgorithm, NotifyType, PayloadType, ProtocolId, TsType
from ipsecsim.wire.ike.traffic_selector import TrafficSelector, TsInitiator
from ipsecsim.wire.layout import MOST_FIELDS
from ipsecsim.wire.numbers import IpProtocol
from tests.hostile.chains import Link, Links, emit_links
from tests.hostile.ike_situations import Situation, header_for, seal, situation
from tests.hostile.target import reachable
from tests.support.builders import two_gateways
from tests.support.by_hand import install
from tests.support.pair import EAST, WEST, Pair, to_east
from tests.unit.ipsec.ends import Ends

A, B = pack("10.1.0.2"), pack("10.1.0.1")


def refused(reassembler: Reassembler, packet: bytes) -> DropReason:
    with pytest.raises(Refused) as caught:
        reassembler.add(packet, 0)
    return caught.value.reason


def piece(offset: int, data: bytes, *, more: bool, options: bytes = b"", identification: int = 7) -> bytes:
    return ipv4.build(
        A,
        B,
        50,
        data,
        identification=identification,
        more_fragments=more,
        fragment_offset=offset,
        options=options,
    )


# -- fragments ----------------------------------------------------------------------------------


def test_a_last_fragment_in_front_of_one_that_was_here_made_a_packet_with_a_hole():
    reassembler = Reassembler()
    assert reassembler.add(piece(24, b"later...", more=True), 0) is None
    assert refused(reassembler, piece(8, b"the end.", more=False)) is DropReason.FRAG_OVERLAP
    assert reassembler.waiting == 1


@pytest.mark.parametrize("order", [1, -1])
def test_options_on_the_first_of_the_largest_fragments_made_a_packet_that_cannot_be(order):
    reassembler = Reassembler()
    pieces = [
        piece(0, bytes(40_000), more=True, options=bytes(40)),
        piece(40_000, bytes(25_515), more=False),
    ][::order]
    reassembler.add(pieces[0], 0)
    assert refused(reassembler, pieces[1]) is DropReason.TOO_BIG


def test_cutting_a_fragment_at_the_end_of_the_offset_field_wrote_an_offset_that_does_not_fit():
    with pytest.raises(Refused):
        fragment(piece(0x1FFF * 8, bytes(700), more=False), 576)


def test_refused_fragments_took_the_room_of_good_ones():
    reassembler = Reassembler()
    for number in range(MOST_PACKETS):
        assert refused(reassembler, piece(8, b"odd", more=True, identification=number))
    assert reassembler.next_deadline() is None
    assert reassembler.add(piece(8, bytes(8), more=True, identification=MOST_PACKETS), 0) is None


# -- IKE in clear -------------------------------------------------------------------------------


def init_answer(request: SendDatagram, *payloads) -> SendDatagram:
    """An answer in clear, as anybody on the way could make it."""
    header = IkeHeader(request.payload[:8], bytes(8), 0, ExchangeType.IKE_SA_INIT, RESPONSE, 0)
    return SendDatagram(EAST, 500, WEST, 500, emit_message(header, payloads))


def test_a_forged_answer_with_a_bad_public_value_stopped_the_retransmissions():
    pair = Pair()
    pair.initiate()
    pair.deliver()
    answer = pair.wire.pop()
    header, payloads = parse_message(answer.payload)
    bad = [KeyExchange(p.group, bytes(32)) if isinstance(p, KeyExchange) else p for p in payloads]
    pair.inject(SendDatagram(EAST, 500, WEST, 500, emit_message(header, bad)))
    assert pair.west.drops == [DropReason.KE_INVALID]
    pair.wait_until(5 * SECOND)
    assert len(pair.wire) == 1  # the request, once more
    pair.settle()
    assert len(pair.west.sas) == 2


def test_a_forged_invalid_ke_with_a_number_of_1800_bytes_crashed_the_initiator():
    pair = Pair()
    pair.initiate()
    pair.inject(init_answer(pair.wire.pop(), Notify(NotifyType.INVALID_KE_PAYLOAD, b"\xff" * 1800)))
    assert pair.west.drops == [DropReason.INVALID_SYNTAX]


@pytest.mark.parametrize("kept", [slice(0, None), slice(1, None)], ids=["whole", "without SA"])
def test_an_ike_sa_init_request_in_clear_took_an_established_sa_over(kept):
    pair = Pair()
    pair.establish()
    sa = pair.west.endpoint.sas[0]
    _, payloads = parse_message(pair.sent[0].payload)
    header = IkeHeader(sa.spi_i, sa.spi_r, 0, ExchangeType.IKE_SA_INIT, 0, sa.window.expected_request)
    before = (sa.path, sa.window.expected_request, sa.nonce_i)
    pair.inject(SendDatagram(EAST, 666, WEST, 500, emit_message(header, payloads[kept])))
    assert pair.west.drops == [DropReason.STATE_VIOLATION]
    assert not pair.wire
    assert (sa.path, sa.window.expected_request, sa.nonce_i) == before
    assert sa.state is State.ESTABLISHED


def test_a_header_with_an_old_message_id_made_us_send_the_large_answer_again():
    pair = Pair()
    pair.initiate()
    pair.deliver()
    pair.wire.clear()
    spi_i = pair.east.endpoint.sas[0].spi_i
    header = IkeHeader(spi_i, bytes(8), 0, ExchangeType.IKE_SA_INIT, INITIATOR, 0)
    pair.inject(to_east(emit_message(header, [])))
    assert pair.east.drops == [
        DropReason.INVALID_SYNTAX
    ]  # the beginning of something else, and not a good one
    assert not pair.wire
    pair.inject(pair.sent[0])
    assert pair.wire.pop().payload == pair.sent[1].payload  # the real request, once more, still is answered


def test_every_first_message_left_a_stream_of_random_numbers_behind():
    entropy = SeededEntropy("many peers")
    before = reachable(entropy)
    for number in range(100):
        entropy.once(f"ike sa {number}").fork("nonce").bytes(32)
    assert reachable(entropy) == before
    assert entropy.once("x").bytes(8) == SeededEntropy("many peers").fork("x").bytes(8)


def test_a_message_of_a_later_version_without_an_initiator_spi_was_answered_with_no_ike_message():
    """RFC 7296 3.1: the initiator's SPI must not be zero, so this is none either."""
    pair = Pair()
    header = IkeHeader(bytes(8), b"\1" * 8, 0, ExchangeType.INFORMATIONAL, INITIATOR, 7, version=0x38)
    pair.inject(to_east(emit_message(header, [])))
    assert pair.east.drops == [DropReason.BAD_SPI]
    assert not pair.wire
    header.spi_i = b"\2" * 8
    pair.inject(to_east(emit_message(header, [])))
    assert len(pair.wire) == 1


# -- IKE under a good seal ----------------------------------------------------------------------


def tell(made: Situation, links: Links, *, exchange: int, is_response: bool = False) -> list:
    """The victim gets a chain under a good seal; what it asks for."""
    window = made.endpoint.sas[0].window
    message_id = window.next_request - 1 if is_response else window.expected_request
    header = header_for(made, is_response=is_response, exchange=exchange, message_id=message_id)
    first, chain = emit_links(links)
    return made.endpoint.datagram(made.path, seal(made.protection, header, first, chain + b"\0"), made.now)


def reasons(made: Situation) -> list[DropReason]:
    return made.victim.drops


def with_selectors(made: Situation, selectors: list[TrafficSelector]) -> Links:
    """The peer's IKE_AUTH, but with other traffic selectors, the same at both ends."""
    body = TsInitiator(selectors).emit()
    return [
        Link(link.number, body) if link.number in (PayloadType.TSi, PayloadType.TSr) else link
        for link in made.inside[0]
    ]


def any_address(number: int, protocol: int = 0) -> TrafficSelector:
    """None lies within another one."""
    return TrafficSelector(TsType.IPV4_ADDR_RANGE, protocol, number, number, bytes(4), b"\xff" * 4)


UNKNOWN = TrafficSelector(129, 0, 0, 0, b"", b"", b"")


def test_a_selector_of_an_unknown_type_crashed_the_responder():
    made = situation("responder, INIT_ANSWERED", "gcm")
    tell(made, with_selectors(made, [UNKNOWN]), exchange=ExchangeType.IKE_AUTH)
    assert [event.notify for event in made.victim.events if type(event).__name__ == "ChildSaFailed"] == [
        "TS_UNACCEPTABLE"
    ]
    assert describe([UNKNOWN]) == "ts type 129"


def test_more_than_255_selectors_overflowed_the_number_of_selectors():
    made = situation("responder, INIT_ANSWERED", "chacha, many networks")
    offered = [any_address(number) for number in range(255)]
    actions = tell(made, with_selectors(made, offered), exchange=ExchangeType.IKE_AUTH)
    installed = [action.parameters for action in actions if hasattr(action, "parameters")]
    assert {len(each.selectors) for each in installed} == {MOST_SELECTORS**2}


def test_selectors_without_end_were_taken():
    offered = [any_address(number) for number in range(255)]
    assert len(narrow(offered, offered)) == MOST_SELECTORS


def test_an_answer_with_255_selectors_at_each_end_made_65025_rows():
    made = situation("initiator, AUTH_SENT", "gcm")
    ours = [link for link in made.inside[0] if link.number in (PayloadType.TSi, PayloadType.TSr)]
    many = {link.number: Link(link.number, b"\xff" + link.body[1:4] + link.body[4:] * 255) for link in ours}
    links = [many.get(link.number, link) for link in made.inside[0]]
    actions = tell(made, links, exchange=ExchangeType.IKE_AUTH, is_response=True)
    assert reasons(made) == [DropReason.TS_UNACCEPTABLE]
    assert not [action for action in actions if hasattr(action, "parameters")]


def test_selectors_of_two_protocols_made_an_sa_that_carries_nothing():
    made = situation("responder, INIT_ANSWERED", "gcm")
    tcp, udp = TsInitiator([any_address(0, 6)]).emit(), TsInitiator([any_address(0, 17)]).emit()
    bodies = {PayloadType.TSi: tcp, PayloadType.TSr: udp}
    links = [Link(link.number, bodies.get(link.number, link.body)) for link in made.inside[0]]
    actions = tell(made, links, exchange=ExchangeType.IKE_AUTH)
    assert not [action for action in actions if hasattr(action, "parameters")]


@pytest.mark.parametrize(
    "in_front",
    [Delete(ProtocolId.IKE, []), Notify(NotifyType.AUTHENTICATION_FAILED)],
    ids=["DELETE", "AUTHENTICATION_FAILED"],
)
def test_a_delete_of_what_was_gone_already_kept_the_child_sas_installed(in_front):
    made = situation("initiator, ESTABLISHED", "gcm")
    links = [Link(in_front.type, in_front.emit()), Link(PayloadType.DELETE, b"\1\0\0\0")]
    actions = tell(made, links, exchange=ExchangeType.INFORMATIONAL)
    removed = {(action.direction, action.spi) for action in actions if hasattr(action, "direction")}
    assert {direction for direction, _ in removed} == set(Direction)
    assert not made.endpoint.sas


def test_a_peer_that_had_proved_nothing_was_answered_and_moved_the_window():
    made = situation("responder, INIT_ANSWERED", "gcm")
    assert tell(made, [], exchange=ExchangeType.INFORMATIONAL) == []
    assert reasons(made) == [DropReason.STATE_VIOLATION]
    assert made.endpoint.sas[0].window.expected_request == 1


# -- ESP ----------------------------------------------------------------------------------------


def test_an_authentic_packet_with_bad_padding_was_opened_as_often_as_it_came():
    ends = Ends()
    packet = ends.sealed(ends.packet(bytes(8)) + b"\2\1\2\4")
    assert not ends.receive(packet)
    assert not ends.receive(packet)
    assert ends.drops == [DropReason.ESP_BAD_PAD, DropReason.REPLAY_SEEN]


@pytest.mark.parametrize(
    "content",
    [
        bytes((IpProtocol.HOP_BY_HOP, 0)) + bytes(6) + bytes((IpProtocol.UDP, 0)) + bytes(6),
        bytes((IpProtocol.UDP, 200)) + bytes(14),
        (bytes((IpProtocol.DESTINATION_OPTIONS, 0)) + bytes(6)) * 40,
    ],
    ids=["hop by hop not first", "longer than the packet", "forty of them"],
)
def test_bad_extension_headers_inside_transport_mode_were_blamed_on_the_outer_header(content):
    ends = Ends("esp", "aes256gcm16", Mode.TRANSPORT, 6)
    trailer = esp.trailer(len(content), 4, IpProtocol.DESTINATION_OPTIONS)
    assert not ends.receive(ends.sealed(content + trailer))
    assert ends.drops == [DropReason.INNER_MALFORMED]


@pytest.mark.parametrize("mtu", [576, 1300])
def test_traffic_flow_padding_made_a_short_packet_too_long_for_its_path(mtu):
    ends = Ends(tfc_length=1400)
    ends.west.packet_too_big(ends.protect(ends.packet())[:28], mtu, 0)
    longest = ends.protect(ends.packet(dont_fragment=True))
    assert mtu - 4 < len(longest) <= mtu
    assert ends.receive(longest) == [ends.packet(dont_fragment=True)]


@pytest.mark.parametrize(("protocol", "words"), [(IpProtocol.ESP, "null-md5"), (IpProtocol.AH, "md5")])
def test_thousands_of_packets_in_each_other_ran_a_gateway_out_of_its_stack(protocol, words):
    world = install(two_gateways(), protocol, words, Mode.TRANSPORT).run()
    west, east = world.gateway("west"), world.gateway("east")
    (sender,) = [sa for sa in west.ipsec.sad.all() if sa.parameters.direction is Direction.OUTBOUND]
    ends = sender.parameters.source, sender.parameters.destination
    payload, inside = Echo(is_reply=False, identifier=1, sequence=1, data=b"").emit(), IpProtocol.ICMP
    for sequence in range(2600, 0, -1):
        header = ipv4.build(*ends, protocol, bytes(sender.transform.length_around(len(payload))))[:20]
        payload, inside = sender.transform.seal(header, payload, inside, sequence), protocol
    arriving = ipv4.build(*ends, protocol, payload)
    assert len(arriving) > 60_000
    world.simulator.plan(world.simulator.now, east, lambda: east.receive("wan", arriving))
    world.run()
    drops = [event.reason for _, event in world.recorder.of(PacketDropped)]
    assert drops == [DropReason.ENCAP_LOOP]
    assert len(world.recorder.of(PacketOpened)) == MOST_NESTED + 1


# -- the dissector ------------------------------------------------------------------------------


def test_the_dissector_made_65000_fields_of_one_delete():
    body = Delete(ProtocolId.ESP, [b"x"] * 65_000).emit()
    (payload,) = dissect_payloads(PayloadType.DELETE, b"\0\0" + (4 + len(body)).to_bytes(2, "big") + body)
    shown = list(payload.walk())
    assert len(shown) <= MOST_FIELDS + 1
    last = payload.children[-1]
    assert (last.name, last.end) == ("not shown", 4 + len(body))


def test_the_dissector_named_32000_hash_algorithms():
    body = Notify(NotifyType.SIGNATURE_HASH_ALGORITHMS, bytes(64_000)).emit()
    (payload,) = dissect_payloads(PayloadType.NOTIFY, b"\0\0" + (4 + len(body)).to_bytes(2, "big") + body)
    assert all(len(field.value) < 100 for _, field in payload.walk())


# -- a whole gateway -----------------------------------------------------------------------------


def whole_world(*packets: bytes) -> list[str]:
    """What the invariants say when the router hands these packets to the gateway `east`."""
    world = two_gateways()
    simulator, internet = world.simulator, world.nodes["internet"]

    def send() -> None:
        for packet in packets:
            assert internet.tap is not None
            internet.tap(PacketOriginated(packet))
            simulator.links["wan_east"].carry(internet, "eth1", EAST_OUTSIDE, packet)

    simulator.plan(0, internet, send)
    world.run()
    return [str(violation) for violation in check(world.recorder, world.simulator)]


EAST_OUTSIDE = pack("198.51.100.2")


def test_an_answer_that_a_node_sent_to_itself_was_held_to_come_from_outside():
    forged = udp.build(EAST_OUTSIDE, EAST_OUTSIDE, 4500, 500, b"\1" * 40)
    assert whole_world(ipv4.build(EAST_OUTSIDE, EAST_OUTSIDE, IpProtocol.UDP, forged)) == []


def test_later_fragments_of_what_policy_let_through_were_taken_for_a_leak():
    segment = udp.build(EAST_OUTSIDE, pack("10.1.0.2"), 500, 500, bytes(152))
    pieces = fragment(ipv4.build(EAST_OUTSIDE, pack("10.1.0.2"), IpProtocol.UDP, segment), 100, 0)
    assert len(pieces) == 2
    assert whole_world(*pieces) == []


def test_a_salt_of_thousands_of_digits_could_not_be_written_into_the_refusal():
    algorithm = pss_algorithm(HashAlgorithm.SHA2_256, 256**1800)
    with pytest.raises(RemoteError) as caught:
        scheme_of(algorithm)
    assert caught.value.reason is DropReason.SIG_PARAMS
