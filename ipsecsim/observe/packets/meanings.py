"""What each field of a packet is for, in one plain sentence, and where the standards say so.

One row a field, by the layer and the name that the dissector gives it. A layer that is one of a family, such as the
two Identification payloads, has the family's rows.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """`sentence` is without a full stop; `clause` is the section that defines the field."""

    sentence: str
    clause: str


NOTHING = Meaning("", "")


def meaning(layer: str, field: str) -> Meaning:
    """What a field of a layer is for; nothing where no row speaks of it."""
    family = _FAMILIES.get(_NUMBER.sub("", layer), _NUMBER.sub("", layer))
    rows = MEANINGS.get(family, {})
    sentence, clause = rows.get(field) or _of_any(family, field)
    return Meaning(sentence, clause)


_NUMBER = re.compile(r" \(\d+\)$| \d+$")
_FAMILIES = {
    "Original datagram": "IPv4",
    "Invoking packet": "IPv6",
    "Identification - Initiator": "Identification",
    "Identification - Responder": "Identification",
    "Traffic Selector - Initiator": "Traffic Selectors",
    "Traffic Selector - Responder": "Traffic Selectors",
    "Encrypted and Authenticated Fragment": "Encrypted and Authenticated",
}

Rows = dict[str, tuple[str, str]]

_PAYLOAD: Rows = {
    "Next Payload": ("which kind of payload follows, 0 for none", "RFC 7296 3.2"),
    "Critical": ("1: who does not know this payload must refuse the message", "RFC 7296 3.2"),
    "RESERVED": ("sent as 0 and not looked at", "RFC 7296 3.2"),
    "Payload Length": ("bytes of this payload, these four included", "RFC 7296 3.2"),
}


def _of_any(family: str, field: str) -> tuple[str, str]:
    """Rows that many layers share."""
    if field.startswith("Fragment of "):
        clause = (
            "RFC 8200 4.5" if family == "IPv6" else "RFC 7383 2.5" if "payloads" in field else "RFC 791 3.2"
        )
        return "a piece; it makes sense only once all pieces are together", clause
    if family in _PAYLOADS:
        return _PAYLOAD.get(field, ("", ""))
    return "", ""


_DSCP = ("how urgent the packet is; routers may change it", "RFC 2474 3")
_ECN = ("lets a router say that it is congested, instead of dropping", "RFC 3168 5")

MEANINGS: dict[str, Rows] = {
    "IPv4": {
        "Version": ("4", "RFC 791 3.1"),
        "IHL": ("length of this header", "RFC 791 3.1"),
        "DSCP": _DSCP,
        "ECN": _ECN,
        "Total Length": ("header and everything inside", "RFC 791 3.1"),
        "Identification": ("names the fragments of one packet", "RFC 6864 4"),
        "Flags": ("may it be cut into fragments, and do more follow", "RFC 791 3.1"),
        "Fragment Offset": ("where a fragment belongs in the whole packet", "RFC 791 3.1"),
        "Time to Live": ("each router takes one away; at 0 the packet is dropped", "RFC 791 3.1"),
        "Protocol": ("what stands behind this header", "RFC 791 3.1"),
        "Header Checksum": ("finds accidents in the header, and is mended at every hop", "RFC 791 3.1"),
        "Source Address": ("who sent it, as far as this header says", "RFC 791 3.1"),
        "Destination Address": ("where it is to go", "RFC 791 3.1"),
    },
    "IPv6": {
        "Version": ("6", "RFC 8200 3"),
        "DSCP": _DSCP,
        "ECN": _ECN,
        "Flow Label": ("marks packets that belong together", "RFC 8200 3"),
        "Payload Length": ("bytes behind this header", "RFC 8200 3"),
        "Next Header": ("what stands behind this header", "RFC 8200 3"),
        "Hop Limit": ("each router takes one away; at 0 the packet is dropped", "RFC 8200 3"),
        "Source Address": ("who sent it, as far as this header says", "RFC 8200 3"),
        "Destination Address": ("where it is to go", "RFC 8200 3"),
    },
    "UDP": {
        "Source Port": ("which program sent it; a NAT may change it", "RFC 768"),
        "Destination Port": ("which program it is for", "RFC 768"),
        "Length": ("header and data", "RFC 768"),
        "Checksum": ("finds accidents in data, ports and addresses; 0 is none", "RFC 768"),
        "Data": ("what the program sent", "RFC 768"),
        "Non-ESP Marker": ("four zeros where ESP has its SPI: this is IKE", "RFC 3948 2.2"),
        "NAT-keepalive": ("one byte, only so that a NAT on the way does not forget", "RFC 3948 2.3"),
    },
    "TCP": {
        "Source Port": ("which program sent it; a NAT may change it", "RFC 9293 3.1"),
        "Destination Port": ("which program it is for", "RFC 9293 3.1"),
        "Checksum": ("finds accidents in data, ports and addresses", "RFC 9293 3.1"),
    },
    "ICMP": {
        "Type": ("what kind of message", "RFC 792"),
        "Code": ("what exactly", "RFC 792"),
        "Checksum": ("finds accidents in the message; no addresses are counted", "RFC 792"),
        "Identifier": ("tells the pings of one program from another's", "RFC 792"),
        "Sequence Number": ("which ping of them", "RFC 792"),
        "Data": ("comes back as it was sent", "RFC 792"),
        "unused": ("zero", "RFC 792"),
        "Rest of Header": ("depends on the type; zero here", "RFC 792"),
        "Next-Hop MTU": ("the largest packet that the next link takes", "RFC 1191 4"),
    },
    "ICMPv6": {
        "Type": ("what kind of message; below 128 an error", "RFC 4443 2.1"),
        "Code": ("what exactly", "RFC 4443 2.1"),
        "Checksum": ("finds accidents in the message and in the addresses", "RFC 4443 2.3"),
        "Identifier": ("tells the pings of one program from another's", "RFC 4443 4.1"),
        "Sequence Number": ("which ping of them", "RFC 4443 4.1"),
        "Data": ("comes back as it was sent", "RFC 4443 4.1"),
        "MTU": ("the largest packet that the next link takes", "RFC 4443 3.2"),
    },
    "ESP": {
        "Security Parameters Index (SPI)": (
            "which SA of the receiver it is for: where the keys are",
            "RFC 4303 2.1",
        ),
        "Sequence Number": ("counts packets, so that none is taken twice", "RFC 4303 2.2"),
        "IV": ("starts the cipher differently for each packet", "RFC 4303 2.3"),
        "IV, Payload Data and ICV": ("sealed: no key here", "RFC 4303 2.3"),
        "Payload Data, sealed": ("a receiver does not look in: the seal is broken", "RFC 4303 3.4.4"),
        "Padding": ("fills up to what the cipher or the alignment asks for", "RFC 4303 2.4"),
        "Pad Length": ("how many bytes of padding stand in front", "RFC 4303 2.5"),
        "Next Header": ("what is inside: 4 or 41 is a whole packet", "RFC 4303 2.6"),
        "Integrity Check Value (ICV)": (
            "the seal: one changed bit from the SPI on breaks it",
            "RFC 4303 2.8",
        ),
    },
    "AH": {
        "Next Header": ("what stands behind AH", "RFC 4302 2.1"),
        "Payload Len": ("length of AH in words of 4 bytes, less 2", "RFC 4302 2.2"),
        "RESERVED": ("zero, and sealed", "RFC 4302 2.3"),
        "Security Parameters Index (SPI)": (
            "which SA of the receiver it is for: where the keys are",
            "RFC 4302 2.4",
        ),
        "Sequence Number": ("counts packets, so that none is taken twice", "RFC 4302 2.5"),
        "Integrity Check Value (ICV)": (
            "the seal: over the IP header too, but for what may change",
            "RFC 4302 2.6",
        ),
        "Padding": ("aligns AH; sealed as well", "RFC 4302 2.6"),
    },
    "IKE": {
        "IKE SA Initiator's SPI": ("the initiator's name for this IKE SA", "RFC 7296 3.1"),
        "IKE SA Responder's SPI": ("the responder's name for it; 0 in the first message", "RFC 7296 3.1"),
        "Next Payload": ("which kind of payload comes first", "RFC 7296 3.1"),
        "Major Version": ("2 for IKEv2", "RFC 7296 3.1"),
        "Minor Version": ("0", "RFC 7296 3.1"),
        "Exchange Type": ("what the message and its answer are about", "RFC 7296 3.1"),
        "Flags": ("from the initiator or not, request or response", "RFC 7296 3.1"),
        "Message ID": ("counts requests; an answer has the number of its request", "RFC 7296 2.2"),
        "Length": ("header and all payloads", "RFC 7296 3.1"),
    },
    "Encrypted and Authenticated": {
        "Next Payload": ("which kind of payload comes first inside", "RFC 7296 3.14"),
        "Initialization Vector": ("starts the cipher differently for each message", "RFC 7296 3.14"),
        "IV, Encrypted IKE Payloads and ICV": ("sealed: no key here", "RFC 7296 3.14"),
        "Padding": ("fills up to what the cipher asks for", "RFC 7296 3.14"),
        "Pad Length": ("how many bytes of padding stand in front", "RFC 7296 3.14"),
        "Integrity Checksum Data": ("the seal, over the message from its first byte", "RFC 7296 3.14"),
        "Fragment Number": ("which piece of the message, from 1", "RFC 7383 2.5"),
        "Total Fragments": ("of how many; each has a seal of its own", "RFC 7383 2.5"),
    },
    "Proposal": {
        "Last Substruc": ("2: another proposal follows; 0: the last", "RFC 7296 3.3.1"),
        "RESERVED": ("sent as 0 and not looked at", "RFC 7296 3.3.1"),
        "Proposal Length": ("with all its transforms", "RFC 7296 3.3.1"),
        "Proposal Num": ("counts proposals from 1; an answer repeats the one chosen", "RFC 7296 3.3.1"),
        "Protocol ID": ("for IKE itself, for ESP or for AH", "RFC 7296 3.3.1"),
        "SPI Size": ("of the SPI behind it; 0 in the first exchange", "RFC 7296 3.3.1"),
        "Num Transforms": ("how many algorithms are offered", "RFC 7296 3.3.1"),
        "SPI": ("the sender's name for the SA: what it will receive on", "RFC 7296 3.3.1"),
    },
    "Transform": {
        "Last Substruc": ("3: another transform follows; 0: the last", "RFC 7296 3.3.2"),
        "RESERVED": ("sent as 0 and not looked at", "RFC 7296 3.3.2"),
        "Transform Length": ("with its attributes", "RFC 7296 3.3.2"),
        "Transform Type": ("cipher, PRF, integrity, key exchange, or sequence numbers", "RFC 7296 3.3.2"),
        "Transform ID": ("which algorithm", "RFC 7296 3.3.2"),
    },
    "Transform Attribute": {
        "Attribute Format": ("1: the value stands in two bytes", "RFC 7296 3.3.5"),
        "Attribute Type": ("14 is the key length, the only one there is", "RFC 7296 3.3.5"),
        "Attribute Value": ("bits of the key", "RFC 7296 3.3.5"),
    },
    "Security Association": {},
    "Key Exchange": {
        "Diffie-Hellman Group Num": ("in which group the value is", "RFC 7296 3.4"),
        "Key Exchange Data": ("one half of the exchange; it may be seen by all", "RFC 7296 3.4"),
    },
    "Identification": {
        "ID Type": ("a name, an address, or what else names a peer", "RFC 7296 3.5"),
        "Identification Data": ("who the sender says it is", "RFC 7296 3.5"),
    },
    "Certificate": {
        "Cert Encoding": ("what kind of certificate", "RFC 7296 3.6"),
        "Certificate Data": ("binds a name to a public key, signed by an authority", "RFC 7296 3.6"),
    },
    "Certificate Request": {
        "Cert Encoding": ("what kind of certificate is wanted", "RFC 7296 3.7"),
        "Certification Authority": ("hashes of the authorities that are trusted", "RFC 7296 3.7"),
    },
    "Authentication": {
        "Auth Method": ("by pre-shared key, or by which kind of signature", "RFC 7296 3.8"),
        "Authentication Data": ("the proof, over the first message and the identity", "RFC 7296 2.15"),
    },
    "Nonce": {"Nonce Data": ("chance, so that no two SAs have the same keys", "RFC 7296 2.10")},
    "Notify": {
        "Protocol ID": ("which SA it is about, if any", "RFC 7296 3.10"),
        "SPI Size": ("of the SPI behind it; mostly 0", "RFC 7296 3.10"),
        "Notify Message Type": ("what is told: below 16384 an error", "RFC 7296 3.10.1"),
        "SPI": ("the SA that it is about", "RFC 7296 3.10"),
        "Notification Data": ("what there is to say about it", "RFC 7296 3.10"),
    },
    "Delete": {
        "Protocol ID": ("SAs of IKE, of ESP or of AH", "RFC 7296 3.11"),
        "SPI Size": ("4 for ESP and AH; 0 for the IKE SA itself", "RFC 7296 3.11"),
        "Num of SPIs": ("how many SAs go", "RFC 7296 3.11"),
        "SPI": ("on which the sender will receive no more", "RFC 7296 3.11"),
    },
    "Vendor ID": {},
    "Traffic Selectors": {"Number of TSs": ("how many ranges follow", "RFC 7296 3.13")},
    "Traffic Selector": {
        "TS Type": ("IPv4 or IPv6", "RFC 7296 3.13.1"),
        "IP Protocol ID": ("0 for any", "RFC 7296 3.13.1"),
        "Selector Length": ("of this selector", "RFC 7296 3.13.1"),
        "Start Port": ("the lowest port; for ICMP type and code", "RFC 7296 3.13.1"),
        "End Port": ("the highest port", "RFC 7296 3.13.1"),
        "Starting Address": ("the lowest address that may go through", "RFC 7296 3.13.1"),
        "Ending Address": ("the highest one", "RFC 7296 3.13.1"),
    },
    "Configuration": {"CFG Type": ("asks, or answers", "RFC 7296 3.15")},
    "Configuration Attribute": {
        "Reserved": ("sent as 0 and not looked at", "RFC 7296 3.15.1"),
        "Attribute Type": ("what is asked for or given", "RFC 7296 3.15.1"),
        "Length": ("of the value", "RFC 7296 3.15.1"),
        "Value": ("an address, a network, or empty in a question", "RFC 7296 3.15.1"),
    },
}

_PAYLOADS = frozenset(MEANINGS) - {
    *("IPv4", "IPv6", "UDP", "TCP", "ICMP", "ICMPv6", "ESP", "AH", "IKE"),
    *("Proposal", "Transform", "Transform Attribute", "Traffic Selector", "Configuration Attribute"),
}
