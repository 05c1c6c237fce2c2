"""Two IKE endpoints whose addresses change, and the network between them: ways that are dead, and a NAT."""

from collections.abc import Callable

from ipsecsim.base.address import pack
from ipsecsim.ike.config import Mobike
from ipsecsim.ike.v2.sa import IkeSa
from ipsecsim.ipsec.actions import SendDatagram
from tests.support.pair import EAST, WEST, Pair, Side

WIFI, RADIO, CABLE = WEST, pack("198.51.100.7"), pack("203.0.113.9")
OTHER_EAST = pack("192.0.2.3")


class Roamers(Pair):
    """West decides, east follows. What goes over a pair in `dead` (source, destination) is lost.

    `on_the_way` may change a datagram, as a NAT does, or somebody worse.
    """

    def __init__(self, **changes: object) -> None:
        west = {"mobike": Mobike(), "addresses": [WIFI]} | dict(changes.pop("west", {}))
        east = {"mobike": Mobike(), "addresses": [EAST]} | dict(changes.pop("east", {}))
        super().__init__(west=west, east=east, **changes)
        self.dead: set[tuple[bytes, bytes]] = set()
        self.on_the_way: Callable[[SendDatagram], SendDatagram] = lambda datagram: datagram
        self.arrived: list[SendDatagram] = []

    def side_of(self, address: bytes) -> Side:
        """East has its own two addresses, all others are west's."""
        return self.east if address in (EAST, OTHER_EAST) else self.west

    def inject(self, datagram: SendDatagram) -> None:
        """Lost where the way is dead, or nobody is at its end any more."""
        datagram = self.on_the_way(datagram)
        at = self.side_of(datagram.destination).endpoint.addresses
        if (datagram.source, datagram.destination) in self.dead or datagram.destination not in at:
            return
        self.arrived.append(datagram)
        super().inject(datagram)

    def move(self, side: Side, *addresses: bytes, preferred: bytes | None = None) -> None:
        """From now on a side has these addresses."""
        self.perform(side, side.endpoint.addresses_changed(addresses, self.now, preferred=preferred))

    @property
    def ours(self) -> IkeSa:
        """West's IKE SA."""
        (sa,) = self.west.endpoint.sas
        return sa

    @property
    def theirs(self) -> IkeSa:
        """East's IKE SA."""
        (sa,) = self.east.endpoint.sas
        return sa

    def tunnel(self, side: Side) -> dict[str, tuple[bytes, bytes]]:
        """Between which addresses the SAs of a side go, by direction."""
        return {way: (sa.source, sa.destination) for (way, _), sa in side.sas.items()}

    def is_between(self, own: bytes, peer: bytes) -> bool:
        """Do all SAs of both sides go between these addresses of west and east?"""
        wanted = {"out": (own, peer), "in": (peer, own)}
        back = {"out": (peer, own), "in": (own, peer)}
        ikes = (self.ours.path.local, self.ours.path.remote, self.theirs.path.local, self.theirs.path.remote)
        return (
            self.tunnel(self.west) == wanted
            and self.tunnel(self.east) == back
            and ikes == (own, peer, peer, own)
        )
