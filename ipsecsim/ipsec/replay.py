"""The anti-replay window: one integer, its lowest bit the highest sequence number seen (RFC 4303 3.4.3, A2)."""

from ipsecsim.base.drop_reasons import DropReason

_SUBSPACE = 1 << 32  # numbers that share a high half
_LAST_HIGH = _SUBSPACE - 1


class ReplayWindow:
    """Says which sequence numbers were seen. `check` before the ICV, `accept` only after it held.

    Numbers are whole: with extended ones, `whole` finds the high half that was not sent. A `size` of 0 means
    that anti-replay is off. `top` is the right edge to start from.
    """

    __slots__ = ("_extended", "_mask", "seen", "size", "top")

    def __init__(self, size: int, top: int = 0, *, extended: bool = False) -> None:
        self.size = size
        self.top = top
        self.seen = 0
        self._mask = (1 << size) - 1
        self._extended = extended

    def whole(self, low: int) -> int:
        """The number whose low half was received (RFC 4303 A2.2); without extended numbers, itself.

        The window never spans more than one subspace, so a low half left of it belongs to the next one. Below 0
        for a number left of the very first one, which `check` refuses.
        """
        if not self._extended:
            return low
        high, top_low = divmod(self.top, _SUBSPACE)
        bottom = top_low - self.size + 1
        if bottom >= 0:  # case A: the window lies within one subspace
            # behind the last subspace there is none: there, left of the window is what it seems to be
            return (high if low >= bottom or high == _LAST_HIGH else high + 1) * _SUBSPACE + low
        # case B: the window reaches back into the subspace before
        return (high - 1 if low >= bottom + _SUBSPACE else high) * _SUBSPACE + low

    def check(self, sequence: int) -> DropReason | None:
        """Why `sequence` must be dropped, or None when it may be tried. Changes nothing."""
        if sequence > self.top or not self.size:
            return None
        if sequence == 0:
            return DropReason.SEQ_ZERO
        age = self.top - sequence
        if age >= self.size or sequence < 0:
            return DropReason.REPLAY_OLD
        return DropReason.REPLAY_SEEN if self.seen >> age & 1 else None

    def accept(self, sequence: int) -> None:
        """Note a number whose packet proved authentic; only this moves the window."""
        if sequence > self.top:
            shift = sequence - self.top
            # a jump past the whole window forgets all of it; shifting that far would waste time and memory
            self.seen = 1 if shift >= self.size else (self.seen << shift | 1) & self._mask
            self.top = sequence
        elif self.size:
            self.seen |= 1 << (self.top - sequence)

    def picture(self, cells: int = 32) -> str:
        """The last `cells` numbers, newest right: '1' seen, '.' not seen."""
        shown = min(cells, self.size)
        return f"{self.seen & (1 << shown) - 1:0{shown}b}".replace("0", ".") if shown else ""
