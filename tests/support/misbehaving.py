"""A peer that breaks the rules: the real engine, whose messages are changed on their way out, under its own seal.

    pair = a_peer_that(omits(P.NONCE), in_="IKE_SA_INIT request")
    pair.establish()

A habit is one way to be wrong; several act in the order in which they are given, and `list.append` only listens.
Requests are spoilt at the initiator (west) and responses at the responder (east), unless `who` says otherwise. A
first message is changed before its sender signs it: AUTH covers what the peer really said.

`ask` is for what a peer says out of the blue.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ipsecsim.crypto.protection import Protection
from ipsecsim.ike.v2.messages import envelope
from ipsecsim.ike.v2.messages.message import first
from ipsecsim.ike.v2.sa import IkeSa
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.wire.ike.chain import emit_chain, emit_message, parse_message
from ipsecsim.wire.ike.encrypted import Encrypted
from ipsecsim.wire.ike.generic import Payload, UnknownPayload
from ipsecsim.wire.ike.header import INITIATOR, IkeHeader
from ipsecsim.wire.ike.numbers import ExchangeType, PayloadType, TransformType, name_of
from ipsecsim.wire.ike.proposal import Proposal, SecurityAssociationPayload, Transform
from tests.support.pair import Pair, Side

MARKER = bytes(4)  # in front of IKE on port 4500 (RFC 3948 2.2)


@dataclass
class Said:
    """A message about to leave. `payloads` are those inside SK where there is one, `outside` those before it.

    `lengths` are what to add to the length fields of payloads, by type; `iv` and `pad` are the sender's choice when
    None. `raw` are changes to the finished bytes, `copies` is how often they go out.
    """

    header: IkeHeader
    payloads: list[Payload]
    outside: list[Payload] = field(default_factory=list)
    is_sealed: bool = True
    lengths: dict[int, int] = field(default_factory=dict)
    iv: bytes | None = None
    pad: bytes | None = None
    raw: list[Callable[[bytes], bytes]] = field(default_factory=list)
    copies: int = 1

    def at(self, kind: PayloadType) -> int:
        """Where the first payload of a type stands."""
        return next(at for at, payload in enumerate(self.payloads) if payload.type == kind)

    def emit(self, protection: Protection | None) -> bytes:
        """The bytes, sealed with the sender's key where they are to be."""
        bytes_ = self._sealed(protection) if protection and self.is_sealed else self._clear()
        for change in self.raw:
            bytes_ = change(bytes_)
        return bytes_

    def _clear(self) -> bytes:
        whole = emit_message(self.header, self.payloads)
        return whole[:28] + self._chain(self.payloads)[1]

    def _sealed(self, protection: Protection) -> bytes:
        kind, inner = self._chain(self.payloads)
        pad = bytes(-(len(inner) + 1) % protection.alignment) if self.pad is None else self.pad
        inner += pad + bytes([len(pad)])
        sealed = Encrypted(kind, bytes(protection.iv_length + len(inner) + protection.icv_length))
        aad = emit_message(self.header, [*self.outside, sealed])[: -len(sealed.body)]
        return aad + protection.seal(aad, inner, self.iv)

    def _chain(self, payloads: Sequence[Payload]) -> tuple[int, bytes]:
        kind, chain = emit_chain(payloads)
        raw, at = bytearray(chain), 0
        for payload in payloads:
            length = int.from_bytes(raw[at + 2 : at + 4], "big")
            raw[at + 2 : at + 4] = (length + self.lengths.get(payload.type, 0)).to_bytes(2, "big")
            at += length
        return kind, bytes(raw)


Habit = Callable[[Said], object]

# -- the message ------------------------------------------------------------------------------------


def says_nothing() -> Habit:
    """It keeps the message to itself."""
    return lambda said: setattr(said, "copies", 0)


def says_it_twice() -> Habit:
    """It sends the same bytes two times."""
    return lambda said: setattr(said, "copies", 2)


