import pytest

from ipsecsim.base.address import pack
from ipsecsim.wire.dissect import dissect_ike, dissect_payloads
from ipsecsim.wire.ike.auth import Authentication
from ipsecsim.wire.ike.certificate import CertificatePayload, CertificateRequest
from ipsecsim.wire.ike.chain import emit_chain, emit_message
from ipsecsim.wire.ike.configuration import Configuration
from ipsecsim.wire.ike.delete import Delete
from ipsecsim.wire.ike.dissect_bodies import BODIES
from ipsecsim.wire.ike.eap import EapPayload
from ipsecsim.wire.ike.encrypted import Encrypted, EncryptedFragment
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.header import INITIATOR, RESPONSE, IkeHeader
from ipsecsim.wire.ike.identification import IdInitiator
from ipsecsim.wire.ike.key_exchange import KeyExchange
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, IdType, NotifyType, PayloadType, ProtocolId
from ipsecsim.wire.ike.payloads import PAYLOADS, UnknownPayload
from ipsecsim.wire.ike.proposal import Proposal, SecurityAssociationPayload, Transform
from ipsecsim.wire.ike.traffic_selector import TrafficSelector, TsInitiator
from ipsecsim.wire.ike.vendor import VendorId
from ipsecsim.wire.layout import AUTHENTICATED, SEALED

NETWORK = TrafficSelector(7, 0, 0, 65535, pack("10.1.0.0"), pack("10.1.0.255"))
ONE_PORT = TrafficSelector(7, 17, 53, 53, pack("10.1.0.1"), pack("10.1.0.1"))


def test_every_payload_that_is_parsed_is_also_shown():
    assert set(BODIES) == set(PAYLOADS)


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        (KeyExchange(14, bytes(256)), "2048-bit MODP Group"),
        (IdInitiator(IdType.ID_FQDN, b"gw\x1b.example"), "gw\\x1b.example"),
        (IdInitiator(IdType.ID_IPV4_ADDR, pack("192.0.2.1")), "192.0.2.1"),
        (IdInitiator(IdType.ID_IPV4_ADDR, b"abc"), "616263"),
        (IdInitiator(IdType.ID_KEY_ID, b"\x01"), "01"),
        (Authentication(2, bytes(32)), "SHARED_KEY_MIC"),
        (Authentication(99, b""), "auth method 99"),
        (CertificatePayload(4, b"\x30"), "X509_SIGNATURE"),
        (CertificateRequest(4, bytes(45)), "X509_SIGNATURE"),
        (Notify(NotifyType.COOKIE, b"abc"), "COOKIE"),
        (Notify(9999), "notify type 9999"),
        (Delete(ProtocolId.IKE, []), "IKE"),
        (Delete(ProtocolId.ESP, [b"\xc5\x69\x2c\x88"]), "ESP c5692c88"),
        (VendorId(b"strongSwan"), "strongSwan"),
        (VendorId(b"\x00\x01"), "0001"),
        (TsInitiator([NETWORK, ONE_PORT]), "10.1.0.0-10.1.0.255, 10.1.0.1-10.1.0.1 UDP (17) ports 53-53"),
        (Encrypted(35, bytes(40)), "40 bytes"),
        (EncryptedFragment(35, 1, 3, bytes(40)), "fragment 1 of 3"),
        (Configuration(1, [(1, b"")]), "CFG_REQUEST"),
        (EapPayload(bytes.fromhex("0100000501")), "Request, Identity"),
        (EapPayload(bytes.fromhex("03000004")), "Success"),
        (UnknownPayload(200, b"abc"), ""),
        (
            SecurityAssociationPayload(
                [Proposal(1, 3, b"\xc5\x69\x2c\x88", [Transform(1, 20, 256), Transform(5, 0)])]
            ),
            "1 proposal",
        ),
    ],
)
def test_the_summary_of_each_payload(payload: Payload, value: str):
    (field,) = dissect_payloads(*emit_chain([payload]))
    assert field.value == value
    assert all(each.name != "malformed" for _, each in field.walk())


