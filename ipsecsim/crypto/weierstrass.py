"""Here is arithmetic on a curve y^2 = x^3 + ax + b, written out, for the one curve that no library at hand has.

For study, not constant-time: how long a multiplication takes tells about its number.
"""

from dataclasses import dataclass

import gmpy2  # type: ignore[import-untyped]  # it ships no stubs

from ipsecsim.base.entropy import Entropy
from ipsecsim.crypto.errors import InvalidPublicValue

Point = tuple[int, int] | None
"""x and y; None is the point at infinity, which is the zero of the addition."""


@dataclass(frozen=True, slots=True)
class Curve:
    """The curve's field, coefficients, base point and the order of that."""

    p: int
    a: int
    b: int
    base: tuple[int, int]
    order: int

    @property
    def length(self) -> int:
        """Bytes of one coordinate."""
        return (self.p.bit_length() + 7) // 8

    def holds(self, x: int, y: int) -> bool:
        """Is that a point of the curve?"""
        return x < self.p and y < self.p and (y * y - (x * x + self.a) * x - self.b) % self.p == 0

    def add(self, one: Point, other: Point) -> Point:
        """The third point of the line through two, mirrored; of the tangent when they are the same."""
        if one is None:
            return other
        if other is None:
            return one
        (x1, y1), (x2, y2) = one, other
        if x1 != x2:
            slope = (y2 - y1) * int(gmpy2.invert(x2 - x1, self.p))
        elif y1 == y2 and y1:
            slope = (3 * x1 * x1 + self.a) * int(gmpy2.invert(2 * y1, self.p))
        else:
            return None
        x3 = (slope * slope - x1 - x2) % self.p
        return x3, (slope * (x1 - x3) - y1) % self.p

    def multiply(self, number: int, point: Point) -> Point:
        """`number` times a point, by doubling and adding."""
        total: Point = None
        while number:
            if number & 1:
                total = self.add(total, point)
            point = self.add(point, point)
            number >>= 1
        return total


BRAINPOOL_P224R1 = Curve(  # RFC 6932 2.1
    p=0xD7C134AA264366862A18302575D1D787B09F075797DA89F57EC8C0FF,
    a=0x68A5E62CA9CE6C1C299803A6C1530B514E182AD8B0042A59CAD29F43,
    b=0x2580F63CCFE44138870713B1A92369E33E2135D266DBB372386C400B,
    base=(
        0x0D9029AD2C7E5CF4340823B2A87DC68C9E4CE3174C1E6EFDEE12C07D,
        0x58AA56F772C0726F24C6B89E4ECDAC24354B9E99CAA3F6D3761402CD,
    ),
    order=0xD7C134AA264366862A18302575D0FB98D116BC4B6DDEBCA3A5A7939F,
)


class Weierstrass:
    """Makes key pairs on such a curve; a public value is x | y, the secret is x (RFC 6954 3)."""

    def __init__(self, curve: Curve) -> None:
        self._curve = curve

    def __call__(self, entropy: Entropy) -> "WeierstrassPair":
        """A fresh pair: a private key from 1 to the order - 1, every one equally likely."""
        return WeierstrassPair(self._curve, 1 + entropy.below(self._curve.order - 1))

    def from_private(self, private: bytes) -> "WeierstrassPair":
        """The pair of a known private key, big-endian."""
        return WeierstrassPair(self._curve, int.from_bytes(private, "big"))


class WeierstrassPair:
    """A private number d and the point dG."""

    __slots__ = ("_curve", "_private", "public")

    def __init__(self, curve: Curve, private: int) -> None:
        self._curve = curve
        self._private = private
        self.public = _emit(curve.multiply(private, curve.base), curve.length)

    def shared_secret(self, peer_public: bytes) -> bytes:
        """The x of the common point. A point off the curve would leak the private key (RFC 6989 2.3)."""
        curve, length = self._curve, self._curve.length
        if len(peer_public) != 2 * length:
            raise InvalidPublicValue(
                f"a public value of {len(peer_public)} bytes, the group's have {2 * length}"
            )
        x, y = int.from_bytes(peer_public[:length], "big"), int.from_bytes(peer_public[length:], "big")
        if not curve.holds(x, y):
            raise InvalidPublicValue("the public value is no point on the curve")
        return _emit(curve.multiply(self._private, (x, y)), length)[:length]


def _emit(point: Point, length: int) -> bytes:
    if point is None:
        raise InvalidPublicValue("the point at infinity")
    return point[0].to_bytes(length, "big") + point[1].to_bytes(length, "big")