def heads(**fields: object) -> Habit:
    """It writes something else into the header: message_id, version, exchange, flags, spi_i, spi_r."""
    return lambda said: [setattr(said.header, name, value) for name, value in fields.items()]


def flips(at: int, bit: int = 0) -> Habit:
    """One bit of the finished bytes is wrong; counted from the end when `at` is negative."""

    def flip(raw: bytes) -> bytes:
        whole = at % len(raw)
        return raw[:whole] + bytes([raw[whole] ^ 1 << bit]) + raw[whole + 1 :]

    return lambda said: said.raw.append(flip)


def cuts(count: int) -> Habit:
    """The last bytes are missing, and the header does not say so."""
    return lambda said: said.raw.append(lambda raw: raw[:-count])


def says_length(length: int) -> Habit:
    """The header's length field holds this."""
    return lambda said: said.raw.append(lambda raw: raw[:24] + length.to_bytes(4, "big") + raw[28:])


def leaves_open() -> Habit:
    """It sends in clear what belongs into SK."""
    return lambda said: setattr(said, "is_sealed", False)


def adds_outside(*payloads: Payload) -> Habit:
    """Payloads in clear stand before SK."""
    return lambda said: said.outside.extend(payloads)


def pads_with(pad: bytes) -> Habit:
    """It pads what is inside SK in its own way."""
    return lambda said: setattr(said, "pad", pad)


def starts_with(iv: bytes) -> Habit:
    """It chooses its own initialization vector."""
    return lambda said: setattr(said, "iv", iv)


# -- the payloads -----------------------------------------------------------------------------------


def omits(kind: PayloadType) -> Habit:
    """The first payload of a type is not there."""
    return lambda said: said.payloads.pop(said.at(kind))


def doubles(kind: PayloadType) -> Habit:
    """The first payload of a type stands twice, the second time at the end."""
    return lambda said: said.payloads.append(said.payloads[said.at(kind)])


def reorders(key: Callable[[Payload], object] | None = None) -> Habit:
    """The payloads stand in another order: back to front, or by a key."""
    return lambda said: said.payloads.sort(key=key) if key else said.payloads.reverse()  # type: ignore[arg-type]


def adds(*payloads: Payload, at: int | None = None) -> Habit:
    """More payloads, at the end or before the one at a place."""

    def add(said: Said) -> None:
        place = len(said.payloads) if at is None else at
        said.payloads[place:place] = payloads

    return add


def changes(kind: PayloadType, **fields: object) -> Habit:
    """Other values in the first payload of a type."""

    def change(said: Said) -> None:
        said.payloads[said.at(kind)] = replace(said.payloads[said.at(kind)], **fields)

    return change


def garbles(kind: PayloadType, change: Callable[[bytes], bytes]) -> Habit:
    """Other bytes in the first payload of a type; its length field goes with them."""

    def garble(said: Said) -> None:
        at = said.at(kind)
        said.payloads[at] = UnknownPayload(kind, change(said.payloads[at].emit()))

    return garble


def lies_about_length(kind: PayloadType, by: int) -> Habit:
    """The length field of a payload is wrong by some bytes."""
    return lambda said: said.lengths.update({kind: by})


# -- the proposals ----------------------------------------------------------------------------------


def offers(change: Callable[[Proposal], object]) -> Habit:
    """Every proposal of the SA payload is changed."""

    def change_all(said: Said) -> None:
        for payload in said.payloads:
            if isinstance(payload, SecurityAssociationPayload):
                for proposal in payload.proposals:
                    change(proposal)

    return change_all


def omits_transform(kind: TransformType) -> Habit:
    """No transform of a type is there."""

    def omit(proposal: Proposal) -> None:
        proposal.transforms = [each for each in proposal.transforms if each.type != kind]

    return offers(omit)


def adds_transform(*transforms: Transform) -> Habit:
    """More transforms stand behind the others."""
    return offers(lambda proposal: proposal.transforms.extend(transforms))


