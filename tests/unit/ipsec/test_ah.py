"""AH of every algorithm: its layout, known answers, and what is refused (RFC 4302)."""

import hmac
from itertools import product

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError
from ipsecsim.crypto.authentication import make_authentication
from ipsecsim.crypto.catalogue import INTEGRITY
from ipsecsim.ipsec.ah import Ah
from ipsecsim.ipsec.association import Mode
from ipsecsim.wire import ip, ipv4, ipv6
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.ipsec.ends import EVERY_AH, OUTER, SPI, Ends, keys_of, suite_of

every_algorithm = pytest.mark.parametrize("words", EVERY_AH)

# the ICV field, and the padding behind it when AH must be a multiple of 4 and of 8 bytes
LENGTHS = {
    "sha256": (16, 0, 4),
    "sha384": (24, 0, 4),
    "sha512": (32, 0, 4),
    "sha1": (12, 0, 0),
    "md5": (12, 0, 0),
    "aesxcbc": (12, 0, 0),
    "aescmac": (12, 0, 0),
    "sha256_96": (12, 0, 0),
    "sha1_160": (20, 0, 0),
    "md5_128": (16, 0, 4),
    "aes128gmac": (24, 0, 4),
    "aes192gmac": (24, 0, 4),
    "aes256gmac": (24, 0, 4),
}


@pytest.mark.conf("AH-06", "AH-01")
@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("row", INTEGRITY.values(), ids=lambda row: row.word)
def test_the_header_is_padded_to_the_versions_alignment_and_no_further(row, version):
    icv, *paddings = LENGTHS[row.word]
    padding = paddings[version == 6]
    ends = Ends("ah", row.word, Mode.TUNNEL, version)
    sent = ends.protect(ends.packet())
    _protocol, start = ip.upper_layer(sent)
    length = 12 + icv + padding
    assert length % (4 if version == 4 else 8) == 0
    assert padding < (4 if version == 4 else 8)
    assert sent[start + 1] == length // 4 - 2
    assert sent[start + length :] == ends.packet()
    assert not any(sent[start + length - padding : start + length])
    assert ends.sender.transform.padding(0) == padding


