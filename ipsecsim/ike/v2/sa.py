"""One IKE SA: identity, keys, window, children. The hub dispatches; the exchanges explain."""

from collections.abc import Callable, Sequence

from ipsecsim.base.actions import Action
from ipsecsim.base.entropy import Entropy
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import Instant
from ipsecsim.base.timers import Timers
from ipsecsim.base.trace import Tap
from ipsecsim.crypto.catalogue import Group, IkeSuite, KeyPair
from ipsecsim.crypto.protection import Protection, make_protection
from ipsecsim.ike.actions import ChildGivenUp
from ipsecsim.ike.config import ChildConfig, Connection
from ipsecsim.ike.credentials import Credentials
from ipsecsim.ike.errors import IkeError, UnexpectedMessage
from ipsecsim.ike.events import (
    HalfOpenExpired,
    IkeKeysDerived,
    IkeMessageReceived,
    IkeMessageSent,
    LivenessChecked,
    MessageRetransmitted,
    PeerUnresponsive,
    ResponseRepeated,
)
from ipsecsim.ike.v2 import envelope, payload_rules
from ipsecsim.ike.v2.child import ChildSa, remove_all
from ipsecsim.ike.v2.exchanges import EXCHANGES
from ipsecsim.ike.v2.keys import IkeKeys, derive_ike_keys, derive_skeyseed
from ipsecsim.ike.v2.message import Message, Path, first, names
from ipsecsim.ike.v2.states import State, Step, move
from ipsecsim.ike.v2.window import Window
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.wire.ike.chain import emit_message
from ipsecsim.wire.ike.delete import Delete
from ipsecsim.wire.ike.encrypted import Encrypted
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.header import INITIATOR, RESPONSE, IkeHeader
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType, ProtocolId, name_of
from ipsecsim.wire.nat_t import NON_ESP_MARKER
from ipsecsim.wire.numbers import NAT_T_PORT

NO_SPI = bytes(8)
RETRANSMIT = "retransmit"
LIVENESS = "liveness"
HALF_OPEN = "half open"


