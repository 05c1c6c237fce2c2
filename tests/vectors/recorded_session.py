"""Walks through a recorded session of two IKE peers, and checks it against every key in its `keys.json`.

Keys are derived by the program itself. Messages and packets are opened with them and sealed again, and
must come out as the same octets.
"""

from functools import partial
from pathlib import Path

from ipsecsim.crypto.certificates import Certificate
from ipsecsim.crypto.protection import make_protection
from ipsecsim.ike.v2.keying.keys import derive_ike_keys, derive_skeyseed, rekey_skeyseed
from ipsecsim.ike.v2.messages import envelope, fragments
from ipsecsim.ike.v2.messages.envelope import Content
from ipsecsim.ike.v2.messages.fragments import FragmentSet
from ipsecsim.wire import ipv4, udp
from ipsecsim.wire.ike.chain import emit_chain, emit_message, parse_message
from ipsecsim.wire.ike.encrypted import Encrypted, EncryptedFragment
from ipsecsim.wire.ike.header import HEADER_LENGTH, IkeHeader
from ipsecsim.wire.ike.numbers import ExchangeType, name_of
from ipsecsim.wire.nat_t import NON_ESP_MARKER, Encapsulated, classify
from ipsecsim.wire.numbers import IKE_PORT, NAT_T_PORT, IpProtocol
from tests.support.pcap import Frame, read_pcap
from tests.vectors import algorithms, recorded_proofs
from tests.vectors.recorded_children import Children
from tests.vectors.recorded_state import Entry, IkeSa, Message, Session
from tests.vectors.results import MismatchError, NotSupportedError, Outcome, Result, judge, same
from tests.vectors.written_again import same_datagram

KEY_NAMES = ("sk_d", "sk_ai", "sk_ar", "sk_ei", "sk_er", "sk_pi", "sk_pr")


def run(family: str, folder: Path, keys: Entry) -> list[Result]:
    """All results of a recording; where both sides of a NAT were recorded, those of either side."""
    results = []
    roots = tuple(Certificate.from_pem(path.read_bytes()) for path in sorted(folder.glob("pki/ca*.crt")))
    for path in sorted(folder.glob("*.pcap")):
        name = family if path.stem == "capture" else f"{family}/{path.stem}"
        results += _run(name, keys, read_pcap(path), roots)
    return results


def _run(family: str, keys: Entry, frames: list[Frame], roots: tuple[Certificate, ...]) -> list[Result]:
    session, children = Session(keys, roots), Children(keys)
    results = [judge(family, "frames", partial(same, "frames", len(frames), keys["report"]["frames"]))]
    for entry in keys["ikev2_sas"]:
        derived = judge(family, f"IKE SA {entry['spi_i']} keys", partial(_derive, session, entry))
        results.append(derived)
        if derived.outcome is Outcome.NOT_SUPPORTED:
            session.missing[entry["spi_i"]] = derived.detail
    for frame in frames:
        check = partial(_check_frame, session, children, frame)
        results.append(judge(family, f"{frame.number} {_title(frame)}", check))
    for entry in keys["ikev2_sas"]:
        name = f"IKE SA {entry['spi_i']}"
        negotiation = partial(recorded_proofs.negotiation, session, entry)
        results.append(judge(family, f"{name} negotiation", negotiation))
        results.append(judge(family, f"{name} messages", partial(_count, session, entry)))
        for which in entry.get("check_auth", {}):
            proof = partial(recorded_proofs.proof, session, entry, which)
            results.append(judge(family, f"{name} AUTH {which}", proof))
    for entry in keys["child_key_sets"]:
        name = f"Child SA {entry['spi_in_a']}/{entry['spi_out_a']} keys"
        results.append(judge(family, name, partial(children.check_keymat, session, entry)))
    for entry in keys["ipsec_sas"]:
        name = f"{entry['protocol'].upper()} SA {entry['spi']} keys and packets"
        results.append(judge(family, name, partial(children.check_sa, entry)))
    return results


def _derive(session: Session, entry: Entry) -> None:
    """SKEYSEED and SK_* from nonces and shared secret, and the protections made from them."""
    suite = algorithms.strongswan_ike(entry["algorithms"])
    ni, nr, secret = (bytes.fromhex(entry[name]) for name in ("ni", "nr", "dh_shared"))
    if "rekeyed_from" in entry:
        old = session.keyed(entry["rekeyed_from"])
        seed = rekey_skeyseed(old.suite.prf, old.keys.sk_d, secret, ni, nr)
    else:
        seed = derive_skeyseed(suite.prf, ni, nr, secret)
    same("skeyseed", seed, bytes.fromhex(entry["skeyseed"]))
    spi_i, spi_r = bytes.fromhex(entry["spi_i"]), bytes.fromhex(entry["spi_r"])
    keys = derive_ike_keys(suite, seed, ni, nr, spi_i, spi_r)
    for name in KEY_NAMES:
        same(name, getattr(keys, name), bytes.fromhex(entry.get(name, "")))
    from_initiator, from_responder = (
        make_protection(suite.encryption, suite.key_bits, encryption_key, suite.integrity, integrity_key)
        for encryption_key, integrity_key in ((keys.sk_ei, keys.sk_ai), (keys.sk_er, keys.sk_ar))
    )
    session.sas[entry["spi_i"]] = IkeSa(entry, suite, keys, from_initiator, from_responder)


