"""The conversations with a Linux kernel, as a table."""

from collections.abc import Iterable, Mapping
from itertools import product
from typing import TypeVar

from ipsecsim.crypto.catalogue import ENCRYPTION, INTEGRITY, Encryption, Integrity
from ipsecsim.ipsec.association import Mode
from ipsecsim.wire.numbers import IpProtocol
from tests.interop.kernel import plays, xfrm
from tests.interop.kernel.case import Case

T = TypeVar("T", Encryption, Integrity)

ESP_SUITES = ("aes256-sha256", "aes256gcm16", "null-sha256", "chacha20poly1305")
AH_SUITES = ("sha1", "sha256", "sha512")
SAME, MIXED = ((4, 4), (6, 6)), ((6, 4), (4, 6))  # IP versions outside and inside
NEAR_THE_WRAP = (1 << 32) - 2  # the packet after the next has an extended sequence number of 2^32
ESP, AH = IpProtocol.ESP, IpProtocol.AH
TUNNEL, TRANSPORT = Mode.TUNNEL, Mode.TRANSPORT
FRAGMENTED = ((ESP, "aes256gcm16", False), (ESP, "aes256gcm16", True), (AH, "sha256", False))


def _common(rows: Iterable[T], linux: Mapping[str, str]) -> list[T]:
    """The rows of our catalogue that Linux has, too."""
    return [row for row in rows if row.name in linux]


COMMON_ESP = [
    *(row.word_for(bits) for row in _common(ENCRYPTION.values(), xfrm.AEADS) for bits in row.key_bits),
    *(
        f"{row.word_for(bits)}-sha256"
        for row in _common(ENCRYPTION.values(), xfrm.CIPHERS)
        for bits in row.key_bits
    ),
    *(f"aes128-{row.word}" for row in _common(INTEGRITY.values(), xfrm.HASHES) if not row.ah_only),
]
COMMON_AH = [row.word for row in _common(INTEGRITY.values(), xfrm.HASHES)]

_ALL = [
    *(
        Case(play=plays.traffic, mode=mode, outer=outer, inner=inner, suite=suite)
        for mode, versions in ((TRANSPORT, SAME), (TUNNEL, SAME + MIXED))
        for (outer, inner), suite in product(versions, ESP_SUITES)
    ),
    *(
        Case(play=plays.traffic, protocol=AH, mode=mode, outer=outer, inner=inner, suite=suite)
        for mode, versions in ((TRANSPORT, SAME), (TUNNEL, SAME))
        for (outer, inner), suite in product(versions, AH_SUITES)
    ),
    *(
        Case(play=plays.traffic, protocol=AH, mode=mode, suite=suite, rfc_alignment=True)
        for mode, suite in product((TRANSPORT, TUNNEL), AH_SUITES)
    ),
    *(
        Case(play=plays.every_padding, about="all paddings", protocol=protocol, mode=TRANSPORT, suite=suite)
        for protocol, suites in ((ESP, COMMON_ESP), (AH, COMMON_AH))
        for suite in dict.fromkeys(suites)
    ),
    *(
        Case(play=plays.traffic, mode=mode, outer=version, inner=version, suite=suite, in_udp=True)
        for version, mode, suite in product((4, 6), (TRANSPORT, TUNNEL), ("aes256-sha256", "aes256gcm16"))
    ),
    *(
        Case(play=plays.traffic, protocol=protocol, suite=suite, esn=True)
        for protocol, suite in (*product((ESP,), ESP_SUITES), *product((AH,), AH_SUITES))
    ),
    *(
        Case(
            play=plays.over_the_wrap,
            about="over 2^32",
            protocol=protocol,
            mode=mode,
            suite=suite,
            esn=True,
            sequence=NEAR_THE_WRAP,
        )
        for protocol, mode, suite in (
            *product((ESP,), (TRANSPORT, TUNNEL), ESP_SUITES),
            *product((AH,), (TRANSPORT, TUNNEL), AH_SUITES),
        )
    ),
    *(
        Case(play=play, about=about, protocol=protocol, suite=suite, esn=esn)
        for play, about in (
            (plays.we_misbehave, "our bad packets"),
            (plays.it_misbehaves, "its bad packets"),
        )
        for protocol, suite, esn in (
            (ESP, "aes256gcm16", False),
            (ESP, "aes256-sha256", True),
            (AH, "sha256", False),
        )
    ),
    *(
        Case(
            play=plays.outer_fragments,
            about="outer fragments",
            protocol=protocol,
            outer=outer,
            suite=suite,
            in_udp=in_udp,
            fragment_first=False,
        )
        for outer, (protocol, suite, in_udp) in product((4, 6), FRAGMENTED)
    ),
    *(
        Case(
            play=plays.outer_fragments,
            about="outer fragments",
            protocol=protocol,
            mode=TRANSPORT,
            outer=version,
            inner=version,
            suite=suite,
            in_udp=in_udp,
        )
        for version, (protocol, suite, in_udp) in product((4, 6), FRAGMENTED)
    ),
    *(
        Case(
            play=plays.unusual_headers,
            about="unusual headers",
            protocol=AH,
            mode=mode,
            outer=version,
            inner=version,
            suite="sha256",
        )
        for mode, version in product((TRANSPORT, TUNNEL), (4, 6))
    ),
    *(
        Case(
            play=plays.inner_fragments,
            about="inner fragments",
            protocol=protocol,
            outer=outer,
            inner=inner,
            suite=suite,
            in_udp=in_udp,
            site_mtu=1280,
        )
        for (outer, inner), (protocol, suite, in_udp) in product(SAME + MIXED, FRAGMENTED)
    ),
]
CASES = {case.key: case for case in _ALL}
