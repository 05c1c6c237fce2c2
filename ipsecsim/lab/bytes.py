"""A packet's bytes at one place: ordinary bytes to compute with, that show every field when looked at."""

from html import escape
from typing import Self

from ipsecsim.lab.shown import Shown
from ipsecsim.observe.packets.xray import Xray, xray
from ipsecsim.views import xray_text
from ipsecsim.wire.headers import first
from ipsecsim.wire.layout import Field
from ipsecsim.wire.numbers import IpProtocol
from ipsecsim.wire.opening import Opener


class Bytes(Shown, bytes):
    """`packet[32:48]`, `len(packet)` and `==` as of any bytes; printed, it is its fields with their byte ranges."""

    where: str
    _keys: Opener | None

    def __new__(cls, data: bytes, where: str, keys: Opener | None = None) -> Self:
        """The bytes, and in words where they were seen."""
        made = super().__new__(cls, data)
        made.where, made._keys = where, keys
        return made

    @property
    def xray(self) -> Xray:
        """Field by field, opened with the keys of the run."""
        return xray(bytes(self), self._keys)

    def field(self, *names: str) -> Field:
        """The field reached by these names, each the first of its kind below the one before. Raises KeyError."""
        found = self.xray.root.find(*names)
        if found is None:
            raise KeyError(" / ".join(names))
        return found

    def seal_notices(self, at: int) -> bool:
        """Does the outermost seal break when every bit of the byte at `at` is turned over?

        The seal alone is asked, none of the checks before it: a wrong header checksum does not count.
        """
        changed = bytearray(self)
        changed[at] ^= 0xFF
        authentic, sealed = (first(self, kind) for kind in (IpProtocol.AH, IpProtocol.ESP))
        if self._keys is not None and authentic is not None:
            if authentic.start + 4 <= at < authentic.start + 8:
                return True  # another SPI is another SA's, which has another key or none
            return bool(self._keys.ah(bytes(changed), authentic.start))
        if self._keys is not None and sealed is not None:
            opened = self._keys.esp(bytes(changed[sealed.start :]))
            return opened is None or bool(opened.fault)
        return True

    def diff(self, other: "Bytes") -> "Diff":
        """What differs between these bytes and others."""
        return Diff(self, other)

    def text(self) -> str:
        """A line a field, in the words of `ipsecsim packet`."""
        fields = xray_text.fields(self.xray)
        return "\n".join([f"{self.where}   {len(self)} B", *(f"  {line}" for line in fields)])

    def __repr__(self) -> str:
        return self.text()

    def __str__(self) -> str:
        return self.text()

    __hash__ = bytes.__hash__


class Diff(Shown):
    """Two packets, byte by byte. `bytes` are the positions that differ, `fields` the names of the fields there."""

    def __init__(self, before: Bytes, after: Bytes) -> None:
        self.before, self.after = before, after
        short = min(len(before), len(after))
        self.bytes = tuple(
            at for at in range(max(len(before), len(after))) if at >= short or before[at] != after[at]
        )

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields that differ, in their order."""
        return tuple(field.name for field, _ in self._changed())

    def text(self) -> str:
        """Which bytes differ, field by field, with what was there before."""
        head = (
            f"{self.before.where} | {self.after.where}   {len(self.bytes)} of {len(self.after)} bytes differ"
        )
        if len(self.before) != len(self.after):
            head += f" ({len(self.before)} B | {len(self.after)} B)"
        return "\n".join([head, *(f"  {line}" for line in self._lines())])

    def html(self) -> str:
        """The list, with the bytes of both; those that differ are boxed, starred and bold, never coloured alone."""
        rows = "".join(
            f'<div>{escape(each.where)}</div><code style="overflow-wrap:anywhere">{self._marked(each)}</code>'
            for each in (self.before, self.after)
        )
        return f"{rows}{super().html()}"

    def _marked(self, data: Bytes) -> str:
        differs = set(self.bytes)
        cells = []
        for at, octet in enumerate(bytes(data)):
            text = f"{octet:02x}"
            box = '<b style="border:1px solid;padding:0 1px">{}*</b>'
            cells.append(box.format(text) if at in differs else text)
        return " ".join(cells)

    def _lines(self) -> list[str]:
        lines = []
        for old, new in self._changed():
            where = f"{old.start}-{old.end - 1}" if old.end - old.start > 1 else f"{old.start}"
            was, now = (bytes(data[old.start : old.end]).hex() for data in (self.before, self.after))
            lines.append(f"bytes {where:>6}  {old.name:<20} {was} > {now}   {old.value} > {new.value}")
        return lines

    def _changed(self) -> list[tuple[Field, Field]]:
        """The smallest fields that differ, as they were and as they are."""
        pairs = zip(_leaves(self.before), _leaves(self.after), strict=False)
        return [
            (old, new)
            for old, new in pairs
            if (old.start, old.end) == (new.start, new.end)
            and self.before[old.start : old.end] != self.after[new.start : new.end]
            and (old.bits is None or old.value != new.value)
        ]


def _leaves(data: Bytes) -> list[Field]:
    return [field for _, field in data.xray.root.walk() if not field.children]
