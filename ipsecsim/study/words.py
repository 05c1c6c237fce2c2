"""What to tell a student about each diagnosis: one sentence, what the others see, and what to look at.

`{node}` is where it shows, `{other}` the other end of the tunnel.
"""

from dataclasses import dataclass

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.exposures import Exposure

_SAME_WORD = "AUTHENTICATION_FAILED, whatever it was that the other did not believe"
_SILENCE = "silence: packets go out and nothing comes back"


@dataclass(frozen=True, slots=True)
class Words:
    """`blind` is what those see who do not know; `field` is what to look at where it shows."""

    sentence: str
    blind: str
    field: str


WORDS: dict[Diagnosis | Exposure, Words] = {
    Diagnosis.ESP_FILTERED_ON_PATH: Words(
        "IKE passes and both ends have keys, but {node} drops the ESP packets that use them",
        "an SA that counts packets out and none in",
        "the IP protocol field, and the rule that it met",
    ),
    Diagnosis.IKE_FILTERED_ON_PATH: Words(
        "{node} drops IKE's messages on the way, so the two ends never agree on keys",
        "no answer to its requests",
        "the UDP ports, and the rule that they met",
    ),
    Diagnosis.TS_NO_OVERLAP: Words(
        "{node} and {other} believe each other, but what one wants to protect is not what the other was told of",
        "TS_UNACCEPTABLE, and not what would have been taken",
        "TSi and TSr in the request, and the selectors configured at {node}",
    ),
    Diagnosis.TS_NARROWED: Words(
        "the tunnel carries less than was asked for: the responder took only the networks that it knows",
        "a tunnel that is up",
        "TSi and TSr in the request, and in the answer",
    ),
    Diagnosis.NO_COMMON_TRANSFORM: Words(
        "{other} offers no algorithms that {node} accepts, so the two cannot even begin to talk in secret",
        "NO_PROPOSAL_CHOSEN, and not what would have been taken",
        "the transforms in the SA payload, one type after the other",
    ),
    Diagnosis.AUTH_PSK_MISMATCH: Words(
        "{node} and {other} hold different pre-shared keys, so the proof of {other} comes out wrong at {node}",
        _SAME_WORD,
        "the AUTH payload, and the one that {node} computed",
    ),
    Diagnosis.AUTH_ID_UNKNOWN: Words(
        "{other} calls itself by a name for which {node} has no connection",
        _SAME_WORD,
        "the identification payload, and the identities that {node} expects",
    ),
    Diagnosis.AUTH_CERT_ID_MISMATCH: Words(
        "{other} shows a valid certificate, but the name in it is not the name that it claims to be",
        _SAME_WORD,
        "the identification payload, and the subjectAltName of the certificate",
    ),
    Diagnosis.AUTH_CERT_UNTRUSTED: Words(
        "{node} does not trust the certificate of {other}: nobody it trusts has signed it, or it was revoked",
        _SAME_WORD,
        "issuer and serial number of the certificate, and the authorities that {node} trusts",
    ),
    Diagnosis.AUTH_CERT_EXPIRED: Words(
        "by the clock of {node} the certificate of {other} is not valid today",
        _SAME_WORD,
        "notBefore and notAfter of the certificate, and the clock of {node}",
    ),
    Diagnosis.PFS_MISMATCH_LATENT: Words(
        "the first keys need no key exchange of their own; on one for the next {node} and {other} do not agree",
        "NO_PROPOSAL_CHOSEN at the first rekeying, and a tunnel that worked until then",
        "the key exchange transforms in the CREATE_CHILD_SA request",
    ),
    Diagnosis.PMTU_BLACKHOLE: Words(
        "packets too large for the link behind {node} vanish, and the ICMP error about them reaches nobody",
        "small packets get through and large ones vanish",
        "the size of the packet, its DF bit, and what became of the ICMP error",
    ),
    Diagnosis.IKE_FRAG_LOST: Words(
        "a large IKE message was cut by IP, and somebody on the way does not let all the fragments through",
        "no answer to its second request, and the first one was fine",
        "the fragment offset: a later fragment has no ports",
    ),
    Diagnosis.NAT_BEFORE_SPD: Words(
        "{node} translates the source address first and asks its policy afterwards: no rule is for the new one",
        "nothing: no tunnel is even asked for",
        "the source address before and behind the NAT, and the selectors of the rule",
    ),
    Diagnosis.SPD_CONFLICT_SAME_OUTER: Words(
        "two clients behind one NAT look the same to {node}: in transport mode it cannot tell their packets apart",
        "a connection that worked until somebody else came",
        "the traffic selectors of both SAs, after the address of the NAT was put in",
    ),
    Diagnosis.AH_ICV_NAT: Words(
        "AH signs the addresses and a NAT changed one, which looks to {node} like a forgery",
        _SILENCE,
        "the source address as it was sent and as it came",
    ),
    Diagnosis.TRANSPORT_NAT_CHECKSUM: Words(
        "what ESP carries was made for other addresses than those that a NAT put outside, so {node} refuses it",
        _SILENCE,
        "the checksum inside ESP, and the addresses outside that it should count",
    ),
    Diagnosis.RESPONDER_BEHIND_NAT: Words(
        "the responder sits behind the NAT {node}, and nobody told that one to pass IKE on to it",
        "no answer to its first request",
        "the destination port, and the forwards of the NAT",
    ),
    Diagnosis.REPLAY_WINDOW_TOO_SMALL: Words(
        "packets overtake each other by more than the replay window of {node} holds, so late ones look replayed",
        "loss without a reason",
        "the sequence number, and the top of the window",
    ),
    Diagnosis.NAT_MAPPING_LOST: Words(
        "the NAT {node} has forgotten the mapping by which packets came in, and they find nobody now",
        "silence, until somebody inside speaks again",
        "when the mapping was used last, and its time",
    ),
    Diagnosis.MOBIKE_NO_PATH: Words(
        "{node} has tried every pair of addresses that it and its peer have, and nothing came back over any",
        "nothing at all, until its own patience ends",
        "the addresses that were tried, one after the other",
    ),
    Diagnosis.STALE_SA: Words(
        "{node} no longer has an SA that its peer goes on using",
        "an SA that looks as good as ever",
        "the SPI of the packet, and the SAs that {node} has",
    ),
    Diagnosis.REKEY_COLLISION: Words(
        "both ends wanted new keys at once, and {node} was told to wait until the old ones had come to their end",
        "TEMPORARY_FAILURE, again and again",
        "the CREATE_CHILD_SA requests that cross, and their answers",
    ),
    Diagnosis.PEER_REBOOTED: Words(
        "{node} went down and lost its SAs, and its peer went on as if nothing had happened",
        "SAs that look as good as ever",
        "the SPI of the packets that still come, and the SAs that {node} has",
    ),
    Diagnosis.PLAINTEXT_LEAK: Words(
        "{node} sends in clear what its policy would protect, so everybody on the way can read it",
        "nothing: all is answered",
        "the packet on the outer link: there is no ESP around it",
    ),
    Diagnosis.SUBNET_OVERLAP: Words(
        "both sites use the same addresses, so {node} looks for the other one on its own cable and asks no gateway",
        "nothing: no packet ever comes to a gateway",
        "the destination address, and the network of {node}",
    ),
    Diagnosis.SRC_NOT_IN_TS: Words(
        "the packet has a source address that no rule of {node} speaks of, so the tunnel does not carry it",
        "nothing: the packet never left",
        "the source address, and the selectors of the rule",
    ),
    Diagnosis.ICV_LEN_MISMATCH: Words(
        "both ends cut the check value to different lengths, so {node} looks for it in the wrong place",
        "an SA that counts packets out and none in",
        "the last bytes of the packet: 12 or 16 of them are the check value",
    ),
    Diagnosis.SPD_ORDER: Words(
        "at {node} a coarse rule stands before a finer one, and takes the packets that the finer one is for",
        _SILENCE,
        "the rules in their order, and which of them has no hits",
    ),
    Exposure.FORGERY_BELIEVED: Words(
        "{node} opened what an attacker had changed and could not tell, for it is encrypted and not authenticated",
        "an SA that counts packets, as ever",
        "the first block behind the IV, and what the IV was when it was sealed",
    ),
    Exposure.SECRET_GUESSED: Words(
        "{node} answers in the peer's place, and finds the word that fits the proof which {other} gives first",
        _SAME_WORD,
        "the AUTH payload, and all that it is over: {node} knows everything but the key",
    ),
}
"""A row for every diagnosis that is made, and every exposure."""

