"""What IKE asks of the host it stands in. Datagrams are ipsec's `SendDatagram`."""

from dataclasses import dataclass

from ipsecsim.base.actions import Action
from ipsecsim.ipsec.association import Direction, SaParameters
from ipsecsim.wire.numbers import IpProtocol


@dataclass(slots=True)
class InstallChildSa(Action):
    """Put an SA into the SAD."""

    parameters: SaParameters


@dataclass(slots=True)
class RemoveChildSa(Action):
    """Take an SA out of the SAD."""

    direction: Direction
    spi: int
    protocol: IpProtocol


@dataclass(slots=True)
class ChildGivenUp(Action):
    """No SA will come for this SPD rule: what waits for it may go."""

    policy: str
