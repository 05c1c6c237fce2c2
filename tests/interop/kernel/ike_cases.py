"""The conversations with a charon whose ESP and AH are the kernel's, as a table."""

from itertools import product

from tests.interop.kernel import ike_plays
from tests.interop.kernel.case import IkeCase
from tests.interop.kernel.cases import AH, ESP, TRANSPORT, TUNNEL

BY_IKE = (
    ("aes256gcm16", ESP, 4, False, False),
    ("aes128-sha256", ESP, 6, True, False),
    ("aes128-sha256", ESP, 4, False, True),
    ("sha256", AH, 4, False, False),
    ("sha512", AH, 6, True, False),
)
"""Suite, protocol, IP version, ESN, in UDP: what a charon with kernel-libipsec cannot do, and what it can."""

_ALL = [
    *(
        IkeCase(
            play=ike_plays.whole_life,
            role=role,
            suite=suite,
            protocol=protocol,
            mode=mode,
            outer=version,
            inner=version,
            esn=esn,
            in_udp=in_udp,
        )
        for suite, protocol, version, esn, in_udp in BY_IKE
        for mode, role in product((TRANSPORT, TUNNEL), ("initiator", "responder"))
    ),
]
CASES = {case.key: case for case in _ALL}
