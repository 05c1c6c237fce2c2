"""What each kind of seal means for each field, and what a broken one shows."""

from collections.abc import Iterable
from functools import cache

import pytest

from ipsecsim.experiment.run import Run
from ipsecsim.ipsec.association import Mode
from ipsecsim.net.events import FrameSent
from ipsecsim.net.turn import Turn
from ipsecsim.observe.packets.keys import Keys
from ipsecsim.observe.packets.xray import xray
from ipsecsim.observe.record import Record
from ipsecsim.scenario import read
from ipsecsim.wire import esp, icmpv4, ipv4
from ipsecsim.wire.layout import AUTHENTICATED, CLEAR, ENCRYPTED, MUTABLE, SEALED, Field
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.ipsec.ends import EVERY_AH, EVERY_ESP, OUTER, Ends

SPI_NAME = "Security Parameters Index (SPI)"
ICV = "Integrity Check Value (ICV)"


def keys_of(ends: Ends) -> Keys:
    return Keys.of(Record(at, Turn(1, 0, "east", "", 0), event) for at, event in enumerate(ends.events))


def find(root: Field, name: str) -> Field:
    return next(each for _, each in root.walk() if each.name == name)


def names(root: Field) -> set[str]:
    return {each.name for _, each in root.walk()}


def turned(packet: bytes, bit: int) -> bytes:
    changed = bytearray(packet)
    changed[bit // 8] ^= 0x80 >> bit % 8
    return bytes(changed)


def bits(field: Field) -> range:
    first, width = field.bits or (0, 8 * (field.end - field.start))
    return range(8 * field.start + first, 8 * field.start + first + width)


def leaves(root: Field) -> Iterable[Field]:
    return (each for _, each in root.walk() if not each.children and each.end > each.start)


@pytest.mark.parametrize("words", EVERY_ESP)
def test_every_suite_opens_in_its_place_and_a_turned_bit_says_which_icv_would_be_right(words):
    ends = Ends("esp", words)
    keys, packet = keys_of(ends), ends.protect(ends.packet())
    seen = xray(packet, keys)
    assert find(seen.root, "Data").value == b"hello".hex()
    icv = find(seen.root, ICV)
    broken = turned(packet, 8 * (icv.start - 1))
    sealed = find(xray(broken, keys).root, "ESP")
    other_icv = packet[icv.start : icv.start + 4].hex()
    assert "the seal is broken: " in sealed.value
    assert sealed.value.endswith("... would be right")
    assert other_icv not in sealed.value  # that of the changed bytes is another one
    forged = packet[: icv.start] + bytes(icv.end - icv.start)
    assert f"{other_icv}... would be right" in find(xray(forged, keys).root, "ESP").value
    assert {each.name for each in find(xray(forged, keys).root, "ESP").children} >= {
        "Payload Data, sealed",
        ICV,
    }


@pytest.mark.parametrize(
    ("words", "header", "inside"),
    [
        ("aes256gcm16", AUTHENTICATED, SEALED),
        ("aes128-sha256", AUTHENTICATED, SEALED),
        ("null-sha256", AUTHENTICATED, AUTHENTICATED),
        ("aes128gmac", AUTHENTICATED, AUTHENTICATED),
        ("aes128", CLEAR, ENCRYPTED),
    ],
)
def test_the_classes_are_what_the_algorithms_do(words, header, inside):
    window = {"replay_window": 0} if header == CLEAR else {}
    ends = Ends("esp", words, **window)
    root = xray(ends.protect(ends.packet()), keys_of(ends)).root
    assert find(root, SPI_NAME).protection == find(root, "Sequence Number").protection == header
    sealed = find(root, "ESP")
    assert {each.protection for each in leaves(find(sealed, "IPv4"))} == {inside}
    assert find(sealed, "Pad Length").protection == find(sealed, "Next Header").protection == inside
    assert {each.protection for each in leaves(root) if each.start < 20} == {CLEAR}


def test_without_integrity_a_wrong_padding_is_all_that_can_be_noticed():
    ends = Ends("esp", "aes128", replay_window=0)
    packet = ends.protect(ends.packet())
    sealed = find(xray(packet[:-1] + bytes((packet[-1] ^ 1,)), keys_of(ends)).root, "ESP")
    assert sealed.value.endswith("the padding is wrong")
    assert find(sealed, "Payload Data, sealed").protection == ENCRYPTED


def test_a_seal_around_another_is_opened_too():
    outer, inner = Ends("esp", "aes256gcm16"), Ends("ah", "sha256", Mode.TRANSPORT)
    signed = inner.protect(inner.packet())
    packet = outer.sealed(signed + esp.trailer(len(signed), 4, IpProtocol.IPV4))
    assert "AH" not in names(xray(packet).root)
    both = keys_of_both(outer, inner)
    seen = xray(packet, both)
    assert names(seen.root) >= {"ESP", "AH", "UDP"}
    assert "broken" not in find(seen.root, "AH").value
    assert find(seen.root, "UDP").protection == SEALED


def keys_of_both(*several: Ends) -> Keys:
    events = [event for ends in several for event in ends.events]
    return Keys.of(Record(at, Turn(1, 0, "east", "", 0), event) for at, event in enumerate(events))


@pytest.mark.parametrize("protocol", ["esp", "ah"])
def test_a_packet_that_is_quoted_in_part_is_not_said_to_be_broken(protocol):
    ends = Ends(protocol, "sha256" if protocol == "ah" else "aes256gcm16")
    sealed = ends.protect(ends.packet())
    for length in (len(sealed) - 1, 60):
        error = icmpv4.IcmpError(3, 4, sealed[:length], 1400).emit()
        root = xray(ipv4.build(OUTER[4][1], OUTER[4][0], IpProtocol.ICMP, error), keys_of(ends)).root
        assert "broken" not in find(root, protocol.upper()).value


def test_a_number_of_more_than_32_bits_is_known_from_who_sealed():
    ends = Ends("esp", "aes128-sha256", extended_sequence=True)
    ends.west.tap = ends.events.append
    packet = ends.numbered((7 << 32) + 3)
    assert "UDP" in names(xray(packet, keys_of(ends)).root)
    before = Keys.of(
        Record(at, Turn(1, 0, "east", "", 0), event)
        for at, event in enumerate(ends.events)
        if type(event).__name__ != "PacketSealed"
    )
    assert "broken" in find(xray(packet, before).root, "ESP").value


# -- AH: what is called mutable is, and nothing else ------------------------------------------------


@cache
def run(name: str) -> Run:
    return Run(read(name)).run()


def signed_by_the_library(name: str) -> tuple[list[bytes], Keys]:
    recorder = run(name).recorder
    packets = [event.packet for _, event in recorder.of(FrameSent) if "AH" in names(xray(event.packet).root)]
    return packets[:3], Keys.of(recorder.rows)


def signed_here(version: int, words: str) -> tuple[list[bytes], Keys]:
    ends = Ends("ah", words, outer=version, inner=version)
    return [ends.protect(ends.packet())], keys_of(ends)


CASES = [("ah_tunnel",), ("ah_and_esp",), *((version, words) for version in (4, 6) for words in EVERY_AH)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(map(str, case)))
def test_a_turned_bit_of_a_mutable_field_leaves_the_seal_of_ah_and_any_other_breaks_it(case):
    packets, keys = signed_by_the_library(*case) if len(case) == 1 else signed_here(*case)
    assert packets
    for packet in packets:
        root = xray(packet, keys).root
        start = find(root, "AH").start
        assert keys.ah(packet, start) == ""
        seen = {MUTABLE: 0, AUTHENTICATED: 0}
        for field in leaves(root):
            if field.name == SPI_NAME and field.start == start + 4:
                continue  # names another SA, and the recording has no key for it
            for bit in bits(field):
                is_broken = bool(keys.ah(turned(packet, bit), start))
                assert is_broken is (field.protection != MUTABLE), (field, bit)
                seen[MUTABLE if field.protection == MUTABLE else AUTHENTICATED] += 1
        assert min(seen.values()) > 20


@pytest.mark.parametrize("words", EVERY_AH)
def test_a_broken_ah_says_which_icv_would_be_right(words):
    ends = Ends("ah", words)
    packet, keys = ends.protect(ends.packet()), keys_of(ends)
    at = find(xray(packet, keys).root, "AH").start + 12 + 8 * words.endswith("gmac")
    right = packet[at : at + 4]
    forged = packet[:at] + bytes(4) + packet[at + 4 :]
    wrong = find(xray(forged, keys).root, "AH").value
    assert wrong.endswith(f", the seal is broken: {right.hex()}... would be right")