def changes_transform(kind: TransformType, **fields: object) -> Habit:
    """Other values in the transforms of a type."""

    def change(proposal: Proposal) -> None:
        proposal.transforms = [
            replace(each, **fields) if each.type == kind else each for each in proposal.transforms
        ]

    return offers(change)


# -- the peer ---------------------------------------------------------------------------------------


class _Misbehaving(Pair):
    """A pair one side of which has habits."""

    def __init__(self, habits: Sequence[Habit], where: str, who: str, options: dict[str, object]) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self._habits, self._where = habits, where
        self._spoiled: Side = getattr(self, who)
        self._sas: dict[bytes, IkeSa] = {}  # those that have ended meanwhile too

    def perform(self, side, actions):
        """As ever, with other bytes where the habits are to be seen."""
        if side is not self._spoiled:
            super().perform(side, actions)
            return
        self._sas |= {sa.spi_i: sa for sa in side.endpoint.sas}
        for action in actions:
            super().perform(side, self._sent(action) if isinstance(action, SendDatagram) else [action])

    def _sent(self, datagram: SendDatagram) -> list[SendDatagram]:
        marker = MARKER if datagram.payload.startswith(MARKER) else b""
        raw = datagram.payload[len(marker) :]
        sa = self._sas.get(raw[:8])
        header, outer = parse_message(raw)
        kind = "response" if header.is_response else "request"
        if sa is None or self._where not in f"{name_of(ExchangeType, header.exchange)} {kind}":
            return [datagram]
        said = _read(raw, header, outer, sa.outbound)
        for habit in self._habits:
            habit(said)
        changed = said.emit(sa.outbound)
        if header.exchange == ExchangeType.IKE_SA_INIT:
            setattr(sa, "init_response" if header.is_response else "init_request", changed)
        return [replace(datagram, payload=marker + changed)] * said.copies


def a_peer_that(*habits: Habit, in_: str, who: str = "", **options: object) -> Pair:
    """Two sides, one of which has these habits in a kind of message: 'IKE_AUTH request', or any 'response'.

    `options` are Pair's.
    """
    who = who or ("east" if in_.endswith("response") else "west")
    return _Misbehaving(habits, in_, who, options)


def ask(
    pair: Pair,
    *payloads: Payload,
    exchange: int = ExchangeType.INFORMATIONAL,
    by: str = "west",
    habits: Sequence[Habit] = (),
) -> list[Payload] | None:
    """One side asks the other something in the oldest IKE SA; what the other answers, or None for silence."""
    sender, receiver = (pair.west, pair.east) if by == "west" else (pair.east, pair.west)
    ours, theirs = sender.endpoint.sas[0], receiver.endpoint.sas[0]
    header = IkeHeader(
        theirs.spi_i,
        theirs.spi_r,
        0,
        exchange,
        INITIATOR if ours.is_initiator else 0,
        theirs.window.expected_request,
    )
    said = Said(header, list(payloads))
    for habit in habits:
        habit(said)
    before = list(pair.wire)
    path = theirs.path
    raw = said.emit(ours.outbound)
    marker = MARKER if path.is_shared_with_esp else b""
    pair.inject(SendDatagram(path.remote, path.remote_port, path.local, path.local_port, marker + raw))
    for answer in [each for each in pair.wire if each not in before]:
        opened = _answer_in(answer.payload.removeprefix(MARKER), header, ours.inbound)
        if opened is not None:
            pair.wire.remove(answer)
            ours.window.next_request = theirs.window.expected_request
            return opened
    return None


def _answer_in(raw: bytes, request: IkeHeader, protection: Protection | None) -> list[Payload] | None:
    """The payloads of an answer to this very request."""
    header, outer = parse_message(raw)
    if (header.message_id, header.is_response) != (request.message_id, True):
        return None
    return _read(raw, header, outer, protection).payloads


def _read(raw: bytes, header: IkeHeader, outer: list[Payload], protection: Protection | None) -> Said:
    sealed = first(outer, Encrypted)
    if sealed is None or protection is None:
        return Said(header, outer, is_sealed=False)
    return Said(header, envelope.open(raw, sealed, protection), outer[:-1])
