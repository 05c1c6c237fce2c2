"""Checks of the kinds about IP packets by themselves: fragments of which only the headers are published."""

from ipsecsim.stack.fragments import fragment
from ipsecsim.wire import ip, ipv4, ipv6
from ipsecsim.wire.numbers import IpProtocol
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
    if ip.version(whole) == 4:
        cut = fragment(whole, len(pieces[0]))
        same("cut again", [piece[: ipv4.HEADER_LENGTH] for piece in cut], [piece[:20] for piece in pieces])
        return
    identifications = set()
    for piece in pieces:
        chain, header = ipv6.chain(piece), ipv6.parse(piece)
        if chain.fragment is None:
            raise MismatchError("no fragment header")
        fields = ipv6.read_fragment(piece, chain.fragment)
        identifications.add(fields.identification)
        # the whole packet's own Next Header is wrong in one published case; that of the fragments never is
        same("protocol", fields.next_header, IpProtocol.UDP)
        payload = ipv6.fragment_header(fields) + piece[chain.start :]
        again = ipv6.build(
            header.source, header.destination, IpProtocol.FRAGMENT, payload, hop_limit=header.hop_limit
        )
        same("written again", again, piece)
    same("identifications", len(identifications), 1)


def _filled(header: bytes, length: int) -> bytes:
    return header + bytes(length - len(header))


def _ends(packet: bytes) -> tuple[bytes, bytes]:
    return ip.source(packet), ip.destination(packet)


def _more(piece: bytes) -> bool:
    if ip.version(piece) == 4:
        return ipv4.parse(piece).more_fragments
    extension = ipv6.chain(piece).fragment
    return extension is not None and ipv6.read_fragment(piece, extension).more
