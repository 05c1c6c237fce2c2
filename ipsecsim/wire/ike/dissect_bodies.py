"""Here is what stands inside each IKE payload, for people to read. One row a type (RFC 7296 3.3-3.16)."""

from collections.abc import Callable
from enum import IntEnum

from ipsecsim.wire.ike.numbers import (
    AuthMethod,
    CertificateEncoding,
    CfgAttribute,
    CfgType,
    HashAlgorithm,
    IdType,
    NotifyType,
    PayloadType,
    ProtocolId,
    TransformType,
    TsType,
    name_of,
)
from ipsecsim.wire.ike.proposal import KEY_LENGTH
from ipsecsim.wire.ike.traffic_selector import ADDRESS_LENGTHS
from ipsecsim.wire.ike.transform_names import group_name, transform_name
from ipsecsim.wire.layout import SEALED, Layer, address_text, hex_text, printable_text, size_text
from ipsecsim.wire.numbers import protocol_name


def _named(numbers: type[IntEnum]) -> Callable[[int], str]:
    """Shows a number by its name, with the number behind it."""
    return lambda value: f"{name_of(numbers, value)} ({value})"


def _security_association(layer: Layer) -> None:
    count = 0
    while layer.remaining:
        count += 1
        proposal = _substructure(layer, f"Proposal {count}")
        with proposal.reading():
            _proposal(proposal)
    layer.field.value = "1 proposal" if count == 1 else f"{count} proposals"


def _proposal(layer: Layer) -> None:
    _substructure_header(layer, "Proposal Length", "more proposals")
    layer.number("Proposal Num")
    protocol = layer.number("Protocol ID", 1, _named(ProtocolId))
    layer.field.value = name_of(ProtocolId, protocol)
    spi_size = layer.number("SPI Size", 1, size_text)
    layer.number("Num Transforms")
    if spi_size:
        layer.octets("SPI", spi_size)
    transforms = []
    while layer.remaining:
        transform = _substructure(layer, "Transform")
        with transform.reading():
            _transform(transform)
        transforms.append(transform.field.value)
    layer.field.value += f": {', '.join(transforms)}"


def _substructure(layer: Layer, name: str) -> Layer:
    length = int.from_bytes(layer.peek(4)[2:], "big")
    return layer.inner(name, max(length, 4))


def _substructure_header(layer: Layer, length_name: str, more: str) -> None:
    layer.number("Last Substruc", 1, lambda mark: f"{mark} ({more if mark else 'last'})")
    layer.number("RESERVED")
    layer.number(length_name, 2, size_text)


def _transform(layer: Layer) -> None:
    _substructure_header(layer, "Transform Length", "more transforms")
    kind = layer.number("Transform Type", 1, _named(TransformType))
    layer.number("RESERVED")
    number = layer.number("Transform ID", 2, lambda value: f"{transform_name(kind, value)} ({value})")
    layer.field.value = transform_name(kind, number)
    while layer.remaining:
        _transform_attribute(layer)


def _transform_attribute(layer: Layer) -> None:
    first = int.from_bytes(layer.peek(4)[:2], "big")
    is_short, kind = bool(first & 0x8000), first & 0x7FFF
    size = 4 if is_short else 4 + int.from_bytes(layer.peek(4)[2:], "big")
    attribute = layer.inner("Transform Attribute", size)
    with attribute.reading():
        attribute.bits(("Attribute Format", 1, str), ("Attribute Type", 15, _attribute_type_text))
        if is_short:
            value = attribute.number("Attribute Value", 2)
            if kind == KEY_LENGTH:
                attribute.field.value = f"Key Length {value}"
                layer.field.value += f" with {value}-bit keys"
        else:
            attribute.number("Attribute Length", 2, size_text)
            attribute.rest("Attribute Value")


def _attribute_type_text(kind: int) -> str:
    return "Key Length (14)" if kind == KEY_LENGTH else str(kind)


def _key_exchange(layer: Layer) -> None:
    group = layer.number("Diffie-Hellman Group Num", 2, lambda number: f"{group_name(number)} ({number})")
    layer.number("RESERVED", 2)
    layer.rest("Key Exchange Data")
    layer.field.value = group_name(group)


def _identification(layer: Layer) -> None:
    id_type = layer.number("ID Type", 1, _named(IdType))
    layer.number("RESERVED", 3)
    data = layer.rest("Identification Data", lambda value: _identity_text(id_type, value))
    layer.field.value = _identity_text(id_type, data)


