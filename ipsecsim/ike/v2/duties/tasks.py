"""What this side wants of the peer once the IKE SA stands: one request at a time, since the window is 1."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

from ipsecsim.crypto.catalogue import Group, KeyPair
from ipsecsim.ike.actions import ChildGivenUp
from ipsecsim.ike.config import ChildConfig
from ipsecsim.ike.trigger import Trigger
from ipsecsim.ike.v2.children.child import ChildSa
from ipsecsim.ike.v2.keying.followup import Chain
from ipsecsim.ike.v2.messages.message import Message
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.numbers import ExchangeType

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa

MOST_DELETED = 8  # one is enough for an honest peer


@dataclass(slots=True, eq=False)
class Inform:
    """Say something, or nothing at all to hear whether the peer lives."""

    exchange: ClassVar[ExchangeType] = ExchangeType.INFORMATIONAL
    payloads: Sequence[Payload] = ()


@dataclass(slots=True, eq=False)
class CreateChild:
    """Set up a Child SA, a new one or one that takes the place of `replaces`.

    `deleted_meanwhile` are SPIs of the peer that it has deleted since it was asked, and that we did not know.
    `is_unwanted`: it has been asked for, and is to go again as soon as it is there.
    `trigger` is the packet that waits for a new one, if there is one. `chain` are the additional key exchanges that
    follow, and `answer` is the response that they follow.
    """

    config: ChildConfig
    replaces: ChildSa | None = None
    trigger: Trigger | None = None
    spi_in: int = 0
    nonce: bytes = b""
    group: Group | None = None
    key_pair: KeyPair | None = None
    restarts: int = 0
    deleted_meanwhile: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=MOST_DELETED))
    is_unwanted: bool = False
    chain: Chain | None = None
    answer: Message | None = None

    @property
    def exchange(self) -> ExchangeType:
        """The next one: behind CREATE_CHILD_SA there may be additional key exchanges."""
        return ExchangeType.CREATE_CHILD_SA if self.chain is None else ExchangeType.IKE_FOLLOWUP_KE

    @property
    def asks_for(self) -> Trigger | None:
        """What traffic, where it is not that of the rule.

        A new pair for an old one has no packet that it is for (RFC 7296 2.9.2), but one populated from a packet
        stays what it was.
        """
        if self.replaces is None:
            return self.trigger
        return Trigger.same_as(self.replaces.selectors[0]) if self.config.from_packet else None

    def given_up(self, *, reached: bool = True) -> list[ChildGivenUp]:
        """Nothing came of it. `reached`: the peer was there."""
        if self.replaces is not None:
            return []
        only = None if self.trigger is None else self.trigger.only
        return [ChildGivenUp(self.config.policy, only, reached)]


@dataclass(slots=True, eq=False)
class RekeyIke:
    """Set up an IKE SA that takes the place of this one.

    `rival` is what the peer's own request made meanwhile, `rival_nonce` the lower nonce of that exchange.
    """

    spi: bytes = b""
    nonce: bytes = b""
    group: Group | None = None
    key_pair: KeyPair | None = None
    restarts: int = 0
    rival: "IkeSa | None" = None
    rival_nonce: bytes = field(default=b"")
    chain: Chain | None = None
    answer: Message | None = None

    @property
    def exchange(self) -> ExchangeType:
        """As for a child."""
        return ExchangeType.CREATE_CHILD_SA if self.chain is None else ExchangeType.IKE_FOLLOWUP_KE


class Purpose(Enum):
    """What a message of MOBIKE is for (RFC 4555 3.5 to 3.7)."""

    UPDATE = "the peer is to use these addresses"
    CHECK = "does the peer receive at its new address?"
    ANNOUNCE = "these are our addresses"


@dataclass(slots=True, eq=False)
class Roam:
    """Speak of addresses. `round` counts their changes until it was sent: its answer is about no later ones."""

    exchange: ClassVar[ExchangeType] = ExchangeType.INFORMATIONAL
    purpose: Purpose
    round: int = 0
    cookie: bytes = b""


@dataclass(slots=True, eq=False)
class Synchronise:
    """Agree on message IDs anew. We would go on with `send`, and expect `receive` (RFC 6311 5.1)."""

    exchange: ClassVar[ExchangeType] = ExchangeType.INFORMATIONAL
    nonce: bytes
    send: int
    receive: int


Task = Inform | CreateChild | RekeyIke | Roam | Synchronise
