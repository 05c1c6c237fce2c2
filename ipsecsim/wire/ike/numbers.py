"""Here is every assigned number an IKEv2 message carries, except transform IDs (`transform_names`).

All of them are open: a field holds any int, and `name_of` has words for those without a row.
Sections in brackets are of RFC 7296 unless another RFC is named.
"""

import re
from enum import IntEnum


class ExchangeType(IntEnum):
    """What kind of conversation a message belongs to (3.1)."""

    IKE_SA_INIT = 34
    IKE_AUTH = 35
    CREATE_CHILD_SA = 36
    INFORMATIONAL = 37
    IKE_SESSION_RESUME = 38  # RFC 5723 4.3.2
    IKE_INTERMEDIATE = 43  # RFC 9242 3.2
    IKE_FOLLOWUP_KE = 44  # RFC 9370 2.2.4


class PayloadType(IntEnum):
    """Next Payload values (3.2)."""

    NONE = 0
    SA = 33
    KE = 34
    IDi = 35
    IDr = 36
    CERT = 37
    CERTREQ = 38
    AUTH = 39
    NONCE = 40
    NOTIFY = 41
    DELETE = 42
    VENDOR = 43
    TSi = 44
    TSr = 45
    SK = 46
    CP = 47
    EAP = 48
    GSPM = 49  # RFC 6467 3
    SKF = 53  # RFC 7383 2.5
    PS = 54  # RFC 8019 8.2

    @property
    def notation(self) -> str:
        """What exchanges in the RFC call it: 'SA', 'N' for Notify."""
        return _PAYLOAD_NAMES[self][0]

    @property
    def title(self) -> str:
        """Its full name: 'Security Association'."""
        return _PAYLOAD_NAMES[self][1]


# The RFC's notation in exchanges, and the full name (3.2).
_PAYLOAD_NAMES = {
    PayloadType.NONE: ("none", "No Next Payload"),
    PayloadType.SA: ("SA", "Security Association"),
    PayloadType.KE: ("KE", "Key Exchange"),
    PayloadType.IDi: ("IDi", "Identification - Initiator"),
    PayloadType.IDr: ("IDr", "Identification - Responder"),
    PayloadType.CERT: ("CERT", "Certificate"),
    PayloadType.CERTREQ: ("CERTREQ", "Certificate Request"),
    PayloadType.AUTH: ("AUTH", "Authentication"),
    PayloadType.NONCE: ("Nonce", "Nonce"),
    PayloadType.NOTIFY: ("N", "Notify"),
    PayloadType.DELETE: ("D", "Delete"),
    PayloadType.VENDOR: ("V", "Vendor ID"),
    PayloadType.TSi: ("TSi", "Traffic Selector - Initiator"),
    PayloadType.TSr: ("TSr", "Traffic Selector - Responder"),
    PayloadType.SK: ("SK", "Encrypted and Authenticated"),
    PayloadType.CP: ("CP", "Configuration"),
    PayloadType.EAP: ("EAP", "Extensible Authentication"),
    PayloadType.GSPM: ("GSPM", "Generic Secure Password Method"),
    PayloadType.SKF: ("SKF", "Encrypted and Authenticated Fragment"),
    PayloadType.PS: ("PS", "Puzzle Solution"),
}


