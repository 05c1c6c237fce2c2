"""What a node is told about its peers, in the words of swanctl.conf."""

from dataclasses import dataclass, field, replace
from enum import Enum

from ipsecsim.base.address import Prefix
from ipsecsim.base.instant import SECOND, Duration
from ipsecsim.crypto.catalogue import AhSuite, Encryption, EspSuite, Group, Integrity, Prf
from ipsecsim.crypto.certificate_path import Revocation
from ipsecsim.crypto.certificates import Certificate
from ipsecsim.crypto.signature_keys import PublicKey
from ipsecsim.crypto.signatures import SIGNATURES, SignatureScheme
from ipsecsim.ike.identity import Identity, IdentityPattern
from ipsecsim.ike.pools import Pool
from ipsecsim.ike.retransmit import RetransmitPolicy
from ipsecsim.ipsec.association import Mode
from ipsecsim.ipsec.lifetime import Limits
from ipsecsim.ipsec.options import SaOptions
from ipsecsim.ipsec.populate import Part
from ipsecsim.wire.ike.traffic_selector import TrafficSelector

ANYWHERE = b""
"""The address of a peer that is known by its name only: it is waited for, and never called."""

NO_JITTER = Limits(0, 0, 0)


MOST_STANDING = 10_000
"""IKE SAs of one node that are past their beginning. One alone may prove itself again and again."""


class StartAction(Enum):
    """When a child comes up: by hand, when traffic asks for it, or at once."""

    NONE = "none"
    TRAP = "trap"
    START = "start"


class AuthKind(Enum):
    """How a side proves who it is."""

    PSK = "psk"
    PUBKEY = "pubkey"


class Uniqueness(Enum):
    """What a new IKE SA means for those that stand with the same peer (swanctl's `unique`).

    NO: they go when the peer says that it knows of no other. KEEP: it is refused, unless the peer says so or comes
    from the same address. REPLACE: they go. NEVER: all stand, whatever the peer says.
    """

    NO = "no"
    NEVER = "never"
    KEEP = "keep"
    REPLACE = "replace"


class Fragmentation(Enum):
    """IKE's own fragments (RFC 7383): cut large messages, only take fragments, or have nothing to do with them.

    FORCE is for IKEv1, whose first message may be cut too; IKEv2 has to ask first, and takes it for YES.
    """

    YES = "yes"
    ACCEPT = "accept"
    FORCE = "force"
    NO = "no"


class Childless(Enum):
    """Whether an IKE SA is made without its first child (RFC 6023; swanctl's `childless`).

    ALLOW: where the initiator wants so. PREFER: an initiator wants so, where the responder can. FORCE: in no other
    way. NEVER: neither wanted nor taken.
    """

    ALLOW = "allow"
    PREFER = "prefer"
    FORCE = "force"
    NEVER = "never"


class SendCert(Enum):
    """When to send one's own certificates: whatever the peer says, only if it asks, or not at all."""

    ALWAYS = "always"
    IF_ASKED = "ifasked"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class LocalAuth:
    """How this side proves who it is.

    `schemes` are the signatures it makes, best first. `keys` names those of its own keys that it may use; none
    named: any. With `is_raw` it sends its public key without a certificate (RFC 7670).
    """

    kind: AuthKind = AuthKind.PSK
    schemes: tuple[SignatureScheme, ...] = SIGNATURES
    keys: tuple[str, ...] = ()
    send_cert: SendCert = SendCert.IF_ASKED
    is_raw: bool = False


@dataclass(frozen=True, slots=True)
class RemoteAuth:
    """How the peer must prove who it is.

    `schemes` are the signatures that we take. With `certificates` the peer's must be one of them; with
    `authorities` one of them must stand above it. `public_keys` are believed without any certificate (RFC 7670).
    """

    kind: AuthKind = AuthKind.PSK
    schemes: tuple[SignatureScheme, ...] = SIGNATURES
    certificates: tuple[Certificate, ...] = ()
    authorities: tuple[Certificate, ...] = ()
    public_keys: tuple[PublicKey, ...] = ()
    revocation: Revocation = Revocation.RELAXED
    send_certreq: bool = True


