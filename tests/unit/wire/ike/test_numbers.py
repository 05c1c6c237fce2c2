import pytest

from ipsecsim.wire.ike.numbers import (
    ExchangeType,
    IdType,
    NotifyType,
    PayloadType,
    ProtocolId,
    TransformType,
    name_of,
)
from ipsecsim.wire.ike.transform_names import TRANSFORM_NAMES, group_name, transform_name


@pytest.mark.parametrize(
    ("numbers", "value", "name"),
    [
        (ExchangeType, 35, "IKE_AUTH"),
        (ExchangeType, 99, "exchange type 99"),
        (NotifyType, 16388, "NAT_DETECTION_SOURCE_IP"),
        (NotifyType, 40960, "notify type 40960"),
        (ProtocolId, 0, "protocol id 0"),
        (IdType, 2, "ID_FQDN"),
    ],
)
def test_names_of_known_and_unknown_numbers(numbers, value, name):
    assert name_of(numbers, value) == name


def test_payload_types_know_the_notation_of_the_rfc():
    assert PayloadType.NOTIFY.notation == "N"
    assert PayloadType(44).title == "Traffic Selector - Initiator"
    assert all(number.notation and number.title for number in PayloadType)
    assert name_of(PayloadType, 41) == "NOTIFY"


def test_every_transform_type_has_names():
    assert set(TRANSFORM_NAMES) == set(TransformType)


def test_transforms_are_named_by_type_and_id():
    assert transform_name(TransformType.ENCR, 20) == "ENCR_AES_GCM_16"
    assert transform_name(TransformType.ENCR, 1024) == "ENCR 1024"
    assert transform_name(13, 3) == "transform type 13 3"
    assert group_name(31) == "Curve25519"
