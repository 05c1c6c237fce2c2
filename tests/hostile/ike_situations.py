"""The states in which an IKE SA meets hostile bytes, and how a peer with the right keys would write to it."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from ipsecsim.base.address import Prefix, pack
from ipsecsim.base.instant import SECOND, Instant, ms
from ipsecsim.crypto.catalogue import ENCRYPTION, INTEGRITY, Protection
from ipsecsim.crypto.protection import make_protection
from ipsecsim.crypto.signature_keys import KeyKind
from ipsecsim.ike.config import AuthKind, HalfOpenLimits, LocalAuth, Mobike, RemoteAuth
from ipsecsim.ike.credentials import OwnKey
from ipsecsim.ike.endpoint import IkeEndpoint
from ipsecsim.ike.events import IkeKeysDerived
from ipsecsim.ike.pools import Pool
from ipsecsim.ike.v2.messages import envelope
from ipsecsim.ike.v2.messages.fragments import FragmentSet
from ipsecsim.ike.v2.messages.message import Path
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.scenario.lab_pki import LabPki
from ipsecsim.wire.ike.chain import emit_message, parse_message
from ipsecsim.wire.ike.encrypted import Encrypted, EncryptedFragment
from ipsecsim.wire.ike.header import INITIATOR, RESPONSE, IkeHeader
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType, PayloadType
from tests.hostile.chains import Link, Links, emit_links, links_of
from tests.support.pair import EAST, WEST, Pair, Side

_NETS = {"local_ts": ["10.1.0.0/24", "10.1.2.0/24"], "remote_ts": ["10.2.0.0/16"]}
_NETS_EAST = {"local_ts": ["10.2.0.0/24", "10.2.2.0/24"], "remote_ts": ["10.1.0.0/16", "10.1.2.0/24"]}
_CBC = {"ike": ["aes256-sha256-modp2048"], "esp": ["aes128-sha256"]}
_CHACHA = {"ike": ["chacha20poly1305-prfsha256-x25519"], "esp": ["aes256-sha384", "chacha20poly1305"]}
_SEVERAL = {
    "ike": ["aes256gcm16-prfsha256-x25519-ke1_ecp256"],
    "esp": ["aes256gcm16-x25519-ke1_ecp256-ke2_x448"],
}
_WATCHFUL = {"dpd_delay": 20 * SECOND}

_PKI = LabPki("hostile", KeyKind.ED25519)
_BARE = OwnKey("bare", _PKI.own_key("west", []).key)

_POOLS = tuple(Pool.of(net, Prefix.parse(net)) for net in ("10.9.0.0/24", "fd09::/64"))
ELSEWHERE = pack("198.51.100.7")
LOADED = HalfOpenLimits(cookie_threshold=2, per_address=6)

# What the two sides are told, so that every kind of cipher, group and selector list comes up.
SHAPES: dict[str, dict[str, Any]] = {
    "gcm": {},
    "gcm with dpd": {"west": _WATCHFUL, "east": _WATCHFUL},
    "chacha, many networks": {"west": _CHACHA | _NETS, "east": _CHACHA | _NETS_EAST},
    "cbc": {"west": _CBC, "east": _CBC},
    "certificates": {"pki": _PKI},
    "several key exchanges": {"west": _SEVERAL, "east": _SEVERAL},
    "bare keys in one direction": {
        "pki": _PKI,
        "west": {
            "local_auth": LocalAuth(AuthKind.PUBKEY, is_raw=True),
            "remote_auth": RemoteAuth(AuthKind.PSK),
            "keys": [_BARE],
        },
        "east": {
            "local_auth": LocalAuth(AuthKind.PSK),
            "remote_auth": RemoteAuth(AuthKind.PUBKEY, public_keys=(_BARE.key.public,)),
        },
    },
    "in udp": {"west": {"encap": True}},
    "mobike": {
        "west": {"mobike": Mobike(), "addresses": [WEST, ELSEWHERE]} | _WATCHFUL,
        "east": {"mobike": Mobike(), "addresses": [EAST]},
    },
    "under load": {"limits": LOADED},
    "virtual addresses": {
        "west": {"vips": (bytes(4), bytes(16)), "local_ts": ["0.0.0.0/0", "::/0"]},
        "east": {"pools": _POOLS, "remote_ts": ["0.0.0.0/0", "::/0"]},
    },
    "wrong guess": {
        "west": {"ike": ["aes128gcm16-prfsha512-x25519-ecp256"]},
        "east": {"ike": ["aes128gcm16-prfsha512-ecp256"]},
    },
}


@dataclass
class Situation:
    """A victim in some state.

    `genuine` are the messages that the peer really sent and the victim has not seen, `heard` those that it has.
    `refusals` are short answers in clear that anybody could give. `inside` are the chains that the peer had put
    under its seals.
    """

    name: str
    victim: Side
    path: Path
    now: Instant
    genuine: list[bytes]
    heard: list[bytes]
    refusals: list[bytes] = field(default_factory=list)
    inside: list[Links] = field(default_factory=list)
    protection: Protection | None = None

    @property
    def endpoint(self) -> IkeEndpoint:
        return self.victim.endpoint


def _no_state(pair: Pair) -> Side:
    pair.initiate()
    return pair.east


def _init_answered(pair: Pair) -> Side:
    pair.initiate()
    pair.deliver()
    while not _is_ike_auth(pair.wire[0]):
        pair.deliver()
    return pair.east


def _is_ike_auth(datagram: SendDatagram) -> bool:
    return _message(datagram)[18] == 35


def _responder_established(pair: Pair) -> Side:
    pair.establish()
    return pair.east


def _init_sent(pair: Pair) -> Side:
    pair.initiate()
    pair.deliver()
    return pair.west


def _auth_sent(pair: Pair) -> Side:
    _init_answered(pair)
    pair.deliver()
    return pair.west


def _initiator_established(pair: Pair) -> Side:
    pair.establish()
    return pair.west


def _asking(pair: Pair) -> Side:
    """The peer has answered a liveness check, and the answer is on its way."""
    pair.establish()
    pair.wait_until(25 * SECOND)
    if pair.wire:
        pair.deliver()
    return pair.west


def _moving(pair: Pair) -> Side:
    """With MOBIKE: the peer has answered new addresses, and asks whether the victim receives there."""
    pair.establish()
    if pair.west.endpoint.sas[0].mobility.is_on:
        pair.perform(pair.west, pair.west.endpoint.addresses_changed([ELSEWHERE], pair.now))
        pair.deliver()
        pair.west.address = ELSEWHERE
    return pair.west


def _following(pair: Pair) -> Side:
    """With MOBIKE: the peer has moved, and has answered at its new address."""
    _moving(pair)
    while pair.wire and pair.wire[0].destination != EAST:
        pair.deliver()
    return pair.east


def _initiator_deleting(pair: Pair) -> Side:
    pair.establish()
    pair.terminate(pair.west)
    pair.deliver()
    return pair.west


def _responder_deleting(pair: Pair) -> Side:
    pair.establish()
    pair.terminate(pair.east)
    pair.deliver()
    return pair.east


def _asked(verb: str, *, crossed: bool = False) -> Callable[[Pair], Side]:
    """West has asked for new keys, and the answer is on its way; `crossed`: so is what east has asked meanwhile."""

    def make(pair: Pair) -> Side:
        pair.establish()
        for side in (pair.west, pair.east) if crossed else (pair.west,):
            pair.perform(side, getattr(side.endpoint, verb)("net", pair.now))
        pair.deliver()
        return pair.west

    return make


def _asks(verb: str) -> Callable[[Pair], Side]:
    """West's request for new keys is on its way to east."""

    def make(pair: Pair) -> Side:
        pair.establish()
        pair.perform(pair.west, getattr(pair.west.endpoint, verb)("net", pair.now))
        return pair.east

    return make


