"""What an IKE SA asks of the endpoint that keeps all of them."""

from typing import TYPE_CHECKING, Protocol

from ipsecsim.base.actions import Action
from ipsecsim.base.entropy import Entropy
from ipsecsim.base.instant import Instant
from ipsecsim.ike.config import ChildConfig, StartAction
from ipsecsim.ike.pools import Leases

if TYPE_CHECKING:
    from ipsecsim.ike.v2.children.child import ChildSa
    from ipsecsim.ike.v2.sa import IkeSa


class Registry(Protocol):
    """Gives out what must be unique on a node, and keeps what comes out of an SA."""

    @property
    def sas(self) -> "tuple[IkeSa, ...]":
        """Every IKE SA of the node that is not dead."""
        ...

    @property
    def leases(self) -> Leases:
        """The virtual addresses that this node lends."""
        ...

    @property
    def addresses(self) -> tuple[bytes, ...] | None:
        """The addresses that IKE may use now, the best first; None where nobody keeps a list."""
        ...

    def child_spi(self) -> int:
        """An inbound SPI for ESP or AH that is free on this node."""
        ...

    def ike_spi(self) -> bytes:
        """A fresh SPI for an IKE SA."""
        ...

    def entropy_for(self, own_spi: bytes) -> Entropy:
        """The chance that belongs to the IKE SA with this SPI."""
        ...

    def adopt(self, heir: "IkeSa") -> None:
        """Keep an IKE SA that came out of another one."""
        ...

    def release(self, gone: "IkeSa") -> None:
        """Know no more of an IKE SA that came to its end by what happened to another one."""
        ...

    def another(self, like: "IkeSa") -> "IkeSa":
        """A new IKE SA with the peer of that one, for this node to begin."""
        ...

    def react(self, child: ChildConfig, action: StartAction, now: Instant) -> list[Action]:
        """A child went that nobody here closed: do what is configured for that."""
        ...

    def last_used(self, child: "ChildSa") -> Instant:
        """When a packet last went through a child, either way; -1 when none did."""
        ...

    def initiate(self, policy: str, now: Instant) -> list[Action]:
        """Bring up the child that serves an SPD rule; nothing happens when it is up or on its way."""
        ...
