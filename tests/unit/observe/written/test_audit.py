"""The audit log: an entry for each auditable event, with all that RFC 4303 4 asks for."""

import json

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ipsec.actions import Expired
from ipsecsim.ipsec.association import LAST_SEQUENCE, Mode
from ipsecsim.ipsec.engine import IpsecEngine
from ipsecsim.net.turn import Turn
from ipsecsim.observe.record import Record
from ipsecsim.observe.written.audit import AUDITED_LAYERS, AuditEntry, entries
from ipsecsim.wire import ip, ipv4, ipv6
from tests.unit.ipsec.ends import OUTER, SPI, Ends

SUITES = [("esp", "aes256gcm16"), ("ah", "sha256")]
AT = 1_500_000_000
NAMES = {
    4: ("192.0.2.1", "192.0.2.2"),
    6: ("2001:db8::1", "2001:db8::2"),
}


def log(ends: Ends) -> list[AuditEntry]:
    """The audit log of what both engines told."""
    turn = Turn(1, AT, "east", "frame", 0)
    return list(entries(Record(number, turn, event) for number, event in enumerate(ends.events)))


def flipped(packet: bytes, at: int) -> bytes:
    return packet[:at] + bytes([packet[at] ^ 1]) + packet[at + 1 :]


def labelled(packet: bytes, label: int) -> bytes:
    """An IPv6 packet with a flow label; AH does not sign it."""
    return packet[:1] + label.to_bytes(3, "big") + packet[4:] if packet[0] >> 4 == 6 else packet


def bad_packets(ends: Ends, version: int) -> dict[DropReason, bytes]:
    """By its reason a packet for each event of RFC 4303 4, all of them sequence 1."""
    is_esp = ends.sender.parameters.protocol.name == "ESP"
    good = labelled(ends.protect(ends.packet()), 0x12345)
    spi_at = (20 if version == 4 else 40) + (0 if is_esp else 4)
    found = {
        DropReason.NO_SA: flipped(good, spi_at + 3),
        DropReason.ICV_FAIL if is_esp else DropReason.AH_ICV_FAIL: flipped(good, len(good) - 1),
    }
    if version == 4:
        header = ipv4.parse(good)
        piece = ipv4.build(*OUTER[4], header.protocol, ipv4.payload(good), more_fragments=True)
        found[DropReason.ESP_FRAGMENT if is_esp else DropReason.AH_FRAGMENT] = piece
    return found | {DropReason.REPLAY_SEEN: good}


@pytest.mark.conf("ARC-44", "ESP-27", "ESP-23")
@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize(("protocol", "words"), SUITES)
def test_each_auditable_event_of_a_receiver_tells_who_what_and_when(protocol, words, version):
    ends = Ends(protocol, words, Mode.TUNNEL, version, 4)
    for reason, packet in bad_packets(ends, version).items():
        if reason is DropReason.REPLAY_SEEN:
            assert ends.receive(packet)  # once it is good
        ends.events.clear()
        assert not ends.receive(packet)
        (entry,) = log(ends)
        assert (entry.reason, entry.at, entry.node, entry.protocol) == (
            reason.name,
            AT,
            "east",
            protocol.upper(),
        )
        assert (entry.source, entry.destination) == NAMES[version]
        assert entry.spi == (SPI ^ 1 if reason is DropReason.NO_SA else SPI)
        assert entry.sequence == 1
        assert entry.flow_label == (0x12345 if version == 6 else None)
        assert entry.clause.startswith("RFC 43")


@pytest.mark.conf("ARC-44", "ESP-27")
@pytest.mark.parametrize(("protocol", "words"), SUITES)
def test_a_sender_whose_numbers_run_out_is_told_of_with_its_sa(protocol, words):
    ends = Ends(protocol, words, sequence=LAST_SEQUENCE)
    told = IpsecEngine(ends.west.spd.policies, ends.events.append)
    told.install(ends.sender.parameters, 0)
    assert [type(action) for action in told.outbound(ends.packet(), 0)] == [Expired]
    ended, dropped = log(ends)
    assert (ended.reason, ended.spi, ended.sequence) == ("SA_EXPIRED", SPI, LAST_SEQUENCE)
    assert (ended.source, ended.destination) == NAMES[4]
    assert (dropped.reason, dropped.spi) == ("SEQ_EXHAUSTED", None)  # it never became a packet of the SA
    assert (dropped.source, dropped.destination) == ("10.1.0.2", "10.2.0.2")


@pytest.mark.conf("ARC-44")
def test_every_entry_has_one_form():
    """Whatever was dropped, and however little of it can be read."""
    whole = ip.build(*OUTER[6], 59, b"", identification=0)
    turn = Turn(1, AT, "east", "frame", 0)
    rows = [
        Record(number, turn, PacketDropped(reason, packet, "why"))
        for number, (reason, packet) in enumerate(
            (reason, packet)
            for reason in DropReason
            for packet in (b"", b"\x45", whole, ipv6.build(*OUTER[6], 51, b"\0" * 3))
        )
    ]
    written = [json.loads(entry.to_json()) for entry in entries(rows)]
    audited = [reason for reason in DropReason if reason.layer in AUDITED_LAYERS]
    assert len(written) == 4 * len(audited)
    assert {tuple(each) for each in written} == {AuditEntry.__slots__}
    assert {each["reason"] for each in written} == {reason.name for reason in audited}


def test_what_ip_drops_is_no_matter_of_ipsec():
    turn = Turn(1, AT, "east", "frame", 0)
    assert not list(entries([Record(0, turn, PacketDropped(DropReason.IP_TTL, b""))]))
