"""Checks of the kinds about AH packets, through the SA code that the program itself runs."""

from ipsecsim.base.errors import RemoteError
from ipsecsim.crypto.authentication import make_authentication
from ipsecsim.crypto.catalogue import AhSuite
from ipsecsim.ipsec.mutable_fields import without_mutable_fields
from ipsecsim.wire import ah
from ipsecsim.wire.numbers import IpProtocol
from tests.vectors.case import Case
from tests.vectors.recorded_sa import Opened, RecordedSa
from tests.vectors.results import same
from tests.vectors.written_again import Entry, form_of, sealed_again, start_of


def packet(case: Case) -> None:
    """An AH packet made from known parts: checked, compared, and signed to the same octets."""
    opened, inner = _opened(case, bytes.fromhex(str(case.published("packet"))))
    same("plain packet", inner, case.octets("plain_packet"))
    if case.has("iv"):
        same("iv", opened.iv, case.octets("iv"))


def received(case: Case) -> None:
    """An AH packet as received: checked, compared and signed again, or refused where it must be."""
    octets = case.octets("packet")
    if case.published("valid") is False:
        start, sa = start_of(octets, IpProtocol.AH), _sa(case, octets)
        same("sequence", octets[start + 8 : start + 12], case.octets("seq"))
        same("mode", case.text("mode"), "transport")
        case.expect_refusal("valid", RemoteError, lambda: sa.open(octets, start))
        return
    _opened_packet, inner = _opened(case, octets)
    case.expect("valid", True)
    case.expect("plain_packet", inner)


def _opened(case: Case, octets: bytes) -> tuple[Opened, bytes]:
    """The packet checked, and what was inside, once it was signed again to the same octets."""
    sa, start = _sa(case, octets), start_of(octets, IpProtocol.AH)
    opened = sa.open(octets, start)
    same("sequence", opened.sequence, _number(case, "seq"))
    case.expect("icv", opened.icv)
    _compare_signed(case, octets, start, opened)
    is_tunnel = case.text("mode") == "tunnel"
    form = form_of(octets, opened.next_header, is_tunnel=is_tunnel, entry=Entry.RECORDED)
    inner = form.disclose(octets, start, opened.payload, opened.next_header)
    same("packet", sealed_again(octets, form, sa, opened, inner), octets)
    return opened, inner


def _compare_signed(case: Case, octets: bytes, start: int, opened: Opened) -> None:
    """What is signed: the header as the program mutes it, all the rest as it stands, zeros for the ICV.

    The published ICV must be that of the published octets, so that the two cannot differ unseen.
    """
    icv_start = start + ah.ICV + len(opened.iv)
    rest = octets[start:icv_start] + bytes(len(opened.icv)) + octets[icv_start + len(opened.icv) :]
    signed = without_mutable_fields(octets[:start]) + rest
    case.expect("icv_input", signed)
    make_authentication(_suite(case).integrity, _key(case)).check(signed, opened.iv + opened.icv)


def _sa(case: Case, octets: bytes) -> RecordedSa:
    """AH is aligned as RFC 4302 2.6 asks: to 4 bytes in IPv4, to 8 in IPv6."""
    return RecordedSa(
        _suite(case),
        _number(case, "spi"),
        b"",
        _key(case),
        sequence=_number(case, "seq") - 1,
        alignment=4 if octets[0] >> 4 == 4 else 8,
    )


def _suite(case: Case) -> AhSuite:
    key_bits = 8 * len(case.octets("integ_key"))
    return AhSuite(case.integrity(case.text("integ"), case.number("icv_len"), key_bits))


def _key(case: Case) -> bytes:
    return case.octets("integ_key") + case.octets_or_none("salt")


def _number(case: Case, name: str) -> int:
    return int.from_bytes(case.octets(name), "big")
