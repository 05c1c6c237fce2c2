"""ESP of every suite: what is on the wire, and what a receiver makes of anything else (RFC 4303)."""

import hmac
from itertools import product

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError
from ipsecsim.crypto.catalogue import ENCRYPTION
from ipsecsim.ipsec.association import Mode
from ipsecsim.ipsec.esp import Esp
from ipsecsim.ipsec.selector import ANY_PROTOCOL, Selector
from ipsecsim.wire import esp, ip, ipv4, ipv6
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.ipsec.ends import EVERY_ESP, INNER, OUTER, SPI, Ends, keys_of, suite_of

every_suite = pytest.mark.parametrize("words", EVERY_ESP)
ANY_BYTES = bytes(range(256)) + bytes(range(45))


def keyed(words: str, **options) -> Esp:
    suite = suite_of("esp", words)
    return Esp(suite, *keys_of(suite), SPI, **options)


@pytest.mark.conf("ESP-04")
@every_suite
def test_every_payload_is_padded_to_the_next_boundary_and_no_further(words):
    sender, receiver, suite = keyed(words), keyed(words), suite_of("esp", words)
    alignment = max(4, suite.encryption.block)
    around = 8 + suite.encryption.iv + (suite.encryption.icv or suite.integrity.icv)
    for length in range(301):
        payload = ANY_BYTES[:length]
        sealed = sender.seal(b"", payload, IpProtocol.UDP, length + 1)
        authentic = receiver.open(sealed, 0, len(sealed), length + 1)
        pad_length = len(authentic) - length - 2
        assert 0 <= pad_length < alignment
        assert len(authentic) % alignment == 0
        assert authentic == payload + bytes(range(1, pad_length + 1)) + bytes((pad_length, IpProtocol.UDP))
        assert receiver.content(authentic) == (payload, IpProtocol.UDP)
        assert len(sealed) == around + len(authentic) == sender.length_around(length)
        assert sender.padding(length) == pad_length


@every_suite
def test_the_largest_payload_fits_and_one_more_byte_does_not(words):
    sender = keyed(words)
    for room in range(100, 200):
        length = sender.largest_payload(room)
        assert sender.length_around(length) <= room < sender.length_around(length + 1)


# bytes from the ESP header to what it carries: the header, and the IV
OFFSETS = {
    "aes-cbc": 24,
    "camellia-cbc": 24,
    "aes-gcm-16": 16,
    "aes-gcm-12": 16,
    "aes-gcm-8": 16,
    "aes-ccm-16": 16,
    "aes-ccm-12": 16,
    "aes-ccm-8": 16,
    "aes-ctr": 16,
    "aes-gmac": 16,
    "chacha20-poly1305": 16,
    "3des-cbc": 16,
    "des-cbc": 16,
    "null": 8,
    "aes-gcm-16-iiv": 8,
    "aes-ccm-8-iiv": 8,
    "chacha20-poly1305-iiv": 8,
}


@pytest.mark.conf("ESP-33")
@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("row", ENCRYPTION.values(), ids=lambda row: row.name)
def test_what_is_carried_begins_at_a_multiple_of_4_or_8(row, version):
    offset = OFFSETS[row.name]
    assert offset % (4 if version == 4 else 8) == 0
    words = row.word_for(row.key_bits[0]) + ("" if row.combined else "-sha256")
    ends = Ends("esp", words, Mode.TRANSPORT, version)
    sent = ends.protect(ends.packet(bytes(100)))
    _protocol, start = ip.upper_layer(sent)
    assert start % (4 if version == 4 else 8) == 0
    segment = 8 + 100
    trailer = ends.sender.transform.padding(segment) + 2
    icv = ends.sender.transform.protection.icv_length
    assert len(sent) - start == offset + segment + trailer + icv


@pytest.mark.conf("ESP-11", "ESP-10", "ESN-05")
@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("words", ["aes128-sha256", "3des-sha512", "null-sha384", "aes256ctr-sha256"])
def test_the_icv_covers_all_from_spi_to_next_header_enciphered(words, extended):
    sender, suite = keyed(words, extended=extended), suite_of("esp", words)
    sequence = 5 << 32 | 7
    sealed = sender.seal(b"", b"payload", IpProtocol.UDP, sequence if extended else 7)
    name = {16: "sha256", 24: "sha384", 32: "sha512"}[suite.integrity.icv]
    high = (5).to_bytes(4, "big") if extended else b""
    covered, icv = sealed[: -suite.integrity.icv], sealed[-suite.integrity.icv :]
    assert hmac.digest(keys_of(suite)[1], covered + high, name)[: len(icv)] == icv
    assert len(sealed) == len(keyed(words).seal(b"", b"payload", IpProtocol.UDP, 7))
    if suite.encryption.name != "null":
        assert b"payload" not in sealed


