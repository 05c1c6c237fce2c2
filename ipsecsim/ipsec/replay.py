"""The anti-replay window: one integer, its lowest bit the highest sequence number seen (RFC 4303 3.4.3)."""

from ipsecsim.base.drop_reasons import DropReason


class ReplayWindow:
    """Says which sequence numbers were seen. `check` before the ICV, `accept` only after it held."""

    __slots__ = ("_mask", "seen", "size", "top")

    def __init__(self, size: int) -> None:
        self.size = size
        self.top = 0
        self.seen = 0
        self._mask = (1 << size) - 1

    def check(self, sequence: int) -> DropReason | None:
        """Why `sequence` must be dropped, or None when it may be tried. Changes nothing."""
        if sequence > self.top:
            return None
        if sequence == 0:
            return DropReason.SEQ_ZERO
        age = self.top - sequence
        if age >= self.size:
            return DropReason.REPLAY_OLD
        return DropReason.REPLAY_SEEN if self.seen >> age & 1 else None

    def accept(self, sequence: int) -> None:
        """Note a number whose packet proved authentic; only this moves the window."""
        if sequence > self.top:
            shift = sequence - self.top
            # a jump past the whole window forgets all of it; shifting that far would waste time and memory
            self.seen = 1 if shift >= self.size else (self.seen << shift | 1) & self._mask
            self.top = sequence
        else:
            self.seen |= 1 << (self.top - sequence)

    def picture(self, cells: int = 32) -> str:
        """The last `cells` numbers, newest right: '1' seen, '.' not seen."""
        shown = min(cells, self.size)
        return "".join("1" if self.seen >> age & 1 else "." for age in reversed(range(shown)))