def _identity_text(id_type: int, data: bytes) -> str:
    if id_type in (IdType.ID_IPV4_ADDR, IdType.ID_IPV6_ADDR):
        return address_text(data)
    if id_type in (IdType.ID_FQDN, IdType.ID_RFC822_ADDR):
        return printable_text(data)
    return hex_text(data)


def _certificate(layer: Layer) -> None:
    encoding = layer.number("Cert Encoding", 1, _named(CertificateEncoding))
    layer.field.value = name_of(CertificateEncoding, encoding)
    layer.rest("Certificate Data")


def _certificate_request(layer: Layer) -> None:
    encoding = layer.number("Cert Encoding", 1, _named(CertificateEncoding))
    layer.field.value = name_of(CertificateEncoding, encoding)
    while layer.remaining >= 20:
        layer.octets("Certification Authority", 20)
    layer.rest("Certification Authority")


def _authentication(layer: Layer) -> None:
    method = layer.number("Auth Method", 1, _named(AuthMethod))
    layer.number("RESERVED", 3)
    layer.rest("Authentication Data")
    layer.field.value = name_of(AuthMethod, method)


def _nonce(layer: Layer) -> None:
    layer.field.value = size_text(layer.remaining)
    layer.rest("Nonce Data")


def _notify(layer: Layer) -> None:
    layer.number("Protocol ID", 1, lambda value: "none (0)" if not value else _named(ProtocolId)(value))
    spi_size = layer.number("SPI Size", 1, size_text)
    kind = layer.number("Notify Message Type", 2, _named(NotifyType))
    layer.field.value = name_of(NotifyType, kind)
    if spi_size:
        layer.octets("SPI", spi_size)
    layer.rest("Notification Data", _NOTIFICATION_DATA.get(kind, hex_text))


def _number_text(data: bytes) -> str:
    return str(int.from_bytes(data, "big")) if len(data) <= 8 else hex_text(data)


_MOST_HASHES = 64  # bytes; more algorithms than there are say nothing to anybody


def _hash_algorithms_text(data: bytes) -> str:
    if len(data) > _MOST_HASHES:
        return hex_text(data)
    numbers = [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]
    return ", ".join(name_of(HashAlgorithm, number) for number in numbers)


_NOTIFICATION_DATA: dict[int, Callable[[bytes], str]] = {
    NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD: _number_text,
    NotifyType.INVALID_KE_PAYLOAD: lambda data: group_name(int.from_bytes(data[:2], "big")),
    NotifyType.SET_WINDOW_SIZE: _number_text,
    NotifyType.AUTH_LIFETIME: lambda data: f"{_number_text(data)} seconds",
    NotifyType.ADDITIONAL_IP4_ADDRESS: address_text,
    NotifyType.ADDITIONAL_IP6_ADDRESS: address_text,
    NotifyType.SIGNATURE_HASH_ALGORITHMS: _hash_algorithms_text,
}


def _delete(layer: Layer) -> None:
    protocol = layer.number("Protocol ID", 1, _named(ProtocolId))
    spi_size = layer.number("SPI Size", 1, size_text)
    count = layer.number("Num of SPIs", 2)
    layer.field.value = name_of(ProtocolId, protocol)
    while spi_size and layer.remaining:
        spi = layer.octets("SPI", spi_size)
        layer.field.value += f" {spi.hex()}"
    found = sum(child.name == "SPI" for child in layer.field.children)
    if count != found:
        layer.field.value += f" ({count} announced)"


def _vendor_id(layer: Layer) -> None:
    data = layer.rest("Vendor ID (VID)", _vendor_text)
    layer.field.value = _vendor_text(data)


def _vendor_text(data: bytes) -> str:
    is_text = bool(data) and all(0x20 <= byte < 0x7F for byte in data)
    return printable_text(data) if is_text else hex_text(data)


def _traffic_selectors(layer: Layer) -> None:
    layer.number("Number of TSs")
    layer.number("RESERVED", 3)
    while layer.remaining:
        length = int.from_bytes(layer.peek(4)[2:], "big")
        selector = layer.inner("Traffic Selector", max(length, 4))
        with selector.reading():
            _traffic_selector(selector)
    values = [child.value for child in layer.field.children if child.name == "Traffic Selector"]
    layer.field.value = ", ".join(values)