TOLD_BY_IKE: dict[Diagnosis, Words] = {
    Diagnosis.PEER_REBOOTED: Words(
        "{other} comes to {node} anew and knows of no SA, as if it had lost all that it had in memory",
        "nothing: it begins with a new handshake",
        "INITIAL_CONTACT in the IKE_AUTH request",
    ),
}
"""What to tell when it is a node that has found out, and no look at the recording: the fault is the peer's then."""

LOOK_BY_LAYER: dict[str, str] = {
    "link": "the link's settings and queue",
    "adversary": "what the attacker was told to do",
    "device": "how many packets wait at each core, and for which SA each of them works",
    "sim": "when the node went down, and when it came up",
    "nat": "the mappings of the NAT, and its behaviour",
    "firewall": "the rules in their order, and the first one that fits",
    "ip": "the IP header",
    "udp": "the UDP header",
    "spd": "the rules in their order, and the packet's addresses, protocol and ports",
    "sad": "the SPI, the SA's selectors and its window",
    "esp": "the ESP header, the length of the packet and its last bytes",
    "ah": "the AH header, and the fields that it has signed",
    "ike": "the IKE header and the payloads behind it",
}
"""What to look at when a check of this layer ended a packet."""


def of_drop(reason: DropReason, said: str) -> Words:
    """A drop that no diagnosis explains: what is said of its turn, as every view says it."""
    sentence = said[:1].lower() + said[1:] if said.startswith("The ") else said
    return Words(sentence.removesuffix("."), _SILENCE, LOOK_BY_LAYER[reason.layer])
