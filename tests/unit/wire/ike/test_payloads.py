import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import LocalError
from ipsecsim.wire.ike.auth import Authentication
from ipsecsim.wire.ike.certificate import CertificatePayload, CertificateRequest
from ipsecsim.wire.ike.configuration import Configuration
from ipsecsim.wire.ike.delete import Delete
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.identification import IdInitiator, IdResponder
from ipsecsim.wire.ike.key_exchange import KeyExchange
from ipsecsim.wire.ike.nonce import Nonce
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import (
    AuthMethod,
    CertificateEncoding,
    CfgAttribute,
    CfgType,
    IdType,
    NotifyType,
    ProtocolId,
)
from ipsecsim.wire.ike.payloads import PAYLOADS
from ipsecsim.wire.reader import Malformed

# (payload, its body as the RFC's figure lays it out)
BODIES: list[tuple[Payload, str]] = [
    (KeyExchange(31, b"\x01\x02"), "001f0000 0102"),
    (Nonce(bytes(range(16))), "000102030405060708090a0b0c0d0e0f"),
    (IdInitiator(IdType.ID_IPV4_ADDR, b"\xc0\x00\x02\x64"), "01000000 c0000264"),
    (IdResponder(IdType.ID_FQDN, b"ike.android.net"), "02000000 696b652e616e64726f69642e6e6574"),
    (Authentication(AuthMethod.SHARED_KEY_MIC, b"\xdf\x7c"), "02000000 df7c"),
    (CertificatePayload(CertificateEncoding.X509_SIGNATURE, b"\x30\x00"), "04 3000"),
    (CertificateRequest(CertificateEncoding.X509_SIGNATURE, bytes(20)), "04" + "00" * 20),
    (Notify(NotifyType.COOKIE, b"\x01\x02"), "00004006 0102"),
    (Notify(NotifyType.REKEY_SA, b"", ProtocolId.ESP, b"\xc5\x69\x2c\x88"), "03044009 c5692c88"),
    (Delete(ProtocolId.IKE, []), "01000000"),
    (Delete(ProtocolId.ESP, [b"\xab\xcd\xef\x01", b"\x20\xfe\xdc\xba"]), "03040002 abcdef01 20fedcba"),
    (
        Configuration(
            CfgType.CFG_REPLY,
            [(CfgAttribute.INTERNAL_IP4_ADDRESS, b"\xc0\x00\x02\x64"), (CfgAttribute.INTERNAL_IP4_DNS, b"")],
        ),
        "02000000 00010004c0000264 00030000",
    ),
]


@pytest.mark.parametrize(("payload", "body"), BODIES, ids=lambda value: type(value).__name__)
def test_layout_of_each_payload(payload, body):
    assert payload.emit() == bytes.fromhex(body)
    assert type(payload).parse(bytes.fromhex(body)) == payload


def test_every_row_of_the_table_is_under_its_own_number():
    for number, payload_class in PAYLOADS.items():
        assert payload_class.type == number


@pytest.mark.conf("IK2-47")
@pytest.mark.parametrize("length", range(301))
def test_nonces_of_16_to_256_bytes(length):
    body = bytes(length)
    if 16 <= length <= 256:
        assert Nonce.parse(body).data == body
    else:
        with pytest.raises(Malformed) as caught:
            Nonce.parse(body)
        assert caught.value.reason is DropReason.INVALID_SYNTAX


def test_errors_and_status_notifies():
    assert Notify(16383).is_error
    assert not Notify(16384).is_error


def test_a_notify_without_spi_keeps_its_protocol_so_that_it_can_be_ignored():
    assert Notify.parse(bytes.fromhex("0100000e")) == Notify(14, protocol=1)


def test_the_reserved_bit_of_a_configuration_attribute_is_ignored():
    assert Configuration.parse(bytes.fromhex("02ffffff 8001000101")).attributes == [(1, b"\x01")]


@pytest.mark.parametrize(
    ("number", "body"),
    [
        (34, "001f00"),
        (35, "010000"),
        (37, ""),
        (38, ""),
        (39, "020000"),
        (41, "030440"),
        (41, "03054009 c5692c88"),  # SPI past the end
        (42, "030400"),
        (42, "03040002 abcdef01"),
        (42, "03040001 abcdef01 00"),
        (42, "03000002"),  # two SPIs of no length
        (42, "0301ffff"),
        (47, "020000"),
        (47, "02000000 000100"),
        (47, "02000000 00010005c0000264"),
    ],
)
def test_bodies_cut_short_or_too_long_are_refused(number, body):
    with pytest.raises(Malformed) as caught:
        PAYLOADS[number].parse(bytes.fromhex(body))
    assert caught.value.reason is DropReason.INVALID_SYNTAX


def test_spis_of_different_lengths_are_the_callers_mistake():
    with pytest.raises(LocalError):
        Delete(ProtocolId.ESP, [b"1234", b"12345"]).emit()
