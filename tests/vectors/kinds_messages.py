"""Checks of the kinds about whole IKE messages and their payloads, sealed or damaged."""

from collections.abc import Iterator

from ipsecsim.base.errors import RemoteError
from ipsecsim.crypto.protection import Protection, make_protection
from ipsecsim.ike.v2.messages import envelope
from ipsecsim.ike.v2.messages.envelope import Content
from ipsecsim.ike.v2.messages.fragments import FragmentSet
from ipsecsim.wire import ip, udp
from ipsecsim.wire.dissect import dissect, dissect_ike
from ipsecsim.wire.ike.chain import emit_chain, emit_message, parse_chain, parse_message
from ipsecsim.wire.ike.configuration import Configuration
from ipsecsim.wire.ike.delete import Delete
from ipsecsim.wire.ike.encrypted import FRAGMENT_FIELDS, Encrypted, EncryptedFragment
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.header import HEADER_LENGTH, IkeHeader
from ipsecsim.wire.ike.payloads import PAYLOADS
from ipsecsim.wire.ike.proposal import SecurityAssociationPayload
from ipsecsim.wire.reader import Malformed
from tests.support.pcap import ip_packet
from tests.vectors.case import Case
from tests.vectors.results import MismatchError, NotSupportedError, same

GENERIC_HEADER_LENGTH = 4

# Published as good, re-sliced without judgement. The parts are compared as published, and then the octets
# must be refused: RFC 7296 leaves no choice.
BREAKS_A_RULE = {
    "scapy-ikev2-uts-1": "Num Transforms is 0 before one transform (3.3.1)",
    "aosp-IkeConfigPayloadTest-IPV4_ADDRESS_ATTRIBUTE_WITH_VALUE": "one attribute, no CP payload (3.15)",
    "aosp-IkeConfigPayloadTest-IPV4_DHCP_ATTRIBUTE_WITH_VALUE": "one attribute, no CP payload (3.15)",
    "aosp-IkeConfigPayloadTest-IPV4_SUBNET_ATTRIBUTE_WITH_VALUE": "one attribute, no CP payload (3.15)",
    "aosp-IkeConfigPayloadTest-IPV4_PCSCF_ATTRIBUTE_WITH_VALUE": "one attribute, no CP payload (3.15)",
    "aosp-IkeConfigPayloadTest-IPV6_PCSCF_ATTRIBUTE_WITH_VALUE": "one attribute, no CP payload (3.15)",
}

PAYLOADS_WITH_RESERVED = (35, 36, 39, 47)  # IDi, IDr, AUTH, CP: one octet, then three reserved ones


def message(case: Case) -> None:
    """A message: header, outer payloads, and the same octets when it is written again."""
    octets = case.octets("message")
    header = IkeHeader.parse(octets)
    if header.major_version == 1:
        raise NotSupportedError("IKEv1")
    case.expect("spi_i", header.spi_i)
    case.expect("spi_r", header.spi_r)
    case.expect("first_payload", header.next_payload)
    case.expect("version", header.version)
    case.expect("exchange", header.exchange)
    case.expect("flags", header.flags)
    case.expect("message_id", header.message_id)
    case.expect("length", header.length)
    if case.name in BREAKS_A_RULE:
        case.expect("payloads", _sliced(header.next_payload, octets[HEADER_LENGTH:]))
        case.expect_refusal("payloads", Malformed, lambda: parse_message(octets))
        return
    header, payloads = parse_message(octets)
    case.expect("payloads", described(payloads))
    same("written again", emit_message(header, payloads), octets)


def _sliced(number: int, data: bytes) -> list[dict[str, object]]:
    """Payloads cut by their lengths alone, without a look inside."""
    pieces: list[dict[str, object]] = []
    while number:
        next_number, flags, length = data[0], data[1], int.from_bytes(data[2:4], "big")
        body = data[GENERIC_HEADER_LENGTH:length]
        pieces.append({"type": number, "critical": bool(flags & 0x80), "body": body.hex()})
        number, data = next_number, data[length:]
    return pieces


