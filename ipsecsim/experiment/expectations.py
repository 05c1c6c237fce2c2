"""What a topology file claims about its own run, held against what was recorded."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import nan
from typing import NamedTuple

from ipsecsim.base.errors import ConfigError
from ipsecsim.base.instant import format_duration
from ipsecsim.experiment.measures import MEASURES, lost_share
from ipsecsim.experiment.selection import Sight, drops, frames, is_one_of, selection
from ipsecsim.experiment.tunnel_life import life_of
from ipsecsim.experiment.tunnels import Tunnels
from ipsecsim.ike.events import IkeMessageReceived, IkeMessageSent
from ipsecsim.net.apps import APPS
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.observe.invariants.leaks import check_leaks
from ipsecsim.observe.lives.lives import Lives
from ipsecsim.observe.recorder import Recorder
from ipsecsim.observe.why import Finding, findings
from ipsecsim.scenario.model import (
    Claim,
    Expectation,
    MeasureClaim,
    ReasonClaim,
    StateClaim,
    Subject,
)
from ipsecsim.scenario.world import World
from ipsecsim.stack.nat.events import MappingEnded, MappingMade

ABOUT = 0.1  # 'about 10' means 9 to 11


@dataclass(frozen=True, slots=True)
class Verdict:
    """Was a claim met, and what was found; `number` is what was measured, in ns, B or bit/s, where it is one."""

    subject: str
    claim: str
    is_met: bool
    found: str
    number: float = nan

    def __str__(self) -> str:
        if self.is_met:
            return f"met      {self.subject}: {self.claim}"
        return f"NOT MET  {self.subject}: {self.claim}   found {self.found}"


def judge_all(world: World, lives: Lives) -> list[Verdict]:
    """A verdict for each expectation at the end of the file."""
    return [judge(world, lives, each) for each in world.topology.expect]


def judge(world: World, lives: Lives, expectation: Expectation) -> Verdict:
    """Hold one expectation against the run. Raises ConfigError for what cannot be measured yet."""
    subject, claim = expectation.subject, expectation.claim
    finder = FINDERS.get(subject.kind)
    if finder is None:
        raise _not_yet(expectation, f"'{subject.kind}'")
    answer = finder(_Question(world, lives, expectation, subject, claim))
    return Verdict(subject.text, expectation.claim_text, answer.is_met, answer.found, answer.number)


@dataclass(frozen=True, slots=True)
class _Question:
    world: World
    lives: Lives
    expectation: Expectation
    subject: Subject
    claim: Claim

    @property
    def recorder(self) -> Recorder:
        """All that happened so far."""
        return self.lives.recorder


class Answer(NamedTuple):
    """Is a claim met, what was found, and the number that was compared."""

    is_met: bool
    found: str
    number: float = nan


def _traffic(ask: _Question) -> Answer:
    names, claim = traffic_names(ask.world, ask.subject.names), ask.claim
    verbs = {ask.world.traffic[name][0] for name in names}
    measure = claim.measure if isinstance(claim, MeasureClaim) else ""
    if not isinstance(claim, MeasureClaim) or any(measure not in APPS[verb].measures for verb in verbs):
        raise _not_yet(ask.expectation, f"'{ask.expectation.claim_text}' of '{ask.subject.text}'")
    if measure not in MEASURES:
        raise _not_yet(ask.expectation, f"'{measure}'")
    results = [ask.world.results[name] for name in names]
    return _compare(claim, lost_share(results) if claim.unit == "%" else MEASURES[measure](results))


def traffic_names(world: World, wanted: tuple[str, ...]) -> Sequence[str]:
    """`ping` means every ping, `ping alice bob` those between the two, a name= just that one."""
    name_as_text = " ".join(wanted)  # the second ping of a file is called 'ping 2'
    return [
        name for name, key in world.traffic.items() if name == name_as_text or key[: len(wanted)] == wanted
    ]


def _tunnel(ask: _Question) -> Answer:
    names = ask.subject.names or tuple(ask.world.topology.tunnels)
    if isinstance(ask.claim, MeasureClaim):
        return _tunnel_time(ask, names, ask.claim)
    assert isinstance(ask.claim, StateClaim)  # noqa: S101 - no reason is claimed of a tunnel
    up = sum(is_up(ask.world, name) for name in names)
    down = len(names) - up
    wanted = ask.claim.count
    hits = up if ask.claim.state == "up" else down
    return Answer(hits == (len(names) if wanted is None else wanted), f"{up} up, {down} down")


def _tunnel_time(ask: _Question, names: Sequence[str], claim: MeasureClaim) -> Answer:
    """The longest time of any of them; of one that never came up nothing is true."""
    lives = [life_of(ask.world, ask.recorder, name) for name in names]
    times = [each.setup_time if claim.measure == "setup_time" else each.outage for each in lives]
    known = [each for each in times if each is not None]
    if not known or len(known) < len(times):
        return Answer(False, "one that never came up")  # noqa: FBT003
    return _compare(claim, max(known))


def is_up(world: World, tunnel: str) -> bool:
    """Do both ends have an SA pair for every child of the tunnel?"""
    spec = world.topology.tunnels[tunnel]
    for end in spec.ends:
        gateway = world.simulator.nodes[end.node]
        if not isinstance(gateway, VpnGateway):
            return False
        if spec.by_hand:
            if not _holds(world, gateway, {sa for child in spec.by_hand for sa in child.sas}):
                return False
            continue
        up = {
            child.config.name
            for sa in gateway.ike.sas
            if sa.connection.name == end.connection
            for child in sa.children
        }
        if not up.issuperset(spec.children):
            return False
    return True


def _holds(world: World, gateway: VpnGateway, names: set[str]) -> bool:
    """Does a node have these SAs by hand, now?"""
    spec = world.topology.nodes[gateway.name].ipsec
    there = {
        (sa.parameters.direction.value, sa.parameters.protocol, sa.spi) for sa in gateway.ipsec.sad.all()
    }
    written = {} if spec is None else spec.sas
    return all((sa.direction, sa.protocol, sa.spi) in there for name, sa in written.items() if name in names)


def _selected(ask: _Question, sights: Iterable[Sight]) -> list[Sight]:
    """Those that the words behind the subject choose."""
    selects = selection(ask.subject.where, ask.world.simulator, ask.world.traffic)
    return [each for each in sights if selects(each)]


def _drops(ask: _Question) -> Answer:
    chosen = _selected(ask, drops(ask.lives.catch_up()))
    dropped = [each.reason.name for each in chosen if each.reason is not None]
    found = ", ".join(f"{name} {dropped.count(name)}" for name in dict.fromkeys(dropped)) or "none"
    if isinstance(ask.claim, ReasonClaim):
        count = dropped.count(ask.claim.reason)
        return Answer(count > 0 if ask.claim.count is None else count == ask.claim.count, found)
    return _count(ask.claim, len(dropped), found)


def _packets(ask: _Question) -> Answer:
    chosen = _selected(ask, frames(ask.lives.catch_up()))
    if isinstance(ask.claim, MeasureClaim) and ask.claim.measure == "bytes":
        return _compare(ask.claim, sum(len(packet) for each in chosen for packet in each.packets))
    return _count(ask.claim, len(chosen), str(len(chosen)))


def _leaks(ask: _Question) -> Answer:
    found = list(check_leaks(ask.recorder, ask.world.simulator))
    return _count(ask.claim, len(found), "; ".join(str(each) for each in found[:3]) or "none")


def _notify(ask: _Question) -> Answer:
    """What was said, and by whom; with to= also heard there."""
    said, heard = ([each for each in ask.subject.where if each.key == key] for key in ("from", "to"))
    arrived = {
        _message(event)
        for record, event in ask.recorder.of(IkeMessageReceived)
        if all(is_one_of(each, record.node) for each in heard)
    }
    seen = [
        name
        for record, event in ask.recorder.of(IkeMessageSent)
        if all(is_one_of(each, record.node) for each in said)
        if not heard or _message(event) in arrived
        for name in event.payloads
        if name.startswith("N(")
    ]
    found = ", ".join(dict.fromkeys(name[2:-1] for name in seen)) or "none"
    if isinstance(ask.claim, ReasonClaim):
        count = seen.count(f"N({ask.claim.reason})")
        return Answer(count > 0 if ask.claim.count is None else count == ask.claim.count, found)
    return _count(ask.claim, len(seen), found)


def _message(event: IkeMessageSent | IkeMessageReceived) -> tuple[bytes, str, bool, int]:
    """What a message is known by to whoever sent it and whoever got it."""
    return event.spi_i, event.exchange, event.is_response, event.message_id


def _why(ask: _Question) -> Answer:
    """Does a side know, or the recording show, that this is wrong: with the tunnel, with the traffic, or at all?"""
    if not isinstance(ask.claim, ReasonClaim):
        raise _not_yet(ask.expectation, f"'{ask.expectation.claim_text}' of why")
    known = [each.diagnosis.name for each in _findings_about(ask)]
    found = ", ".join(f"{name} {known.count(name)}" for name in dict.fromkeys(known)) or "none"
    count = known.count(ask.claim.reason)
    return Answer(count > 0 if ask.claim.count is None else count == ask.claim.count, found)


def _findings_about(ask: _Question) -> list[Finding]:
    every = findings(ask.recorder, ask.world.simulator)
    kind, *names = ask.subject.names or ("",)
    if not kind or ask.subject.names == ("tunnel",):
        return every
    if kind == "tunnel":
        tunnels = Tunnels(ask.world)
        return [each for each in every if any(tunnels.is_about(each, name) for name in names)]
    behind = ask.lives.catch_up().behind
    meant = frozenset(traffic_names(ask.world, ask.subject.names))
    return [each for each in every if any(behind[row.sequence] & meant for row in each.rows)]


def _mapping(ask: _Question) -> Answer:
    """What NATs had to remember: how many mappings they made, and how many they lost again."""
    made, lost = (
        sum(
            all(is_one_of(each, record.node) for each in ask.subject.where)
            for record, _ in ask.recorder.of(event)
        )
        for event in (MappingMade, MappingEnded)
    )
    found = f"{made} made, {lost} lost"
    if isinstance(ask.claim, MeasureClaim) and ask.claim.measure == "lost":
        return _compare(ask.claim, lost)._replace(found=found)
    return _count(ask.claim, made, found)


def _sas(ask: _Question) -> Answer:
    """How many SAs there are now, IKE SAs apart."""
    held = {
        name: len(node.ipsec.sad.all())
        for name, node in ask.world.simulator.nodes.items()
        if isinstance(node, VpnGateway) and all(is_one_of(each, name) for each in ask.subject.where)
    }
    found = ", ".join(f"{name} {number}" for name, number in held.items()) or "none"
    return _count(ask.claim, sum(held.values()), found)


def _node(ask: _Question) -> Answer:
    """Is it up, or how many SAs has it; of several nodes, all of them."""
    nodes = [ask.world.simulator.nodes[name] for name in ask.subject.names]
    if isinstance(ask.claim, MeasureClaim):
        held = [len(node.ipsec.sad.all()) if isinstance(node, VpnGateway) else 0 for node in nodes]
        found = ", ".join(f"{node.name} {number}" for node, number in zip(nodes, held, strict=True))
        return Answer(all(_compare(ask.claim, number).is_met for number in held), found, sum(held))
    assert isinstance(ask.claim, StateClaim)  # noqa: S101 - a node has no reasons
    up = sum(node.is_up for node in nodes)
    hits = up if ask.claim.state == "up" else len(nodes) - up
    wanted = len(nodes) if ask.claim.count is None else ask.claim.count
    return Answer(hits == wanted, f"{up} up, {len(nodes) - up} down")


FINDERS: dict[str, Callable[[_Question], Answer]] = {
    "traffic": _traffic,
    "tunnel": _tunnel,
    "drops": _drops,
    "packets": _packets,
    "leaks": _leaks,
    "notify": _notify,
    "why": _why,
    "mapping": _mapping,
    "sas": _sas,
    "node": _node,
}


def _count(claim: Claim, number: int, found: str) -> Answer:
    if isinstance(claim, StateClaim):
        return Answer(number == 0, found, number)
    assert isinstance(claim, MeasureClaim)  # noqa: S101 - a reason is judged by the caller
    return _compare(claim, number)._replace(found=found)


def _compare(claim: MeasureClaim, number: float) -> Answer:
    wanted = claim.value
    is_met = {
        "equal": number == wanted,
        "not equal": number != wanted,
        "at least": number >= wanted,
        "at most": number <= wanted,
        "more than": number > wanted,
        "less than": number < wanted,
        "about": abs(number - wanted) <= ABOUT * abs(wanted),
    }[claim.comparison]
    return Answer(is_met, _shown(number, claim.unit), number)


def _shown(number: float, unit: str) -> str:
    if unit == "ns":
        return format_duration(round(number))
    return (str(int(number)) if number == int(number) else f"{number:.3f}") + (f" {unit}" if unit else "")


def _not_yet(expectation: Expectation, what: str) -> ConfigError:
    return ConfigError(f"{what} cannot be measured yet", expectation.place)
