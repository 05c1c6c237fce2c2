"""Tunnel mode: the fields of the outer header, made from the inner one (RFC 4301 5.1.2)."""

_DF = 0x40


def outer_tos(inner: bytes) -> int:
    """DSCP and ECN are copied out (RFC 4301 5.1.2.1; ECN as in the normal mode of RFC 6040 4.1)."""
    return inner[1]


def outer_dont_fragment(inner: bytes) -> bool:
    """DF is copied out, so that path MTU discovery reaches the sender (RFC 4301 8.1)."""
    return bool(inner[6] & _DF)