def described(payloads: list[Payload]) -> list[dict[str, object]]:
    """Payloads as the vector files list them."""
    return [
        {"type": int(payload.type), "critical": payload.critical, "body": payload.emit().hex()}
        for payload in payloads
    ]


def payload(case: Case) -> None:
    """One payload's fields, and the same octets again, where reserved ones were zero."""
    number, body = case.number("payload_type"), case.octets("bytes")
    if case.text("form") == "with-header":
        same("payload length", int.from_bytes(body[2:4], "big"), len(body))
        body = body[GENERIC_HEADER_LENGTH:]
    if case.name in BREAKS_A_RULE:
        case.expect("cfg_type", body[0])
        case.expect("attributes", _cut_short(body[4:]))
        case.expect_refusal("attributes", Malformed, lambda: PAYLOADS[number].parse(body))
        return
    parsed = PAYLOADS[number].parse(body)
    if isinstance(parsed, SecurityAssociationPayload):
        case.expect("proposals", _proposals(parsed))
    elif isinstance(parsed, Delete):
        case.expect("protocol", parsed.protocol)
        case.expect("spi_size", len(parsed.spis[0]) if parsed.spis else 0)
        case.expect("count", len(parsed.spis))
        case.expect("spis", b"".join(parsed.spis))
    elif isinstance(parsed, Configuration):
        case.expect("cfg_type", parsed.cfg_type)
        pairs = [{"type": number, "value": value.hex()} for number, value in parsed.attributes]
        case.expect("attributes", pairs)
    else:
        for name in ("method", "id_type", "group", "notify_type", "protocol", "spi", "data"):
            case.expect_if_given(name, getattr(parsed, name, None))
    if number in PAYLOADS_WITH_RESERVED:
        body = body[:1] + bytes(3) + body[4:]
    same("written again", parsed.emit(), body)


def _cut_short(data: bytes) -> list[dict[str, object]]:
    """Configuration attributes read without minding that the last one's length goes past the end."""
    attributes: list[dict[str, object]] = []
    while data:
        number, length = int.from_bytes(data[:2], "big") & 0x7FFF, int.from_bytes(data[2:4], "big")
        attributes.append({"type": number, "value": data[4 : 4 + length].hex()})
        data = data[4 + length :]
    return attributes


def _proposals(parsed: SecurityAssociationPayload) -> list[dict[str, object]]:
    return [
        {
            "protocol": proposal.protocol,
            "spi": proposal.spi.hex(),
            "transforms": [
                {"type": transform.type, "id": transform.id, "key_len": transform.key_bits}
                for transform in proposal.transforms
            ],
        }
        for proposal in parsed.proposals
    ]


def sealed(case: Case) -> None:
    """An SK payload: opened, compared in all parts, and sealed again to the same octets."""
    octets, protection = case.octets("message"), _protection(case)
    header, outer = parse_message(octets)
    last = outer[-1]
    if not isinstance(last, Encrypted):
        raise MismatchError("the message does not end in an SK payload")
    plaintext = protection.open(octets[: len(octets) - len(last.body)], last.body)
    inner = envelope.strip_padding(plaintext)
    payloads = envelope.open(octets, last, protection)
    case.expect("first_payload", last.first_inner)
    case.expect("iv", last.body[: protection.iv_length])
    case.expect("pad_len", plaintext[-1])
    case.expect("plaintext_payloads", inner)
    case.expect_if_given("payloads", described(payloads))
    same("written again", emit_chain(payloads), (last.first_inner, inner))
    iv, pad = last.body[: protection.iv_length], plaintext[len(inner) : -1]
    same("sealed again", envelope.seal(header, payloads, protection, iv=iv, pad=pad), octets)


