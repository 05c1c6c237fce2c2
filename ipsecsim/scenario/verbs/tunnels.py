"""The verbs that speak of a tunnel: what one end of it does, at a moment of the script's choice."""

from collections.abc import Callable, Iterator
from typing import Literal

from ipsecsim.base.instant import Instant
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.scenario.build_ipsec import policy_name
from ipsecsim.scenario.model_script import AboutTunnel, Initiate, Reauth, Rekey, Terminate
from ipsecsim.scenario.name_table import Names, TunnelName
from ipsecsim.scenario.problems import Mistake
from ipsecsim.scenario.sentence import Sentence
from ipsecsim.scenario.verbs.verb import Options, Performer, Verb, one_of
from ipsecsim.scenario.world import World

_TUNNEL = ("TUNNEL",)


def _meant(sentence: Sentence, names: Names) -> Iterator[TunnelName]:
    """The tunnels that a name stands for. Raises Mistake for one whose keys come by hand."""
    verb, word = sentence.words
    for name in names.find_tunnels(word):
        tunnel = names.tunnels[name]
        if tunnel.is_keyed:
            raise Mistake(
                f"the keys of tunnel '{name}' come by hand and are there all the time: nothing to {verb.text}",
                word.offset,
            )
        yield tunnel


def _read_initiate(sentence: Sentence, _: Options, names: Names) -> Iterator[Initiate]:
    for tunnel in _meant(sentence, names):
        for child in tunnel.children:
            about = (tunnel.name, tunnel.node, tunnel.connection, child)
            yield Initiate(*about, text=f"initiate {tunnel.name}", place=sentence.source.place)


def _read_terminate(sentence: Sentence, _: Options, names: Names) -> Iterator[Terminate]:
    for tunnel in _meant(sentence, names):
        for child in tunnel.children:
            about = (tunnel.name, tunnel.node, tunnel.connection, child)
            yield Terminate(*about, text=f"terminate {tunnel.name}", place=sentence.source.place)


def _read_rekey(sentence: Sentence, options: Options, names: Names) -> Iterator[Rekey]:
    sa: Literal["child", "ike"] = "ike" if options.get("sa") == "ike" else "child"
    for tunnel in _meant(sentence, names):
        # the children of a connection have one IKE SA
        for child in tunnel.children[:1] if sa == "ike" else tunnel.children:
            about = (tunnel.name, tunnel.node, tunnel.connection, child)
            text = f"rekey {tunnel.name}" + (" sa=ike" if sa == "ike" else "")
            yield Rekey(*about, sa, text=text, place=sentence.source.place)


def _read_reauth(sentence: Sentence, _: Options, names: Names) -> Iterator[Reauth]:
    for tunnel in _meant(sentence, names):
        for child in tunnel.children[:1]:  # all of them have one IKE SA
            about = (tunnel.name, tunnel.node, tunnel.connection, child)
            yield Reauth(*about, text=f"reauth {tunnel.name}", place=sentence.source.place)


def _at_gateway(do: Callable[[VpnGateway, str], None]) -> Performer:
    """One turn of a tunnel's end, which is asked by the SPD rule that the child serves."""

    def plan(world: World, action: AboutTunnel, at: Instant) -> None:
        spec = world.topology.nodes[action.node]
        assert spec.ipsec is not None  # noqa: S101 - references were checked
        connection = spec.ipsec.connections[action.connection]
        policy = policy_name(spec, connection, connection.children[action.child])

        def turn() -> None:
            gateway = world.simulator.nodes[action.node]
            assert isinstance(gateway, VpnGateway)  # noqa: S101 - references were checked
            do(gateway, policy)

        world.simulator.plan(at, world.simulator.nodes[action.node], turn)

    return plan


def _plan_rekey(world: World, action: Rekey, at: Instant) -> None:
    renew = VpnGateway.rekey if action.sa == "child" else VpnGateway.rekey_ike
    _at_gateway(renew)(world, action, at)


TUNNEL_VERBS: dict[str, Verb] = {
    "initiate": Verb(_TUNNEL, {}, "initiate net", Initiate, _read_initiate, _at_gateway(VpnGateway.initiate)),
    "terminate": Verb(
        _TUNNEL, {}, "terminate net", Terminate, _read_terminate, _at_gateway(VpnGateway.terminate)
    ),
    "rekey": Verb(
        _TUNNEL, {"sa": one_of("child", "ike")}, "rekey net sa=ike", Rekey, _read_rekey, _plan_rekey
    ),
    "reauth": Verb(_TUNNEL, {}, "reauth net", Reauth, _read_reauth, _at_gateway(VpnGateway.reauthenticate)),
}
