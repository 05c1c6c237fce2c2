"""The reader of recordings: it finds the packets, and refuses a damaged file in one way only."""

import pytest

from tests.support.pcap import BadPcapError, ip_packet, read_pcap
from tests.vectors.recordings import CAPTURES

GOOD = CAPTURES / "ikev2-psk-aesgcm-ecp384" / "capture.pcap"


def test_frames_are_counted_from_one_and_hold_ip_packets():
    frames = read_pcap(GOOD)
    assert [frame.number for frame in frames] == list(range(1, 15))
    assert {frame.version for frame in frames} == {4}


def test_a_cut_file_is_refused_unless_the_cut_falls_between_packets(tmp_path):
    data, path = GOOD.read_bytes(), tmp_path / "cut.pcap"
    ends, at = [24], 24
    while at < len(data):
        at += 16 + int.from_bytes(data[at + 8 : at + 12], "little")
        ends.append(at)
    for length in range(len(data)):
        path.write_bytes(data[:length])
        if length in ends:
            assert len(read_pcap(path)) == ends.index(length)
        else:
            with pytest.raises(BadPcapError):
                read_pcap(path)


def test_padding_of_the_link_is_cut_off():
    packet = bytes.fromhex("4500001400000000400000000a0000010a000002")
    frame = bytes(12) + b"\x08\x00" + packet + bytes(26)
    assert ip_packet(frame, 1) == packet


def test_what_is_not_ip_is_empty_and_other_links_are_refused():
    assert ip_packet(bytes(12) + b"\x08\x06" + bytes(28), 1) == b""
    assert ip_packet(b"\x02\0\0\0" + b"\x45", 0) == b"\x45"
    assert ip_packet(b"\x45", 101) == b"\x45"
    with pytest.raises(BadPcapError, match="link type 113"):
        ip_packet(b"", 113)
