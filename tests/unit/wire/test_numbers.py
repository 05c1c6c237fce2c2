from ipsecsim.wire.numbers import IpProtocol, protocol_name


def test_every_protocol_has_a_name_and_unknown_ones_have_words():
    assert protocol_name(17) == "UDP"
    assert protocol_name(99) == "protocol 99"
    assert all(not protocol_name(number).startswith("protocol") for number in IpProtocol)