@pytest.mark.parametrize(
    ("notify", "text"),
    [
        (Notify(NotifyType.INVALID_KE_PAYLOAD, b"\0\x1f"), "Curve25519"),
        (Notify(NotifyType.SET_WINDOW_SIZE, b"\0\0\0\x05"), "5"),
        (Notify(NotifyType.ADDITIONAL_IP4_ADDRESS, pack("192.0.2.1")), "192.0.2.1"),
        (Notify(NotifyType.SIGNATURE_HASH_ALGORITHMS, b"\0\x02\0\x63"), "SHA2_256, hash algorithm 99"),
        (Notify(NotifyType.COOKIE, b"abc"), "616263"),
    ],
)
def test_notification_data_is_read_by_its_type(notify, text):
    (field,) = dissect_payloads(*emit_chain([notify]))
    data = field.find("Notification Data")
    assert data is not None
    assert data.value == text


def test_configuration_attributes_are_read_by_their_type():
    attributes = [
        (1, pack("10.99.0.1")),
        (13, pack("10.1.0.0") + pack("255.255.255.0")),
        (8, pack("2001:db8::1") + b"\x40"),
        (7, b"v1"),
        (3, b""),
        (999, b"\x01"),
    ]
    (field,) = dissect_payloads(*emit_chain([Configuration(2, attributes)]))
    assert [child.value for child in field.children if child.name == "Configuration Attribute"] == [
        "INTERNAL_IP4_ADDRESS 10.99.0.1",
        "INTERNAL_IP4_SUBNET 10.1.0.0/255.255.255.0",
        "INTERNAL_IP6_ADDRESS 2001:db8::1/64",
        "APPLICATION_VERSION v1",
        "INTERNAL_IP4_DNS",
        "cfg attribute 999 01",
    ]


def test_the_seal_of_an_encrypted_payload_covers_the_header_and_what_stands_before_it():
    header = IkeHeader(bytes(8), bytes(8), 0, ExchangeType.IKE_AUTH, RESPONSE, 1)
    message = emit_message(header, [VendorId(b"v"), Encrypted(PayloadType.IDi, bytes(40))])
    field = dissect_ike(message, offset=32)
    assert field.value == "IKE_AUTH response, message ID 1"
    assert (field.start, field.end) == (32, 32 + len(message))
    sealed = [each for _, each in field.walk() if each.protection == SEALED]
    assert [(each.start, each.end) for each in sealed] == [(field.end - 40, field.end)]
    assert {each.protection for _, each in field.walk()} == {AUTHENTICATED, SEALED}


def test_of_ikev1_only_the_header_is_read():
    header = IkeHeader(bytes(8), bytes(8), 1, 2, 0, 0, length=32, version=0x10)
    field = dissect_ike(header.emit() + b"\0\0\0\x04")
    assert field.children[-1].name == "IKEv1 payloads"


def test_decrypted_payloads_stand_where_the_caller_says():
    first, data = emit_chain([Notify(NotifyType.INITIAL_CONTACT), VendorId(b"x")])
    notify, vendor = dissect_payloads(first, data, 100, SEALED)
    assert (notify.start, notify.end, vendor.start, vendor.end) == (100, 108, 108, 113)
    assert {each.protection for _, each in vendor.walk()} == {SEALED}


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (b"", "8 bytes wanted, 0 left"),
        (
            IkeHeader(bytes(8), bytes(8), 41, 37, INITIATOR, 0).emit() + bytes(4),
            "Notify (41): payload length 0, 4",
        ),
        (
            IkeHeader(bytes(8), bytes(8), 41, 37, INITIATOR, 0).emit() + b"\0\0\0\x09",
            "payload length 9, 4 bytes left",
        ),
        (IkeHeader(bytes(8), bytes(8), 41, 37, INITIATOR, 0).emit(), "4 bytes wanted, 0 left"),
        (IkeHeader(bytes(8), bytes(8), 0, 37, INITIATOR, 0).emit() + b"\0", "1 bytes too many"),
    ],
)
def test_a_broken_message_says_why(message, words):
    last = dissect_ike(message).children[-1]
    assert last.name == "malformed"
    assert words in last.value


def test_a_proposal_that_claims_to_be_empty_does_not_loop():
    (field,) = dissect_payloads(PayloadType.SA, bytes.fromhex("0000000c 00000000 00000000"))
    assert [child.name for child in field.children[-2:]] == ["Proposal 1", "Proposal 2"]
    assert all(child.children[-1].name == "malformed" for child in field.children[-2:])
