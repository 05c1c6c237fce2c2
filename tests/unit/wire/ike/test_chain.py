import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import LocalError
from ipsecsim.wire.ike.chain import MAX_PAYLOADS, emit_chain, emit_message, parse_chain, parse_message
from ipsecsim.wire.ike.encrypted import Encrypted, EncryptedFragment
from ipsecsim.wire.ike.header import INITIATOR, IkeHeader
from ipsecsim.wire.ike.key_exchange import KeyExchange
from ipsecsim.wire.ike.nonce import Nonce
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType, PayloadType, ProtocolId, TransformType
from ipsecsim.wire.ike.payloads import UnknownPayload
from ipsecsim.wire.ike.proposal import Proposal, SecurityAssociationPayload, Transform
from ipsecsim.wire.ike.vendor import VendorId
from ipsecsim.wire.reader import Malformed
from tests.unit.wire.samples import IKE_SA_INIT


def refused(first: int, data: bytes) -> DropReason:
    with pytest.raises(Malformed) as caught:
        parse_chain(first, data)
    return caught.value.reason


def test_a_recorded_message_reads_as_expected_and_is_emitted_byte_for_byte():
    header, payloads = parse_message(IKE_SA_INIT)
    sa, key_exchange, nonce, *notifies = payloads
    assert sa == SecurityAssociationPayload(
        [
            Proposal(
                1,
                ProtocolId.IKE,
                b"",
                [
                    Transform(TransformType.ENCR, 28),
                    Transform(TransformType.PRF, 5),
                    Transform(TransformType.KE, 31),
                ],
            )
        ]
    )
    assert isinstance(key_exchange, KeyExchange)
    assert (key_exchange.group, len(key_exchange.data)) == (31, 32)
    assert isinstance(nonce, Nonce)
    assert len(nonce.data) == 32
    assert [notify.notify_type for notify in notifies if isinstance(notify, Notify)] == [
        NotifyType.NAT_DETECTION_SOURCE_IP,
        NotifyType.NAT_DETECTION_DESTINATION_IP,
        NotifyType.IKEV2_FRAGMENTATION_SUPPORTED,
        NotifyType.SIGNATURE_HASH_ALGORITHMS,
        NotifyType.REDIRECT_SUPPORTED,
    ]
    assert emit_message(header, payloads) == IKE_SA_INIT


def test_an_empty_chain():
    assert parse_chain(0, b"") == []
    assert emit_chain([]) == (0, b"")


def test_message_length_and_next_payload_come_from_the_payloads():
    header = IkeHeader(bytes(8), bytes(8), 99, 37, INITIATOR, 3, length=7)
    message = emit_message(header, [VendorId(b"abc")])
    assert message[16] == PayloadType.VENDOR
    assert message[24:28] == (28 + 7).to_bytes(4, "big")
    assert header.length == 7


def test_unknown_payloads_and_critical_bits_survive():
    payloads = [
        UnknownPayload(200, b"abc", critical=True),
        UnknownPayload(1, b""),
        VendorId(b"x", critical=True),
    ]
    first, data = emit_chain(payloads)
    assert (first, data) == (200, bytes.fromhex("01800007 616263 2b000004 00800005 78"))
    assert parse_chain(first, data) == payloads


@pytest.mark.conf("IK2-24")
def test_the_critical_bit_of_a_known_payload_does_not_matter():
    assert parse_chain(PayloadType.NONCE, bytes.fromhex("00800014") + bytes(16)) == [
        Nonce(bytes(16), critical=True)
    ]


def test_reserved_bits_are_ignored():
    assert parse_chain(PayloadType.VENDOR, bytes.fromhex("007f0005 61")) == [VendorId(b"a")]


@pytest.mark.parametrize(
    "data",
    [
        "",  # a payload is announced and nothing comes
        "00",
        "000000",
        "00000000",  # length 0 must not loop
        "00000003",
        "00000005",  # past the end
        "0000ffff",
        "29000004",  # announces a second one
        "00000004 00",  # bytes behind the last
    ],
)
def test_lengths_that_do_not_add_up_are_refused(data):
    assert refused(PayloadType.VENDOR, bytes.fromhex(data)) is DropReason.PAYLOAD_LEN


def test_no_first_payload_but_bytes_are_refused():
    assert refused(PayloadType.NONE, b"\0\0\0\4") is DropReason.PAYLOAD_LEN


def test_the_number_of_payloads_is_capped():
    first, data = emit_chain([VendorId(b"")] * MAX_PAYLOADS)
    assert len(parse_chain(first, data)) == MAX_PAYLOADS
    first, data = emit_chain([VendorId(b"")] * (MAX_PAYLOADS + 1))
    assert refused(first, data) is DropReason.TOO_MANY_PAYLOADS


def test_an_encrypted_payload_ends_the_chain_and_names_what_is_inside():
    payloads = [VendorId(b"v"), Encrypted(PayloadType.IDi, b"sealed")]
    first, data = emit_chain(payloads)
    assert data == bytes.fromhex("2e000005 76 2300000a") + b"sealed"
    assert parse_chain(first, data) == payloads
    assert refused(first, data + b"\0") is DropReason.PAYLOAD_LEN
    with pytest.raises(LocalError, match="last"):
        emit_chain(payloads[::-1])


def test_a_fragment_carries_its_number_and_the_total():
    fragment = EncryptedFragment(PayloadType.IDi, 1, 3, b"sealed")
    first, data = emit_chain([fragment])
    assert (first, data) == (PayloadType.SKF, bytes.fromhex("2300000e 0001 0003") + b"sealed")
    assert parse_chain(first, data) == [fragment]
    assert refused(PayloadType.SKF, bytes.fromhex("00000006 0001")) is DropReason.FRAG_BAD_LEN


def test_a_wrong_header_stops_before_the_payloads():
    with pytest.raises(Malformed) as caught:
        parse_message(IKE_SA_INIT + b"\0")
    assert caught.value.reason is DropReason.LEN_MISMATCH


def test_a_body_too_long_for_the_length_field_is_the_callers_mistake():
    with pytest.raises(LocalError, match="do not fit"):
        emit_chain([VendorId(bytes(0xFFFC))])
