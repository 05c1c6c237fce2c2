"""Checks the Child SAs of a recorded session: their KEYMAT, and every ESP packet under them."""

from ipsecsim.ike.v2.keys import derive_keymat
from ipsecsim.wire.ike.key_exchange import KeyExchange
from ipsecsim.wire.ike.nonce import Nonce
from ipsecsim.wire.ike.numbers import ExchangeType, ProtocolId, TransformType
from ipsecsim.wire.ike.proposal import Proposal
from ipsecsim.wire.numbers import IpProtocol
from tests.vectors import algorithms
from tests.vectors.esp_keys import EspKeys, unwrap, wrap_again
from tests.vectors.recorded_proofs import esp_suite, transform
from tests.vectors.recorded_state import Entry, IkeSa, Message, Session
from tests.vectors.results import MismatchError, NotSupportedError, same


class Children:
    """The IPsec SAs of one recording, found by SPI."""

    def __init__(self, keys: Entry) -> None:
        self._exchanges = keys["child_key_sets"]
        self._entries: dict[bytes, Entry] = {
            bytes.fromhex(entry["spi"]): entry for entry in keys["ipsec_sas"]
        }
        self._keys: dict[bytes, EspKeys] = {}
        self._sequences: dict[bytes, list[int]] = {spi: [] for spi in self._entries}
        self._derived: dict[bytes, tuple[bytes, bytes]] = {}
        self._missing: dict[bytes, str] = {}

    def check_packet(self, packet: bytes) -> None:
        """Open an ESP packet, seal it again, and compare all of it, outer header included."""
        payload = unwrap(packet)
        spi = payload[:4]
        entry = self._entries.get(spi)
        if entry is None:
            raise MismatchError(f"no keys for SPI {spi.hex()}")
        if spi not in self._keys:
            suite = algorithms.strongswan_esp(entry["algorithms"])
            encryption_key, integrity_key = _keys_of(entry)
            self._keys[spi] = EspKeys(suite, int.from_bytes(spi, "big"), encryption_key, integrity_key)
        opened = self._keys[spi].open(payload)
        same("sealed again", wrap_again(packet, self._keys[spi].seal_again(opened)), packet)
        self._sequences[spi].append(opened.sequence)
        if opened.next_header != IpProtocol.IPV4:
            raise NotSupportedError("transport mode")

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
        sa, suite = session.keyed(entry["ike_spi_i"]), algorithms.strongswan_esp(entry["algorithms"])
        request, response = _exchange_for(sa, spis)
        offered, chosen = _esp_proposals(request, response)
        same("suite", esp_suite(chosen), suite)
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
        if entry["protocol"] != "esp":
            raise NotSupportedError(entry["protocol"].upper())
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


def _exchange_for(sa: IkeSa, spis: list[bytes]) -> tuple[Message, Message]:
    """The request and the response whose ESP proposals carry the two SPIs."""
    halves = [(each.request, each.response) for each in sa.of_type(ExchangeType.CREATE_CHILD_SA)]
    auth = sa.of_type(ExchangeType.IKE_AUTH)
    # with EAP several IKE_AUTH exchanges lie between the offer and the choice
    halves += [(first.request, last.response) for first in auth for last in auth]
    for request, response in halves:
        if request is None or response is None:
            continue
        offered, chosen = request.proposal_for(ProtocolId.ESP), response.proposal_for(ProtocolId.ESP)
        if offered is not None and chosen is not None and {offered.spi, chosen.spi} == set(spis):
            return request, response
    if sa.fragments:
        raise NotSupportedError("IKE fragmentation")
    raise MismatchError("no exchange made these SPIs")


def _esp_proposals(request: Message, response: Message) -> tuple[Proposal, Proposal]:
    offered, chosen = request.proposal_for(ProtocolId.ESP), response.proposal_for(ProtocolId.ESP)
    if offered is None or chosen is None:
        raise MismatchError("no ESP proposal")
    return offered, chosen


def _own_secret(request: Message, response: Message, entry: Entry) -> bytes:
    """The shared secret of the exchange's own key exchange, empty where it had none (RFC 7296 2.17)."""
    halves = [half.find(KeyExchange) for half in (request, response)]
    same("key exchange of its own", [half is not None for half in halves], [entry["pfs"]] * 2)
    if not entry["pfs"]:
        return b""
    group = algorithms.strongswan_group(entry["algorithms"]["dh"])
    same("group", [half.group for half in halves if half is not None], [group.id] * 2)
    return bytes.fromhex(entry["dh_shared"])
