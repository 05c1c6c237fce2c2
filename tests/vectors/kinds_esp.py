"""Checks of the kinds about ESP packets, through the SA code that the program itself runs."""

from ipsecsim.base.errors import RemoteError
from ipsecsim.crypto.catalogue import EspSuite
from ipsecsim.wire import ip
from ipsecsim.wire.numbers import IpProtocol
from tests.vectors.case import Case
from tests.vectors.recorded_sa import Opened, RecordedSa
from tests.vectors.results import same
from tests.vectors.written_again import Entry, around, form_of, sealed_again, start_of


def packet(case: Case) -> None:
    """An ESP packet made from known parts: opened, compared, and sealed to the same octets."""
    octets = bytes.fromhex(str(case.published("packet")))
    opened, inner = _opened(case, octets)
    case.expect_if_given("pad_is_rfc4303_default", opened.pad == bytes(range(1, len(opened.pad) + 1)))
    same("iv", opened.iv, case.octets("iv"))
    if case.has("plaintext_with_trailer"):
        trailer = opened.pad + bytes((len(opened.pad), opened.next_header))
        same("plaintext", opened.payload + trailer, case.octets("plaintext_with_trailer"))
    else:
        same("plain packet", inner, case.octets("plain_packet"))


def received(case: Case) -> None:
    """An ESP packet as received: opened, compared and sealed again, or refused where it must be."""
    octets = case.octets("packet")
    if case.expects("valid") and case.published("valid") is False:
        start, keys = _start(case, octets), _sa(case)
        same("spi and sequence", octets[start : start + 8], case.octets("spi") + case.octets("seq"))
        case.expect_refusal("valid", RemoteError, lambda: keys.open(octets, start))
        return
    opened, inner = _opened(case, octets)
    if case.has("iv"):
        same("iv", opened.iv, case.octets("iv"))
    case.expect_if_given("iv", opened.iv)
    case.expect_if_given("plain_packet", inner)
    case.expect_if_given("valid", True)


def without_icv_key(case: Case) -> None:
    """A packet whose integrity key nobody published: all of it but the ICV, as an SA without integrity has it."""
    octets, key, icv = case.octets("packet"), case.octets("encr_key"), case.number("icv_len")
    suite = EspSuite(case.encryption(case.text("encr"), 0, 8 * len(key)), 8 * len(key))
    sa = RecordedSa(suite, _number(case, "spi"), key, b"", sequence=_number(case, "seq") - 1)
    start, end = _start(case, octets), len(octets) - icv
    opened = sa.open(octets, start, end)
    same("sequence", opened.sequence, _number(case, "seq"))
    same("iv", opened.iv, case.octets("iv"))
    case.expect("inner", opened.payload)
    case.expect("pad", opened.pad)
    case.expect("next_header", opened.next_header)
    same("mode", case.text("mode"), "tunnel")
    form = form_of(octets, opened.next_header, is_tunnel=True, entry=Entry.RECORDED)
    inner = form.disclose(octets, start, opened.payload, opened.next_header)
    payload, next_header = form.enclose(inner)
    again = around(
        octets,
        form,
        inner,
        sa.transform.length_around(len(payload)) + icv,
        lambda header: sa.seal_again(opened, header, payload, next_header) + octets[end:],
    )
    same("packet", again, octets)


def _opened(case: Case, octets: bytes) -> tuple[Opened, bytes]:
    """The packet opened, and what was inside, once it was sealed again to the same octets."""
    sa, start = _sa(case), _start(case, octets)
    opened = sa.open(octets, start)
    same("sequence", opened.sequence, _whole_number(case))
    case.expect("inner", opened.payload)
    case.expect_if_given("pad", opened.pad)
    case.expect("next_header", opened.next_header)
    case.expect("icv", opened.icv)
    mode = case.text("mode")
    if mode == "payload":
        inner = opened.payload
        again = sa.seal_again(opened, b"", inner, opened.next_header)
    else:
        form = form_of(octets, opened.next_header, is_tunnel=mode == "tunnel", entry=Entry.RECORDED)
        inner = form.disclose(octets, start, opened.payload, opened.next_header)
        again = sealed_again(octets, form, sa, opened, inner)
    same("packet", again, octets)
    return opened, inner


def _sa(case: Case) -> RecordedSa:
    name, key, icv = case.text("encr"), case.octets("encr_key"), case.number("icv_len")
    key_bits = 8 * len(key)
    integrity_key = case.octets_or_none("integ_key")
    if case.has("integ"):
        cipher = case.encryption(name, 0, key_bits)
        suite = EspSuite(cipher, key_bits, case.integrity(case.text("integ"), icv))
    else:
        suite = EspSuite(case.encryption(name, icv, key_bits), key_bits)
    return RecordedSa(
        suite,
        _number(case, "spi"),
        key + case.octets_or_none("salt"),
        integrity_key,
        extended=case.has("esn_high"),
        sequence=_whole_number(case) - 1,
    )


def _number(case: Case, name: str) -> int:
    return int.from_bytes(case.octets(name), "big")


def _whole_number(case: Case) -> int:
    return int.from_bytes(case.octets_or_none("esn_high") + case.octets("seq"), "big")


def _start(case: Case, octets: bytes) -> int:
    """Where ESP begins in the published octets; in mode `payload` there is no header before it."""
    start = 0 if case.text("mode") == "payload" else start_of(octets, IpProtocol.ESP)
    if case.has("udp_encap"):
        same("in UDP", ip.upper_layer(octets)[0] == IpProtocol.UDP, case.flag("udp_encap"))
    return start
