"""SAs that somebody typed in on both gateways, so that traffic needs no IKE."""

from ipsecsim.base.address import Prefix, pack
from ipsecsim.crypto.catalogue import WORDS, AhSuite, EspSuite
from ipsecsim.ipsec.association import Direction, Mode, SaParameters
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.selector import Selector
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.wire.numbers import IpProtocol
from tests.support.builders import World

WEST = {4: pack("192.0.2.1"), 6: pack("2001:db8:1::1")}
EAST = {4: pack("198.51.100.2"), 6: pack("2001:db8:2::2")}
NETWORKS = {
    4: (Prefix.parse("10.1.0.0/24"), Prefix.parse("10.2.0.0/24")),
    6: (Prefix.parse("fd00:10:1::/64"), Prefix.parse("fd00:10:2::/64")),
}
SPI = 0x5E0D77AA  # the same in both directions, as people do


def suite_of(protocol: IpProtocol, words: str) -> EspSuite | AhSuite:
    """'sha256' for AH, 'aes256gcm16' or 'aes128-sha256' for ESP."""
    cipher, _, integrity = words.partition("-")
    if protocol == IpProtocol.AH:
        return AhSuite(WORDS[words].row)  # type: ignore[arg-type]
    row, bits = WORDS[cipher]
    return EspSuite(row, bits or 0, WORDS[integrity].row if integrity else None)  # type: ignore[arg-type]


def install(
    world: World,
    protocol: IpProtocol,
    words: str,
    mode: Mode = Mode.TUNNEL,
    *,
    inner: int = 4,
    outer: int = 4,
    **changes: object,
) -> World:
    """Protect a and b, or with transport mode the gateways themselves, by a pair of SAs between the gateways.

    `inner` and `outer` are IP versions, the same as for the world.
    """
    suite = suite_of(protocol, words)
    west, east = WEST[outer], EAST[outer]
    networks = Selector.between(*NETWORKS[inner])
    there = networks if mode is Mode.TUNNEL else Selector((west, west), (east, east))
    back = Selector(there.remote, there.local)
    ends = {"west": (west, east, there), "east": (east, west, back)}
    for name, (own, peer, selector) in ends.items():
        gateway = world.gateway(name)
        rules = [rule for rule in gateway.ipsec.spd.policies if rule.name != "net"]
        gateway.ipsec.spd.replace([*rules, Policy("net", PolicyAction.PROTECT, (selector,))])
        for direction in Direction:
            source, destination = (own, peer) if direction is Direction.OUTBOUND else (peer, own)
            parameters = SaParameters(
                direction,
                SPI,
                source,
                destination,
                suite,
                _key(source, suite.encryption_key_length),
                _key(source, suite.integrity_key_length),
                (selector,),
                "net",
                mode,
                **changes,  # type: ignore[arg-type]
            )
            _plan(world, gateway, parameters)
    return world


def _key(source: bytes, length: int) -> bytes:
    """Another one for each direction: a counter under one key must not run twice."""
    return (source * length)[:length]


def _plan(world: World, gateway: VpnGateway, parameters: SaParameters) -> None:
    gateway.manual = [*gateway.manual, parameters]

    def work() -> None:
        gateway.perform(gateway.ipsec.install(parameters, world.simulator.now))

    world.simulator.plan(0, gateway, work)
