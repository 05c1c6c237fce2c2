"""Checks of the kinds about IP packets by themselves: fragments of which only the headers are published."""

from ipsecsim.stack.fragments import fragment
from ipsecsim.wire import ip, ipv4, ipv6
from tests.vectors.case import Case
from tests.vectors.results import MismatchError, same


def fragment_headers(case: Case) -> None:
    """Headers of fragments: read, lying side by side up to the whole packet's end, and the same octets again."""
    version = case.number("version")
    whole = _filled(case.octets("whole_header"), case.number("whole_length"))
    lengths = case.numbers("fragment_lengths")
    headers = [bytes.fromhex(text) for text in case.text("fragments").split("|")]
    pieces = [_filled(header, length) for header, length in zip(headers, lengths, strict=True)]
    for packet in (whole, *pieces):
        same("version", ip.version(packet), version)
        same("length", ip.total_length(packet), len(packet))
        same("addresses", _ends(packet), _ends(whole))
    for piece in pieces:
        ip.check(piece)  # the checksum of an IPv4 header too
        same("is a fragment", ip.is_fragment(piece), True)
    case.expect("offsets", [ip.fragment_offset(piece) for piece in pieces])
    case.expect("more", [_more(piece) for piece in pieces])
    case.expect("ipv4_header_checksum_ok", [True for piece in pieces if version == 4])
    reached = 0
    for piece in pieces:
        same("offset", ip.fragment_offset(piece), reached)
        reached += len(piece) - ip.upper_layer(piece)[1]
    same("end", reached, len(whole) - (ipv4.HEADER_LENGTH if version == 4 else ipv6.HEADER_LENGTH))
    _written_again(whole, pieces)


def _written_again(whole: bytes, pieces: list[bytes]) -> None:
    """Our own stack cuts the packet into the same pieces."""
    if ip.version(whole) == 4:
        cut = fragment(whole, len(pieces[0]))
        size = ipv4.HEADER_LENGTH
    else:
        extension = ipv6.chain(pieces[0]).fragment
        if extension is None:
            raise MismatchError("no fragment header")
        fields = ipv6.read_fragment(pieces[0], extension)
        # one published whole packet announces a fragment header that it does not have; the fragments know better
        whole = whole[: ipv6.NEXT_HEADER] + bytes((fields.next_header,)) + whole[ipv6.NEXT_HEADER + 1 :]
        cut = fragment(whole, len(pieces[0]), fields.identification)
        size = ipv6.HEADER_LENGTH + ipv6.FRAGMENT_HEADER_LENGTH
    same("cut again", [piece[:size] for piece in cut], [piece[:size] for piece in pieces])


def _filled(header: bytes, length: int) -> bytes:
    return header + bytes(length - len(header))


def _ends(packet: bytes) -> tuple[bytes, bytes]:
    return ip.source(packet), ip.destination(packet)


def _more(piece: bytes) -> bool:
    if ip.version(piece) == 4:
        return ipv4.parse(piece).more_fragments
    extension = ipv6.chain(piece).fragment
    return extension is not None and ipv6.read_fragment(piece, extension).more
