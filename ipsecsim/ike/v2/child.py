"""Child SAs: from an agreement to the parameters of two simplex SAs (RFC 7296 2.9, 2.17)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.crypto.catalogue import EspSuite
from ipsecsim.ike.actions import InstallChildSa, RemoveChildSa
from ipsecsim.ike.config import ChildConfig
from ipsecsim.ike.events import ChildSaCreated
from ipsecsim.ike.narrowing import to_selectors
from ipsecsim.ike.v2.keys import derive_keymat
from ipsecsim.ipsec.association import Direction, SaParameters
from ipsecsim.wire.ike.traffic_selector import TrafficSelector

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


@dataclass(slots=True)
class ChildSa:
    """A pair of ESP SAs, named by the SPIs that each side chose to receive on."""

    config: ChildConfig
    spi_in: int
    spi_out: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """All that one exchange settled about a child, seen from this node."""

    config: ChildConfig
    suite: EspSuite
    spi_in: int
    spi_out: int
    local: Sequence[TrafficSelector]
    remote: Sequence[TrafficSelector]


def create(sa: "IkeSa", agreed: Agreement, *, we_began: bool) -> tuple[InstallChildSa, InstallChildSa]:
    """Derive the keys; installing the inbound SA comes first, so that no packet comes too early.

    `we_began`: we sent the request of this exchange, so the first half of KEYMAT is for our packets.
    """
    keys = derive_keymat(agreed.suite, sa.suite.prf, sa.keys.sk_d, sa.nonce_i, sa.nonce_r)
    from_initiator = (keys.encryption_i, keys.integrity_i)
    from_responder = (keys.encryption_r, keys.integrity_r)
    outbound, inbound = (from_initiator, from_responder) if we_began else (from_responder, from_initiator)
    config, path = agreed.config, sa.path
    there, here = (path.remote, path.remote_port), (path.local, path.local_port)
    sa.children.append(ChildSa(config, agreed.spi_in, agreed.spi_out))
    if sa.tap is not None:
        sa.tap(ChildSaCreated(config.name, agreed.spi_in, agreed.spi_out, agreed.suite.words))

    def install(
        direction: Direction,
        spi: int,
        source: tuple[bytes, int],
        destination: tuple[bytes, int],
        secrets: tuple[bytes, bytes],
    ) -> InstallChildSa:
        parameters = SaParameters(
            direction=direction,
            spi=spi,
            source=source[0],
            destination=destination[0],
            suite=agreed.suite,
            encryption_key=secrets[0],
            integrity_key=secrets[1],
            selectors=to_selectors(agreed.local, agreed.remote),
            policy=config.policy,
            replay_window=config.replay_window,
            udp_ports=(source[1], destination[1]) if sa.is_nat_between else None,
        )
        return InstallChildSa(parameters)

    return (
        install(Direction.INBOUND, agreed.spi_in, there, here, inbound),
        install(Direction.OUTBOUND, agreed.spi_out, here, there, outbound),
    )


def remove(sa: "IkeSa", child: ChildSa) -> list[Action]:
    """Take both SAs of a child out."""
    sa.children.remove(child)
    return [
        RemoveChildSa(Direction.OUTBOUND, child.spi_out),
        RemoveChildSa(Direction.INBOUND, child.spi_in),
    ]


def remove_all(sa: "IkeSa") -> list[Action]:
    """Take every child out: they do not outlive their IKE SA (RFC 7296 1.4.1)."""
    actions: list[Action] = []
    for child in list(sa.children):
        actions += remove(sa, child)
    return actions