AdditionalGroups = tuple[tuple[int, tuple[Group | None, ...]], ...]
"""Additional key exchanges: the number of each, and the groups to choose from."""


@dataclass(frozen=True, slots=True)
class IkeProposal:
    """Alternatives for each transform of an IKE SA, best first. `integrity` is empty for AEAD ciphers.

    `additional` are further key exchanges, by number from 1 to 7 (RFC 9370); None says that it may be left out.

    `words` is the proposal as swanctl.conf writes it, where somebody wrote it.
    """

    encryption: tuple[tuple[Encryption, int], ...]
    integrity: tuple[Integrity, ...]
    prf: tuple[Prf, ...]
    groups: tuple[Group, ...]
    words: str = ""
    additional: AdditionalGroups = ()

    @property
    def needs_intermediate(self) -> bool:
        """Can it be chosen only where additional key exchanges are possible?"""
        return any(None not in groups for _, groups in self.additional)


@dataclass(frozen=True, slots=True)
class EspProposal:
    """Alternatives for each transform of a Child SA with ESP. `groups` count only when it is rekeyed with PFS.

    `extended_sequence` says whether sequence numbers have 64 bits, and may hold both answers.
    """

    encryption: tuple[tuple[Encryption, int], ...]
    integrity: tuple[Integrity, ...]
    groups: tuple[Group, ...] = ()
    words: str = ""
    extended_sequence: tuple[bool, ...] = (False,)
    additional: AdditionalGroups = ()

    def only(self, suite: EspSuite | AhSuite, *, extended_sequence: bool) -> "list[EspProposal]":
        """This proposal with nothing but these algorithms; none when it does not hold them."""
        integrity = () if suite.integrity is None else (suite.integrity,)
        if (
            isinstance(suite, AhSuite)
            or (suite.encryption, suite.key_bits) not in self.encryption
            or not set(integrity) <= set(self.integrity)
            or extended_sequence not in self.extended_sequence
        ):
            return []
        encryption, extended = ((suite.encryption, suite.key_bits),), (extended_sequence,)
        return [replace(self, encryption=encryption, integrity=integrity, extended_sequence=extended)]


@dataclass(frozen=True, slots=True)
class AhProposal:
    """The same for a Child SA with AH, which has no encryption."""

    integrity: tuple[Integrity, ...]
    groups: tuple[Group, ...] = ()
    words: str = ""
    extended_sequence: tuple[bool, ...] = (False,)
    additional: AdditionalGroups = ()

    def only(self, suite: EspSuite | AhSuite, *, extended_sequence: bool) -> "list[AhProposal]":
        """This proposal with nothing but these algorithms; none when it does not hold them."""
        if (
            isinstance(suite, EspSuite)
            or suite.integrity not in self.integrity
            or extended_sequence not in self.extended_sequence
        ):
            return []
        return [replace(self, integrity=(suite.integrity,), extended_sequence=(extended_sequence,))]


ChildProposal = EspProposal | AhProposal


@dataclass(frozen=True, slots=True)
class HalfOpenLimits:
    """When a responder asks for cookies, and when it takes no more; the first two are strongSwan's defaults.

    Nobody new may begin while as many IKE SAs as `standing` are past that.
    """

    cookie_threshold: int = 30
    per_address: int = 5
    total: int = 1000
    standing: int = MOST_STANDING