def sealed_fragment(case: Case) -> None:
    """An SKF payload. Its plaintext is a slice of payloads, so nothing inside is parsed."""
    octets, protection = case.octets("message"), _protection(case)
    header, outer = parse_message(octets)
    last = outer[-1]
    if not isinstance(last, EncryptedFragment):
        raise MismatchError("the message does not end in an SKF payload")
    covered = octets[: len(octets) - len(last.body)]
    plaintext = protection.open(covered, last.body)
    case.expect("first_payload", last.first_inner)
    case.expect("fragment_number", last.number)
    case.expect("total_fragments", last.total)
    case.expect("iv", last.body[: protection.iv_length])
    case.expect("pad_len", plaintext[-1])
    case.expect("plaintext_payloads", envelope.strip_padding(plaintext))
    iv = last.body[: protection.iv_length]
    last.body = protection.seal(covered, plaintext, iv)
    same("sealed again", emit_message(header, outer), octets)
    same("fragment fields", covered[-FRAGMENT_FIELDS.size :], FRAGMENT_FIELDS.pack(last.number, last.total))


def reassembled(case: Case) -> None:
    """The plaintexts of all fragments of a message, put together and read."""
    first = case.number("first_payload")
    plain = [bytes.fromhex(text) for text in case.text("fragments_plaintext").split("|")]
    known = FragmentSet(message_id=1, total=len(plain), until=0)
    for number, inner in reversed(list(enumerate(plain, start=1))):
        known.pieces[number] = Content(first if number == 1 else 0, inner)
    case.expect("payload_stream", known.whole.inner)
    payloads = envelope.read(known.whole)
    case.expect("payloads", described(payloads))
    same("written again", emit_chain(payloads), (first, known.whole.inner))


def _protection(case: Case) -> Protection:
    key, icv = case.octets("sk_e"), case.number("icv_len")
    key_bits = 8 * len(key)
    if case.has("integ"):
        integrity = case.integrity(case.text("integ"), icv)
        cipher = case.encryption(case.text("encr"), 0, key_bits)
        return make_protection(
            cipher, key_bits, key + case.octets_or_none("salt"), integrity, case.octets("sk_a")
        )
    cipher = case.encryption(case.text("encr"), icv, key_bits)
    return make_protection(cipher, key_bits, key + case.octets("salt"), None)


def malformed_message(case: Case) -> None:
    """A message that must be refused or ignored: here parsing refuses it."""
    octets = case.octets("message")
    case.expect_refusal("must", RemoteError, lambda: parse_message(octets))
    dissect_ike(octets)


def malformed_packet(case: Case) -> None:
    """A frame that may be anything: it parses, or it is refused; nothing else may happen."""
    case.published("must")
    packet = ip_packet(case.octets("frame"), case.number("linktype"))
    _parse_or_refuse_packet(packet)
    dissect(packet)
    if case.has("udp_payload"):
        case.number("udp_sport")  # the ports are the packet's own; they decide nothing here
        case.number("udp_dport")
        _parse_or_refuse(case.octets("udp_payload"))
        dissect_ike(case.octets("udp_payload"))


def _parse_or_refuse_packet(packet: bytes) -> None:
    try:
        ip.check(packet)
        _protocol, start = ip.upper_layer(packet)
        _source, _destination, content = udp.parse(packet[start : ip.total_length(packet)])
    except RemoteError:
        return
    _parse_or_refuse(content)


def _parse_or_refuse(octets: bytes) -> None:
    try:
        parse_message(octets)
    except RemoteError:
        return


def seed(case: Case) -> None:
    """A payload to damage: every truncation and every flipped bit, read as every payload type."""
    case.published("use")
    octets = case.octets("bytes")
    for damaged in _mutations(octets):
        for number in PAYLOADS:
            try:
                parse_chain(number, damaged)
            except RemoteError:
                continue


def _mutations(octets: bytes) -> Iterator[bytes]:
    yield octets
    for length in range(len(octets)):
        yield octets[:length]
    # beyond the first octets of a long payload all positions are alike
    for position in range(min(len(octets), 48)):
        for bit in range(8):
            yield octets[:position] + bytes((octets[position] ^ 1 << bit,)) + octets[position + 1 :]