class NotifyType(IntEnum):
    """Notify Message Types (3.10.1): errors below 16384, status from there on."""

    UNSUPPORTED_CRITICAL_PAYLOAD = 1
    INVALID_IKE_SPI = 4
    INVALID_MAJOR_VERSION = 5
    INVALID_SYNTAX = 7
    INVALID_MESSAGE_ID = 9
    INVALID_SPI = 11
    NO_PROPOSAL_CHOSEN = 14
    INVALID_KE_PAYLOAD = 17
    AUTHENTICATION_FAILED = 24
    SINGLE_PAIR_REQUIRED = 34
    NO_ADDITIONAL_SAS = 35
    INTERNAL_ADDRESS_FAILURE = 36
    FAILED_CP_REQUIRED = 37
    TS_UNACCEPTABLE = 38
    INVALID_SELECTORS = 39
    UNACCEPTABLE_ADDRESSES = 40  # RFC 4555 6
    UNEXPECTED_NAT_DETECTED = 41  # RFC 4555 6
    TEMPORARY_FAILURE = 43
    CHILD_SA_NOT_FOUND = 44
    STATE_NOT_FOUND = 47  # RFC 9370 4

    INITIAL_CONTACT = 16384
    SET_WINDOW_SIZE = 16385
    ADDITIONAL_TS_POSSIBLE = 16386
    IPCOMP_SUPPORTED = 16387
    NAT_DETECTION_SOURCE_IP = 16388
    NAT_DETECTION_DESTINATION_IP = 16389
    COOKIE = 16390
    USE_TRANSPORT_MODE = 16391
    HTTP_CERT_LOOKUP_SUPPORTED = 16392
    REKEY_SA = 16393
    ESP_TFC_PADDING_NOT_SUPPORTED = 16394
    NON_FIRST_FRAGMENTS_ALSO = 16395
    MOBIKE_SUPPORTED = 16396  # RFC 4555 6, and the six below it
    ADDITIONAL_IP4_ADDRESS = 16397
    ADDITIONAL_IP6_ADDRESS = 16398
    NO_ADDITIONAL_ADDRESSES = 16399
    UPDATE_SA_ADDRESSES = 16400
    COOKIE2 = 16401
    NO_NATS_ALLOWED = 16402
    AUTH_LIFETIME = 16403  # RFC 4478 3
    MULTIPLE_AUTH_SUPPORTED = 16404  # RFC 4739 3.1
    ANOTHER_AUTH_FOLLOWS = 16405  # RFC 4739 3.2
    REDIRECT_SUPPORTED = 16406  # RFC 5685 12, and the two below it
    REDIRECT = 16407
    REDIRECTED_FROM = 16408
    TICKET_LT_OPAQUE = 16409  # RFC 5723 7, and the four below it
    TICKET_REQUEST = 16410
    TICKET_ACK = 16411
    TICKET_NACK = 16412
    TICKET_OPAQUE = 16413
    LINK_ID = 16414  # RFC 5739 5.3
    USE_WESP_MODE = 16415  # RFC 5840 2.3
    EAP_ONLY_AUTHENTICATION = 16417  # RFC 5998 5
    CHILDLESS_IKEV2_SUPPORTED = 16418  # RFC 6023 4
    QUICK_CRASH_DETECTION = 16419  # RFC 6290 10
    IKEV2_MESSAGE_ID_SYNC_SUPPORTED = 16420  # RFC 6311 12, and the three below it
    IPSEC_REPLAY_COUNTER_SYNC_SUPPORTED = 16421
    IKEV2_MESSAGE_ID_SYNC = 16422
    IPSEC_REPLAY_COUNTER_SYNC = 16423
    SECURE_PASSWORD_METHODS = 16424  # RFC 6467 6
    PSK_PERSIST = 16425  # RFC 6631 5.3, and the one below it
    PSK_CONFIRM = 16426
    ERX_SUPPORTED = 16427  # RFC 6867 7
    IKEV2_FRAGMENTATION_SUPPORTED = 16430  # RFC 7383 2.3
    SIGNATURE_HASH_ALGORITHMS = 16431  # RFC 7427 4
    CLONE_IKE_SA_SUPPORTED = 16432  # RFC 7791 6, and the one below it
    CLONE_IKE_SA = 16433
    PUZZLE = 16434  # RFC 8019 8.1
    USE_PPK = 16435  # RFC 8784 3, and the two below it
    PPK_IDENTITY = 16436
    NO_PPK_AUTH = 16437
    INTERMEDIATE_EXCHANGE_SUPPORTED = 16438  # RFC 9242 3.1
    IP4_ALLOWED = 16439  # RFC 8983 7, and the one below it
    IP6_ALLOWED = 16440
    ADDITIONAL_KEY_EXCHANGE = 16441  # RFC 9370 4


class ProtocolId(IntEnum):
    """Which protocol an SA is for (3.3.1)."""

    IKE = 1
    AH = 2
    ESP = 3