def _check_frame(session: Session, children: Children, frame: Frame) -> None:
    header, content = ipv4.parse(frame.packet), ipv4.payload(frame.packet)
    if header.protocol in (IpProtocol.ESP, IpProtocol.AH):
        children.check_packet(frame.packet)
        return
    same("protocol", header.protocol, IpProtocol.UDP)
    source_port, destination_port, payload = udp.parse(content)
    same_datagram(frame.packet)
    if NAT_T_PORT in (source_port, destination_port):
        held = classify(payload)
        if held is Encapsulated.ENCAPSULATED_ESP:
            children.check_packet(frame.packet)
        elif held is Encapsulated.IKE:
            _check_message(session, payload[len(NON_ESP_MARKER) :])
    elif IKE_PORT in (source_port, destination_port):
        _check_message(session, payload)
    else:
        raise MismatchError(f"nothing here runs between ports {source_port} and {destination_port}")


def _check_message(session: Session, octets: bytes) -> None:
    if IkeHeader.parse(octets).major_version == 1 and session.keys["ikev1_sas"]:
        raise NotSupportedError("IKEv1")
    header, payloads = parse_message(octets)
    same("message written again", emit_message(header, payloads), octets)
    message = Message(octets, header, payloads)
    last = payloads[-1] if payloads else None
    if isinstance(last, Encrypted | EncryptedFragment):
        sa = session.keyed(header.spi_i.hex())
        same("spi_r", header.spi_r, bytes.fromhex(sa.entry["spi_r"]))
        sa.opened += 1
        if isinstance(last, EncryptedFragment):
            _reseal_fragment(message, last, sa)
            if not _is_complete(message, last, sa):
                return
        else:
            _reseal(message, last, sa)
    session.file(message)


def _reseal(message: Message, sealed: Encrypted, sa: IkeSa) -> None:
    protection, octets = sa.protection(message.header), message.octets
    message.payloads = envelope.open(octets, sealed, protection)
    plaintext = protection.open(octets[: len(octets) - len(sealed.body)], sealed.body)
    pad = plaintext[len(envelope.strip_padding(plaintext)) : -1]
    iv = sealed.body[: protection.iv_length]
    again = envelope.seal(message.header, message.payloads, protection, iv=iv, pad=pad)
    same("sealed again", again, octets)


def _reseal_fragment(message: Message, sealed: EncryptedFragment, sa: IkeSa) -> None:
    """A fragment alone: its plaintext is a slice of payloads, so there is nothing to parse inside."""
    protection, octets = sa.protection(message.header), message.octets
    covered = octets[: len(octets) - len(sealed.body)]
    plaintext = protection.open(covered, sealed.body)
    content = Content(sealed.first_inner, envelope.strip_padding(plaintext))
    same("opened", envelope.unseal(octets, sealed, protection), content)
    known = _set_of(message, sealed, sa)
    known.pieces[sealed.number] = content
    known.length = max(known.length, len(octets))
    iv = sealed.body[: protection.iv_length]
    same("sealed again", covered + protection.seal(covered, plaintext, iv), octets)


def _set_of(message: Message, sealed: EncryptedFragment, sa: IkeSa) -> FragmentSet:
    header = message.header
    key = (header.from_initiator, header.message_id)
    return sa.fragments.setdefault(key, FragmentSet(header.message_id, sealed.total, until=0))


def _is_complete(message: Message, sealed: EncryptedFragment, sa: IkeSa) -> bool:
    """With the last fragment the message has its payloads, and we would have cut it at the same places."""
    known = _set_of(message, sealed, sa)
    if len(known.pieces) < known.total:
        return False
    message.payloads = envelope.read(known.whole)
    same("written again", emit_chain(message.payloads), (known.whole.first_inner, known.whole.inner))
    cut = fragments.cut(message.header, known.whole, sa.protection(message.header), known.length)
    lengths = [len(known.pieces[number].inner) for number in range(1, known.total + 1)]
    ours = [
        len(envelope.unseal(raw, last, sa.protection(message.header)).inner)
        for raw in cut
        if isinstance(last := parse_message(raw)[1][-1], EncryptedFragment)
    ]
    same("cut again", ours, lengths)
    return True


def _count(session: Session, entry: Entry) -> None:
    same("sealed messages", session.keyed(entry["spi_i"]).opened, entry["messages_verified"])


def _title(frame: Frame) -> str:
    """What the frame is, as far as ports and the IKE header tell. Decides nothing."""
    if frame.version != 4 or len(frame.packet) < ipv4.HEADER_LENGTH + udp.HEADER_LENGTH:
        return "packet"
    protocol, content = frame.packet[ipv4.PROTOCOL], ipv4.payload(frame.packet)
    if protocol != IpProtocol.UDP:
        return {IpProtocol.ESP: "ESP", IpProtocol.AH: "AH"}.get(IpProtocol(protocol), "packet")
    octets = content[udp.HEADER_LENGTH :]
    if NAT_T_PORT in (int.from_bytes(content[:2], "big"), int.from_bytes(content[2:4], "big")):
        if octets[:4] != NON_ESP_MARKER:
            return "ESP in UDP" if len(octets) > 1 else "keepalive"
        octets = octets[len(NON_ESP_MARKER) :]
    if len(octets) < HEADER_LENGTH:
        return "datagram"
    header = IkeHeader.parse(octets)
    if header.major_version == 1:
        return "IKEv1 message"
    return f"{name_of(ExchangeType, header.exchange)} {'response' if header.is_response else 'request'}"
