"""Checks the Child SAs of a recorded session: their KEYMAT, and every ESP packet under them."""

from ipsecsim.ike.v2.keying.keys import derive_keymat
from ipsecsim.wire import ip
from ipsecsim.wire.ike.key_exchange import KeyExchange
from ipsecsim.wire.ike.nonce import Nonce
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType, ProtocolId, TransformType
from ipsecsim.wire.ike.proposal import Proposal
from ipsecsim.wire.numbers import IpProtocol
from tests.vectors import algorithms
from tests.vectors.recorded_proofs import child_suite, transform
from tests.vectors.recorded_sa import RecordedSa
from tests.vectors.recorded_state import Entry, IkeSa, Message, Session
from tests.vectors.results import MismatchError, NotSupportedError, same
from tests.vectors.written_again import Entry as OuterFields
from tests.vectors.written_again import form_of, sealed_again, start_of

SPI_AT = {IpProtocol.ESP: 0, IpProtocol.AH: 4}
PROTOCOLS = {"ESP": ProtocolId.ESP, "AH": ProtocolId.AH}


class Children:
    """The IPsec SAs of one recording, found by SPI."""

    def __init__(self, keys: Entry) -> None:
        self._exchanges = keys["child_key_sets"]
        self._entries: dict[bytes, Entry] = {
            bytes.fromhex(entry["spi"]): entry for entry in keys["ipsec_sas"]
        }
        self._sas: dict[bytes, RecordedSa] = {}
        self._is_tunnel: dict[bytes, bool] = {}
        self._sequences: dict[bytes, list[int]] = {spi: [] for spi in self._entries}
        self._derived: dict[bytes, tuple[bytes, bytes]] = {}
        self._missing: dict[bytes, str] = {}

    def check_packet(self, packet: bytes) -> None:
        """Open an ESP or AH packet, seal it again, and compare all of it, outer header included."""
        protocol = IpProtocol.AH if ip.upper_layer(packet)[0] == IpProtocol.AH else IpProtocol.ESP
        start = start_of(packet, protocol)
        at = start + SPI_AT[protocol]
        spi = packet[at : at + 4]
        entry = self._entries.get(spi)
        if entry is None:
            raise MismatchError(f"no keys for SPI {spi.hex()}")
        same("protocol", protocol.name.lower(), entry["protocol"])
        sa = self._sa(spi, entry)
        opened = sa.open(packet, start)
        is_tunnel = opened.next_header in (IpProtocol.IPV4, IpProtocol.IPV6)
        same("mode", self._is_tunnel.setdefault(spi, is_tunnel), is_tunnel)
        # a UDP header may have come from a daemon's socket, which knows nothing of the inner packet
        in_udp = ip.upper_layer(packet)[0] == IpProtocol.UDP
        fields = OuterFields.RECORDED if in_udp else OuterFields.COPIED
        form = form_of(packet, opened.next_header, is_tunnel=is_tunnel, entry=fields)
        inner = form.disclose(packet, start, opened.payload, opened.next_header)
        same("sealed again", sealed_again(packet, form, sa, opened, inner), packet)
        self._sequences[spi].append(opened.sequence)

    def _sa(self, spi: bytes, entry: Entry) -> RecordedSa:
        sa = self._sas.get(spi)
        if sa is None:
            suite = algorithms.strongswan_child(entry["algorithms"])
            sa = RecordedSa(
                suite,
                int.from_bytes(spi, "big"),
                *_keys_of(entry),
                extended=entry["algorithms"]["esn"],
            )
            self._sas[spi] = sa
        return sa

    def check_keymat(self, session: Session, entry: Entry) -> None:
        """KEYMAT of one exchange, from the nonces and the proposals that crossed the wire."""
        spis = [bytes.fromhex(entry[name]) for name in ("spi_in_a", "spi_out_a")]
        try:
            self._check_keymat(session, entry, spis)
        except NotSupportedError as missing:
            self._missing |= dict.fromkeys(spis, str(missing))
            raise

    def _check_keymat(self, session: Session, entry: Entry, spis: list[bytes]) -> None:
        if "ike_spi_i" not in entry:
            raise NotSupportedError("IKEv1")
        sa, suite = session.keyed(entry["ike_spi_i"]), algorithms.strongswan_child(entry["algorithms"])
        protocol = PROTOCOLS[entry["algorithms"]["protocol"]]
        request, response, offered, chosen = _exchange_for(sa, spis, protocol)
        same("suite", child_suite(chosen), suite)
        # RFC 7296 1.3.1: transport mode is what the response agrees to
        for spi in spis:
            is_tunnel = self._is_tunnel.get(spi, not _asks_for_transport(response))
            same("tunnel mode", is_tunnel, not _asks_for_transport(response))
        esn = transform(chosen, TransformType.ESN)
        same("extended sequence numbers", esn is not None and bool(esn.id), entry["algorithms"]["esn"])
        secret = _own_secret(request, response, entry)
        if response.header.exchange == ExchangeType.IKE_AUTH:
            request, response = session.init_exchange(sa.entry)
        nonce_i, nonce_r = request.need(Nonce).data, response.need(Nonce).data
        same("nonces", nonce_i + nonce_r, bytes.fromhex(entry["nonces"]))
        keys = derive_keymat(suite, sa.suite.prf, sa.keys.sk_d, nonce_i, nonce_r, secret)
        for name, derived in (
            ("encr_i", keys.encryption_i),
            ("integ_i", keys.integrity_i),
            ("encr_r", keys.encryption_r),
            ("integ_r", keys.integrity_r),
        ):
            same(name, derived, bytes.fromhex(entry.get(name, "")))
        # the SPI in a proposal is the one its sender wants to receive
        self._derived[chosen.spi] = (keys.encryption_i, keys.integrity_i)
        self._derived[offered.spi] = (keys.encryption_r, keys.integrity_r)

    def check_sa(self, entry: Entry) -> None:
        """One SA's keys are the derived ones, and none of its packets is missing."""
        spi = bytes.fromhex(entry["spi"])
        of_exchange = self._exchanges[entry["child_index"]]
        same("exchange", entry["spi"] in (of_exchange["spi_in_a"], of_exchange["spi_out_a"]), True)
        sequences = self._sequences[spi]
        same("packets", len(sequences), entry["packets_verified"])
        same("sequence numbers", sequences, list(range(entry["first_seq"], entry["last_seq"] + 1)))
        derived = self._derived.get(spi)
        if derived is None:
            missing = self._missing.get(spi)
            raise NotSupportedError(missing) if missing else MismatchError("no exchange made its keys")
        same("keys", derived, _keys_of(entry))


