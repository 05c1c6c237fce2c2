"""The other end of an SA, played by scapy: an independent reading of RFC 4302 and RFC 4303.

scapy is an installed tool and optional: nothing here is imported before `missing` said that it is there.
"""

from importlib.util import find_spec
from typing import Any

from ipsecsim.base.address import unpack
from ipsecsim.crypto.catalogue import AhSuite, EspSuite
from ipsecsim.ipsec.association import Mode, SaParameters
from ipsecsim.wire.numbers import IpProtocol

HOW_TO_GET_IT = "scapy is not installed: `pip install scapy` (it is among the dev extras)"

ENCRYPTION: dict[str, str] = {
    "aes-gcm-16": "AES-GCM",
    "aes-ccm-16": "AES-CCM",
    "aes-ccm-12": "AES-CCM",
    "aes-ccm-8": "AES-CCM",
    "aes-gmac": "AES-NULL-GMAC",
    "aes-cbc": "AES-CBC",
    "aes-ctr": "AES-CTR",
    "chacha20-poly1305": "CHACHA20-POLY1305",
    "3des-cbc": "3DES",
    "des-cbc": "DES",
    "null": "NULL",
}
"""By the names of our catalogue's rows; a cipher that is not here scapy does not have."""

INTEGRITY: dict[str, str] = {
    "hmac-sha2-256-128": "SHA2-256-128",
    "hmac-sha2-384-192": "SHA2-384-192",
    "hmac-sha2-512-256": "SHA2-512-256",
    "hmac-sha1-96": "HMAC-SHA1-96",
    "hmac-md5-96": "HMAC-MD5-96",
    "aes-cmac-96": "AES-CMAC-96",
}
UNKNOWN_TO_SCAPY = frozenset(
    [
        "aes-gcm-12",  # its AES-GCM always writes 16 bytes of ICV
        "aes-gcm-8",
        "aes-gcm-16-iiv",
        "chacha20-poly1305-iiv",
        "aes-ccm-8-iiv",
        "camellia-cbc",
        "aes-xcbc-96",
        "aes-128-gmac",
        "aes-192-gmac",
        "aes-256-gmac",
        "hmac-sha1-160",
        "hmac-sha2-256-96",
        "hmac-md5-128",
    ]
)
"""Rows that scapy 2.8 has no counterpart of."""


def missing() -> bool:
    """Is there no scapy on this machine?"""
    return find_spec("scapy") is None


def knows(suite: EspSuite | AhSuite) -> bool:
    """Does scapy have all algorithms of a suite?"""
    if isinstance(suite, AhSuite):
        return suite.integrity.name in INTEGRITY
    integrity = suite.integrity is None or suite.integrity.name in INTEGRITY
    return suite.encryption.name in ENCRYPTION and integrity


class ScapyPeer:
    """One SA in scapy's hands, both for sealing and for opening."""

    def __init__(self, parameters: SaParameters) -> None:
        from scapy.layers.inet import IP, UDP
        from scapy.layers.inet6 import IPv6
        from scapy.layers.ipsec import AH, ESP, SecurityAssociation

        self._readers = {4: IP, 6: IPv6}
        suite = parameters.suite
        options: dict[str, Any] = {"spi": parameters.spi, "seq_num": (parameters.sequence + 1) % 2**32}
        if isinstance(suite, EspSuite):
            cipher = suite.encryption
            options |= {"crypt_algo": ENCRYPTION[cipher.name], "crypt_key": parameters.encryption_key}
            if cipher.combined:
                options |= {"crypt_icv_size": cipher.icv}
        if suite.integrity is not None:
            options |= {"auth_algo": INTEGRITY[suite.integrity.name], "auth_key": parameters.integrity_key}
        if parameters.mode is Mode.TUNNEL:
            kind = IP if len(parameters.source) == 4 else IPv6
            options["tunnel_header"] = kind(src=unpack(parameters.source), dst=unpack(parameters.destination))
        if parameters.udp_ports is not None:
            options["nat_t_header"] = UDP(sport=parameters.udp_ports[0], dport=parameters.udp_ports[1])
        if parameters.extended_sequence:
            options |= {"esn_en": True, "esn": (parameters.sequence + 1) >> 32}
        self._sa = SecurityAssociation(AH if parameters.protocol == IpProtocol.AH else ESP, **options)

    def seal(self, packet: bytes) -> bytes:
        """A protected IP packet around `packet`."""
        return bytes(self._sa.encrypt(self._read(packet)))

    def open(self, packet: bytes) -> bytes:
        """What was in a protected IP packet. Raises what scapy raises when it does not believe it."""
        return bytes(self._sa.decrypt(self._read(packet)))

    def _read(self, packet: bytes) -> Any:
        return self._readers[packet[0] >> 4](packet)
