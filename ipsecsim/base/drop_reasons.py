"""The closed list of drop reasons: which check ended a packet.

One row a reason: layer, sentence, clause. A row comes with the layer that raises it. What is wrong
with a tunnel as a whole is a diagnosis, another table and another word.
"""

from enum import Enum


class DropReason(Enum):
    """Why a packet ended. `name` is what people see; the value holds its row."""

    def __init__(self, layer: str, sentence: str, clause: str) -> None:
        self.layer = layer
        self.sentence = sentence
        self.clause = clause

    LINK_DOWN = ("link", "the cable or interface is down", "")
    LINK_LOSS = ("link", "the link lost it, by chance", "")
    QUEUE_FULL = ("link", "the link's queue was full", "")
    NO_NEIGHBOUR = ("link", "nobody on the link has that next hop", "RFC 826")
    ADVERSARY_DROP = ("adversary", "an attacker on the path took it out", "")

    NODE_DOWN = ("sim", "the node is off or has crashed", "")

    CORE_BUSY = ("device", "the core that works for its SA has no room for more", "")

    NAT_NO_MAPPING = ("nat", "it came from outside and nobody inside is known by that port", "RFC 4787 5")
    NAT_MAPPING_EXPIRED = ("nat", "the mapping had its time and was forgotten", "RFC 4787 4.3")
    NAT_FILTERED = ("nat", "the NAT lets in only those who were spoken to", "RFC 4787 5")
    NAT_PORTS_EXHAUSTED = ("nat", "no outside port is left for it", "RFC 4787 4.2.2")
    NAT_PROTO = ("nat", "this NAT can't translate the protocol", "RFC 3715 2.1")

    FW_RULE = ("firewall", "the rules of a firewall do not let it through", "")
    FW_STATE = ("firewall", "an answer, and the firewall knows of nothing that it answers", "")

    IP_MALFORMED = ("ip", "the IP header is wrong: version, length or checksum", "RFC 791 3.1")
    IP_TTL = ("ip", "the time to live reached zero", "RFC 791 3.2")
    IP_NO_ROUTE = ("ip", "no route leads to the destination", "RFC 792")
    IP_NOT_LOCAL = ("ip", "the packet is for somebody else and this node does not forward", "RFC 791 2.3")
    IP_DF_TOO_BIG = ("ip", "the packet is larger than the MTU and must not be fragmented", "RFC 1191 3")
    FRAG_TIMEOUT = ("ip", "the other fragments did not come in time", "RFC 791 3.2")
    FRAG_OVERLAP = ("ip", "the fragment overlaps one that is already here", "RFC 791 3.2")
    FRAG_TABLE_FULL = ("ip", "too many fragments wait to be put together", "RFC 791 3.2")
    FRAG_NO_PORTS = ("ip", "the fragment lacks the ports that the policy needs", "RFC 4301 7")
    TOO_BIG = ("ip", "larger than any permitted datagram", "RFC 791 3.1")
    ICMP_RATE = ("ip", "the node has told too many errors by ICMP already", "RFC 4443 2.4")
    ICMP_POLICY = (
        "ip",
        "an ICMP error that nobody authenticated, and that is not believed",
        "RFC 4301 6.1.1",
    )
    ICMP_PAYLOAD_MISMATCH = (
        "ip",
        "the packet that an ICMP error quotes does not belong to the SA",
        "RFC 4301 6.2",
    )
    ICMP_CHECKSUM = ("ip", "the ICMP checksum is wrong", "RFC 792")
    UDP_CHECKSUM = ("udp", "the UDP checksum is wrong", "RFC 768")
    UDP_SHORT = (
        "udp",
        "the UDP length is wrong, or a datagram on port 4500 is shorter than a marker",
        "RFC 3948 2.2",
    )
    PORT_CLOSED = ("ip", "no application listens there", "RFC 792")
    KEEPALIVE = ("udp", "a NAT keepalive, discarded by design", "RFC 3948 2.3")
    NOT_A_PEER = ("udp", "the sender is not one of the listed peers", "")

    SPD_DISCARD = ("spd", "the policy says DISCARD", "RFC 4301 4.4.1")
    SPD_NO_MATCH = ("spd", "no policy entry matches", "RFC 4301 4.4.1")
    INBOUND_CLEAR_PROTECTED = ("spd", "a packet in clear that policy wants protected", "RFC 4301 5.2")
    NO_SA_YET = ("spd", "policy says PROTECT and there is no SA (yet)", "RFC 4301 5.1")

    NO_SA = ("sad", "no SA has this SPI", "RFC 4301 5.2")
    SA_SELECTOR_MISMATCH = ("sad", "the inner packet is outside the SA's selectors", "RFC 4301 5.2")
    MODE_MISMATCH = ("sad", "the packet's form does not fit the SA's mode", "RFC 4301 5.2")
    SA_EXPIRED = ("sad", "the SA has come to its hard limit", "RFC 4301 4.4.2.1")
    SEQ_EXHAUSTED = ("sad", "the sequence numbers are used up", "RFC 4303 3.3.3")
    SEQ_ZERO = ("sad", "sequence number 0 is never sent", "RFC 4303 2.2")
    REPLAY_OLD = ("sad", "left of the replay window", "RFC 4303 3.4.3")
    REPLAY_SEEN = ("sad", "this sequence number was already received", "RFC 4303 3.4.3")

    ESP_SHORT = ("esp", "shorter than ESP header, IV, trailer and ICV", "RFC 4303 2")
    ESP_ALIGN = ("esp", "the ciphertext is not a multiple of the cipher block", "RFC 4303 2.4")
    ESP_BAD_PAD = ("esp", "the padding is not 1, 2, 3, ...", "RFC 4303 2.4")
    ICV_FAIL = ("esp", "the integrity check failed", "RFC 4303 3.4.4")
    INNER_MALFORMED = ("esp", "what was inside is no valid packet", "RFC 4303 3.4.4.1")
    ESP_FRAGMENT = ("esp", "a fragment that nobody put together again", "RFC 4303 3.4.1")
    ECN_ILLEGAL = (
        "esp",
        "congestion marked outside, and the inner packet does not speak ECN",
        "RFC 6040 4.2",
    )
    AH_SHORT = ("ah", "shorter than an AH", "RFC 4302 2")
    AH_BAD_LEN = ("ah", "the AH length fits neither the packet nor the SA's ICV", "RFC 4302 2.2")
    AH_FRAGMENT = ("ah", "a fragment that nobody put together again", "RFC 4302 3.4.1")
    AH_ICV_FAIL = ("ah", "the integrity check failed: did a NAT change an address?", "RFC 4302 3.4.4")
    ENCAP_LOOP = ("esp", "it came out of more ESP or AH packets inside each other than the limit allows", "")
    DUMMY = ("esp", "a dummy packet, discarded by design", "RFC 4303 2.6")

    SHORT = ("ike", "shorter than the IKE header", "RFC 7296 3.1")
    LEN_MISMATCH = ("ike", "the header's length differs from the datagram's", "RFC 7296 3.1")
    BAD_VERSION = ("ike", "major version not supported", "RFC 7296 2.5")
    BAD_SPI = ("ike", "the SPI fields break the rules", "RFC 7296 3.1")
    NO_STATE = ("ike", "no IKE SA has these SPIs", "RFC 7296 2.21.4")
    STATE_VIOLATION = ("ike", "the exchange is not allowed in this state", "RFC 7296 2.2")
    UNEXPECTED_RESPONSE = ("ike", "no request with this message ID is outstanding", "RFC 7296 2.2")
    OUT_OF_WINDOW = ("ike", "the message ID is outside the window", "RFC 7296 2.3")
    RETRANSMIT_IGNORED = ("ike", "a repeated request, too old to be answered", "RFC 7296 2.1")
    PAYLOAD_LEN = ("ike", "a payload length is below 4 or goes past the end", "RFC 7296 3.2")
    TOO_MANY_PAYLOADS = ("ike", "more payloads than the cap allows", "RFC 7296 2.5")
    CRITICAL_UNKNOWN = ("ike", "an unknown payload is marked critical", "RFC 7296 2.5")
    INVALID_SYNTAX = ("ike", "a payload is missing or its contents are wrong", "RFC 7296 3.10.1")
    SK_FAIL = ("ike", "the encrypted payload's integrity check failed", "RFC 7296 3.14")
    FRAG_MALFORMED = ("ike", "a fragment's number, total or place is wrong", "RFC 7383 2.6")
    FRAG_BAD_LEN = ("ike", "a fragment is too short for what it must hold", "RFC 7383 2.5")
    FRAG_LIMIT = ("ike", "more fragments, or more bytes in them, than the cap allows", "RFC 7383 5")
    FRAG_DUP = ("ike", "this fragment is already here", "RFC 7383 2.6")
    KE_INVALID = ("ike", "the public value is not in the group", "RFC 7296 3.4")
    INVALID_KE = ("ike", "the key exchange is for another group than the chosen one", "RFC 7296 1.3")
    NO_PROPOSAL = ("ike", "no proposal is acceptable", "RFC 7296 2.7")
    TS_UNACCEPTABLE = ("ike", "the traffic selectors do not meet", "RFC 7296 2.9")
    INTERNAL_ADDRESS_FAILURE = ("ike", "no virtual address is to be had", "RFC 7296 3.15.4")
    FAILED_CP_REQUIRED = ("ike", "the peer did not ask for the virtual address it needs", "RFC 7296 2.19")
    COOKIE_REQUIRED = ("ike", "answered with a cookie: too many half-open SAs", "RFC 7296 2.6")
    COOKIE_WRONG = ("ike", "the cookie is not ours, or too old", "RFC 7296 2.6")
    HALF_OPEN_LIMIT = ("ike", "the cap on half-open SAs is reached", "RFC 7296 2.6")
    IKE_SA_LIMIT = ("ike", "the cap on IKE SAs, or on the children of one, is reached", "RFC 7296 1.3")
    UNEXPECTED_NAT = (
        "ike",
        "somebody on the way changed the addresses, and no NAT is allowed",
        "RFC 4555 3.9",
    )
    AUTH_FAILED = ("ike", "the peer did not prove its identity", "RFC 7296 2.15")
    ID_MALFORMED = ("ike", "the identity's bytes do not fit its type", "RFC 7296 3.5")
    ID_TOO_LONG = ("ike", "the identity is longer than the cap", "RFC 7296 3.5")
    CERT_MALFORMED = ("ike", "a certificate or revocation list cannot be read", "RFC 5280 4.1")
    CERT_BAD_KEY = ("ike", "a public key is too small, or none at all", "RFC 8247 3.1.1")
    CERT_CONSTRAINT = (
        "ike",
        "the certificate's chain breaks a rule: trust, names, validity or revocation",
        "RFC 5280 6.1",
    )
    SIG_PARAMS = ("ike", "the signature's algorithm or a parameter of it is refused", "RFC 8247 3.2")
