from ipsecsim.base.address import Prefix, pack
from ipsecsim.ipsec.selector import Flow, Selector, flow_of
from ipsecsim.wire import ipv4
from ipsecsim.wire.numbers import IpProtocol


def test_a_selector_reads_packets_from_both_sides():
    selector = Selector.between(Prefix.parse("10.1.0.0/24"), Prefix.parse("10.2.0.0/24"))
    out = Flow(pack("10.1.0.5"), pack("10.2.0.5"), 1, None, None)
    back = Flow(pack("10.2.0.5"), pack("10.1.0.5"), 1, None, None)
    assert selector.matches_outbound(out)
    assert not selector.matches_outbound(back)
    assert selector.matches_inbound(back)
    assert not selector.matches_inbound(out)


def test_a_flow_shows_ports_only_where_the_packet_does():
    segment = (500).to_bytes(2, "big") + (4500).to_bytes(2, "big") + bytes(4)
    source, destination = pack("10.1.0.1"), pack("10.2.0.1")
    assert flow_of(ipv4.build(source, destination, IpProtocol.UDP, segment)).destination_port == 4500
    assert (
        flow_of(ipv4.build(source, destination, IpProtocol.UDP, segment, options=bytes(8))).source_port == 500
    )
    assert flow_of(ipv4.build(source, destination, 47, segment)).source_port is None
    assert flow_of(ipv4.build(source, destination, IpProtocol.UDP, segment[:3])).source_port is None


def test_ranges_that_are_prefixes_are_written_as_prefixes():
    selector = Selector(
        (pack("10.0.0.0"), pack("10.0.0.255")), (pack("10.0.0.1"), pack("10.0.0.6")), 17, (500, 500)
    )
    assert str(selector) == "10.0.0.0/24 === 10.0.0.1-10.0.0.6, UDP, local port 500"