def _traffic_selector(layer: Layer) -> None:
    kind = layer.number("TS Type", 1, _named(TsType))
    layer.field.value = name_of(TsType, kind)
    protocol = layer.number("IP Protocol ID", 1, _any_or_protocol)
    layer.number("Selector Length", 2, size_text)
    size = ADDRESS_LENGTHS.get(kind)
    if size is None:
        layer.rest("Selector")
        return
    low, high = layer.number("Start Port", 2), layer.number("End Port", 2)
    start = layer.octets("Starting Address", size, address_text)
    end = layer.octets("Ending Address", size, address_text)
    layer.field.value = f"{address_text(start)}-{address_text(end)}"
    if protocol or (low, high) != (0, 65535):
        layer.field.value += f" {_any_or_protocol(protocol)} ports {low}-{high}"


def _any_or_protocol(protocol: int) -> str:
    return f"{protocol_name(protocol)} ({protocol})" if protocol else "any (0)"


def _encrypted(layer: Layer) -> None:
    layer.protection = SEALED
    layer.field.value = size_text(layer.remaining)
    layer.rest("IV, Encrypted IKE Payloads and ICV")


def _encrypted_fragment(layer: Layer) -> None:
    number = layer.number("Fragment Number", 2)
    total = layer.number("Total Fragments", 2)
    _encrypted(layer)
    layer.field.value = f"fragment {number} of {total}"


def _configuration(layer: Layer) -> None:
    kind = layer.number("CFG Type", 1, _named(CfgType))
    layer.number("RESERVED", 3)
    layer.field.value = name_of(CfgType, kind)
    while layer.remaining:
        length = int.from_bytes(layer.peek(4)[2:], "big")
        attribute = layer.inner("Configuration Attribute", 4 + length)
        with attribute.reading():
            _configuration_attribute(attribute)


def _configuration_attribute(layer: Layer) -> None:
    _, kind = layer.bits(("Reserved", 1, str), ("Attribute Type", 15, _named(CfgAttribute)))
    layer.number("Length", 2, size_text)
    layer.field.value = name_of(CfgAttribute, kind)
    if layer.remaining:
        value = layer.rest("Value", lambda data: _attribute_text(kind, data))
        layer.field.value += f" {_attribute_text(kind, value)}"


_NETWORKS = (
    CfgAttribute.INTERNAL_IP4_SUBNET,
    CfgAttribute.INTERNAL_IP6_SUBNET,
    CfgAttribute.INTERNAL_IP6_ADDRESS,
)


def _attribute_text(kind: int, data: bytes) -> str:
    if kind in _NETWORKS and len(data) in (8, 17):
        if len(data) == 8:
            return f"{address_text(data[:4])}/{address_text(data[4:])}"
        return f"{address_text(data[:16])}/{data[16]}"
    if kind in (CfgAttribute.APPLICATION_VERSION, CfgAttribute.INTERNAL_DNS_DOMAIN):
        return printable_text(data)
    return address_text(data)


_EAP_CODES = {1: "Request", 2: "Response", 3: "Success", 4: "Failure"}
_EAP_TYPES = {1: "Identity", 2: "Notification", 3: "Nak", 4: "MD5-Challenge", 13: "EAP-TLS", 26: "MSCHAPv2"}


def _eap(layer: Layer) -> None:
    code = layer.number("Code", 1, lambda value: f"{_EAP_CODES.get(value, 'code')} ({value})")
    layer.field.value = _EAP_CODES.get(code, f"code {code}")
    layer.number("Identifier")
    layer.number("Length", 2, size_text)
    if layer.remaining:
        kind = layer.number("Type", 1, lambda value: f"{_EAP_TYPES.get(value, 'type')} ({value})")
        layer.field.value += f", {_EAP_TYPES.get(kind, f'type {kind}')}"
        layer.rest("Type_Data")


BODIES: dict[int, Callable[[Layer], None]] = {
    PayloadType.SA: _security_association,
    PayloadType.KE: _key_exchange,
    PayloadType.IDi: _identification,
    PayloadType.IDr: _identification,
    PayloadType.CERT: _certificate,
    PayloadType.CERTREQ: _certificate_request,
    PayloadType.AUTH: _authentication,
    PayloadType.NONCE: _nonce,
    PayloadType.NOTIFY: _notify,
    PayloadType.DELETE: _delete,
    PayloadType.VENDOR: _vendor_id,
    PayloadType.TSi: _traffic_selectors,
    PayloadType.TSr: _traffic_selectors,
    PayloadType.SK: _encrypted,
    PayloadType.CP: _configuration,
    PayloadType.EAP: _eap,
    PayloadType.SKF: _encrypted_fragment,
}
