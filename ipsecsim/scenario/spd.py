"""SPD rules by hand: `protect dst=bob proto=udp dport=9 sa=out|in` as selectors (RFC 4301 4.4.1.1)."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any

from ipsecsim.ipsec.selector import ANY_PORT, ANY_PROTOCOL, Selector
from ipsecsim.scenario.addresses import main_address, missing_version
from ipsecsim.scenario.matching import EVERYWHERE, address_ranges, number_ranges
from ipsecsim.scenario.model_ipsec import RuleSpec
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.network import Network
from ipsecsim.scenario.problems import Mistake, did_you_mean
from ipsecsim.scenario.selection import Range, port_ranges, protocols_of
from ipsecsim.scenario.sentence import Pair, Sentence, Word, parse
from ipsecsim.scenario.swanctl.values import prefix
from ipsecsim.scenario.tree import Map, Text
from ipsecsim.stack.match import AddressRange
from ipsecsim.wire.numbers import IpProtocol

_ARRIVING = {"src": "dst", "dst": "src", "sport": "dport", "dport": "sport"}

_WITH_PORTS = {int(number) for number in (IpProtocol.TCP, IpProtocol.UDP, IpProtocol.SCTP)}
_ICMP = {4: int(IpProtocol.ICMP), 6: int(IpProtocol.ICMPV6)}


GATEWAYS_TRANSPORT = (
    "transport mode protects only a gateway's own packets (RFC 4301 4.1); "
    "use mode: tunnel, or end the tunnel at the hosts"
)


class RuleReader:
    """Reads the rules of one node, of which `ipsec` is what the file says about IPsec."""

    def __init__(self, node: str, ipsec: Map, network: Network, names: Names) -> None:
        self._node = node
        self._sas = ipsec.map("sas") or Map(ipsec.place)
        self._connections = ipsec.map("connections") or Map(ipsec.place)
        self._network = network
        self._names = names

    def rule(self, source: Text, number: int) -> RuleSpec:
        """One rule, the `number`th of its list, from 1. Raises Mistake."""
        sentence = parse(source)
        verdict: Any = sentence.words[0].text  # one of three words: references were checked
        given = {pair.key.text: pair for pair in sentence.pairs}
        for pair in sentence.pairs:
            if pair.operator != "=":
                raise Mistake(
                    f"an SPD rule compares with = only; a range is written {pair.key.text}=1024-65535",
                    pair.key.offset,
                )
        direction: Any = given["dir"].value.text if "dir" in given else ""
        # src and dst are those of the packet, while a selector tells our side from the other
        seen = {_ARRIVING.get(key, key): pair for key, pair in given.items()} if direction == "in" else given
        selectors = tuple(self._selectors(seen))
        if not selectors:
            raise Mistake(
                f"{self._node} has no address of that family, or the two ends are of different ones"
            )
        if verdict != "protect":
            for key in ("sa", "tunnel", "mode"):
                if key in given:
                    raise Mistake(f"'{key}' goes with protect only", given[key].key.offset)
            return RuleSpec(
                verdict, selectors, f"#{number}", (), None, "", direction, source.value, place=source.place
            )
        sas, child = self._what_protects(sentence, given)
        mode: Any = given["mode"].value.text if "mode" in given else ""
        self._check_mode(given.get("mode"), sas, child, selectors)
        policy = policy_of(sas) if child is None else child[1]
        return RuleSpec(
            verdict, selectors, policy, sas, child, mode, direction, source.value, place=source.place
        )

    # What protects

    def _what_protects(
        self, sentence: Sentence, given: dict[str, Pair]
    ) -> tuple[tuple[str, ...], tuple[str, str] | None]:
        """The SAs by hand, or the child of a connection."""
        by_sa, by_tunnel = given.get("sa"), given.get("tunnel")
        if by_sa is not None and by_tunnel is not None:
            raise Mistake("a rule has sa= or tunnel=, not both", by_tunnel.key.offset)
        if by_sa is not None:
            for word in by_sa.values:
                if word.text not in self._sas.entries:
                    hint = did_you_mean(word.text, self._sas.entries)
                    raise Mistake(f"{self._node} has no SA '{word.text}' under sas{hint}", word.offset)
            return tuple(word.text for word in by_sa.values), None
        if by_tunnel is None:
            raise Mistake(
                "protect needs sa= or tunnel=; write for example  protect dst=bob sa=out|in",
                sentence.words[0].offset,
            )
        return self._tunnel(by_tunnel.value)

    def _tunnel(self, word: Word) -> tuple[tuple[str, ...], tuple[str, str] | None]:
        children = [
            (name, child)
            for name, connection in self._connections.maps()
            for child in (connection.map("children") or Map(connection.place)).entries
            if word.text in (name, child, f"{name}/{child}")
        ]
        if len(children) > 1:
            listed = ", ".join(child for _, child in children)
            raise Mistake(f"tunnel '{word.text}' has several children; name one: {listed}", word.offset)
        if children:
            return (), children[0]
        sas = tuple(name for name in self._sas.entries if name in (f"{word.text}-out", f"{word.text}-in"))
        if not sas:
            by_hand = (name.removesuffix("-out") for name in self._sas.entries if name.endswith("-out"))
            known = [*self._connections.entries, *by_hand]
            hint = did_you_mean(word.text, known)
            raise Mistake(f"{self._node} is no end of a tunnel '{word.text}'{hint}", word.offset)
        return sas, None

    def _check_mode(
        self,
        written: Pair | None,
        sas: tuple[str, ...],
        child: tuple[str, str] | None,
        selectors: tuple[Selector, ...],
    ) -> None:
        """Transport mode keeps a packet's own addresses, so a gateway has it for its own packets only."""
        if child is not None or self._network.kinds[self._node] != "gateway":
            return
        entries = [self._sas.map(name) for name in sas]
        modes = {text.value for entry in entries if entry is not None and (text := entry.text("mode"))}
        wanted = modes or {"transport" if written is None else written.value.text}
        own = {
            wire.address(self._node, version)
            for wire in self._network.wires_of[self._node]
            for version in self._network.versions
        }
        if "transport" in wanted and not all(
            each.local[0] == each.local[1] and each.local[0] in own for each in selectors
        ):
            raise Mistake(GATEWAYS_TRANSPORT, 0 if written is None else written.value.offset)

    # Selectors

    def _selectors(self, given: dict[str, Pair]) -> Iterator[Selector]:
        """The rows of a rule whose words are those of a packet that leaves."""
        local, remote = (self._addresses(given.get(key)) for key in ("src", "dst"))
        for version in self._network.versions:
            length = 4 if version == 4 else 16
            own, peer = ([each for each in side if len(each[0]) == length] for side in (local, remote))
            rest = _protocols_and_ports(given, version)
            for one, other, (protocol, own_ports, peer_ports) in product(own, peer, rest):
                yield Selector(one, other, protocol, own_ports, peer_ports)

    def _addresses(self, pair: Pair | None) -> list[AddressRange]:
        """What an address word stands for."""
        if pair is None:
            return list(EVERYWHERE)
        for word in pair.values:
            if word.text != "any" and self._main_addresses(word.text) is None:
                self._check_network(word)
        return address_ranges((word.text for word in pair.values), self._main_addresses)

    def _main_addresses(self, name: str) -> list[bytes] | None:
        """Of each node of that name the address that a person means by it."""
        members = self._names.find_nodes(name)
        found = (
            main_address(self._network, member, version)
            for member, version in product(members, self._network.versions)
        )
        return [address for address in found if address is not None] if members else None

    def _check_network(self, word: Word) -> None:
        try:
            found = prefix(word.text)
        except Mistake as mistake:
            raise Mistake(mistake.message, word.offset) from mistake
        if found.version not in self._network.versions:
            raise Mistake(missing_version(found.version), word.offset)


