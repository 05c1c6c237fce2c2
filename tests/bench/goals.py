"""The goals in turn: which function measures which."""

from collections.abc import Callable, Collection, Iterator

from tests.bench.against_ns3 import forwarding_against_ns3
from tests.bench.forwarding import hop_against_event, tunnel_against_cipher
from tests.bench.handshakes import handshake_against_crypto
from tests.bench.large_worlds import routes_are_quick, time_is_linear
from tests.bench.protection import esp_against_cipher, protection_against_scapy
from tests.bench.row import Row

GOALS: dict[int, Callable[[], Iterator[Row]]] = {
    1: esp_against_cipher,
    2: protection_against_scapy,
    3: hop_against_event,
    4: tunnel_against_cipher,
    5: forwarding_against_ns3,
    6: handshake_against_crypto,
    7: time_is_linear,
    8: routes_are_quick,
}


def rows_of(goals: Collection[int]) -> Iterator[Row]:
    """The rows of these goals; each measures its own floor beside itself."""
    for number in goals:
        yield from GOALS[number]()
