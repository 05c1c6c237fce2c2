"""A router with a firewall that keeps state, fed with the packets and fragments that the router gets."""

from dataclasses import dataclass
from random import Random

from ipsecsim.net.filtering import Filtering
from ipsecsim.scenario import read
from ipsecsim.stack.conntrack import ConnectionTable
from ipsecsim.stack.firewall import MOST_FRAGMENTED, Firewall, Ruleset
from tests.hostile.stack_targets import RouterTarget
from tests.hostile.target import require

MOST = 40
"""Connections that it knows: few, so that the table is full soon and all the time."""

_TOPOLOGY = """
name: walled
nodes:
  inside: {kind: host}
  fw:
    kind: firewall
    firewall:
      default: drop
      log: yes
      rules:
        - drop state=established icmp=echo|3/1 dscp>cs1
        - reject in=lan out=wan proto=udp dport=53|5000-6000 size<100
        - accept state=established|related in=wan
        - accept in=lan src=10.1.0.0/24|fd00:10:1::/64 port!=500
        - accept proto=esp|ah|132 dst!=192.0.2.9
        - accept icmp=too_big
  outside: {kind: host}
links: {lan: [inside, fw], wan: [fw, outside]}
"""


def _ruleset() -> Ruleset:
    ruleset = read(_TOPOLOGY).nodes["fw"].firewall
    assert ruleset is not None
    return ruleset


@dataclass
class _Clock:
    """The firewall's: it hangs on nothing that grows."""

    now: int = 0


class WalledRouter(RouterTarget):
    """Whatever comes, the firewall has a verdict, and what it remembers has an end."""

    name = "firewall"
    share = 20

    def __init__(self, chance: Random) -> None:
        super().__init__(chance)
        self._clock = _Clock()
        self._filtering = Filtering(self.stack, self._clock, _ruleset())
        self._wall.connections = ConnectionTable(self.events.append, MOST)
        self._at_rest = self._residue()

    @property
    def _wall(self) -> Firewall:
        return self._filtering.firewall

    def feed(self, data: bytes) -> str:
        self._clock.now = self.now
        became = super().feed(data)
        require(len(self._wall.connections) <= MOST, "more connections are known than there may be")
        require(self._wall.fragments_known <= MOST_FRAGMENTED, "the memory of fragments has no end")
        return became

    def _residue(self) -> int:
        if hasattr(self, "_filtering"):
            self._wall.forget("the batch is over")
        return super()._residue()
