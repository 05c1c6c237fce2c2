"""A packet looked through: every field of every layer, what is under its seals, and how each byte is protected."""

from dataclasses import dataclass

from ipsecsim.wire.dissect import dissect_opened
from ipsecsim.wire.layout import Field
from ipsecsim.wire.opening import Opener


@dataclass(frozen=True, slots=True)
class Xray:
    """`plain` is `packet` with all that could be opened decrypted in its place: byte ranges hold in both."""

    packet: bytes
    plain: bytes
    root: Field


def xray(packet: bytes, keys: Opener | None = None) -> Xray:
    """Look through a packet with these keys, or as somebody who has none. Never raises."""
    root, plain = dissect_opened(packet, keys)
    return Xray(packet, plain, root)
