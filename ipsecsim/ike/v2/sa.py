"""One IKE SA: identity, keys, window, children. The hub dispatches; the exchanges explain."""

from collections.abc import Sequence

from ipsecsim.base.actions import Action
from ipsecsim.base.entropy import Entropy
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import Instant
from ipsecsim.base.timers import Timers
from ipsecsim.base.trace import Tap
from ipsecsim.crypto.catalogue import Group, IkeSuite, KeyPair
from ipsecsim.crypto.protection import Protection
from ipsecsim.ike.config import ChildConfig, Connection
from ipsecsim.ike.credentials import Credentials
from ipsecsim.ike.errors import UnexpectedMessage
from ipsecsim.ike.half_open import Beginning
from ipsecsim.ike.identity import Identity
from ipsecsim.ike.trigger import Trigger
from ipsecsim.ike.v2 import message_id_sync
from ipsecsim.ike.v2.children.child import ChildSa, remove_all
from ipsecsim.ike.v2.children.configuration import Assigned
from ipsecsim.ike.v2.duties.agenda import Agenda
from ipsecsim.ike.v2.duties.alarms import Alarm
from ipsecsim.ike.v2.duties.patience import ALARMS
from ipsecsim.ike.v2.duties.tasks import CreateChild, Inform, RekeyIke, Roam, Task
from ipsecsim.ike.v2.exchanges import EXCHANGES
from ipsecsim.ike.v2.keying.followup import ChildOffer, OpenChain
from ipsecsim.ike.v2.keying.intermediate import Intermediate
from ipsecsim.ike.v2.keying.keys import IkeKeys, derive_ike_keys, derive_skeyseed, keys_derived
from ipsecsim.ike.v2.message_id_sync import Synchronisation
from ipsecsim.ike.v2.messages import courier, envelope, payload_rules, refusal
from ipsecsim.ike.v2.messages.doubt import Attempt
from ipsecsim.ike.v2.messages.fragments import FragmentSets
from ipsecsim.ike.v2.messages.message import Message, Path
from ipsecsim.ike.v2.paths import moving
from ipsecsim.ike.v2.paths.mobility import Carrier, Mobility, ways
from ipsecsim.ike.v2.peer.certificates import Wishes
from ipsecsim.ike.v2.registry import Registry
from ipsecsim.ike.v2.renewal import idle, reauthentication
from ipsecsim.ike.v2.renewal.succession import taken_up
from ipsecsim.ike.v2.states import BEFORE_ANSWER, State, Step, move
from ipsecsim.ike.v2.window import Window
from ipsecsim.wire.ike.delete import Delete
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.header import IkeHeader
from ipsecsim.wire.ike.numbers import ExchangeType, ProtocolId
from ipsecsim.wire.numbers import NAT_T_PORT

NO_SPI = bytes(8)


