"""Here are the names of transforms by type and ID, for people to read (RFC 7296 3.3.2 and later RFCs).

Names only: what an algorithm is and whether it can be used is the business of the layer above.
"""

from ipsecsim.wire.ike.numbers import TransformType, name_of

_ENCRYPTION = {
    1: "ENCR_DES_IV64",
    2: "ENCR_DES",
    3: "ENCR_3DES",
    4: "ENCR_RC5",
    5: "ENCR_IDEA",
    6: "ENCR_CAST",
    7: "ENCR_BLOWFISH",
    8: "ENCR_3IDEA",
    9: "ENCR_DES_IV32",
    11: "ENCR_NULL",
    12: "ENCR_AES_CBC",
    13: "ENCR_AES_CTR",
    14: "ENCR_AES_CCM_8",
    15: "ENCR_AES_CCM_12",
    16: "ENCR_AES_CCM_16",
    18: "ENCR_AES_GCM_8",
    19: "ENCR_AES_GCM_12",
    20: "ENCR_AES_GCM_16",
    21: "ENCR_NULL_AUTH_AES_GMAC",
    23: "ENCR_CAMELLIA_CBC",
    24: "ENCR_CAMELLIA_CTR",
    25: "ENCR_CAMELLIA_CCM_8",
    26: "ENCR_CAMELLIA_CCM_12",
    27: "ENCR_CAMELLIA_CCM_16",
    28: "ENCR_CHACHA20_POLY1305",
    29: "ENCR_AES_CCM_8_IIV",
    30: "ENCR_AES_GCM_16_IIV",
    31: "ENCR_CHACHA20_POLY1305_IIV",
}

_PRF = {
    1: "PRF_HMAC_MD5",
    2: "PRF_HMAC_SHA1",
    3: "PRF_HMAC_TIGER",
    4: "PRF_AES128_XCBC",
    5: "PRF_HMAC_SHA2_256",
    6: "PRF_HMAC_SHA2_384",
    7: "PRF_HMAC_SHA2_512",
    8: "PRF_AES128_CMAC",
}

_INTEGRITY = {
    0: "NONE",
    1: "AUTH_HMAC_MD5_96",
    2: "AUTH_HMAC_SHA1_96",
    3: "AUTH_DES_MAC",
    4: "AUTH_KPDK_MD5",
    5: "AUTH_AES_XCBC_96",
    6: "AUTH_HMAC_MD5_128",
    7: "AUTH_HMAC_SHA1_160",
    8: "AUTH_AES_CMAC_96",
    9: "AUTH_AES_128_GMAC",
    10: "AUTH_AES_192_GMAC",
    11: "AUTH_AES_256_GMAC",
    12: "AUTH_HMAC_SHA2_256_128",
    13: "AUTH_HMAC_SHA2_384_192",
    14: "AUTH_HMAC_SHA2_512_256",
    1026: "AUTH_HMAC_SHA2_256_96",  # for private use (RFC 7296 3.3.2); the number is strongSwan's
}

_KEY_EXCHANGE = {
    0: "NONE",
    1: "768-bit MODP Group",
    2: "1024-bit MODP Group",
    5: "1536-bit MODP Group",
    14: "2048-bit MODP Group",
    15: "3072-bit MODP Group",
    16: "4096-bit MODP Group",
    17: "6144-bit MODP Group",
    18: "8192-bit MODP Group",
    19: "256-bit random ECP group",
    20: "384-bit random ECP group",
    21: "521-bit random ECP group",
    22: "1024-bit MODP Group with 160-bit Prime Order Subgroup",
    23: "2048-bit MODP Group with 224-bit Prime Order Subgroup",
    24: "2048-bit MODP Group with 256-bit Prime Order Subgroup",
    25: "192-bit Random ECP Group",
    26: "224-bit Random ECP Group",
    27: "brainpoolP224r1",
    28: "brainpoolP256r1",
    29: "brainpoolP384r1",
    30: "brainpoolP512r1",
    31: "Curve25519",
    32: "Curve448",
}

_ESN = {
    0: "No Extended Sequence Numbers",
    1: "Extended Sequence Numbers",
}

TRANSFORM_NAMES: dict[int, dict[int, str]] = {
    TransformType.ENCR: _ENCRYPTION,
    TransformType.PRF: _PRF,
    TransformType.INTEG: _INTEGRITY,
    TransformType.KE: _KEY_EXCHANGE,
    TransformType.ESN: _ESN,
    **{kind: _KEY_EXCHANGE for kind in TransformType if kind >= TransformType.ADDKE1},
}


def transform_name(transform_type: int, transform_id: int) -> str:
    """The RFC's name of a transform: 'ENCR_AES_GCM_16', or 'ENCR 1024' when it has no row."""
    name = TRANSFORM_NAMES.get(transform_type, {}).get(transform_id)
    return name or f"{name_of(TransformType, transform_type)} {transform_id}"


def group_name(group: int) -> str:
    """The name of a key exchange group, as a KE payload carries its number."""
    return transform_name(TransformType.KE, group)