def _succeeded(verb: str, *, told: bool) -> Callable[[Pair], Side]:
    """What is new stands, and what is old is to go: its DELETE is on the way to east, or `told`, answered."""

    def make(pair: Pair) -> Side:
        pair.establish()
        pair.perform(pair.west, getattr(pair.west.endpoint, verb)("net", pair.now))
        for _ in range(3 if told else 2):
            pair.deliver()
        return pair.west if told else pair.east

    return make


STATES: dict[str, Callable[[Pair], Side]] = {
    "responder, no state": _no_state,
    "responder, INIT_ANSWERED": _init_answered,
    "responder, ESTABLISHED": _responder_established,
    "responder, DELETING": _responder_deleting,
    "initiator, INIT_SENT": _init_sent,
    "initiator, AUTH_SENT": _auth_sent,
    "initiator, ESTABLISHED": _initiator_established,
    "initiator, asking": _asking,
    "initiator, moving": _moving,
    "responder, following": _following,
    "initiator, DELETING": _initiator_deleting,
    "initiator, rekeying": _asked("rekey"),
    "initiator, rekeying the IKE SA": _asked("rekey_ike"),
    "initiator, rekeyings crossed": _asked("rekey", crossed=True),
    "initiator, rekeyings of the IKE SA crossed": _asked("rekey_ike", crossed=True),
    "initiator, closing a child": _succeeded("rekey", told=True),
    "initiator, closing the old IKE SA": _succeeded("rekey_ike", told=True),
    "responder, asked for a child's new keys": _asks("rekey"),
    "responder, asked for a new IKE SA": _asks("rekey_ike"),
    "responder, with an old child": _succeeded("rekey", told=False),
    "responder, REPLACED": _succeeded("rekey_ike", told=False),
}
_REFUSALS = (
    (NotifyType.COOKIE, bytes(range(33))),
    (NotifyType.INVALID_KE_PAYLOAD, b"\0\x13"),
    (NotifyType.INVALID_KE_PAYLOAD, b"\0\x0e"),
    (NotifyType.NO_PROPOSAL_CHOSEN, b""),
    (NotifyType.INVALID_MAJOR_VERSION, b"\2"),
)
_SK = Link(int(PayloadType.SK), b"")
WITHOUT_KEYS = ("responder, no state", "initiator, INIT_SENT")


