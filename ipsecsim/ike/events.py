"""What IKE tells about its decisions."""

from dataclasses import dataclass

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.trace import TraceEvent


@dataclass(slots=True)
class IkeMessageSent(TraceEvent):
    """A message left. `payloads` are those inside SK where there is one."""

    spi_i: bytes
    exchange: str
    is_response: bool
    message_id: int
    payloads: tuple[str, ...]
    sealed: bool
    length: int


@dataclass(slots=True)
class IkeMessageReceived(TraceEvent):
    """A message was accepted, and opened where it was sealed."""

    spi_i: bytes
    exchange: str
    is_response: bool
    message_id: int
    payloads: tuple[str, ...]
    sealed: bool
    length: int


@dataclass(slots=True)
class MessageRetransmitted(TraceEvent):
    """No answer came in time: the same bytes went out again."""

    spi_i: bytes
    message_id: int
    times: int


@dataclass(slots=True)
class ResponseRepeated(TraceEvent):
    """A request came again: the stored answer went out again."""

    spi_i: bytes
    message_id: int


@dataclass(slots=True)
class CookieReturned(TraceEvent):
    """The responder wants proof that we receive at our address; we send its cookie back."""

    spi_i: bytes
    cookie: bytes


@dataclass(slots=True)
class GroupChanged(TraceEvent):
    """The responder wants another Diffie-Hellman group; we start again with it."""

    spi_i: bytes
    refused: str
    wanted: str


@dataclass(slots=True)
class IkeProposalChosen(TraceEvent):
    """Both sides will use this suite for the IKE SA."""

    suite: str


@dataclass(slots=True)
class NatDetected(TraceEvent):
    """The NAT detection hashes were compared with the addresses seen."""

    we_are_behind: bool
    peer_is_behind: bool


@dataclass(slots=True)
class IkeKeysDerived(TraceEvent):
    """SKEYSEED and the seven keys were made. Visible by design: this is a simulator."""

    spi_i: bytes
    spi_r: bytes
    encryption: str
    encryption_bits: int
    integrity: str
    shared_secret: bytes
    skeyseed: bytes
    sk_d: bytes
    sk_ai: bytes
    sk_ar: bytes
    sk_ei: bytes
    sk_er: bytes
    sk_pi: bytes
    sk_pr: bytes


@dataclass(slots=True)
class AdditionalKeyExchanged(TraceEvent):
    """One more key exchange was done for the same keys. `left` are still to come."""

    number: int
    group: str
    left: int


@dataclass(slots=True)
class PeerAuthenticated(TraceEvent):
    """The peer's AUTH value was right."""

    identity: str
    method: str


@dataclass(slots=True)
class ChainBelieved(TraceEvent):
    """The peer's certificate leads to a root that we trust. `until` is a date, in seconds since 1970."""

    subjects: tuple[str, ...]
    until: int


@dataclass(slots=True)
class WeakKeyTaken(TraceEvent):
    """The peer's key, or the way it signs, is weaker than it should be."""

    what: str


@dataclass(slots=True)
class TrustEnded(TraceEvent):
    """A certificate, or what was known of its revocation, has reached its end, and the IKE SA with it."""

    spi_i: bytes
    connection: str


@dataclass(slots=True)
class DuplicatesEnded(TraceEvent):
    """Older IKE SAs with the same peer went because of a new one. `is_forgotten`: the peer has forgotten them."""

    identity: str
    spi_i: tuple[bytes, ...]
    is_forgotten: bool


@dataclass(slots=True)
class InitiationsCrossed(TraceEvent):
    """Both ends began at once: the IKE SA made with the lowest of the four nonces goes."""

    connection: str
    is_ours_kept: bool


@dataclass(slots=True)
class PeerRefused(TraceEvent):
    """We did not accept the peer. Only this side knows why; a diagnosis stands in brackets at the end."""

    identity: str
    why: str


@dataclass(slots=True)
class Diagnosed(TraceEvent):
    """This side knows what is wrong between the two ends. `connection` is empty where none is meant yet."""

    diagnosis: Diagnosis
    connection: str
    detail: str


@dataclass(slots=True)
class NotifyReceived(TraceEvent):
    """The peer reported an error."""

    notify: str
    exchange: str


@dataclass(slots=True)
class RefusalBelieved(TraceEvent):
    """An answer in clear was of no use, and no better one came in time."""

    spi_i: bytes
    connection: str


@dataclass(slots=True)
class PeerTold(TraceEvent):
    """Whoever sent a packet was told that nothing can be done with it."""

    notify: str
    is_sealed: bool


