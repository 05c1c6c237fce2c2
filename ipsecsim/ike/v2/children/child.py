"""Child SAs: from an agreement to the parameters of two simplex SAs (RFC 7296 2.9, 2.17)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Instant
from ipsecsim.crypto.catalogue import AhSuite, EspSuite
from ipsecsim.ike.actions import InstallChildSa, RemoveChildSa
from ipsecsim.ike.config import ChildConfig
from ipsecsim.ike.events import ChildSaCreated
from ipsecsim.ike.narrowing import to_selectors
from ipsecsim.ike.v2.children import configuration
from ipsecsim.ike.v2.children.child_form import ChildForm
from ipsecsim.ike.v2.keying.keys import derive_keymat
from ipsecsim.ike.v2.renewal.jitter import drawn
from ipsecsim.ipsec.association import Direction, SaParameters
from ipsecsim.ipsec.selector import Selector
from ipsecsim.wire.ike.delete import Delete
from ipsecsim.wire.ike.numbers import ProtocolId
from ipsecsim.wire.ike.traffic_selector import TrafficSelector
from ipsecsim.wire.numbers import IpProtocol

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa

IP_PROTOCOL = {ProtocolId.ESP: IpProtocol.ESP, ProtocolId.AH: IpProtocol.AH}


@dataclass(slots=True, eq=False)
class ChildSa:
    """A pair of ESP or AH SAs, named by the SPIs that each side chose to receive on.

    `successor` took its place when the peer rekeyed it, in an exchange whose lower nonce is `successor_nonce`.
    `waiting` is the outbound SA that goes in once the pair that it replaces is gone. `is_closing`: we have said,
    or are about to say, that it goes. `is_half_closed`: nothing is sent on it any more. `destination` is the packed
    address to which the outbound SA sends now. `was_refused`: the peer would not replace it. `is_over`: a hard
    limit has taken its SAs away.
    """

    config: ChildConfig
    protocol: ProtocolId
    spi_in: int
    spi_out: int
    destination: bytes
    suite: EspSuite | AhSuite
    extended_sequence: bool
    successor: "ChildSa | None" = None
    successor_nonce: bytes = b""
    waiting: InstallChildSa | None = None
    is_closing: bool = False
    is_half_closed: bool = False
    local: Sequence[TrafficSelector] = ()
    remote: Sequence[TrafficSelector] = ()
    was_refused: bool = False
    is_over: bool = False
    idle_since: Instant | None = None

    @property
    def stands_alone(self) -> bool:
        """Do both ends have it, and is neither about to replace or to close it, as far as we know?"""
        return self.successor is None and self.waiting is None and not self.is_closing

    @property
    def selectors(self) -> tuple[Selector, ...]:
        """What it carries, as rows of the SAD."""
        return to_selectors(self.local, self.remote)

    @property
    def goodbye(self) -> Delete:
        """What tells the peer that it goes: the SPI that we receive on (RFC 7296 1.4.1)."""
        return Delete(self.protocol, [self.spi_in.to_bytes(4, "big")])


@dataclass(frozen=True, slots=True)
class Agreement:
    """All that one exchange settled about a child, seen from this node."""

    config: ChildConfig
    suite: EspSuite | AhSuite
    spi_in: int
    spi_out: int
    local: Sequence[TrafficSelector]
    remote: Sequence[TrafficSelector]
    extended_sequence: bool
    form: ChildForm

    @property
    def protocol(self) -> ProtocolId:
        """ESP or AH, by the kind of suite."""
        return ProtocolId.AH if isinstance(self.suite, AhSuite) else ProtocolId.ESP

    @property
    def words(self) -> str:
        """Suite and kind of sequence numbers, as a proposal says them."""
        return f"{self.suite.words}-esn" if self.extended_sequence else self.suite.words


@dataclass(frozen=True, slots=True)
class Material:
    """What the keys of a child are made from besides SK_d: the nonces of its exchange, and its own secret."""

    nonce_i: bytes
    nonce_r: bytes
    shared_secret: bytes = b""
    more: bytes = b""
    """The secrets of additional key exchanges, one after the other (RFC 9370 2.2.4)."""

    @property
    def lowest(self) -> bytes:
        """The nonce by which crossed exchanges are told apart (RFC 7296 2.8.1)."""
        return min(self.nonce_i, self.nonce_r)


@dataclass(frozen=True, slots=True)
class Created:
    """A new child and the actions that put its SAs in place, inbound first: no packet may come too early."""

    child: ChildSa
    inbound: InstallChildSa
    outbound: InstallChildSa


def create(sa: "IkeSa", agreed: Agreement, material: Material, *, we_began: bool) -> Created:
    """Derive the keys. `we_began`: we sent the request, so the first half of KEYMAT is for our packets."""
    keys = derive_keymat(
        agreed.suite,
        sa.suite.prf,
        sa.keys.sk_d,
        material.nonce_i,
        material.nonce_r,
        material.shared_secret,
        material.more,
    )
    from_initiator = (keys.encryption_i, keys.integrity_i)
    from_responder = (keys.encryption_r, keys.integrity_r)
    outbound, inbound = (from_initiator, from_responder) if we_began else (from_responder, from_initiator)
    config, path = agreed.config, sa.carrier.path
    lifetime = drawn(config, sa.entropy.fork("child lifetime"))
    there, here = (path.remote, path.remote_port), (path.local, path.local_port)
    child = ChildSa(
        config,
        agreed.protocol,
        agreed.spi_in,
        agreed.spi_out,
        path.remote,
        agreed.suite,
        agreed.extended_sequence,
        local=agreed.local,
        remote=agreed.remote,
    )
    sa.children.append(child)
    if sa.tap is not None:
        sa.tap(
            ChildSaCreated(
                config.name,
                agreed.spi_in,
                agreed.spi_out,
                agreed.words,
                agreed.protocol.name,
                agreed.form.mode.value,
            )
        )

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
            selectors=child.selectors,
            policy=config.policy,
            mode=agreed.form.mode,
            udp_ports=(source[1], destination[1]) if sa.carrier.in_udp else None,
            extended_sequence=agreed.extended_sequence,
            original_addresses=agreed.form.original_addresses if direction is Direction.INBOUND else None,
            stateful_fragments=agreed.form.stateful_fragments,
            peer=str(sa.peer),
        )
        parameters = replace(config.options.apply(parameters), lifetime=lifetime)
        if not agreed.form.takes_padding:
            parameters = replace(parameters, tfc_length=0)
        return InstallChildSa(parameters)

    return Created(
        child,
        install(Direction.INBOUND, agreed.spi_in, there, here, inbound),
        install(Direction.OUTBOUND, agreed.spi_out, here, there, outbound),
    )


def stop_sending(child: ChildSa) -> list[Action]:
    """Take the outbound SA of a child out, once its successor, if there is one, can send."""
    if child.is_half_closed:
        return []
    child.is_half_closed = True
    actions: list[Action] = []
    if child.successor is not None and child.successor.waiting is not None:
        actions.append(child.successor.waiting)
        child.successor.waiting = None
    protocol = IP_PROTOCOL[child.protocol]
    return [*actions, RemoveChildSa(Direction.OUTBOUND, child.spi_out, protocol, child.destination)]


def withdraw(child: ChildSa) -> list[Action]:
    """Take both SAs of a child out of use, or the one that is left of them. IKE still knows it."""
    inbound = RemoveChildSa(Direction.INBOUND, child.spi_in, IP_PROTOCOL[child.protocol])
    return [*stop_sending(child), inbound]


def remove(sa: "IkeSa", child: ChildSa) -> list[Action]:
    """Take both SAs of a child out, or the one that is left of them."""
    sa.children.remove(child)
    for each in sa.children:
        if each.successor is child:
            each.successor = None  # it stands alone again
    return withdraw(child)


def remove_all(sa: "IkeSa") -> list[Action]:
    """Take every child out: they do not outlive their IKE SA (RFC 7296 1.4.1), nor do virtual addresses."""
    actions: list[Action] = []
    for child in list(sa.children):
        child.successor = None
        actions += remove(sa, child)
    return actions + configuration.give_back(sa)