class TransformType(IntEnum):
    """What a transform chooses (3.3.2). KE is the RFC's D-H: key exchanges need not be Diffie-Hellman.

    Those from ADDKE1 on are for additional key exchanges (RFC 9370 2.2.1).
    """

    ENCR = 1
    PRF = 2
    INTEG = 3
    KE = 4
    ESN = 5
    ADDKE1 = 6
    ADDKE2 = 7
    ADDKE3 = 8
    ADDKE4 = 9
    ADDKE5 = 10
    ADDKE6 = 11
    ADDKE7 = 12


class AuthMethod(IntEnum):
    """How a peer proves its identity (3.8)."""

    RSA_DIGITAL_SIGNATURE = 1
    SHARED_KEY_MIC = 2
    DSS_DIGITAL_SIGNATURE = 3
    ECDSA_SHA_256_P_256 = 9  # RFC 8247 3.1, and the two below it
    ECDSA_SHA_384_P_384 = 10
    ECDSA_SHA_512_P_521 = 11
    GENERIC_SECURE_PASSWORD = 12  # RFC 6467 6
    NULL = 13  # RFC 7619 2.1
    DIGITAL_SIGNATURE = 14  # RFC 7427 7


class HashAlgorithm(IntEnum):
    """What SIGNATURE_HASH_ALGORITHMS lists (RFC 7427 7)."""

    SHA1 = 1
    SHA2_256 = 2
    SHA2_384 = 3
    SHA2_512 = 4
    IDENTITY = 5  # RFC 8420 2


class IdType(IntEnum):
    """How identification data is to be read (3.5)."""

    ID_IPV4_ADDR = 1
    ID_FQDN = 2
    ID_RFC822_ADDR = 3
    ID_IPV6_ADDR = 5
    ID_DER_ASN1_DN = 9
    ID_DER_ASN1_GN = 10
    ID_KEY_ID = 11
    ID_NULL = 13  # RFC 7619 2.2


class TsType(IntEnum):
    """Kinds of traffic selector (3.13.1)."""

    IPV4_ADDR_RANGE = 7
    IPV6_ADDR_RANGE = 8


class CertificateEncoding(IntEnum):
    """What a CERT holds and a CERTREQ asks for (3.6)."""

    PKCS7_WRAPPED_X509 = 1
    PGP = 2
    DNS_SIGNED_KEY = 3
    X509_SIGNATURE = 4
    KERBEROS_TOKEN = 6
    CRL = 7
    ARL = 8
    SPKI = 9
    X509_ATTRIBUTE = 10
    RAW_RSA_KEY = 11
    HASH_AND_URL_X509 = 12
    HASH_AND_URL_BUNDLE = 13
    RAW_PUBLIC_KEY = 15  # RFC 7670 3


class CfgType(IntEnum):
    """Which way a Configuration payload goes (3.15)."""

    CFG_REQUEST = 1
    CFG_REPLY = 2
    CFG_SET = 3
    CFG_ACK = 4


class CfgAttribute(IntEnum):
    """Configuration Attribute Types (3.15.1)."""

    INTERNAL_IP4_ADDRESS = 1
    INTERNAL_IP4_NETMASK = 2
    INTERNAL_IP4_DNS = 3
    INTERNAL_IP4_NBNS = 4
    INTERNAL_IP4_DHCP = 6
    APPLICATION_VERSION = 7
    INTERNAL_IP6_ADDRESS = 8
    INTERNAL_IP6_DNS = 10
    INTERNAL_IP6_DHCP = 12
    INTERNAL_IP4_SUBNET = 13
    SUPPORTED_ATTRIBUTES = 14
    INTERNAL_IP6_SUBNET = 15
    INTERNAL_IP6_LINK = 17  # RFC 5739 5.1
    INTERNAL_IP6_PREFIX = 18  # RFC 5739 5.2
    INTERNAL_DNS_DOMAIN = 25  # RFC 8598 4.1
    INTERNAL_DNSSEC_TA = 26  # RFC 8598 4.2


def name_of(numbers: type[IntEnum], value: int) -> str:
    """The name of a number: 'IKE_AUTH', or 'exchange type 99' when it has no row in `numbers`."""
    try:
        return numbers(value).name
    except ValueError:
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", numbers.__name__).lower()
        return f"{words} {value}"
