import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.wire.ike.numbers import ProtocolId, TransformType
from ipsecsim.wire.ike.proposal import Proposal, SecurityAssociationPayload, Transform
from ipsecsim.wire.reader import Malformed

# Two proposals for ESP: AES-GCM-16 with two key lengths, then AES-CBC with HMAC-SHA2-256-128.
TWO_PROPOSALS = bytes.fromhex(
    "0200002c 01030403 c5692c88 0300000c01000014800e0100 0300000c01000014800e0080 0000000805000000"
    "00000028 02030403 c5692c88 0300000c0100000c800e0100 030000080300000c 0000000805000000"
)


def refused(body: bytes | str) -> str:
    with pytest.raises(Malformed) as caught:
        SecurityAssociationPayload.parse(bytes.fromhex(body) if isinstance(body, str) else body)
    assert caught.value.reason is DropReason.INVALID_SYNTAX
    return str(caught.value)


def test_proposals_and_transforms_are_read_and_emitted():
    spi = bytes.fromhex("c5692c88")
    no_esn = Transform(TransformType.ESN, 0)
    expected = SecurityAssociationPayload(
        [
            Proposal(
                1,
                ProtocolId.ESP,
                spi,
                [Transform(TransformType.ENCR, 20, 256), Transform(TransformType.ENCR, 20, 128), no_esn],
            ),
            Proposal(
                2,
                ProtocolId.ESP,
                spi,
                [Transform(TransformType.ENCR, 12, 256), Transform(TransformType.INTEG, 12), no_esn],
            ),
        ]
    )
    assert SecurityAssociationPayload.parse(TWO_PROPOSALS) == expected
    assert expected.emit() == TWO_PROPOSALS


def test_attributes_other_than_key_length_survive():
    # A short one, a long one, and a Key Length in the long form that is not its own.
    transform = Transform(1, 12, 128, ((0x8063, b"\x01\x02"), (0x0064, b"abc"), (0x000E, b"\0\x80")))
    body = transform.emit()
    assert body == bytes.fromhex("0100000c 800e0080 80630102 00640003616263 000e00020080")
    assert Transform.parse(body) == transform


def test_a_second_key_length_is_kept_for_the_negotiation_to_refuse():
    transform = Transform.parse(bytes.fromhex("0100000c 800e0080 800e0100"))
    assert transform.key_bits == 128
    assert transform.attributes == ((0x800E, b"\x01\x00"),)


def test_an_empty_payload_has_no_proposals():
    assert SecurityAssociationPayload.parse(b"") == SecurityAssociationPayload([])


def test_reserved_bytes_are_ignored():
    noisy = bytearray.fromhex("00ff0010 01010001 03ff0008 01ff0014")
    noisy[8] = 0
    assert SecurityAssociationPayload.parse(bytes(noisy)).proposals == [
        Proposal(1, 1, b"", [Transform(1, 20)])
    ]


@pytest.mark.conf("IK2-39")
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("00000010 01010000 00000008 01000014", "1 transforms, 0 announced"),
        ("00000010 01010002 00000008 01000014", "1 transforms, 2 announced"),
        ("02000010 01010001 00000008 01000014", "Last Substruc is 2 with 0 bytes to come"),
        ("01000010 01010001 00000008 01000014", "Last Substruc is 1"),
        ("00000010 01010001 03000008 01000014", "Last Substruc is 3 with 0 bytes to come"),
        ("00000018 01010002 00000008 01000014 00000008 02000005", "Last Substruc is 0 with 8 bytes to come"),
        ("00000011 01010001 00000008 01000014", "SA payload: 13 bytes wanted"),
        ("0000000f 01010001 00000008 01000014", "Last Substruc is 0 with 1 bytes to come"),
        ("00000003", "1 bytes too small"),
        ("00000000", "4 bytes too small"),
        ("00000008 0101ff00", "proposal: 255 bytes wanted"),
        ("00000010 01010001 00000007 01000014", "Last Substruc is 0 with 1 bytes to come"),
        ("00000010 01010001 00000000 01000014", "4 bytes too small"),
        ("00000012 01010001 0000000a 01000014 800e", "transform: 4 bytes wanted"),
        ("00000014 01010001 0000000c 01000014 000e0001", "transform: 1 bytes wanted"),
    ],
)
def test_lengths_counts_and_markers_that_disagree_are_refused(body, words):
    assert words in refused(body)


@pytest.mark.conf("IK2-39")
def test_every_byte_of_the_structure_mutated_is_refused_or_read():
    for position in range(len(TWO_PROPOSALS)):
        for value in (0, 1, 2, 3, 4, 0x7F, 0x80, 0xFF):
            body = bytearray(TWO_PROPOSALS)
            body[position] = value
            try:
                payload = SecurityAssociationPayload.parse(bytes(body))
            except Malformed:
                continue
            assert SecurityAssociationPayload.parse(payload.emit()) == payload