@dataclass(frozen=True, slots=True)
class ChildConfig:
    """One Child SA that a connection may have.

    `policy` names the SPD rule that its SAs serve, and is how the node asks for this child: it is
    unique on the node, while two connections may each have a child of the same `name`.

    `proposals` may mix ESP and AH: one of them is chosen. A `mode` of transport is a wish, and tunnel what comes
    where the peer does not share it, or where the traffic is not that of the two hosts themselves.

    `from_packet` are the parts of the traffic of which each SA has one value (RFC 4301 4.4.1), as in its rule.

    The soft limits in `options` come at random up to `jitter` earlier, drawn anew for each pair of SAs.

    A child that carries nothing for `inactivity` is closed; 0 means never. `close_action` is what to do when the
    peer closes it, `dpd_action` when the peer is dead.
    """

    name: str
    local_ts: tuple[TrafficSelector, ...]
    remote_ts: tuple[TrafficSelector, ...]
    proposals: tuple[ChildProposal, ...]
    policy: str
    start_action: StartAction = StartAction.TRAP
    options: SaOptions = field(default_factory=SaOptions)
    mode: Mode = Mode.TUNNEL
    from_packet: frozenset[Part] = frozenset()
    jitter: Limits = NO_JITTER
    inactivity: Duration = 0
    close_action: StartAction = StartAction.NONE
    dpd_action: StartAction = StartAction.NONE


@dataclass(frozen=True, slots=True)
class Mobike:
    """How the addresses of an IKE SA may change while it lives (RFC 4555).

    The peer may come from the networks in `peer_within`; none named: from anywhere. Unless `checks_routability` is
    off, a new address of the peer has to answer before packets are sent to it (RFC 4555 3.7).
    """

    peer_within: tuple[Prefix, ...] = ()
    checks_routability: bool = True

    def allows(self, peer: bytes) -> bool:
        """May the peer move to this address?"""
        return not self.peer_within or any(peer in each for each in self.peer_within)


@dataclass(frozen=True, slots=True)
class Connection:
    """One peer, or one group of them. Addresses are packed; that of the peer may be ANYWHERE.

    A `dpd_delay` of 0 means that liveness is not checked.

    The IKE SA is rekeyed after `rekey_time`, at random up to `rand_time` earlier, and deleted when it is
    `over_time` too old. A `rekey_time` of 0 means never. After `reauth_time`, likewise, a new one from scratch
    takes its place. To begin is tried `keyingtries` times, each with all its retransmissions; 0 means for ever.

    Without `remote_id` the peer may be anybody who proves to be who it says. Without `mobike` addresses stay as
    they are. Without `nat_traversal` nobody looks for NATs, and MOBIKE puts up with none (RFC 4555 3.9).

    `vips` are the virtual addresses to ask for, all zeros for any of that version. A peer gets one from `pools`,
    which are tried in order, and no child without one.

    `fragment_size` is the largest IP datagram, in bytes, that a message of ours may fill before it is cut; 0 leaves
    it to RFC 7383 2.5.1.

    With `message_id_sync` a node that takes over an IKE SA may agree on message IDs anew (RFC 6311).
    """

    name: str
    local_address: bytes
    remote_address: bytes
    local_id: Identity
    remote_id: Identity | IdentityPattern | None
    proposals: tuple[IkeProposal, ...]
    children: tuple[ChildConfig, ...]
    encap: bool = False
    dpd_delay: Duration = 0
    half_open_timeout: Duration = 30 * SECOND
    rekey_time: Duration = 0
    over_time: Duration = 0
    rand_time: Duration = 0
    reauth_time: Duration = 0
    keyingtries: int = 1
    retransmit: RetransmitPolicy = field(default_factory=RetransmitPolicy)
    local_auth: LocalAuth = LocalAuth()
    remote_auth: RemoteAuth = RemoteAuth()
    unique: Uniqueness = Uniqueness.NO
    childless: Childless = Childless.ALLOW
    vips: tuple[bytes, ...] = ()
    pools: tuple[Pool, ...] = ()
    fragmentation: Fragmentation = Fragmentation.YES
    fragment_size: int = 0
    mobike: Mobike | None = None
    nat_traversal: bool = True
    message_id_sync: bool = False

    def expects(self, peer: Identity) -> bool:
        """May the peer on this connection be this one?"""
        return self.remote_id is None or self.remote_id.covers(peer)