@dataclass(slots=True)
class HintTaken(TraceEvent):
    """Somebody said in clear that the peer does not know an SA. That proves nothing, but may be asked about."""

    notify: str
    spi_i: bytes
    is_asking: bool


@dataclass(slots=True)
class StateChanged(TraceEvent):
    """The IKE SA moved."""

    spi_i: bytes
    connection: str
    before: str
    after: str
    step: str


@dataclass(slots=True)
class SelectorsNarrowed(TraceEvent):
    """The responder took what both sides allow."""

    child: str
    local: str
    remote: str
    is_less_than_offered: bool


@dataclass(slots=True)
class ChildSaCreated(TraceEvent):
    """A pair of Child SAs was agreed on."""

    child: str
    spi_in: int
    spi_out: int
    suite: str
    protocol: str
    mode: str


@dataclass(slots=True)
class AddressLent(TraceEvent):
    """The gateway lent a virtual address to a peer."""

    address: str
    identity: str
    pool: str


@dataclass(slots=True)
class AddressReturned(TraceEvent):
    """No IKE SA has that virtual address any more: the pool has it back, and remembers whose it was."""

    address: str
    pool: str


@dataclass(slots=True)
class PoolsExhausted(TraceEvent):
    """A peer asked for a virtual address, and none of the pools could give one."""

    identity: str
    pools: tuple[str, ...]


@dataclass(slots=True)
class ConfigurationReceived(TraceEvent):
    """The gateway gave us virtual addresses, and told who knows names there and what lies behind it."""

    addresses: tuple[str, ...]
    name_servers: tuple[str, ...]
    subnets: tuple[str, ...]


@dataclass(slots=True)
class TransportModeDeclined(TraceEvent):
    """Transport mode was asked for, and the child is in tunnel mode."""

    child: str
    by_peer: bool


@dataclass(slots=True)
class ChildSaFailed(TraceEvent):
    """The IKE SA stands, or would have, but this child did not come up."""

    child: str
    notify: str


@dataclass(slots=True)
class LivenessChecked(TraceEvent):
    """Nothing was heard for a while: an empty INFORMATIONAL asks whether the peer lives."""

    spi_i: bytes


@dataclass(slots=True)
class PeerUnresponsive(TraceEvent):
    """The peer did not answer any of our tries."""

    spi_i: bytes
    exchange: str
    tries: int


@dataclass(slots=True)
class CookieDemanded(TraceEvent):
    """Too many initiators have begun: this one has to show first that it receives at its address."""

    half_open: int


@dataclass(slots=True)
class HalfOpenExpired(TraceEvent):
    """An initiator began and never authenticated itself."""

    spi_i: bytes


@dataclass(slots=True)
class ChildRekeyed(TraceEvent):
    """A pair of Child SAs has a successor. SPIs are those that this node receives on."""

    child: str
    old_spi: int
    new_spi: int
    by_peer: bool


@dataclass(slots=True)
class IkeRekeyed(TraceEvent):
    """An IKE SA has a successor, which inherits its children."""

    old_spi_i: bytes
    spi_i: bytes
    spi_r: bytes
    by_peer: bool


@dataclass(slots=True)
class RekeyCollided(TraceEvent):
    """Both ends rekeyed the same SA; the lowest of the four nonces decides which new one goes."""

    name: str
    is_ours_kept: bool


@dataclass(slots=True)
class PeerStayedBusy(TraceEvent):
    """The peer has said "later" for minutes: the two sides' state is out of step, and the IKE SA is closed."""

    spi_i: bytes
    how_long: int


@dataclass(slots=True)
class DeleteOvertook(TraceEvent):
    """The peer deleted a new Child SA, which it names by its SPI, before its answer about it came."""

    child: str
    spi_out: int


@dataclass(slots=True)
class ReauthenticationBegan(TraceEvent):
    """It is time for both ends to prove anew who they are: a new IKE SA is made beside this one."""

    spi_i: bytes
    connection: str


@dataclass(slots=True)
class BeganAgain(TraceEvent):
    """Nobody answered; a whole new try begins."""

    connection: str
    attempt: int


@dataclass(slots=True)
class ChildIdle(TraceEvent):
    """A Child SA has carried no packet for a time, in nanoseconds, that is long enough to close it."""

    child: str
    spi: int
    how_long: int


@dataclass(slots=True)
class ReplacementFailed(TraceEvent):
    """A Child SA came to its end, and the peer had refused to replace it."""

    child: str
    spi: int


@dataclass(slots=True)
class RekeyPostponed(TraceEvent):
    """The peer cannot do it now: it will be asked again."""

    spi_i: bytes
    until: int