class IkeSa:
    """An IKE SA of version 2, as initiator or responder.

    `candidates` are the connections that the peer's address allows; which of them it is shows when the
    peer names itself in IKE_AUTH. `allocate_spi` gives an inbound ESP SPI that is free on this node.
    """

    suite: IkeSuite
    keys: IkeKeys

    def __init__(
        self,
        *,
        is_initiator: bool,
        candidates: Sequence[Connection],
        path: Path,
        spi_i: bytes,
        spi_r: bytes,
        credentials: Credentials,
        entropy: Entropy,
        allocate_spi: Callable[[], int],
        tap: Tap | None,
    ) -> None:
        self.is_initiator = is_initiator
        self.candidates = tuple(candidates)
        self.connection = self.candidates[0]
        self.path = path
        self.spi_i = spi_i
        self.spi_r = spi_r
        self.credentials = credentials
        self.entropy = entropy
        self.allocate_spi = allocate_spi
        self.tap = tap

        self.state = State.IDLE
        self.window = Window()
        self.timers: Timers[str] = Timers()
        self.children: list[ChildSa] = []
        self.last_heard: Instant = 0

        self.group: Group = self.connection.proposals[0].groups[0]
        self.key_pair: KeyPair | None = None
        self.nonce_i = b""
        self.nonce_r = b""
        self.init_request = b""
        self.init_response = b""
        self.cookie = b""
        self.restarts = 0
        self.we_are_behind_nat = False
        self.peer_is_behind_nat = False
        self.wanted_child: ChildConfig = self.connection.children[0]
        self.spi_in = 0
        self.delete_sent = False
        self.began_as: tuple[bytes, bytes, int] | None = None  # a responder's entry among the half-open SAs

        self._outbound: Protection | None = None
        self._inbound: Protection | None = None
        self._news: list[Sequence[Payload]] = []

    # -- what the endpoint asks for -------------------------------------------------------------

    def is_carrying(self, wanted: ChildConfig) -> bool:
        """Is this SA there for the child, whether it is up already or on its way?"""
        is_on_its_way = (
            self.is_initiator and self.state is not State.ESTABLISHED and self.wanted_child is wanted
        )
        return is_on_its_way or any(child.config is wanted for child in self.children)

    def initiate(self, wanted: ChildConfig, now: Instant) -> list[Action]:
        """Begin, with the aim of setting up `wanted`."""
        self.wanted_child = wanted
        return self.request(ExchangeType.IKE_SA_INIT, now)

    def terminate(self, now: Instant) -> list[Action]:
        """Say goodbye to the peer; what is not established yet is simply forgotten."""
        if self.state is State.DELETING or self.state is State.DEAD:
            return []
        if self.state is not State.ESTABLISHED:
            return self.fail()
        move(self, Step.SEND_DELETE)
        return remove_all(self) + self.inform([Delete(ProtocolId.IKE, [])], now)

    def message(
        self, header: IkeHeader, outer: list[Payload], raw: bytes, path: Path, now: Instant
    ) -> list[Action]:
        """Take in a message whose header names this SA. Raises RemoteError; `refuse` then answers it."""
        exchange = EXCHANGES.get(header.exchange)
        if exchange is None:
            raise UnexpectedMessage(f"exchange type {header.exchange}")
        if header.is_response:
            self.window.check_response(header.exchange, header.message_id)
        else:
            stored = self.window.stored_response(header.message_id, raw)
            if stored is not None:
                return self._repeat(stored, header.message_id, path)
        payloads = self._open(header, outer, raw)
        message = Message(header, payloads, raw, path)
        self._heard(message, now)
        payload_rules.check(header.exchange, payloads, is_response=header.is_response)
        if header.is_response:
            actions = exchange.handle_response(self, message, now)
            if self.window.outstanding is None:
                self.timers.cancel(RETRANSMIT)
            actions += self._next_news(now)
        else:
            answer = exchange.handle_request(self, message, now)
            actions = answer.before + self._respond(header, answer.payloads, now) + answer.after
        self._watch(now)
        return actions

    def refuse(self, header: IkeHeader, error: RemoteError, path: Path, now: Instant) -> list[Action]:
        """Answer a request that `message` could not accept; a broken seal or a wrong ID is not answered."""
        if header.is_response:
            return self._refuse_response(header, error, now)
        if not isinstance(error, IkeError) or error.notify is None:
            return []
        if header.message_id != self.window.expected_request:
            return []
        self.path = path
        actions = self._respond(header, [Notify(error.notify, error.notify_data)], now)
        # RFC 7296 2.21.3: a badly formed request is the end of the SA on both sides, without a DELETE
        if self.state is not State.ESTABLISHED or error.notify == NotifyType.INVALID_SYNTAX:
            actions = self.fail() + actions
        return actions

    def next_deadline(self) -> Instant | None:
        """When `handle_timeout` has something to do."""
        return self.timers.next_deadline()

    def handle_timeout(self, now: Instant) -> list[Action]:
        """Harmless when early, when repeated, and when nothing is due."""
        actions: list[Action] = []
        for name in self.timers.pop_expired(now):
            if name == RETRANSMIT:
                actions += self._retransmit(now)
            elif name == LIVENESS:
                actions += self._check_liveness(now)
            elif name == HALF_OPEN and self.state is State.INIT_ANSWERED:
                if self.tap is not None:
                    self.tap(HalfOpenExpired(self.spi_i))
                actions += self.fail()
        return actions

    # -- what the exchanges ask for -------------------------------------------------------------

    @property
    def is_dead(self) -> bool:
        """Has it come to its end?"""
        return self.state is State.DEAD

    @property
    def is_nat_between(self) -> bool:
        """Does ESP have to ride in UDP?"""
        return self.we_are_behind_nat or self.peer_is_behind_nat

    def request(self, kind: ExchangeType, now: Instant) -> list[Action]:
        """Build and send the request of an exchange. None may be outstanding."""
        payloads = EXCHANGES[kind].build_request(self, now)
        header = self._header(kind, self.window.next_request, is_response=False)
        raw = self._seal(header, payloads)
        if kind is ExchangeType.IKE_SA_INIT:
            self.init_request = raw
        self.window.open_request(kind, raw)
        self.timers.set(RETRANSMIT, now + self.connection.retransmit.wait(0))
        return self._send(header, payloads, raw)

    def inform(self, payloads: Sequence[Payload], now: Instant) -> list[Action]:
        """Send an INFORMATIONAL request, now or when the outstanding request is answered."""
        self._news.append(payloads)
        return self._next_news(now)

    def take_news(self) -> Sequence[Payload]:
        """What the INFORMATIONAL request that is being built has to say."""
        payloads = self._news.pop(0) if self._news else ()
        self.delete_sent = first(payloads, Delete) is not None and self.state is State.DELETING
        return payloads

    def derive_keys(self, shared_secret: bytes) -> None:
        """SKEYSEED and SK_*, and the two keyed ciphers (RFC 7296 2.14)."""
        suite = self.suite
        skeyseed = derive_skeyseed(suite.prf, self.nonce_i, self.nonce_r, shared_secret)
        keys = derive_ike_keys(suite, skeyseed, self.nonce_i, self.nonce_r, self.spi_i, self.spi_r)
        self.keys = keys

        def protection(encryption_key: bytes, integrity_key: bytes) -> Protection:
            return make_protection(
                suite.encryption, suite.key_bits, encryption_key, suite.integrity, integrity_key
            )

        from_initiator, from_responder = (
            protection(keys.sk_ei, keys.sk_ai),
            protection(keys.sk_er, keys.sk_ar),
        )
        self._outbound = from_initiator if self.is_initiator else from_responder
        self._inbound = from_responder if self.is_initiator else from_initiator
        if self.tap is not None:
            self.tap(
                IkeKeysDerived(
                    self.spi_i,
                    self.spi_r,
                    suite.encryption.name,
                    suite.key_bits,
                    suite.integrity.name if suite.integrity else "",
                    shared_secret,
                    skeyseed,
                    keys.sk_d,
                    keys.sk_ai,
                    keys.sk_ar,
                    keys.sk_ei,
                    keys.sk_er,
                    keys.sk_pi,
                    keys.sk_pr,
                )
            )

    def float_to_nat_port(self) -> None:
        """A NAT is between us: from now on UDP 4500 on both sides (RFC 7296 2.23)."""
        self.path = Path(self.path.local, NAT_T_PORT, self.path.remote, NAT_T_PORT)

    def fail(self) -> list[Action]:
        """This SA is no more, and nobody needs to be told."""
        actions = remove_all(self)
        if self.is_initiator and self.state is not State.ESTABLISHED and self.state is not State.DELETING:
            actions.append(ChildGivenUp(self.wanted_child.policy))
        if self.state is not State.DEAD:
            move(self, Step.FAIL)
        for name in (RETRANSMIT, LIVENESS, HALF_OPEN):
            self.timers.cancel(name)
        return actions

    # -- sending and receiving ------------------------------------------------------------------

    def _open(self, header: IkeHeader, outer: list[Payload], raw: bytes) -> list[Payload]:
        """The payloads that may be believed: those inside SK, or all of IKE_SA_INIT."""
        sealed = first(outer, Encrypted)
        if header.exchange == ExchangeType.IKE_SA_INIT:
            # nothing proves who sent it: it may only move an SA that has just begun
            if self.state is not (State.INIT_SENT if header.is_response else State.IDLE):
                raise UnexpectedMessage(f"an IKE_SA_INIT message while {self.state.value}")
            if sealed is not None:
                raise UnexpectedMessage("an IKE_SA_INIT message with an SK payload")
            return outer
        if sealed is None or self._inbound is None:
            raise UnexpectedMessage("a message without an SK payload, or before there are keys")
        return envelope.open(raw, sealed, self._inbound)

    def _heard(self, message: Message, now: Instant) -> None:
        """An acceptable message came: note the time, and where to send answers (RFC 7296 2.11)."""
        self.last_heard = now
        header = message.header
        if not header.is_response:
            self.path = message.path
        if self.tap is not None:
            self.tap(
                IkeMessageReceived(
                    self.spi_i,
                    name_of(ExchangeType, header.exchange),
                    header.is_response,
                    header.message_id,
                    names(message.payloads),
                    header.exchange != ExchangeType.IKE_SA_INIT,
                    len(message.raw),
                )
            )

    def _respond(self, header: IkeHeader, payloads: Sequence[Payload], now: Instant) -> list[Action]:
        response = self._header(header.exchange, header.message_id, is_response=True)
        raw = self._seal(response, payloads)
        if header.exchange == ExchangeType.IKE_SA_INIT:
            self.init_response = raw
            self.timers.set(HALF_OPEN, now + self.connection.half_open_timeout)
        self.window.remember(raw)
        return self._send(response, payloads, raw)

    def _repeat(self, stored: bytes, message_id: int, path: Path) -> list[Action]:
        if self.tap is not None:
            self.tap(ResponseRepeated(self.spi_i, message_id))
        return [self._datagram(stored, path)]

    def _header(self, exchange: int, message_id: int, *, is_response: bool) -> IkeHeader:
        flags = (INITIATOR if self.is_initiator else 0) | (RESPONSE if is_response else 0)
        return IkeHeader(self.spi_i, self.spi_r, 0, exchange, flags, message_id)

    def _seal(self, header: IkeHeader, payloads: Sequence[Payload]) -> bytes:
        if header.exchange == ExchangeType.IKE_SA_INIT or self._outbound is None:
            return emit_message(header, payloads)
        return envelope.seal(header, payloads, self._outbound)

    def _send(self, header: IkeHeader, payloads: Sequence[Payload], raw: bytes) -> list[Action]:
        if self.tap is not None:
            self.tap(
                IkeMessageSent(
                    self.spi_i,
                    name_of(ExchangeType, header.exchange),
                    header.is_response,
                    header.message_id,
                    names(payloads),
                    header.exchange != ExchangeType.IKE_SA_INIT,
                    len(raw),
                )
            )
        return [self._datagram(raw, self.path)]

    def _datagram(self, raw: bytes, path: Path) -> SendDatagram:
        # RFC 3948 2.2: on port 4500 four zero bytes tell IKE from ESP
        payload = NON_ESP_MARKER + raw if path.local_port == NAT_T_PORT else raw
        return SendDatagram(path.local, path.local_port, path.remote, path.remote_port, payload)

    def _next_news(self, now: Instant) -> list[Action]:
        if not self._news or self.window.outstanding is not None or self._outbound is None:
            return []
        return self.request(ExchangeType.INFORMATIONAL, now)

    def _refuse_response(self, header: IkeHeader, error: RemoteError, now: Instant) -> list[Action]:
        """An answer that was ours to judge and is not acceptable ends what has no other end."""
        waiting = self.window.outstanding
        is_judged = isinstance(error, IkeError) and error.notify is not None
        if not is_judged or (waiting is not None and waiting.message_id != header.message_id):
            return []
        if self.state in (State.ESTABLISHED, State.DELETING):
            return [] if waiting is not None else self._drop_child(now)
        return self.fail()

    def _drop_child(self, now: Instant) -> list[Action]:
        """The IKE SA stands, but the child in its answer cannot be used: tear both down."""
        return [ChildGivenUp(self.wanted_child.policy), *self.terminate(now)]

    # -- timers ---------------------------------------------------------------------------------

    def _retransmit(self, now: Instant) -> list[Action]:
        """Send the outstanding request again, bit for bit, or give up (RFC 7296 2.1, 2.4)."""
        waiting = self.window.outstanding
        if waiting is None:
            return []
        policy = self.connection.retransmit
        if waiting.sent_again >= policy.tries:
            if self.tap is not None:
                exchange = name_of(ExchangeType, waiting.exchange)
                self.tap(PeerUnresponsive(self.spi_i, exchange, waiting.sent_again + 1))
            return EXCHANGES[waiting.exchange].give_up(self, now)
        waiting.sent_again += 1
        self.timers.set(RETRANSMIT, now + policy.wait(waiting.sent_again))
        if self.tap is not None:
            self.tap(MessageRetransmitted(self.spi_i, waiting.message_id, waiting.sent_again))
        return [self._datagram(waiting.message, self.path)]

    def _watch(self, now: Instant) -> None:
        """The peer was heard: the time of silence begins anew."""
        if self.connection.dpd_delay and self.state is State.ESTABLISHED:
            self.timers.set(LIVENESS, now + self.connection.dpd_delay)

    def _check_liveness(self, now: Instant) -> list[Action]:
        """Ask for a sign of life when nothing was heard for `dpd_delay` (RFC 7296 2.4)."""
        if self.state is not State.ESTABLISHED:
            return []
        self.timers.set(LIVENESS, now + self.connection.dpd_delay)
        if self.window.outstanding is not None:
            return []
        if self.tap is not None:
            self.tap(LivenessChecked(self.spi_i))
        return self.inform([], now)