@pytest.mark.conf("ESN-05")
@every_suite
def test_the_high_half_is_authenticated_and_never_sent(words):
    sender, receiver, plain = keyed(words, extended=True), keyed(words, extended=True), keyed(words)
    sequence = 3 << 32 | 9
    sealed = sender.seal(b"", b"payload", IpProtocol.UDP, sequence)
    assert len(sealed) == len(plain.seal(b"", b"payload", IpProtocol.UDP, 9))
    assert esp.numbers(sealed) == (SPI, 9)
    for high in (0, 2, 4, 0xFFFF_FFFF):
        with pytest.raises(RemoteError) as caught:
            receiver.open(sealed, 0, len(sealed), high << 32 | 9)
        assert caught.value.reason is DropReason.ICV_FAIL
    assert receiver.content(receiver.open(sealed, 0, len(sealed), sequence)) == (b"payload", IpProtocol.UDP)


@pytest.mark.conf("ESP-24")
@every_suite
def test_no_packet_with_a_changed_bit_is_delivered_and_none_is_answered(words):
    ends = Ends("esp", words)
    octets = ipv4.payload(ends.protect(ends.packet(b"")))
    for bit in range(8 * len(octets)):
        changed = bytearray(octets)
        changed[bit // 8] ^= 0x80 >> bit % 8
        # no action at all: nothing delivered, and no answer to the sender
        assert not ends.east.inbound(IpProtocol.ESP, ends.esp_packet(bytes(changed)), 20, 0)
        expected = DropReason.NO_SA if bit < 32 else DropReason.ICV_FAIL
        # sequence number 1 with its only bit cleared is 0, which is refused unread (ESP-21)
        assert ends.drops.pop() is (DropReason.SEQ_ZERO if bit == 63 else expected)
        ends.events.clear()
    assert ends.receive(ends.esp_packet(octets)) == [ends.packet(b"")]


@pytest.mark.conf("ESP-10")
@every_suite
def test_a_packet_cut_short_is_refused_and_the_next_one_is_not(words):
    ends = Ends("esp", words)
    octets = ipv4.payload(ends.protect(ends.packet()))
    for cut in (*range(1, 17), *range(17, len(octets) + 1)):
        assert not ends.receive(ends.esp_packet(octets[:-cut]))
    assert set(ends.drops) <= {DropReason.ESP_SHORT, DropReason.ESP_ALIGN, DropReason.ICV_FAIL}
    assert ends.drops[-1] is DropReason.ESP_SHORT
    assert ends.receive(ends.esp_packet(octets)) == [ends.packet()]


PADDINGS = {
    "starts at 0": b"\0\1\2\3\4",
    "repeats": b"\1\1\2",
    "is all zeros": bytes(5),
    "counts down": b"\3\2\1",
    "last byte is wrong": bytes(range(1, 8)) + b"\x09",
}


@pytest.mark.conf("ESP-05")
@every_suite
@pytest.mark.parametrize("pad", PADDINGS.values(), ids=PADDINGS)
def test_padding_that_does_not_count_is_refused(words, pad):
    ends = Ends("esp", words)
    inner = ends.packet()
    # payload of a length that the wrong padding fits
    inner += bytes(-(len(inner) + len(pad) + 2) % 16)
    assert not ends.receive(ends.sealed(inner + pad + bytes((len(pad), IpProtocol.IPV4))))
    assert ends.drops == [DropReason.ESP_BAD_PAD]


@pytest.mark.conf("ESP-06")
@every_suite
@pytest.mark.parametrize("pad_length", [31, 32, 100, 254, 255])
def test_a_pad_length_beyond_the_packet_is_refused(words, pad_length):
    ends = Ends("esp", words)
    plaintext = bytes(30) + bytes((pad_length, IpProtocol.IPV4))
    assert not ends.receive(ends.sealed(plaintext))
    assert ends.drops == [DropReason.ESP_BAD_PAD]


def packets_with_a_wrong_header(version: int):
    good = Ends(inner=version).packet()

    def with_bytes(at, *values):
        changed = bytearray(good)
        changed[at : at + len(values)] = bytes(values)
        if version == 4:
            changed[10:12] = bytes(2)
            total = sum(int.from_bytes(changed[i : i + 2], "big") for i in range(0, 20, 2))
            changed[10:12] = (-total % 0xFFFF).to_bytes(2, "big")
        return bytes(changed)

    yield "empty", b""
    yield "one byte", good[:1]
    for other in (0, 7, 15, 10 - version):
        yield f"version {other}", with_bytes(0, other << 4 | good[0] & 15)
    if version == 4:
        for words in (0, 1, 4, 15):
            yield f"header length {words}", with_bytes(0, 0x40 | words)
        for length in (0, 19, len(good) + 1, 0xFFFF):
            yield f"total length {length}", with_bytes(2, length >> 8, length & 255)
        yield "wrong checksum", good[:10] + bytes((good[10] ^ 1,)) + good[11:]
        yield "header cut", good[:19]
    else:
        for length in (len(good) - 39, 0xFFFF):
            yield f"payload length {length}", with_bytes(4, length >> 8, length & 255)
        yield "endless extension", with_bytes(6, IpProtocol.DESTINATION_OPTIONS, 64) + b"\0\xff"
        yield "header cut", good[:39]


WRONG_HEADERS = [
    pytest.param(version, inner, id=f"v{version} {name}")
    for version in (4, 6)
    for name, inner in packets_with_a_wrong_header(version)
]


@pytest.mark.conf("ESP-25")
@pytest.mark.parametrize("outer", [4, 6])
@pytest.mark.parametrize(("version", "inner"), WRONG_HEADERS)
def test_an_authentic_packet_with_a_wrong_inner_header_is_dropped(outer, version, inner):
    ends = Ends(outer=outer, inner=version)
    next_header = IpProtocol.IPV4 if version == 4 else IpProtocol.IPV6
    plaintext = inner + esp.trailer(len(inner), 4, next_header)
    assert not ends.receive(ends.sealed(plaintext))
    assert ends.drops == [DropReason.INNER_MALFORMED]
    # it was authentic, so its number is used up (RFC 4303 3.4.3)
    assert not ends.receive(ends.sealed(plaintext))
    assert ends.drops[1:] == [DropReason.REPLAY_SEEN]


@pytest.mark.conf("ESP-29")
@pytest.mark.parametrize("next_header", [0, 1, 6, 17, 50, 51, 58, 255])
def test_a_tunnel_sa_carries_only_ip_packets(next_header):
    ends = Ends()
    inner = ends.packet()
    assert not ends.receive(ends.sealed(inner + esp.trailer(len(inner), 4, next_header)))
    assert ends.drops == [DropReason.MODE_MISMATCH]


@pytest.mark.conf("ESP-29")
@pytest.mark.parametrize(("outer", "inner"), list(product((4, 6), (4, 6))))
def test_a_transport_sa_leaves_ip_in_ip_to_its_selectors(outer, inner):
    protocol = IpProtocol.IPV4 if inner == 4 else IpProtocol.IPV6
    west, east = OUTER[outer]
    inside = Ends(inner=inner).packet()
    build = ipv4.build if outer == 4 else ipv6.build
    packet = build(west, east, protocol, inside)
    for allowed, admitted in ((protocol, True), (IpProtocol.UDP, False), (ANY_PROTOCOL, True)):
        selectors = (Selector((west, west), (east, east), allowed),)
        ends = Ends("esp", "aes256gcm16", Mode.TRANSPORT, outer, selectors=selectors)
        if admitted:
            # the packet itself comes out: IP in IP is not the business of ESP in transport mode
            assert ends.receive(ends.protect(packet)) == [packet]
        else:
            plaintext = inside + esp.trailer(len(inside), 4, protocol)
            assert not ends.receive(ends.sealed(plaintext))
            assert ends.drops == [DropReason.SA_SELECTOR_MISMATCH]


@pytest.mark.conf("ESP-07")
@every_suite
def test_dummies_between_real_packets_are_counted_and_nothing_else_happens(words):
    ends = Ends("esp", words)
    dummy = bytes(30) + bytes((0, IpProtocol.NO_NEXT))
    delivered = []
    for sequence in range(1, 21, 2):
        delivered += ends.receive(ends.numbered(sequence))
        delivered += ends.receive(ends.sealed(dummy, sequence + 1))
    assert delivered == [ends.packet()] * 10
    assert ends.drops == [DropReason.DUMMY] * 10
    assert ends.receiver.replay.top == 20


@pytest.mark.conf("ESP-09", "ESP-30")
@pytest.mark.parametrize("inner", [4, 6])
@pytest.mark.parametrize("target", [100, 1000, 1400])
def test_flow_padding_hides_the_length_and_is_cut_off_again(inner, target):
    ends = Ends(inner=inner, tfc_length=target)
    lengths = set()
    for size in (0, 1, 7, 100, 1400):
        packet = ends.packet(bytes(size))
        sent = ends.protect(packet)
        if len(packet) <= target:
            lengths.add(len(sent))
        # the inner packet still says its own length: so the receiver finds the end
        assert ends.receive(sent) == [packet]
    assert len(lengths) == 1


def test_flow_padding_has_no_place_in_transport_mode():
    # RFC 4303 2.7: what is carried does not always say where it ends
    padded, plain = (Ends(mode=Mode.TRANSPORT, tfc_length=length) for length in (1000, 0))
    assert len(padded.protect(padded.packet())) == len(plain.protect(plain.packet()))


@pytest.mark.conf("ESP-23", "AH-12")
@pytest.mark.parametrize("protocol", [IpProtocol.ESP, IpProtocol.AH])
def test_a_packet_without_an_sa_is_dropped_and_told_with_its_numbers(protocol):
    ends = Ends(
        "esp" if protocol == IpProtocol.AH else "ah", "aes256gcm16" if protocol == IpProtocol.AH else "sha256"
    )
    # the one SA there is has this SPI, but is of the other protocol
    for spi in (SPI, 0, 1, 255, 256, 0xDEADBEEF, 0xFFFF_FFFF):
        numbers = spi.to_bytes(4, "big") + (77).to_bytes(4, "big")
        octets = numbers + bytes(40) if protocol == IpProtocol.ESP else b"\x11\x04\0\0" + numbers + bytes(12)
        assert not ends.receive(ipv4.build(*OUTER[4], protocol, octets))
        told = ends.events[-1]
        assert told.reason is DropReason.NO_SA
        assert f"{spi:08x}" in told.detail
        assert "77" in told.detail
        assert ip.source(told.packet) == OUTER[4][0]


@pytest.mark.conf("ARC-10", "ARC-11")
@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("protocol", ["esp", "ah"])
def test_an_inner_packet_outside_the_selectors_is_dropped_without_an_answer(protocol, version):
    words = "aes256gcm16" if protocol == "esp" else "sha256"
    ends = Ends(protocol, words, inner=version)
    good = ends.packet()
    west, east = INNER[version]
    stranger = OUTER[version][1]
    build = ipv4.build if version == 4 else ipv6.build
    for sequence, pair in enumerate([(stranger, east), (west, stranger), (east, west)], start=1):
        lying = build(*pair, IpProtocol.UDP, bytes(16))
        sa = ends.sender
        payload, next_header = sa.form.enclose(lying)
        header = sa.form.header(lying, sa.transform.length_around(len(payload)))
        packet = header + sa.transform.seal(header, payload, next_header, sequence)
        start = len(header)
        number = IpProtocol.ESP if protocol == "esp" else IpProtocol.AH
        assert ends.east.inbound(number, packet, start, 0) == []
    assert ends.drops == [DropReason.SA_SELECTOR_MISMATCH] * 3
    ends.sender.sequence = 3
    assert ends.receive(ends.protect(good)) == [good]


def test_ports_and_protocol_are_looked_at_too():
    west, east = INNER[4]
    selectors = (Selector((west, west), (east, east), IpProtocol.UDP, (1111, 1111), (2222, 2222)),)
    ends = Ends(selectors=selectors)
    assert ends.receive(ends.protect(ends.packet())) == [ends.packet()]
    for sequence, (protocol, ports) in enumerate(
        [
            (IpProtocol.UDP, b"\x04\x57\x08\xaf"),
            (IpProtocol.UDP, b"\x04\x58\x08\xae"),
            (IpProtocol.TCP, b"\x04\x57\x08\xae"),
        ],
        start=2,
    ):
        inner = ipv4.build(west, east, protocol, ports + bytes(16))
        assert not ends.receive(ends.sealed(inner + esp.trailer(len(inner), 4, IpProtocol.IPV4), sequence))
    assert ends.drops == [DropReason.SA_SELECTOR_MISMATCH] * 3
