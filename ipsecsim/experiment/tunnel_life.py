"""When a tunnel was up: how long it took to come up, and how long it was down afterwards."""

from collections import Counter
from dataclasses import dataclass

from ipsecsim.base.instant import Duration, Instant
from ipsecsim.experiment.tunnels import rules_of
from ipsecsim.ike.events import StateChanged
from ipsecsim.ike.v2.states import State
from ipsecsim.ipsec.association import Direction
from ipsecsim.ipsec.events import SaInstalled, SaRemoved
from ipsecsim.net.events import NodeCrashed
from ipsecsim.observe.recorder import Recorder
from ipsecsim.scenario.world import World


@dataclass(frozen=True, slots=True)
class TunnelLife:
    """`setup_time` from the first IKE message to the last SA, `outage` all time down after that; None: never up."""

    setup_time: Duration | None = None
    outage: Duration | None = None


def life_of(world: World, recorder: Recorder, tunnel: str) -> TunnelLife:
    """Up is a tunnel while both ends have an SA each way for each of its children."""
    spec = world.topology.tunnels[tunnel]
    connections = {(end.node, end.connection) for end in spec.ends}
    wanted = {
        (end.node, rule, direction.value)
        for end in spec.ends
        for rule in rules_of(world.topology.nodes[end.node], spec, end)
        for direction in Direction
    }
    there: Counter[tuple[str, str, str]] = Counter()
    began: Instant | None = None
    changes: list[tuple[Instant, bool]] = []  # in turn, the first one to up
    for row in recorder.rows:
        event = row.event
        if isinstance(event, StateChanged) and event.before == State.IDLE.name and began is None:
            began = row.at if (row.node, event.connection) in connections else None
        elif isinstance(event, SaInstalled | SaRemoved):
            there[row.node, event.policy, event.direction] += 1 if isinstance(event, SaInstalled) else -1
        elif isinstance(event, NodeCrashed):
            for key in [key for key in there if key[0] == row.node]:
                del there[key]
        else:
            continue
        is_up = bool(wanted) and all(there[key] > 0 for key in wanted)
        if is_up is not (bool(changes) and changes[-1][1]):
            changes.append((row.at, is_up))
    if not changes:
        return TunnelLife()
    ends = [at for at, _ in changes[1:]] + [world.simulator.now]
    down = sum(end - at for (at, is_up), end in zip(changes, ends, strict=True) if not is_up)
    return TunnelLife(changes[0][0] - (began or 0), down)
