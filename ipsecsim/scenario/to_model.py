"""From the expanded tree to the model: every value read once, with the schema's defaults."""

from typing import TypeVar

from ipsecsim.base.address import Prefix
from ipsecsim.base.errors import Place
from ipsecsim.base.instant import CALENDAR_START
from ipsecsim.net.impairments import Impairments
from ipsecsim.net.link import LinkOptions
from ipsecsim.scenario import scalars, schema, schema_ipsec
from ipsecsim.scenario.addresses import address_towards, main_address, missing_version
from ipsecsim.scenario.auth_rounds import RoundReader
from ipsecsim.scenario.fields import optional, value, word_of
from ipsecsim.scenario.firewall import read_firewall
from ipsecsim.scenario.kinds import CommaList
from ipsecsim.scenario.model import InterfaceSpec, LinkSpec, NodeSpec
from ipsecsim.scenario.model_ipsec import (
    ChildSpec,
    ConnectionSpec,
    IpsecSpec,
    ManualSaSpec,
    PoolSpec,
    RuleSpec,
    SecretSpec,
    SelectorSpec,
)
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.nat import read_nat
from ipsecsim.scenario.network import Network, Wire
from ipsecsim.scenario.not_yet import SECRETS_LATER
from ipsecsim.scenario.pools import networks, read_pool, routes_to
from ipsecsim.scenario.problems import Mistake, Problems
from ipsecsim.scenario.routes import Routes
from ipsecsim.scenario.sas import SaReader
from ipsecsim.scenario.sentence import Word
from ipsecsim.scenario.spd import RuleReader
from ipsecsim.scenario.swanctl.values import items, selector_address, selectors
from ipsecsim.scenario.taps import tapped
from ipsecsim.scenario.tree import Map, Seq, Text, overlay
from ipsecsim.scenario.tunnels import identity
from ipsecsim.scenario.ways import EVERYTHING

T = TypeVar("T")


def place_of(root: Map, section: str, name: str) -> Place:
    """Where the file names a thing."""
    holder = root.map(section)
    return root.place if holder is None else holder.entries[name].key.place


def link(wire: Wire, place: Place) -> LinkSpec:
    """One link."""
    node = wire.node
    worse = node.map("from") or Map(node.place)
    return LinkSpec(
        wire.name,
        tuple(wire.ends),
        tuple(wire.nets.values()),
        _link_options(node),
        {name: _link_options(overlay(node, settings)) for name, settings in worse.maps()},
        place=place,
    )


def _link_options(node: Map) -> LinkOptions:
    return LinkOptions(
        delay=value(schema.DURATION, node, schema.LINK, "delay"),
        rate=optional(schema.RATE, node, "rate"),
        mtu=value(schema.MTU, node, schema.LINK, "mtu"),
        queue_packets=value(scalars.WHOLE, node, schema.LINK, "limit"),
        queue_bytes=optional(scalars.BYTES, node, "queue"),
        up=word_of(node, schema.LINK, "state") == "up",
        priority=word_of(node, schema.LINK, "priority") == "dscp",
        impairments=Impairments(
            jitter=value(schema.DURATION, node, schema.LINK, "jitter"),
            distribution=word_of(node, schema.LINK, "distribution"),
            loss=value(schema.LOSS, node, schema.LINK, "loss"),
            duplicate=value(schema.CHANCE, node, schema.LINK, "duplicate"),
            corrupt=value(schema.CHANCE, node, schema.LINK, "corrupt"),
            reorder=value(schema.CHANCE, node, schema.LINK, "reorder"),
        ),
    )