class IkeSa:
    """An IKE SA of version 2, as initiator or responder.

    `candidates` are the connections that the peer's address allows; which of them it is shows when the
    peer names itself in IKE_AUTH.
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
        node: Registry,
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
        self.node = node
        self.tap = tap

        self.state = State.IDLE
        self.window = Window()
        self.timers: Timers[Alarm] = Timers()
        self.children: list[ChildSa] = []
        self.assigned = Assigned()
        self.last_heard: Instant = 0
        self.busy_since: Instant | None = None  # how long the peer has been answering TEMPORARY_FAILURE

        self.group: Group = self.connection.proposals[0].groups[0]
        self.key_pair: KeyPair | None = None
        self.nonce_i = b""
        self.nonce_r = b""
        self.init_request = b""
        self.init_response = b""
        self.cookie = b""
        self.has_shown_its_address = False  # a peer that has returned our cookie
        self.earlier: list[Attempt] = []  # first requests that were given up for a changed one
        self.wishes = Wishes()
        self.peer: Identity | None = None  # once it has proved itself
        self.began_at: Instant = 0
        self.authenticated_at: Instant = 0  # its heirs count from here too
        self.trusted_until: Instant | None = None  # None: what proved the peer's identity has no end
        self.mobility = Mobility(decides=is_initiator)
        self.knows_nats = True  # both sides said in IKE_SA_INIT where they think they are
        self.we_are_behind_nat = False
        self.peer_is_behind_nat = False
        self.wanted_child: ChildConfig = self.connection.children[0]
        self.trigger: Trigger | None = None  # the packet that waits for it
        self.is_childless = False  # the child is left to CREATE_CHILD_SA
        self.further_children: list[ChildConfig] = []  # to be asked for once it stands
        self.reauth_at: Instant | None = None  # its heirs have the same
        self.renewed_by: IkeSa | None = None  # the one that both ends make to prove themselves anew
        self.attempt = 1
        self.spi_in = 0
        self.began_as: Beginning | None = None  # a responder's entry among the half-open SAs

        self.outbound: Protection | None = None
        self.inbound: Protection | None = None
        self.takes_fragments = False  # both sides said so (RFC 7383 2.3)
        self.datagram_limit: int | None = None  # what the path takes, where that has proved to be less
        self.fragments: FragmentSets = {}
        self.intermediate = Intermediate()
        self.chain: OpenChain | None = None  # the peer's additional key exchanges
        self.agenda = Agenda()
        self.sync = Synchronisation()

    # -- what the endpoint asks for -------------------------------------------------------------

    def is_carrying(self, wanted: ChildConfig) -> bool:
        """Is this SA there for the child, whether it is up already or on its way?"""
        is_on_its_way = self.state in BEFORE_ANSWER and self.wanted_child is wanted
        asked_for = any(task.config is wanted and not task.is_unwanted for task in self.agenda.children)
        return is_on_its_way or asked_for or any(child.config is wanted for child in self.children)

    def will_carry(self, wanted: ChildConfig, trigger: Trigger | None) -> bool:
        """The same for the packet that asks; what is on its way counts, unless it is only for another packet."""
        if trigger is None or not self.is_carrying(wanted):
            return self.is_carrying(wanted)
        if any(each.config is wanted and trigger.is_carried(each.selectors) for each in self.children):
            return True
        pending = [
            task.trigger for task in self.agenda.children if task.config is wanted and not task.replaces
        ]
        if self.is_initiator and self.state in BEFORE_ANSWER:
            pending.append(self.trigger if self.wanted_child is wanted else None)
        return any(each is None or each.only == trigger.only for each in pending)

    def initiate(self, wanted: ChildConfig, now: Instant, trigger: Trigger | None = None) -> list[Action]:
        """Begin, with the aim of setting up `wanted`."""
        self.wanted_child, self.trigger = wanted, trigger
        return self.request(ExchangeType.IKE_SA_INIT, now)

    def terminate(self, now: Instant) -> list[Action]:
        """Say goodbye to the peer; what is not established yet is simply forgotten."""
        if self.state is State.DEAD:
            return []
        if self.state is State.DELETING:
            return self.next_task(now)  # the goodbye may still wait, for an answer that was of no use
        if self.state not in (State.HEIR, State.ESTABLISHED, State.REPLACED):
            return self.fail()
        actions = remove_all(self) + self._give_up_children()
        if self.rival is not None:
            actions += self.rival.terminate(now)
        move(self, Step.SEND_DELETE)
        self.agenda.clear()  # all that was still to be said was about something that goes
        return actions + self.enqueue(Inform([Delete(ProtocolId.IKE, [])]), now)

    def message(
        self,
        header: IkeHeader,
        outer: list[Payload],
        raw: bytes,
        path: Path,
        now: Instant,
        actions: list[Action],
    ) -> None:
        """Take in a message whose header names this SA. What comes of it is put behind `actions`.

        Raises RemoteError; `refuse` then answers it. What was done until then stays done: a message that is refused
        shows as well as any other where the peer is.
        """
        if header.is_response:
            self.window.check_response(header.exchange, header.message_id)
        elif (answer := message_id_sync.asked(self, header, outer, raw, path, now)) is not None:
            actions += answer
            return
        elif courier.was_answered(self, header, outer, raw):
            actions += courier.repeat(self, header.message_id, path)
            return
        message = courier.opened(self, header, outer, raw, path, now)
        if message is None:
            return  # a fragment, and others are still to come
        actions += courier.heard(self, message, now)
        with refusal.answered(self, header):
            self._exchanged(message, now, actions)
        self.watch(now)

    def _exchanged(self, message: Message, now: Instant, actions: list[Action]) -> None:
        """Let the exchange that a message is part of go on."""
        header = message.header
        exchange = EXCHANGES.get(header.exchange)
        if exchange is None:
            raise UnexpectedMessage(f"exchange type {header.exchange}")
        payload_rules.check(header.exchange, message.payloads, is_response=header.is_response)
        if not header.is_response:
            if self.state is State.HEIR:
                actions += taken_up(self, message.payloads, now)
            answer = exchange.handle_request(self, message, now)
            reply = courier.respond(self, header, answer.payloads, message.path, now)
            actions += answer.before + reply + answer.after
            actions += answer.afterwards()
            return
        actions += exchange.handle_response(self, message, now)
        if self.window.outstanding is None:
            self.timers.cancel(Alarm.RETRANSMIT)
        actions += moving.answered(self, message.path, now) + self.next_task(now)
        actions += reauthentication.go_on(self, now)
        if self.window.is_nearly_used_up and not any(isinstance(each, RekeyIke) for each in self.agenda):
            actions += self.enqueue(RekeyIke(), now)  # its heir counts from 0 (RFC 7296 2.2)

    def refuse(self, header: IkeHeader, error: RemoteError, path: Path, now: Instant) -> list[Action]:
        """Answer a request that `message` could not accept; a broken seal or a wrong ID is not answered."""
        return refusal.refuse(self, header, error, path, now)

    def next_deadline(self) -> Instant | None:
        """When `handle_timeout` has something to do."""
        return self.timers.next_deadline()

    def handle_timeout(self, now: Instant) -> list[Action]:
        """Harmless when early, when repeated, and when nothing is due."""
        actions: list[Action] = []
        for name in self.timers.pop_expired(now):
            actions += ALARMS[name](self, now)
        return actions

    # -- what the exchanges ask for -------------------------------------------------------------

    @property
    def own_spi(self) -> bytes:
        """The SPI that this side has chosen."""
        return self.spi_i if self.is_initiator else self.spi_r

    @property
    def can_have_children(self) -> bool:
        """Does it stand, or will it by our own doing?"""
        is_on_its_way = self.is_initiator and self.state in BEFORE_ANSWER
        return is_on_its_way or self.state is State.ESTABLISHED

    @property
    def is_dead(self) -> bool:
        """Has it come to its end?"""
        return self.state is State.DEAD

    @property
    def is_nat_between(self) -> bool:
        """Does ESP have to ride in UDP?"""
        return self.we_are_behind_nat or self.peer_is_behind_nat

    @property
    def carrier(self) -> Carrier:
        """What ESP and AH ride on: where addresses can change, it may lag behind those of the IKE SA."""
        return self.mobility.carrier or Carrier(self.path, self.is_nat_between)

    @property
    def ways(self) -> list[Path]:
        """Where our requests go."""
        return ways(self)

    def request(self, kind: ExchangeType, now: Instant) -> list[Action]:
        """Build and send the request of an exchange. None may be outstanding."""
        payloads = EXCHANGES[kind].build_request(self, now)
        return courier.ask(self, kind, payloads, now)

    @property
    def task(self) -> Task | None:
        """What the outstanding request is about, once the SA stands."""
        return self.agenda.current

    def enqueue(self, task: Task, now: Instant, *, first: bool = False) -> list[Action]:
        """Ask the peer for something, now or when the outstanding request is answered."""
        self.agenda.add(task, first=first)
        return self.next_task(now)

    def next_task(self, now: Instant) -> list[Action]:
        """Send the next request, if one waits and none is outstanding."""
        if self.window.outstanding is not None or self.outbound is None:
            return []
        if self.window.is_used_up:
            return self.fail()
        task = self.agenda.begin(self._is_moot)
        return [] if task is None else self.request(task.exchange, now)

    def close_task(self) -> Task | None:
        """The answer came: what was it about?"""
        self.window.close_request()
        return self.agenda.close()

    @property
    def rival(self) -> "IkeSa | None":
        """What the peer has made to replace this IKE SA, while our own request to replace it is on its way."""
        return self.task.rival if isinstance(self.task, RekeyIke) else None

    def watch_agenda(self) -> None:
        """Ring when something that was put off comes up again."""
        if (at := self.agenda.next_due) is not None:
            self.timers.set(Alarm.AGAIN, at)

    @property
    def spis_in(self) -> set[int]:
        """The SPIs that we receive on, those that were only asked for included."""
        asked_for = {task.spi_in for task in self.agenda.children}
        offer = None if self.chain is None else self.chain.offer
        promised = {offer.agreement.spi_in} if isinstance(offer, ChildOffer) else set()
        return asked_for | promised | {child.spi_in for child in self.children} | {self.spi_in}

    def end_at(self, at: Instant) -> None:
        """No more new keys for this SA; whatever happens, it is deleted then."""
        for name in (Alarm.REKEY, Alarm.REAUTH):
            self.timers.cancel(name)
        self.timers.set(Alarm.OVER, at)

    def established(self, now: Instant) -> None:
        """The SA stands: from now on its time runs (RFC 7296 2.8)."""
        connection, ends = self.connection, []
        if connection.rekey_time:
            early = self.entropy.fork("rekey").below(connection.rand_time + 1)
            self.timers.set(Alarm.REKEY, now + connection.rekey_time - early)
            ends.append(now + connection.rekey_time + connection.over_time)
        if connection.reauth_time:
            if self.reauth_at is None:
                early = self.entropy.fork("reauth").below(connection.rand_time + 1)
                self.reauth_at = now + connection.reauth_time - early
            self.timers.set(Alarm.REAUTH, self.reauth_at)
            ends.append(self.reauth_at + connection.over_time)
        if ends:
            self.timers.set(Alarm.OVER, min(ends))
        if self.trusted_until is not None:
            self.timers.set(Alarm.TRUST, self.trusted_until)
        self.watch(now)

    def derive_keys(self, shared_secret: bytes) -> None:
        """SKEYSEED and SK_*, and the two keyed ciphers (RFC 7296 2.14)."""
        self.set_keys(
            derive_skeyseed(self.suite.prf, self.nonce_i, self.nonce_r, shared_secret), shared_secret
        )

    def set_keys(self, skeyseed: bytes, shared_secret: bytes) -> None:
        """SK_* from a SKEYSEED, of a first IKE SA or of one that replaces another."""
        self.keys = derive_ike_keys(self.suite, skeyseed, self.nonce_i, self.nonce_r, self.spi_i, self.spi_r)
        self.outbound, self.inbound = envelope.ciphers(self.suite, self.keys, is_initiator=self.is_initiator)
        if self.tap is not None:
            self.tap(keys_derived(self, skeyseed, shared_secret))

    def float_to_nat_port(self) -> None:
        """A NAT is between us, or may come: from now on UDP 4500 on both sides (RFC 7296 2.23, RFC 4555 3.3)."""
        if self.path.local_port != NAT_T_PORT:
            self.path = Path(self.path.local, NAT_T_PORT, self.path.remote, NAT_T_PORT)

    def fail(self) -> list[Action]:
        """This SA is no more, and nobody needs to be told."""
        return self.end(Step.FAIL)

    def end(self, step: Step) -> list[Action]:
        """This SA is no more; `step` says why."""
        actions = remove_all(self)
        if self.is_initiator and self.state in BEFORE_ANSWER:
            actions += CreateChild(self.wanted_child, trigger=self.trigger).given_up(
                reached=self.spi_r != NO_SPI
            )
        actions += self._give_up_children()
        self.agenda.clear()
        if self.state is not State.DEAD:
            move(self, step)
        for name in ALARMS:
            self.timers.cancel(name)
        return actions

    def _give_up_children(self) -> list[Action]:
        """Nothing comes of the children that were still to be made."""
        if self.state is State.DELETING:
            return []  # it was said then
        return [each for task in self.agenda.children for each in task.given_up(reached=False)]

    # -- what is due ----------------------------------------------------------------------------

    def _is_moot(self, task: Task) -> bool:
        """Has what a task is about come to its end meanwhile?"""
        if isinstance(task, RekeyIke | Roam):
            return self.state is not State.ESTABLISHED
        if isinstance(task, CreateChild) and task.replaces is not None:
            old = task.replaces
            return task.is_unwanted or old not in self.children or not old.stands_alone
        return isinstance(task, CreateChild) and task.is_unwanted

    def watch(self, now: Instant) -> None:
        """The peer was heard: the time of silence begins anew, and that of new children begins."""
        idle.watch(self, now)
        if self.connection.dpd_delay and self.state is State.ESTABLISHED:
            self.timers.set(Alarm.LIVENESS, now + self.connection.dpd_delay)
