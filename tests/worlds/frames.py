"""Run a topology and print the SHA-256 of every frame: `python -m tests.worlds.frames NAME SEED yes|no`.

The last word says whether the run is watched. Frames are read where links take them over, not from a recording.
"""

import sys
from hashlib import sha256

from ipsecsim.net.link import Link
from ipsecsim.observe.recorder import Recorder
from ipsecsim.scenario import read
from ipsecsim.scenario.build import build


def frames_hash(name: str, seed: str, *, watched: bool) -> tuple[str, int]:
    """The hash over time, link and bytes of all frames, and how many there were."""
    digest, count = sha256(), 0
    carry = Link.carry

    def counted(self, sender, interface, next_hop, packet):
        nonlocal count
        count += 1
        digest.update(f"{sender.simulator.now} {self.name} {interface} {len(packet)} ".encode() + packet)
        carry(self, sender, interface, next_hop, packet)

    Link.carry = counted
    try:
        world = build(read(name), seed=seed, observer=Recorder().tell if watched else None)
        while world.simulator.step():
            pass
    finally:
        Link.carry = carry
    return digest.hexdigest(), count


if __name__ == "__main__":
    print(*frames_hash(sys.argv[1], sys.argv[2], watched=sys.argv[3] == "yes"))
