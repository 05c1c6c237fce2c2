"""Checks of the kinds about ESP packets, through the SA code that the program itself runs."""

from ipsecsim.base.errors import RemoteError
from ipsecsim.crypto.catalogue import EspSuite
from tests.vectors.case import Case
from tests.vectors.esp_keys import EspKeys, Opened, unwrap, wrap_again
from tests.vectors.results import NotSupportedError, same


def packet(case: Case) -> None:
    """An ESP packet made from known parts: opened, compared, and sealed to the same octets."""
    keys, spi, sequence = _keys(case), _number(case, "spi"), _number(case, "seq")
    published = bytes.fromhex(str(case.published("packet")))
    opened = keys.open(_esp(case, published))
    _compare(case, opened)
    case.expect_if_given("pad_is_rfc4303_default", opened.pad == bytes(range(1, len(opened.pad) + 1)))
    if case.has("plaintext_with_trailer"):
        trailer = opened.pad + bytes((len(opened.pad), opened.next_header))
        same("plaintext", opened.inner + trailer, case.octets("plaintext_with_trailer"))
    else:
        same("plaintext", opened.inner, case.octets("plain_packet"))
    sealed = keys.seal(spi, sequence, case.octets("iv"), opened.inner, opened.next_header)
    same("packet", _in_place(case, published, sealed), published)


def received(case: Case) -> None:
    """An ESP packet as received: opened and compared, or refused where it must be."""
    keys, spi, sequence = _keys(case), _number(case, "spi"), _number(case, "seq")
    octets = case.octets("packet")
    payload = _esp(case, octets)
    if case.expects("valid") and case.published("valid") is False:
        case.expect_refusal("valid", RemoteError, lambda: keys.open(payload))
        return
    opened = keys.open(payload)
    _compare(case, opened)
    same("spi and sequence", (opened.spi, opened.sequence), (spi, sequence))
    if case.has("iv"):
        same("iv", opened.iv, case.octets("iv"))
    case.expect_if_given("iv", opened.iv)
    case.expect_if_given("plain_packet", opened.inner)
    case.expect_if_given("valid", True)
    same("packet", _in_place(case, octets, keys.seal_again(opened)), octets)


def without_icv_key(case: Case) -> None:
    """A packet whose integrity key nobody published: there is no way here to open it unchecked."""
    case.encryption(case.text("encr"), 0, 8 * len(case.octets("encr_key")))
    raise NotSupportedError("decryption without checking the ICV")


def _keys(case: Case) -> EspKeys:
    name, key, icv = case.text("encr"), case.octets("encr_key"), case.number("icv_len")
    key_bits = 8 * len(key)
    if case.has("integ"):
        cipher = case.encryption(name, 0, key_bits)
        suite = EspSuite(cipher, key_bits, case.integrity(case.text("integ"), icv))
        integrity_key = case.octets("integ_key")
    elif icv == 0:
        raise NotSupportedError(f"{name} without integrity")
    else:
        suite, integrity_key = EspSuite(case.encryption(name, icv, key_bits), key_bits), b""
    if case.has("esn_high"):
        raise NotSupportedError("extended sequence numbers")
    if case.text("mode") == "transport":
        raise NotSupportedError("transport mode")
    return EspKeys(suite, _number(case, "spi"), key + case.octets_or_none("salt"), integrity_key)


def _number(case: Case, name: str) -> int:
    return int.from_bytes(case.octets(name), "big")


def _esp(case: Case, octets: bytes) -> bytes:
    """The ESP packet in the published octets; in mode `payload` there is no outer header."""
    payload = octets if case.text("mode") == "payload" else unwrap(octets)
    if case.has("udp_encap"):
        same("in UDP", len(octets) - len(payload) > 20, case.flag("udp_encap"))
    return payload


def _in_place(case: Case, octets: bytes, payload: bytes) -> bytes:
    return payload if case.text("mode") == "payload" else wrap_again(octets, payload)


def _compare(case: Case, opened: Opened) -> None:
    case.expect("inner", opened.inner)
    case.expect_if_given("pad", opened.pad)
    case.expect("next_header", opened.next_header)
    case.expect("icv", opened.icv)
