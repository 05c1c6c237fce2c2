"""What this side wants of the peer once the IKE SA stands: one request at a time, since the window is 1."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from ipsecsim.crypto.catalogue import Group, KeyPair
from ipsecsim.ike.config import ChildConfig
from ipsecsim.ike.v2.child import ChildSa
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.numbers import ExchangeType

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


@dataclass(slots=True, eq=False)
class Inform:
    """Say something, or nothing at all to hear whether the peer lives."""

    exchange: ClassVar[ExchangeType] = ExchangeType.INFORMATIONAL
    payloads: Sequence[Payload] = ()


@dataclass(slots=True, eq=False)
class CreateChild:
    """Set up a Child SA, a new one or one that takes the place of `replaces`."""

    exchange: ClassVar[ExchangeType] = ExchangeType.CREATE_CHILD_SA
    config: ChildConfig
    replaces: ChildSa | None = None
    spi_in: int = 0
    nonce: bytes = b""
    group: Group | None = None
    key_pair: KeyPair | None = None
    restarts: int = 0


@dataclass(slots=True, eq=False)
class RekeyIke:
    """Set up an IKE SA that takes the place of this one.

    `rival` is what the peer's own request made meanwhile, `rival_nonce` the lower nonce of that exchange.
    """

    exchange: ClassVar[ExchangeType] = ExchangeType.CREATE_CHILD_SA
    spi: bytes = b""
    nonce: bytes = b""
    group: Group | None = None
    key_pair: KeyPair | None = None
    restarts: int = 0
    rival: "IkeSa | None" = None
    rival_nonce: bytes = field(default=b"")


Task = Inform | CreateChild | RekeyIke
