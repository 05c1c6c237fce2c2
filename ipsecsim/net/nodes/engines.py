"""What the engines of a node with IPsec ask of one another, on a simulated node or on real sockets."""

from collections.abc import Callable

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Instant
from ipsecsim.ike.actions import (
    ChildGivenUp,
    InstallChildSa,
    MoveChildSa,
    ReleaseAddress,
    RemoveChildSa,
    UseAddress,
)
from ipsecsim.ike.endpoint import IkeEndpoint
from ipsecsim.ike.trigger import Trigger
from ipsecsim.ike.v2.paths import rebinding
from ipsecsim.ipsec.actions import Acquire, Expired, Expiring, SaRefused, SenderMoved
from ipsecsim.ipsec.engine import IpsecEngine
from ipsecsim.net.node import Performer
from ipsecsim.stack.engine import HostStack


def between(
    ike: IkeEndpoint, ipsec: IpsecEngine, stack: HostStack, now: Callable[[], Instant]
) -> dict[type[Action], Performer]:
    """Who performs what leaves no node: IPsec asks IKE for SAs, IKE gives them, and addresses to the stack."""
    return {
        Acquire: lambda a: ike.acquire(a.policy, Trigger(a.flow, a.only), now()),
        Expiring: lambda a: ike.expiring(a, now()),
        Expired: lambda a: ike.expired(a, now()),
        SenderMoved: lambda a: rebinding.follow_esp(ike.sas, a),
        SaRefused: lambda a: ike.close_child(a.destination, a.spi, now()),
        InstallChildSa: lambda a: ipsec.install(a.parameters, now()),
        RemoveChildSa: lambda a: ipsec.remove(a.direction, a.spi, a.protocol, a.destination),
        MoveChildSa: lambda a: ipsec.move(a.direction, a.spi, a.protocol, a.outer, a.destination),
        ChildGivenUp: lambda a: ipsec.give_up(a.policy, only=a.only, reached=a.reached),
        UseAddress: lambda a: stack.use_address(a.address, a.destinations),
        ReleaseAddress: lambda a: stack.release_address(a.address),
    }
