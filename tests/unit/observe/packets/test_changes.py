"""What differs between two forms of a packet."""

from ipsecsim.base.address import pack
from ipsecsim.experiment.run import Run
from ipsecsim.observe.packets.changes import FieldChange, differences
from ipsecsim.observe.packets.keys import Keys
from ipsecsim.scenario import read
from ipsecsim.wire import ipv4, udp
from ipsecsim.wire.layers import kind

A, B, C = pack("10.1.0.2"), pack("10.2.0.2"), pack("192.0.2.1")


def datagram(source: bytes, data: bytes = b"data", port: int = 1111) -> bytes:
    return ipv4.build(source, B, 17, udp.build(source, B, port, 9, data))


def test_nothing_differs_from_itself():
    assert differences(datagram(A), datagram(A)) == []


def test_an_address_and_a_port_change_their_checksums_too():
    found = differences(datagram(A), datagram(C, port=2222))
    assert [change.path for change in found] == [
        ("IPv4", "Header Checksum"),
        ("IPv4", "Source Address"),
        ("IPv4", "UDP", "Source Port"),
        ("IPv4", "UDP", "Checksum"),
    ]
    assert found[1] == FieldChange(("IPv4", "Source Address"), 12, 16, "10.1.0.2", "192.0.2.1")
    assert (found[2].old, found[2].new) == ("1111", "2222")


def test_bits_that_share_a_byte_are_told_apart():
    found = differences(datagram(A), ipv4.build(A, B, 17, datagram(A)[20:], tos=46 << 2))
    assert [change.path[-1] for change in found] == ["DSCP", "Header Checksum"]


def test_what_is_new_and_what_is_gone():
    bare, full = ipv4.build(A, B, 200, b""), ipv4.build(A, B, 200, b"more")
    more = [change for change in differences(bare, full) if not change.old]
    assert [change.new for change in more] != []
    gone = [change for change in differences(full, bare) if not change.new]
    assert [change.path for change in gone] == [change.path for change in more]


def test_keys_tell_what_changed_under_a_seal():
    run = Run(read("site_to_site")).run()
    first, second = [life.first for life in run.lives.all if kind(life.first) == "esp"]
    keys = Keys.of(run.recorder.rows)
    opened = {change.path[-1]: (change.old, change.new) for change in differences(first, second, keys)}
    assert opened["Type"] == ("ECHO (8)", "ECHO_REPLY (0)")
    assert "Type" not in {change.path[-1] for change in differences(first, second)}


def test_bytes_that_are_no_packet_do_no_harm():
    for one in (b"", b"\x45", bytes(40), datagram(A)[:25]):
        for other in (b"", datagram(A), bytes(3)):
            differences(one, other)
