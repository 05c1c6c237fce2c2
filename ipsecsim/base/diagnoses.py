"""The closed list of diagnoses: what is wrong with a tunnel or a flow as a whole, and what it looks like outside.

One row a diagnosis: sentence, clause, and the drop reasons and notifies that it shows as. Often only one side can
know: the wire says AUTHENTICATION_FAILED, whatever it was that the other side did not believe (RFC 7296 2.21.2).
"""

from enum import Enum


class Diagnosis(Enum):
    """What is wrong. `name` is what people see and write; the value holds its row."""

    def __init__(self, sentence: str, clause: str, shows_as: tuple[str, ...]) -> None:
        self.sentence = sentence
        self.clause = clause
        self.shows_as = shows_as

    def __str__(self) -> str:
        return self.name

    ESP_FILTERED_ON_PATH = (
        "IKE passes, but protocol 50 or UDP 4500 is dropped on the way",
        "RFC 3948 1",
        ("FW_RULE", "FW_STATE"),
    )
    IKE_FILTERED_ON_PATH = (
        "UDP 500, or 4500 after the change of ports, is dropped on the way",
        "RFC 7296 2.23",
        ("FW_RULE", "FW_STATE"),
    )
    TS_NO_OVERLAP = ("the two ends' traffic selectors do not meet", "RFC 7296 2.9", ("TS_UNACCEPTABLE",))
    TS_NARROWED = (
        "the responder took less than was offered, and the rest is not carried",
        "RFC 7296 2.9",
        ("SPD_NO_MATCH",),
    )
    NO_COMMON_TRANSFORM = ("the two ends have no proposal in common", "RFC 7296 2.7", ("NO_PROPOSAL_CHOSEN",))
    AUTH_PSK_MISMATCH = (
        "the two ends hold different pre-shared keys",
        "RFC 7296 2.15",
        ("AUTHENTICATION_FAILED",),
    )
    AUTH_ID_UNKNOWN = (
        "no connection is for the identity that the peer asserts",
        "RFC 7296 3.5",
        ("AUTHENTICATION_FAILED",),
    )
    AUTH_CERT_ID_MISMATCH = (
        "a valid certificate, which does not carry the asserted identity",
        "RFC 4301 4.4.3.2",
        ("AUTHENTICATION_FAILED",),
    )
    AUTH_CERT_UNTRUSTED = (
        "the certificate leads to no trusted root, or is revoked",
        "RFC 5280 6.1",
        ("AUTHENTICATION_FAILED",),
    )
    AUTH_CERT_EXPIRED = (
        "the certificate is outside its validity",
        "RFC 5280 4.1.2.5",
        ("AUTHENTICATION_FAILED",),
    )
    PFS_MISMATCH_LATENT = (
        "the key exchange for a child's new keys is not acceptable: it worked until the first rekeying",
        "RFC 7296 1.3.3",
        ("NO_PROPOSAL_CHOSEN",),
    )
    PMTU_BLACKHOLE = (
        "packets above a size vanish, and no ICMP error comes back",
        "RFC 4301 8.2",
        ("IP_DF_TOO_BIG",),
    )
    IKE_FRAG_LOST = ("IP fragments of a large IKE_AUTH are dropped", "RFC 7383 1", ("FRAG_TIMEOUT",))
    NAT_BEFORE_SPD = (
        "the source was translated before policy was asked: no rule matches",
        "RFC 4301 5.1",
        ("SPD_NO_MATCH",),
    )
    SPD_CONFLICT_SAME_OUTER = (
        "two clients behind one NAT ask for the same outer selectors in transport mode",
        "RFC 3948 5.2",
        ("SA_SELECTOR_MISMATCH", "NO_SA"),
    )
    AH_ICV_NAT = ("AH signed an address that a NAT changed", "RFC 4302 3.3.3.1", ("AH_ICV_FAIL",))
    TRANSPORT_NAT_CHECKSUM = (
        "ESP in transport mode through a NAT: the inner checksum was made for other addresses",
        "RFC 3948 3.1.2",
        ("TCP_CHECKSUM", "UDP_CHECKSUM", "SA_SELECTOR_MISMATCH"),
    )
    RESPONDER_BEHIND_NAT = (
        "nobody forwards to the responder behind its NAT",
        "RFC 7296 2.23",
        ("NAT_NO_MAPPING", "NAT_FILTERED"),
    )
    REPLAY_WINDOW_TOO_SMALL = (
        "the path reorders more than the anti-replay window holds",
        "RFC 4303 3.4.3",
        ("REPLAY_OLD",),
    )
    NAT_MAPPING_LOST = (
        "the NAT forgot or changed the mapping",
        "RFC 7296 2.23",
        ("NAT_MAPPING_EXPIRED", "NAT_NO_MAPPING", "NO_NEIGHBOUR", "PORT_CLOSED"),
    )
    MOBIKE_NO_PATH = (
        "no pair of addresses works after the peer has moved",
        "RFC 4555 3.10",
        ("IP_NO_ROUTE", "NAT_FILTERED"),
    )
    STALE_SA = ("one end still uses an SA that the other has forgotten", "RFC 7296 2.4", ("NO_SA",))
    REKEY_COLLISION = (
        "both ends rekeyed at once and did not agree in time",
        "RFC 7296 2.8.1",
        ("NO_SA",),
    )
    PEER_REBOOTED = ("the peer has lost its state", "RFC 7296 2.4", ("NO_SA", "NODE_DOWN"))
    PLAINTEXT_LEAK = ("traffic that should be protected left in clear", "RFC 4301 5.1", ())
    SUBNET_OVERLAP = (
        "the same prefix on both sides: the packet never reaches the gateway",
        "",
        ("NO_NEIGHBOUR",),
    )
    SRC_NOT_IN_TS = ("the sender's address is outside the selectors", "RFC 4301 5.1", ("SPD_NO_MATCH",))
    PEER_SINGLE_TS = (
        "the peer takes only the first of several subnets",
        "RFC 7296 2.9",
        ("SPD_NO_MATCH",),
    )
    ICV_LEN_MISMATCH = (
        "the two ends cut the same algorithm's check value to different lengths",
        "RFC 4303 2.8",
        ("ICV_FAIL", "ESP_ALIGN"),
    )
    SPD_ORDER = ("a coarse rule stands before the fine one", "RFC 4301 4.4.1", ("SPD_DISCARD",))