@pytest.mark.conf("AH-06")
@pytest.mark.parametrize("words", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("extended", [False, True])
def test_the_icv_is_the_hmac_of_these_octets(words, version, extended):
    """Known answers, put together by hand: header without mutable fields, AH with zeros, payload, high half."""
    west, east = OUTER[version]
    icv, *paddings = LENGTHS[words]
    padding = bytes(paddings[version == 6])
    payload = b"what is carried"
    length = 12 + icv + len(padding)
    sequence = (7 << 32 if extended else 0) | 9
    front = bytes((IpProtocol.UDP, length // 4 - 2, 0, 0)) + SPI.to_bytes(4, "big") + (9).to_bytes(4, "big")
    carried = length + len(payload)
    if version == 4:
        header = ipv4.build(west, east, 51, bytes(carried), tos=0xB8, ttl=9, identification=0x1234)[:20]
        signed_header = bytes((0x45, 0, 0, 20 + carried, 0x12, 0x34, 0, 0, 0, 51, 0, 0)) + west + east
    else:
        header = ipv6.build(west, east, 51, bytes(carried), traffic_class=0xB8, hop_limit=9, flow_label=5)[
            :40
        ]
        signed_header = bytes((0x60, 0, 0, 0, 0, carried, 51, 0)) + west + east
    signed = signed_header + front + bytes(icv) + padding + payload
    if extended:
        signed += (7).to_bytes(4, "big")
    suite = suite_of("ah", words)
    sender = Ah(
        suite.integrity, keys_of(suite)[1], SPI, extended=extended, alignment=4 if version == 4 else 8
    )
    expected = hmac.digest(keys_of(suite)[1], signed, words)[:icv]
    sealed = sender.seal(header, payload, IpProtocol.UDP, sequence)
    assert sealed == front + expected + padding + payload
    assert len(sealed) == sender.length_around(len(payload))
    packet = header + sealed
    assert sender.content(sender.open(packet, len(header), len(packet), sequence)) == (
        payload,
        IpProtocol.UDP,
    )


@pytest.mark.conf("AH-06", "ESN-05")
@every_algorithm
def test_a_wrong_high_half_fails_and_adds_nothing_to_the_wire(words):
    suite = suite_of("ah", words)
    plain, extended = (
        Ah(suite.integrity, keys_of(suite)[1], SPI, extended=extended) for extended in (False, True)
    )
    header = ipv4.build(*OUTER[4], IpProtocol.AH, bytes(extended.length_around(7)))[:20]
    sequence = 3 << 32 | 1
    packet = header + extended.seal(header, b"payload", IpProtocol.UDP, sequence)
    assert len(packet) == len(header + plain.seal(header, b"payload", IpProtocol.UDP, 1))
    for high in (0, 2, 4):
        with pytest.raises(RemoteError) as caught:
            extended.open(packet, 20, len(packet), high << 32 | 1)
        assert caught.value.reason is DropReason.AH_ICV_FAIL
    assert extended.content(extended.open(packet, 20, len(packet), sequence)) == (b"payload", IpProtocol.UDP)


@pytest.mark.conf("AH-06")
@every_algorithm
def test_padding_may_hold_anything_and_is_signed(words):
    suite = suite_of("ah", words)
    sender = Ah(suite.integrity, keys_of(suite)[1], SPI, alignment=8)
    padding = bytes(range(1, 1 + sender.padding(0)))
    header = ipv4.build(*OUTER[4], IpProtocol.AH, bytes(sender.length))[:20]
    packet = bytearray(header + sender.seal(header, b"", IpProtocol.UDP, 1, padding=padding))
    assert packet[len(packet) - len(padding) :] == padding
    assert sender.content(sender.open(bytes(packet), 20, len(packet), 1)) == (b"", IpProtocol.UDP)
    if padding:
        packet[-1] ^= 1
        with pytest.raises(RemoteError) as caught:
            sender.open(bytes(packet), 20, len(packet), 1)
        assert caught.value.reason is DropReason.AH_ICV_FAIL


@pytest.mark.conf("AH-02")
@every_algorithm
def test_reserved_bits_are_sent_as_zero_signed_and_otherwise_ignored(words):
    ends = Ends("ah", words)
    sent = ends.protect(ends.packet())
    assert sent[22:24] == bytes(2)
    suite = suite_of("ah", words)
    authentication = make_authentication(suite.integrity, keys_of(suite)[1])
    length = ends.sender.transform.length
    iv = sent[32 : 32 + authentication.iv_length]
    front = sent[20:22] + b"\xbe\xef" + sent[24:32]
    icv_end = 32 + authentication.icv_length
    blank = iv + bytes(authentication.icv_length - len(iv))
    muted = sent[:1] + b"\0" + sent[2:6] + bytes(3) + sent[9:10] + bytes(2) + sent[12:20]
    icv = authentication.sign(muted + front + blank + sent[icv_end:], iv)
    changed = sent[:20] + front + icv + sent[icv_end:]
    assert len(front + icv) + len(sent[icv_end : 20 + length]) == length
    # set on the way they break the seal, set by the sender they mean nothing
    assert not ends.receive(sent[:22] + b"\xbe\xef" + sent[24:])
    assert ends.drops == [DropReason.AH_ICV_FAIL]
    assert ends.receive(changed) == [ends.packet()]


@pytest.mark.conf("AH-15")
@pytest.mark.parametrize("mode", list(Mode))
def test_a_lone_fragment_header_that_reassembly_left_does_not_break_the_seal(mode):
    ends = Ends("ah", "sha256", mode, 6, 6)
    packet = ends.packet()
    sent = ends.protect(packet)
    fragment = bytes((IpProtocol.AH, 0, 0, 0, 0x12, 0x34, 0x56, 0x78))
    length = int.from_bytes(sent[4:6], "big") + 8
    left = (
        sent[:4]
        + length.to_bytes(2, "big")
        + bytes((IpProtocol.FRAGMENT,))
        + sent[7:40]
        + fragment
        + sent[40:]
    )
    ip.check(left)
    if mode is Mode.TRANSPORT:
        # the header in front is the packet's own, fragment header and all
        length = int.from_bytes(packet[4:6], "big") + 8
        fragment = bytes((IpProtocol.UDP,)) + fragment[1:]
        packet = packet[:4] + length.to_bytes(2, "big") + left[6:40] + fragment + packet[40:]
    assert ends.receive(left) == [packet]
    assert not ends.drops


@pytest.mark.parametrize("version", [4, 6])
def test_a_packet_of_no_protocol_was_taken_for_a_dummy(version):
    ends = Ends("ah", "sha256", Mode.TRANSPORT, version, version)
    packet = ip.build(*ends.addresses, IpProtocol.NO_NEXT, b"")
    assert ends.receive(ends.protect(packet)) == [packet]
    assert not ends.drops


@pytest.mark.parametrize("more_or_offset", [(0, 1), (0, 8), (1, 0)])
def test_a_real_fragment_in_ipv6_is_refused(more_or_offset):
    ends = Ends("ah", "sha256", Mode.TUNNEL, 6, 6)
    sent = ends.protect(ends.packet())
    fragment = bytes((IpProtocol.AH, 0, *more_or_offset, 0, 0, 0, 1))
    piece = ipv6.build(*OUTER[6], IpProtocol.FRAGMENT, fragment + sent[40:])
    assert ends.east.inbound(IpProtocol.AH, piece, 48, 0) == []
    assert ends.drops == [DropReason.AH_FRAGMENT]


@every_algorithm
@pytest.mark.parametrize(("mode", "version"), list(product(Mode, (4, 6))))
def test_nothing_is_enciphered_and_room_is_counted_right(words, mode, version):
    ends = Ends("ah", words, mode, version, version)
    for size in (0, 1, 100):
        packet = ends.packet(bytes(size))
        sent = ends.protect(packet)
        transform = ends.sender.transform
        payload = len(packet) if mode is Mode.TUNNEL else 8 + size
        _protocol, start = ip.upper_layer(sent)
        assert len(sent) - start == transform.length_around(payload)
        assert transform.largest_payload(len(sent) - start) == payload
        assert sent.endswith(packet[-payload:])
        assert ends.receive(sent) == [packet]


@pytest.mark.parametrize("cut", range(1, 60))
def test_ah_cut_short_is_refused(cut):
    ends = Ends("ah", "sha256")
    sent = ends.protect(ends.packet())
    octets = sent[20:-cut]
    assert not ends.receive(ipv4.build(*OUTER[4], IpProtocol.AH, octets))
    expected = {DropReason.AH_ICV_FAIL} if len(octets) >= 28 else {DropReason.AH_SHORT, DropReason.AH_BAD_LEN}
    assert set(ends.drops) <= expected
