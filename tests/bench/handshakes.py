"""Goal 6: a whole handshake with PSK, against the cryptography that it cannot do without."""

from collections.abc import Iterator

from tests.bench import floors
from tests.bench.measure import Work, interleaved, ratio
from tests.bench.row import Row
from tests.support.builders import two_gateways
from tests.support.pair import Pair

SUITES = {
    "x25519": ("aes256gcm16-prfsha256-x25519", 2.5),
    "ecp256": ("aes256gcm16-prfsha256-ecp256", 2.5),
    "modp2048": ("aes256gcm16-prfsha256-modp2048", 1.5),
}


def handshake_against_crypto() -> Iterator[Row]:
    """Goal 6: a whole handshake with PSK, against the cryptography that both sides cannot do without."""
    works: list[Work] = []
    for group, (words, _) in SUITES.items():
        works += [floors.handshake_crypto(group), _handshakes(words), _simulated_handshakes(words)]
    timings = interleaved(works)
    for index, (group, (_, limit)) in enumerate(SUITES.items()):
        floor, memory, world = timings[3 * index : 3 * index + 3]
        yield Row(
            6,
            f"handshake in memory, {group}",
            ratio(memory, floor),
            limit,
            "crypto floors",
            memory.median * 1e6,
        )
        yield Row(
            6, f"handshake in a world, {group}", ratio(world, floor), 4.0, "crypto floors", world.median * 1e6
        )


def _handshakes(words: str) -> Work:
    pair = Pair(west={"ike": [words]}, east={"ike": [words]}, watched=False)

    def work(count: int) -> None:
        for _ in range(count):
            pair.establish()
            pair.forget()

    return work


def _simulated_handshakes(words: str) -> Work:
    world = two_gateways(ike=words, observed=False)
    west, east = world.gateway("west"), world.gateway("east")

    def work(count: int) -> None:
        for _ in range(count):
            world.simulator.plan(world.simulator.now, west, lambda: west.initiate("net"))
            while world.simulator.step():
                pass
            for gateway in (west, east):
                gateway.perform(gateway.ike.forget())

    return work