def situation(state: str, shape: str) -> Situation:
    """A victim in that state, with what its peer has to say."""
    pair = Pair(seed=f"{state} {shape}", **SHAPES[shape])
    victim = STATES[state](pair)
    to_victim = [each for each in pair.sent if each.destination == victim.address]
    waiting = [_message(each) for each in pair.wire if each.destination == victim.address]
    last = to_victim[-1]
    path = Path(last.destination, last.destination_port, last.source, last.source_port)
    made = Situation(
        state,
        victim,
        path,
        pair.now + ms(1),
        waiting,
        [raw for raw in map(_message, to_victim) if raw not in waiting],
    )
    if state == "initiator, INIT_SENT":
        spi_i = made.endpoint.sas[0].spi_i
        made.refusals = [_refusal(spi_i, kind, data) for kind, data in _REFUSALS]
    keys = {each.spi_i: each for each in victim.seen(IkeKeysDerived)}
    if keys:
        oldest = made.endpoint.sas[0]
        made.protection = protection_of(keys[oldest.spi_i], by_initiator=not oldest.is_initiator)
        made.inside = _opened(made, oldest.spi_i)
    victim.events.clear()
    return made


def _refusal(spi_i: bytes, kind: NotifyType, data: bytes) -> bytes:
    header = IkeHeader(spi_i, bytes(8), 0, ExchangeType.IKE_SA_INIT, RESPONSE, 0)
    return emit_message(header, [Notify(kind, data)])


def _message(datagram: SendDatagram) -> bytes:
    return datagram.payload[4:] if datagram.source_port == 4500 else datagram.payload


def protection_of(keys: IkeKeysDerived, *, by_initiator: bool) -> Protection:
    """What one side seals with, from the keys as the trace shows them."""
    encryption = next(row for row in ENCRYPTION.values() if row.name == keys.encryption)
    integrity = next((row for row in INTEGRITY.values() if row.name == keys.integrity), None)
    cipher_key, integrity_key = (keys.sk_ei, keys.sk_ai) if by_initiator else (keys.sk_er, keys.sk_ar)
    return make_protection(encryption, keys.encryption_bits, cipher_key, integrity, integrity_key)


def _opened(made: Situation, spi_i: bytes) -> list[Links]:
    """What is inside the peer's sealed messages in an IKE SA."""
    assert made.protection is not None
    chains: list[Links] = []
    sets: dict[int, FragmentSet] = {}
    for raw in (*made.heard, *made.genuine):
        header, outer = parse_message(raw)
        if header.spi_i != spi_i:
            continue
        last = outer[-1]
        if header.exchange == ExchangeType.IKE_INTERMEDIATE:
            continue  # it was sealed with keys that are gone by now
        if isinstance(last, Encrypted):
            chains.append(links_of(envelope.open(raw, last, made.protection)))
        elif isinstance(last, EncryptedFragment):
            known = sets.setdefault(header.message_id, FragmentSet(header.message_id, last.total, until=0))
            known.pieces[last.number] = envelope.unseal(raw, last, made.protection)
    whole = [known.whole for known in sets.values() if len(known.pieces) == known.total]
    return [*chains, *(links_of(envelope.read(content)) for content in whole)]


def seal(
    protection: Protection, header: IkeHeader, first: int, plaintext: bytes, outside: Links | None = None
) -> bytes:
    """A message with a good seal around any plaintext, padding and pad length included.

    `outside` are payloads in clear in front of the SK payload. What does not fit the cipher's block is cut off.
    """
    plaintext = plaintext[: len(plaintext) // protection.alignment * protection.alignment]
    _, before = emit_links([*(outside or []), _SK])
    before = before[:-4]
    length = 4 + protection.iv_length + len(plaintext) + protection.icv_length
    header.next_payload = outside[0].number if outside else int(PayloadType.SK)
    header.length = 28 + len(before) + length
    aad = header.emit() + before + bytes((first & 0xFF, 0)) + (length & 0xFFFF).to_bytes(2, "big")
    return aad + protection.seal(aad, plaintext)


def header_for(made: Situation, *, is_response: bool, exchange: int, message_id: int) -> IkeHeader:
    """The header of a message from the peer of the victim's SA."""
    sa = made.endpoint.sas[0]
    flags = (0 if sa.is_initiator else INITIATOR) | (RESPONSE if is_response else 0)
    return IkeHeader(sa.spi_i, sa.spi_r, 0, exchange, flags, message_id & 0xFFFFFFFF)


def clone(endpoint: IkeEndpoint) -> IkeEndpoint:
    """A copy that goes its own way. What never changes (configuration, keyed ciphers) is shared."""
    memo: dict[int, Any] = {}

    def share(value: Any) -> None:
        memo[id(value)] = value

    share(endpoint.connections)
    share(endpoint.credentials)
    for sa in endpoint.sas:
        share(sa.candidates)
        for value in vars(sa).values():
            if type(value).__module__.startswith(("ipsecsim.crypto", "ipsecsim.ike.config")):
                share(value)
    return deepcopy(endpoint, memo)
