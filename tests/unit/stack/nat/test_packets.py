"""What a NAT changes in a packet, and what it must leave: ICMP errors, hairpins, and protocols without ports."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecsim.base.address import unpack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import SECOND
from ipsecsim.stack import icmp
from ipsecsim.stack.icmp import Problem, Refused
from ipsecsim.stack.nat.behaviour import EspHandling, preset
from ipsecsim.stack.nat.rewriting import End, exchanged, flow_of, quoted
from ipsecsim.wire import icmpv4, ipv4, udp
from ipsecsim.wire.checksum import internet_checksum
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.stack.nat.translator import (
    ALICE,
    BOB,
    OTHER,
    OUTSIDE,
    PEER,
    Translator,
    check,
    datagram,
    ping,
    portless,
    ports,
)

ESP, AH = IpProtocol.ESP, IpProtocol.AH


@given(st.binary(max_size=60), st.integers(0, 65535), st.integers(0, 65535), st.integers(1, 65535))
def test_the_checksums_are_those_of_a_packet_made_that_way(data, port, peer_port, new_port):
    packet = exchanged(datagram(ALICE, port, PEER, peer_port, data), End.SOURCE, (OUTSIDE, new_port))
    assert packet == datagram(OUTSIDE, new_port, PEER, peer_port, data)
    back = exchanged(packet, End.DESTINATION, (BOB, port))
    assert back == datagram(OUTSIDE, new_port, BOB, port, data)


def test_a_datagram_without_a_checksum_gets_none():
    segment = udp.build(ALICE, PEER, 1, 2, b"x", checksum=False)
    packet = exchanged(ipv4.build(ALICE, PEER, IpProtocol.UDP, segment), End.SOURCE, (OUTSIDE, 3))
    assert packet[26:28] == bytes(2)


def test_an_error_in_a_packet_is_still_there_behind_it():
    spoilt = bytearray(datagram(ALICE, 1, PEER, 2))
    spoilt[-1] ^= 1
    with pytest.raises(RemoteError):
        check(exchanged(bytes(spoilt), End.SOURCE, (OUTSIDE, 3)))


def test_a_ping_goes_out_under_another_identifier_and_its_answer_finds_back():
    nat = Translator()
    nat.nat.outbound(ping(ALICE, PEER, 7), 0)
    out = nat.nat.outbound(ping(BOB, PEER, 7), 0)
    identifier = flow_of(out).source[1]
    assert identifier != 7, "alice has it already"
    back = nat.nat.inbound(ping(PEER, OUTSIDE, identifier, is_reply=True), 0)
    assert back == ping(PEER, BOB, 7, is_reply=True)


def test_a_ping_to_the_box_is_for_the_box():
    nat = Translator()
    packet = ping(PEER, OUTSIDE, 7)
    assert nat.nat.inbound(packet, 0) == packet


def error_about(packet: bytes, sender: bytes, problem=Problem.TOO_BIG, mtu=1400) -> bytes:
    error = icmp.error_about(packet, problem, mtu)
    return ipv4.build(sender, ipv4.parse(packet).source, IpProtocol.ICMP, error.emit())


@pytest.mark.conf("NAT-13")
@pytest.mark.parametrize("build", [datagram, lambda source, port, peer, _: ping(source, peer, port)])
def test_an_error_about_a_packet_reaches_who_sent_it_and_speaks_of_what_was_sent(build):
    nat = Translator(preset("symmetric"))
    sent = build(ALICE, 5000, PEER, 9)
    seen_outside = nat.nat.outbound(sent, 0)
    back = nat.nat.inbound(error_about(seen_outside, OTHER), 0)
    assert ipv4.parse(back).destination == ALICE
    message = back[ipv4.header_length(back) :]
    icmpv4.parse(message)  # its checksum is right
    assert quoted(back)[:28] == sent[:28], "addresses, ports and checksums are those that alice knows"


@pytest.mark.conf("NAT-13")
def test_an_error_from_inside_about_a_packet_that_came_in_hides_the_inside():
    nat = Translator()
    _, port = nat.out(ALICE, 5000)
    came = nat.nat.inbound(datagram(PEER, 9, OUTSIDE, port), 0)
    error = icmp.error_about(came, Problem.PORT, 0)
    told = nat.nat.outbound(ipv4.build(ALICE, PEER, IpProtocol.ICMP, error.emit()), 0)
    assert ipv4.parse(told).source == OUTSIDE
    assert quoted(told)[:28] == datagram(PEER, 9, OUTSIDE, port)[:28]
    assert ALICE not in told


@pytest.mark.conf("NAT-13")
def test_an_error_about_nothing_of_ours_is_dropped():
    nat = Translator()
    nat.out(ALICE, 5000)
    with pytest.raises(Refused) as refused:
        nat.nat.inbound(error_about(datagram(OUTSIDE, 4711, PEER, 9), OTHER), 0)
    assert refused.value.reason is DropReason.NAT_NO_MAPPING


@pytest.mark.conf("NAT-09")
def test_a_storm_of_errors_ends_no_mapping():
    nat = Translator()
    outside = nat.nat.outbound(datagram(ALICE, 5000, PEER, 9), 0)
    for problem in (Problem.PORT, Problem.NO_ROUTE, Problem.HOPS, Problem.TOO_BIG) * 50:
        nat.nat.inbound(error_about(outside, OTHER, problem, 1300), 0)
    assert nat.back(ports(outside)[0]) == (unpack(ALICE), 5000)


@pytest.mark.conf("NAT-13")
@pytest.mark.parametrize(
    ("where", "is_summed_up", "is_taken"),
    [
        (5, False, False),  # in the message, whose checksum is wrong then
        (8 + 8, True, False),  # the time to live in the header that it quotes
        (8 + 20 + 6, True, True),  # a checksum further in is none of a NAT's affairs
    ],
)
def test_a_spoilt_error_is_not_translated(where, is_summed_up, is_taken):
    """RFC 5508 REQ-3."""
    nat = Translator()
    error = error_about(nat.nat.outbound(datagram(ALICE, 5000, PEER, 9), 0), OTHER)
    message = bytearray(error[ipv4.HEADER_LENGTH :])
    message[where] ^= 1
    if is_summed_up:
        message[2:4] = bytes(2)
        message[2:4] = internet_checksum(bytes(message)).to_bytes(2, "big")
    spoilt = ipv4.build(OTHER, OUTSIDE, IpProtocol.ICMP, bytes(message))
    assert (nat.nat.inbound(spoilt, 0) != spoilt) is is_taken


@pytest.mark.conf("NAT-13")
def test_an_error_about_a_packet_with_options_is_found_behind_them():
    nat = Translator()
    outside = nat.nat.outbound(datagram(ALICE, 5000, PEER, 9), 0)
    with_options = ipv4.build(OUTSIDE, PEER, IpProtocol.UDP, outside[20:], options=bytes((1, 1, 1, 0)))
    back = nat.nat.inbound(error_about(with_options, OTHER), 0)
    assert ipv4.parse(back).destination == ALICE
    about = quoted(back)
    assert about is not None
    assert flow_of(about).source == (ALICE, 5000)


@pytest.mark.conf("NAT-09")
def test_an_error_neither_prolongs_nor_ends_a_mapping():
    nat = Translator()
    sent = nat.nat.outbound(ping(ALICE, PEER, 7), 0)
    before = nat.nat.next_deadline()
    nat.nat.inbound(error_about(sent, OTHER, Problem.PORT), 30 * SECOND)
    assert nat.nat.next_deadline() == before, "RFC 5508 REQ-6"


@pytest.mark.conf("NAT-13")
@pytest.mark.parametrize("handling", [EspHandling.ONE_FLOW, EspHandling.BY_SPI])
def test_errors_about_esp_find_who_sent_it_and_hide_who_got_it(handling):
    nat = Translator(preset("home_router", esp=handling))
    sent = portless(ALICE, PEER, ESP, 1)
    outside = nat.nat.outbound(sent, 0)
    back = nat.nat.inbound(error_about(outside, OTHER), 0)
    assert ipv4.parse(back).destination == ALICE
    assert quoted(back) == sent[:28]
    came = portless(PEER, OUTSIDE, ESP, 91)
    error = icmp.error_about(nat.nat.inbound(came, 0), Problem.PROTOCOL, 0)
    told = nat.nat.outbound(ipv4.build(ALICE, PEER, IpProtocol.ICMP, error.emit()), 0)
    assert ipv4.parse(told).source == OUTSIDE
    assert quoted(told) == came[:28]


@pytest.mark.conf("NAT-13")
def test_an_error_that_the_box_makes_itself_speaks_of_the_outside():
    """It is about a packet whose destination was exchanged already, as when its time to live ends here."""
    nat = Translator()
    _, port = nat.out(ALICE, 5000)
    came = datagram(PEER, 9, OUTSIDE, port)
    error = icmp.error_about(nat.nat.inbound(came, 0), Problem.HOPS, 0)
    told = nat.nat.own_error(ipv4.build(OUTSIDE, PEER, IpProtocol.ICMP, error.emit()))
    assert quoted(told) == came[:28]
    about_own = icmp.error_about(datagram(PEER, 9, OUTSIDE, 4711), Problem.PORT, 0)
    plain = ipv4.build(OUTSIDE, PEER, IpProtocol.ICMP, about_own.emit())
    assert nat.nat.own_error(plain) == plain


@pytest.mark.conf("NAT-07")
def test_two_hosts_inside_meet_at_the_outside_address_and_the_answer_comes_the_same_way():
    nat = Translator(preset("full_cone"))
    _, port = nat.out(BOB, 6000)
    packet = nat.nat.hairpin(datagram(ALICE, 5000, OUTSIDE, port), 0)
    assert packet == datagram(OUTSIDE, 5000, BOB, 6000), "REQ-9a: the source is alice's outside endpoint"
    answer = nat.nat.hairpin(datagram(BOB, 6000, OUTSIDE, 5000), 0)
    assert answer == datagram(OUTSIDE, port, ALICE, 5000)


@pytest.mark.conf("NAT-07")
def test_an_error_about_a_hairpin_goes_back_the_same_way():
    """RFC 5508 REQ-7: it speaks of what alice sent, and comes from where she sent it."""
    nat = Translator(preset("full_cone"))
    _, port = nat.out(BOB, 6000)
    sent = datagram(ALICE, 5000, OUTSIDE, port)
    error = icmp.error_about(nat.nat.hairpin(sent, 0), Problem.PORT, 0)
    back = nat.nat.hairpin(ipv4.build(BOB, OUTSIDE, IpProtocol.ICMP, error.emit()), 0)
    assert (ipv4.parse(back).source, ipv4.parse(back).destination) == (OUTSIDE, ALICE)
    assert quoted(back)[:28] == sent[:28]


def test_not_every_nat_lets_them():
    nat = Translator(preset("symmetric"))
    _, port = nat.out(BOB, 6000)
    with pytest.raises(Refused) as refused:
        nat.nat.hairpin(datagram(ALICE, 5000, OUTSIDE, port), 0)
    assert refused.value.reason is DropReason.NAT_FILTERED


# -- protocols without ports ------------------------------------------------------------------------


def esp_out(nat: Translator, host: bytes, spi: int, protocol=ESP, peer=PEER) -> bytes | DropReason:
    try:
        return ipv4.parse(nat.nat.outbound(portless(host, peer, protocol, spi), nat.now)).source
    except Refused as refused:
        return refused.reason


def esp_in(nat: Translator, spi: int, protocol=ESP, peer=PEER) -> bytes | DropReason:
    try:
        return ipv4.parse(nat.nat.inbound(portless(peer, OUTSIDE, protocol, spi), nat.now)).destination
    except Refused as refused:
        return refused.reason


@pytest.mark.conf("NAT-15")
def test_esp_may_be_dropped():
    nat = Translator(preset("symmetric"))
    assert esp_out(nat, ALICE, 1) is DropReason.NAT_PROTO
    assert esp_in(nat, 1) is DropReason.NAT_NO_MAPPING


@pytest.mark.conf("NAT-15")
def test_one_flow_of_esp_passes_and_a_second_to_the_same_peer_does_not():
    nat = Translator(preset("home_router"))
    assert esp_out(nat, ALICE, 1) == OUTSIDE
    assert esp_in(nat, 99) == ALICE
    assert esp_out(nat, BOB, 2) is DropReason.NAT_PROTO
    assert esp_out(nat, BOB, 2, peer=OTHER) == OUTSIDE, "another peer is another flow"
    nat.now = nat.nat.behaviour.timeouts.esp
    assert esp_in(nat, 99) is DropReason.NAT_NO_MAPPING
    assert esp_out(nat, BOB, 2) == OUTSIDE


@pytest.mark.conf("NAT-15")
def test_by_spi_two_hosts_pass_and_who_gets_an_answer_is_a_guess():
    nat = Translator(preset("home_router", esp=EspHandling.BY_SPI))
    assert esp_out(nat, ALICE, 1) == OUTSIDE
    assert esp_in(nat, 91) == ALICE
    assert esp_out(nat, BOB, 2) == OUTSIDE
    assert esp_in(nat, 92) == BOB
    assert (esp_in(nat, 91), esp_in(nat, 92)) == (ALICE, BOB)
    # when two begin at once, the answer to the first goes to the last
    both = Translator(preset("home_router", esp=EspHandling.BY_SPI))
    esp_out(both, ALICE, 1)
    esp_out(both, BOB, 2)
    assert esp_in(both, 91) == BOB, "it was alice's"


def test_ah_passes_where_the_box_is_told_so_and_nowhere_else():
    assert esp_out(Translator(), ALICE, 1, AH) is DropReason.NAT_PROTO
    nat = Translator(preset("home_router", ah=True))
    assert esp_out(nat, ALICE, 1, AH) == OUTSIDE
    assert esp_in(nat, 1, AH) == ALICE


def test_other_protocols_are_not_translated():
    nat = Translator()
    with pytest.raises(Refused) as refused:
        nat.nat.outbound(ipv4.build(ALICE, PEER, 89, bytes(20)), 0)
    assert refused.value.reason is DropReason.NAT_PROTO


def ike(source, destination, spi_i, source_port=500):
    return datagram(source, source_port, destination, 500, spi_i + bytes(20))


@pytest.mark.conf("NAT-15")
def test_a_helper_pins_port_500_and_tells_hosts_apart_by_the_initiator_spi():
    nat = Translator(preset("hotel"))
    for host, spi in (
        (ALICE, b"alice..."),
        (BOB, b"bob....."),
    ):
        assert ports(nat.nat.outbound(ike(host, PEER, spi), 0))[0] == 500
    for host, spi in (
        (ALICE, b"alice..."),
        (BOB, b"bob....."),
    ):
        assert ipv4.parse(nat.nat.inbound(ike(PEER, OUTSIDE, spi), 0)).destination == host
    with pytest.raises(Refused) as refused:  # what a peer begins has an SPI that nobody has shown
        nat.nat.inbound(ike(PEER, OUTSIDE, b"peer's.."), 0)
    assert refused.value.reason is DropReason.NAT_NO_MAPPING


@given(st.binary(max_size=120))
def test_no_packet_upsets_it(data):
    nat = Translator(preset("hotel", esp=EspHandling.BY_SPI, ah=True))
    for protocol in (IpProtocol.ICMP, IpProtocol.UDP, IpProtocol.TCP, ESP, AH, 89):
        for way, source, destination in (
            (nat.nat.outbound, ALICE, PEER),
            (nat.nat.inbound, PEER, OUTSIDE),
            (nat.nat.hairpin, ALICE, OUTSIDE),
        ):
            packet = ipv4.build(source, destination, protocol, data)
            with suppress(Refused):
                assert len(way(packet, 0)) == len(packet)
