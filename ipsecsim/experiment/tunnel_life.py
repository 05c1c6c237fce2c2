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
from ipsecsim.net.turn import Turn
from ipsecsim.observe.recorder import Recorder
from ipsecsim.scenario.world import World


@dataclass(frozen=True, slots=True)
class TunnelLife:
    """`setup_time` from the first IKE message to the last SA, `outage` all time down after that; None: never up."""

    setup_time: Duration | None = None
    outage: Duration | None = None


def life_of(world: World, recorder: Recorder, tunnel: str) -> TunnelLife:
    """How long it took to come up, and how long it was down afterwards."""
    changes = ups(world, recorder, tunnel)
    if not changes:
        return TunnelLife()
    ends = [turn.at for turn, _ in changes[1:]] + [world.simulator.now]
    down = sum(end - turn.at for (turn, is_up), end in zip(changes, ends, strict=True) if not is_up)
    up_at = changes[0][0].at
    return TunnelLife(up_at - _began(world, recorder, tunnel, up_at), down)


def ups(world: World, recorder: Recorder, tunnel: str) -> list[tuple[Turn, bool]]:
    """The turns in which it came up or went down, the first one to up.

    Up is a tunnel while both ends have an SA each way for each of its children.
    """
    spec = world.topology.tunnels[tunnel]
    wanted = {
        (end.node, rule, direction.value)
        for end in spec.ends
        for rule in rules_of(world.topology.nodes[end.node], spec, end)
        for direction in Direction
    }
    there: Counter[tuple[str, str, str]] = Counter()
    changes: list[tuple[Turn, bool]] = []
    for row in recorder.rows:
        event = row.event
        if isinstance(event, SaInstalled | SaRemoved):
            there[row.node, event.policy, event.direction] += 1 if isinstance(event, SaInstalled) else -1
        elif isinstance(event, NodeCrashed):
            for key in [key for key in there if key[0] == row.node]:
                del there[key]
        else:
            continue
        is_up = bool(wanted) and all(there[key] > 0 for key in wanted)
        if is_up is not (bool(changes) and changes[-1][1]):
            changes.append((row.turn, is_up))
    return changes


def _began(world: World, recorder: Recorder, tunnel: str, up_at: Instant) -> Instant:
    """When the first of its IKE SAs left the state in which all begin; 0 for keys by hand."""
    connections = {(end.node, end.connection) for end in world.topology.tunnels[tunnel].ends}
    for row, event in recorder.of(StateChanged):
        if row.at > up_at:
            break
        if event.before == State.IDLE.name and (row.node, event.connection) in connections:
            return row.at
    return 0