def policy_of(sas: Sequence[str]) -> str:
    """What a rule is called that these SAs serve: 'net' for 'net-out' and 'net-in', else their names."""
    bases = {name.rpartition("-")[0] for name in sas}
    base = bases.pop()
    return base if base and not bases else "|".join(sas)


def _protocols_and_ports(given: dict[str, Pair], version: int) -> list[tuple[int, Range, Range]]:
    """Each protocol with each range of ports at this node's side and at the other."""
    protocols = protocols_of(given.get("proto"))
    if "icmp" in given:
        if set(protocols) - set(_ICMP.values()) or given.keys() & {"port", "sport", "dport"}:
            raise Mistake("'icmp' goes with proto=icmp, and without ports", given["icmp"].key.offset)
        kinds = _icmp_kinds(given["icmp"].values, version)
        wanted = [each for each in protocols or [_ICMP[version]] if each == _ICMP[version]]
        return [(protocol, kind, ANY_PORT) for protocol in wanted for kind in kinds]
    pair = next((given[key] for key in ("port", "sport", "dport") if key in given), None)
    if pair is None:
        return [(protocol, ANY_PORT, ANY_PORT) for protocol in protocols or [ANY_PROTOCOL]]
    if not protocols or set(protocols) - _WITH_PORTS:
        raise Mistake(f"'{pair.key.text}' goes with proto=udp or proto=tcp", pair.key.offset)
    if "port" in given and ("sport" in given or "dport" in given):
        raise Mistake("'port' is either side's; write sport= and dport=", given["port"].key.offset)
    ports: list[tuple[Range, Range]]
    if "port" in given:
        either = port_ranges(given["port"])
        ports = [(each, ANY_PORT) for each in either] + [(ANY_PORT, each) for each in either]
    else:
        ports = list(product(port_ranges(given.get("sport")), port_ranges(given.get("dport"))))
    return [(protocol, own, peer) for protocol in protocols for own, peer in ports]


def _icmp_kinds(words: Iterable[Word], version: int) -> list[Range]:
    """Type and code as one number, type * 256 + code (RFC 4301 4.4.1.1)."""
    every = [each for word in words for each in number_ranges("icmp", word.text)]
    return [(first & 0xFFFF, last & 0xFFFF) for first, last in every if first >> 16 == _ICMP[version]]