class Reader:
    """Reads nodes, and for that knows the network around them."""

    def __init__(self, network: Network, names: Names, problems: Problems) -> None:
        self.network = network
        self.names = names
        self.problems = problems
        self.rounds = RoundReader(names, problems)

    def node(self, name: str, routes: Routes, place: Place) -> NodeSpec:
        """One node."""
        network = self.network
        settings = self.names.nodes[name]
        interfaces = tuple(
            InterfaceSpec(
                network.interface(name, wire),
                wire.name,
                tuple(
                    (addresses[name], wire.nets[version].length)
                    for version, addresses in wire.addresses.items()
                ),
                network.is_protected(name, wire),
                up=_is_up(settings, network.interface(name, wire)),
            )
            for wire in network.wires_of[name]
        )
        said = settings.map("ipsec")
        ipsec = None if said is None else self._ipsec(name, said)
        return NodeSpec(
            name,
            network.kinds[name],
            interfaces,
            routes if ipsec is None else routes.plus(routes_to(ipsec.pools.values(), routes, interfaces)),
            ipsec,
            word_of(settings, schema.NODE, "cert"),
            read_nat(network, self.names, name, settings),
            read_firewall(network, self.names, name, settings, self.problems),
            tapped(self.names, name),
            CALENDAR_START
            if (clock := optional(schema.CLOCK, settings, "clock")) is None
            else clock.at(CALENDAR_START),
            word_of(settings, schema.NODE, "device"),
            place=place,
        )

    def _ipsec(self, node: str, ipsec: Map) -> IpsecSpec:
        connections = ipsec.map("connections") or Map(ipsec.place)
        secrets = ipsec.map("secrets") or Map(ipsec.place)
        rules = self._rules(node, ipsec)
        return IpsecSpec(
            {
                name: self._connection(node, name, entry, connections.entries[name].key.place)
                for name, entry in connections.maps()
            },
            {name: self._secret(name, entry) for name, entry in secrets.maps()},
            value(scalars.SECONDS, ipsec, schema_ipsec.IPSEC, "keepalive"),
            self._sas(node, ipsec, rules or ()),
            rules,
            {
                name: self._pool(name, entry)
                for name, entry in (ipsec.map("pools") or Map(ipsec.place)).maps()
            },
        )

    def _pool(self, name: str, node: Map) -> PoolSpec:
        pool = read_pool(name, node)
        version = 4 if len(pool.first) == 4 else 6
        if version not in self.network.versions:
            self.problems.add(missing_version(version), node.place)
        return pool

    def _rules(self, node: str, ipsec: Map) -> tuple[RuleSpec, ...] | None:
        """The SPD by hand, in its order; None where the node writes none."""
        listed = ipsec.get("spd")
        if not isinstance(listed, Seq):
            return None
        reader = RuleReader(node, ipsec, self.network, self.names)
        made: list[RuleSpec] = []
        for number, text in enumerate(listed.items, start=1):
            assert isinstance(text, Text)  # noqa: S101  # the schema was checked
            try:
                made.append(reader.rule(text, number))
            except Mistake as mistake:
                self.problems.add(mistake.message, text.at(mistake.offset))
        return tuple(made)

    def _sas(self, node: str, ipsec: Map, rules: tuple[RuleSpec, ...]) -> dict[str, ManualSaSpec]:
        reader = SaReader(node, self.network, self.names, self.problems)
        modes = {name: rule.mode for rule in rules if rule.mode for name in rule.sas}
        made = [
            reader.sa(name, entry, modes.get(name, ""))
            for name, entry in (ipsec.map("sas") or Map(ipsec.place)).maps()
        ]
        return {sa.name: sa for sa in made if sa is not None}

    def _secret(self, name: str, node: Map) -> SecretSpec:
        ids = tuple(
            text.value for key, text in node.items() if key.startswith("id") and isinstance(text, Text)
        )
        kind = schema_ipsec.secret_kind(name)
        if kind in SECRETS_LATER:
            self.problems.not_yet(f"secrets for {kind}", node.place)
        text = node.text("secret")
        if text is None:
            self.problems.add(f"'{name}' holds no secret; write  {name}: {{secret: ...}}", node.place)
            return SecretSpec(name, kind, ids, b"")
        return SecretSpec(name, kind, ids, scalars.SECRET.read(text.value))

    def _connection(self, node: str, name: str, entry: Map, place: Place) -> ConnectionSpec:
        table = schema_ipsec.CONNECTION
        remote_addrs = self._addresses(entry, "remote_addrs", node)
        vips = tuple(self._virtual(text) for text in items(entry.get("vips")))
        pools = tuple(text.value for text in items(entry.get("pools")))
        local_addrs = self._addresses(entry, "local_addrs", node)
        if local_addrs and remote_addrs and not set(map(len, local_addrs)) & set(map(len, remote_addrs)):
            message = "local_addrs and remote_addrs are of different IP versions"
            self.problems.add(message, entry.entries["remote_addrs"].key.place)
        rekey = value(scalars.SECONDS, entry, table, "rekey_time")
        reauth = value(scalars.SECONDS, entry, table, "reauth_time")
        over = optional(scalars.SECONDS, entry, "over_time")
        over = max(rekey, reauth) // 10 if over is None else over
        rand = optional(scalars.SECONDS, entry, "rand_time")
        for key, part in entry.entries.items():
            if key.partition("-")[0] in ("local", "remote") and key not in ("local", "remote"):
                self.problems.not_yet("several authentication rounds", part.key.place)
        children = entry.map("children") or Map(entry.place)
        if not children.entries:
            self.problems.add(
                f"connection '{name}' has no children; write  children: {{net: {{...}}}}", place
            )
        return ConnectionSpec(
            name,
            version=int(word_of(entry, table, "version")),
            local_addrs=local_addrs,
            remote_addrs=remote_addrs,
            local_port=value(scalars.PORT, entry, table, "local_port"),
            remote_port=value(scalars.PORT, entry, table, "remote_port"),
            proposals=_proposals(scalars.IKE_PROPOSALS, entry, "proposals"),
            encap=value(scalars.YES_NO, entry, table, "encap"),
            mobike=value(scalars.YES_NO, entry, table, "mobike"),
            fragmentation=word_of(entry, table, "fragmentation"),
            fragment_size=value(scalars.FRAGMENT_SIZE, entry, table, "fragment_size"),
            dpd_delay=value(scalars.SECONDS, entry, table, "dpd_delay"),
            dpd_timeout=value(scalars.SECONDS, entry, table, "dpd_timeout"),
            keyingtries=value(scalars.WHOLE, entry, table, "keyingtries"),
            unique=word_of(entry, table, "unique"),
            childless=word_of(entry, table, "childless"),
            reauth_time=reauth,
            rekey_time=rekey,
            over_time=over,
            rand_time=over if rand is None else rand,
            send_cert=word_of(entry, table, "send_cert"),
            send_certreq=value(scalars.YES_NO, entry, table, "send_certreq"),
            local=self.rounds.round(entry, "local", identity(node)),
            remote=self.rounds.round(entry, "remote", self._peer_id(entry)),
            children={
                child: self._child(node, child, part, entry, children.entries[child].key.place)
                for child, part in children.maps()
            },
            vips=vips,
            pools=pools,
            place=place,
        )

    def _virtual(self, text: Text) -> bytes:
        return self._known(Prefix.parse(text.value), text).network

    def _peer_id(self, connection: Map) -> str:
        """Whom to expect: the node that `remote_addrs` names, else anybody."""
        remote = connection.get("remote_addrs")
        found = {name for text in items(remote) for name in self.names.find_nodes(text.value)}
        return identity(found.pop()) if len(found) == 1 else "%any"

    def _addresses(self, connection: Map, key: str, node: str) -> tuple[bytes, ...]:
        """Packed addresses; a node name stands for the address it is known by here."""
        listed = connection.get(key)
        made: list[bytes] = []
        for text in items(listed):
            if text.value in ("any", "%any"):
                return ()
            members = self.names.find_nodes(text.value)
            for member in members:
                towards = main_address(self.network, member) if member == node else None
                found = towards or address_towards(self.network, member, node)
                if found is None:
                    self.problems.add(f"no path leads from {node} to {member}", text.place)
                else:
                    made.append(found)
            if members:
                continue
            if "/" in text.value:
                self.problems.not_yet(f"networks in {key}", text.place)
            else:
                made.append(self._known(Prefix.parse(text.value), text).network)
        return tuple(made)

    def _known(self, prefix: Prefix, text: Text) -> Prefix:
        """A network or address of a version that the topology has; notes one that it has not."""
        if prefix.version not in self.network.versions:
            self.problems.add(missing_version(prefix.version), text.place)
        return prefix

    def _child(self, node: str, name: str, entry: Map, connection: Map, place: Place) -> ChildSpec:
        table = schema_ipsec.CHILD
        seconds = scalars.SECONDS
        rekey = value(seconds, entry, table, "rekey_time")
        life = optional(seconds, entry, "life_time")
        life = rekey + rekey // 10 if life is None else life
        rand = optional(seconds, entry, "rand_time")
        rekey_bytes = value(scalars.BYTES, entry, table, "rekey_bytes")
        life_bytes = optional(scalars.BYTES, entry, "life_bytes")
        rekey_packets = value(scalars.WHOLE, entry, table, "rekey_packets")
        life_packets = optional(scalars.WHOLE, entry, "life_packets")
        life_bytes = rekey_bytes + rekey_bytes // 10 if life_bytes is None else life_bytes
        life_packets = rekey_packets + rekey_packets // 10 if life_packets is None else life_packets
        rand_bytes = optional(scalars.BYTES, entry, "rand_bytes")
        rand_packets = optional(scalars.WHOLE, entry, "rand_packets")
        with_ah, with_esp = (entry.get(f"{kind}_proposals") is not None for kind in ("ah", "esp"))
        return ChildSpec(
            name,
            mode=word_of(entry, table, "mode"),
            local_ts=self._selectors(entry, "local_ts", self._own(connection, node)),
            remote_ts=self._selectors(entry, "remote_ts", self._theirs(connection, node)),
            esp_proposals=()
            if with_ah and not with_esp
            else _proposals(scalars.ESP_PROPOSALS, entry, "esp_proposals"),
            ah_proposals=_proposals(scalars.AH_PROPOSALS, entry, "ah_proposals") if with_ah else (),
            start_action=word_of(entry, table, "start_action"),
            close_action=word_of(entry, table, "close_action"),
            dpd_action=word_of(entry, table, "dpd_action"),
            rekey_time=rekey,
            life_time=life,
            rand_time=max(0, life - rekey) if rand is None else rand,
            rekey_bytes=rekey_bytes,
            life_bytes=life_bytes,
            rand_bytes=max(0, life_bytes - rekey_bytes) if rand_bytes is None else rand_bytes,
            rekey_packets=rekey_packets,
            life_packets=life_packets,
            rand_packets=max(0, life_packets - rekey_packets) if rand_packets is None else rand_packets,
            inactivity=value(seconds, entry, table, "inactivity"),
            replay_window=value(scalars.WHOLE, entry, table, "replay_window"),
            copy_df=value(scalars.YES_NO, entry, table, "copy_df"),
            copy_ecn=value(scalars.YES_NO, entry, table, "copy_ecn"),
            copy_dscp=word_of(entry, table, "copy_dscp"),
            tfc_padding=value(scalars.TFC_PADDING, entry, table, "tfc_padding"),
            sha256_96=value(scalars.YES_NO, entry, table, "sha256_96"),
            policies=value(scalars.YES_NO, entry, table, "policies"),
            place=place,
        )

    def _own(self, connection: Map, node: str) -> list[Prefix]:
        """What `dynamic` is on this side: its own address, or a virtual one that is not known yet."""
        virtual = connection.get("vips")
        if virtual is not None:
            versions = (4 if len(each) == 4 else 6 for each in scalars.ADDRESSES.values(virtual))
            return [EVERYTHING[version] for version in dict.fromkeys(versions)]
        own = self._addresses(connection, "local_addrs", node)
        main = main_address(self.network, node)
        return list(map(_lone, own or ([] if main is None else [main])))

    def _theirs(self, connection: Map, node: str) -> list[Prefix]:
        """What `dynamic` is on the other side: the peer's address, or one that it will get from a pool."""
        drawn = [text.value for text in items(connection.get("pools"))]
        if drawn:
            known = (self.names.nodes[node].map("ipsec") or Map(connection.place)).map("pools")
            pools = dict((known or Map(connection.place)).maps())
            return [net for name in drawn for net in networks(read_pool(name, pools[name]))]
        return list(map(_lone, self._addresses(connection, "remote_addrs", node)))

    def _selectors(self, child: Map, key: str, dynamic: list[Prefix]) -> tuple[SelectorSpec, ...]:
        listed = child.get(key)
        texts = [Text("dynamic", child.place, ())] if listed is None else items(listed)
        made: list[SelectorSpec] = []
        for text in texts:
            made += selectors(text.value, self._prefixes(selector_address(text.value), dynamic, text))
        return tuple(made)

    def _prefixes(self, word: str, dynamic: list[Prefix], text: Text) -> list[Prefix]:
        """What the address part of a selector stands for."""
        if word == "dynamic":
            return dynamic
        if word in ("any", "%any"):
            return [EVERYTHING[version] for version in self.network.versions]
        members = self.names.find_nodes(word)
        if members:
            found = [
                main_address(self.network, self.names.node(Word(each, 0)), version)
                for each in members
                for version in self.network.versions
            ]
            return [_lone(each) for each in found if each is not None]
        return [self._known(scalars.PREFIXES.read(word), text)]


def _is_up(node: Map, interface: str) -> bool:
    """Interfaces are up unless the file says that one begins down."""
    said = (node.map("interfaces") or Map(node.place)).map(interface)
    state = None if said is None else said.text("state")
    return state is None or state.value == "up"


def _lone(address: bytes) -> Prefix:
    return Prefix(address, 8 * len(address))


def _proposals(kind: CommaList[T], node: Map, key: str) -> tuple[T, ...]:
    return tuple(kind.values(node.get(key) or Text("default", node.place, ())))
