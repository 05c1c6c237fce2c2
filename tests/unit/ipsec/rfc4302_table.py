"""Which bits of a received packet AH signs, written down from RFC 4302 and from nothing else.

Sections 3.3.3.1.1 (IPv4), 3.3.3.1.2 (IPv6) and appendix A. A header is seen as a row of fields; each is KEPT, that
is signed as it stands, or ZEROED. What is "mutable but predictable" is at the receiver what the sender predicted:
there it is KEPT. The engine has code of its own for this; the two meet only in tests.
"""

from collections.abc import Iterator

KEPT, ZEROED = True, False

IPV4_FIELDS = (  # 3.3.3.1.1.1
    ("Version", 4, KEPT),
    ("Internet Header Length", 4, KEPT),
    ("DSCP", 6, ZEROED),
    ("ECN", 2, ZEROED),
    ("Total Length", 16, KEPT),
    ("Identification", 16, KEPT),
    ("Flags", 3, ZEROED),
    ("Fragment Offset", 13, ZEROED),
    ("Time to Live", 8, ZEROED),
    ("Protocol", 8, KEPT),
    ("Header Checksum", 16, ZEROED),
    ("Source Address", 32, KEPT),
    ("Destination Address", 32, KEPT),
)
IPV6_FIELDS = (  # 3.3.3.1.2.1
    ("Version", 4, KEPT),
    ("DSCP", 6, ZEROED),
    ("ECN", 2, ZEROED),
    ("Flow Label", 20, ZEROED),
    ("Payload Length", 16, KEPT),
    ("Next Header", 8, KEPT),
    ("Hop Limit", 8, ZEROED),
    ("Source Address", 128, KEPT),
    ("Destination Address", 128, KEPT),
)

IPV4_OPTIONS = {  # appendix A1, by (copy, class, number); one that is not here is unknown: ZEROED (3.3.3.1)
    (0, 0, 0): ("End of Options List", KEPT),
    (0, 0, 1): ("No Operation", KEPT),
    (1, 0, 2): ("Security", KEPT),
    (1, 0, 5): ("Extended Security", KEPT),
    (1, 0, 6): ("Commercial Security", KEPT),
    (1, 0, 20): ("Router Alert", KEPT),
    (1, 0, 21): ("Sender Directed Multi-Destination Delivery", KEPT),
    (1, 0, 3): ("Loose Source Route", ZEROED),
    (0, 2, 4): ("Time Stamp", ZEROED),
    (0, 0, 7): ("Record Route", ZEROED),
    (1, 0, 9): ("Strict Source Route", ZEROED),
    (0, 2, 18): ("Traceroute", ZEROED),
    (1, 0, 8): ("Stream ID", ZEROED),
    (0, 0, 11): ("MTU Probe", ZEROED),
    (0, 0, 12): ("MTU Reply", ZEROED),
    (1, 0, 17): ("Extended Internet Protocol", ZEROED),
    (0, 0, 10): ("Experimental Measurement", ZEROED),
    (1, 2, 13): ("Experimental Flow Control", ZEROED),
    (1, 0, 14): ("Experimental Access Ctl", ZEROED),
    (0, 0, 15): ("???", ZEROED),
    (1, 0, 16): ("IMI Traffic Descriptor", ZEROED),
    (1, 0, 19): ("Address Extension", ZEROED),
}

HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION_OPTIONS = 0, 43, 44, 60
PAD1 = 0


def option_type(copy: int, group: int, number: int) -> int:
    """The first byte of an IPv4 option (RFC 791 3.1)."""
    return copy << 7 | group << 5 | number


def signed_ipv4(header: bytes) -> bytes:
    """An IPv4 header as the ICV counts it."""
    signed = bytearray(_masked(header[:20], IPV4_FIELDS))
    for option, kept in _ipv4_options(header[20:]):
        signed += option if kept else bytes(len(option))
    return bytes(signed)


def _ipv4_options(options: bytes) -> Iterator[tuple[bytes, bool]]:
    """Each option as a unit (3.3.3.1.1.2), with its row of the table."""
    while options:
        kind = options[0]
        name, kept = IPV4_OPTIONS.get((kind >> 7, kind >> 5 & 3, kind & 31), ("unknown", ZEROED))
        if name == "End of Options List":
            yield options, KEPT  # the list ends here; what follows is no option
            return
        length = 1 if name == "No Operation" else options[1] if len(options) > 1 else 0
        if length < (1 if name == "No Operation" else 2) or length > len(options):
            yield options, KEPT  # a rule of ours, the table has none: an option whose length cannot be true
            return
        yield options[:length], kept
        options = options[length:]


def signed_ipv6(headers: bytes) -> bytes:
    """An IPv6 header and the extension headers in front of the AH as the ICV counts them."""
    signed = bytearray(_masked(headers[:40], IPV6_FIELDS))
    kind, named_at, at = headers[6], 6, 40
    removed = 0
    while at < len(headers) and kind in (HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION_OPTIONS):
        length = 8 if kind == FRAGMENT else 8 + 8 * headers[at + 1]
        header = headers[at : at + length]
        if kind == FRAGMENT:
            # appendix A2: skipped, and the header before it names what follows
            signed[named_at] = header[0]
            removed += length
        else:
            named_at = len(signed)
            # appendix A2: a type 0 routing header is as it is at the receiver
            signed += header if kind == ROUTING else _options(header)
        kind, at = header[0], at + length
    signed += headers[at:]
    payload_length = int.from_bytes(headers[4:6], "big") - removed
    signed[4:6] = (payload_length % 2**16).to_bytes(2, "big")
    return bytes(signed)


def _options(header: bytes) -> bytes:
    """Hop-by-hop or destination options: of those that may change, the data is zeroed (3.3.3.1.2.2)."""
    signed = bytearray(header[:2])
    rest = header[2:]
    while rest:
        if rest[0] == PAD1:
            signed, rest = signed + rest[:1], rest[1:]
            continue
        length = rest[1] if len(rest) > 1 else 0
        data = rest[2 : 2 + length]
        may_change = rest[0] & 0b0010_0000  # the third-highest bit (RFC 8200 4.2)
        signed += rest[:2] + (bytes(len(data)) if may_change else data)
        rest = rest[2 + length :]
    return bytes(signed)


def _masked(header: bytes, fields: tuple[tuple[str, int, bool], ...]) -> bytes:
    """The header with the bits of its ZEROED fields cleared."""
    mask = 0
    for _, width, kept in fields:
        mask = mask << width | (2**width - 1 if kept else 0)
    return (int.from_bytes(header, "big") & mask).to_bytes(len(header), "big")