def _keys_of(entry: Entry) -> tuple[bytes, bytes]:
    return bytes.fromhex(entry["encr_key"]), bytes.fromhex(entry["integ_key"])


def _exchange_for(
    sa: IkeSa, spis: list[bytes], protocol: ProtocolId
) -> tuple[Message, Message, Proposal, Proposal]:
    """The request and the response whose proposals for the protocol carry the two SPIs, and these proposals."""
    halves = [(each.request, each.response) for each in sa.of_type(ExchangeType.CREATE_CHILD_SA)]
    auth = sa.of_type(ExchangeType.IKE_AUTH)
    # with EAP several IKE_AUTH exchanges lie between the offer and the choice
    halves += [(first.request, last.response) for first in auth for last in auth]
    for request, response in halves:
        if request is None or response is None:
            continue
        offered, chosen = request.proposal_for(protocol), response.proposal_for(protocol)
        if offered is not None and chosen is not None and {offered.spi, chosen.spi} == set(spis):
            return request, response, offered, chosen
    raise MismatchError("no exchange made these SPIs")


def _asks_for_transport(message: Message) -> bool:
    return any(
        isinstance(payload, Notify) and payload.notify_type == NotifyType.USE_TRANSPORT_MODE
        for payload in message.payloads
    )


def _own_secret(request: Message, response: Message, entry: Entry) -> bytes:
    """The shared secret of the exchange's own key exchange, empty where it had none (RFC 7296 2.17)."""
    halves = [half.find(KeyExchange) for half in (request, response)]
    same("key exchange of its own", [half is not None for half in halves], [entry["pfs"]] * 2)
    if not entry["pfs"]:
        return b""
    group = algorithms.strongswan_group(entry["algorithms"]["dh"])
    same("group", [half.group for half in halves if half is not None], [group.id] * 2)
    return bytes.fromhex(entry["dh_shared"])
