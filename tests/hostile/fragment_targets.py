"""The IKE endpoint and a peer that has the keys, and cuts what it says into fragments of its own taste."""

from collections import deque
from random import Random

from ipsecsim.ike.v2.messages import envelope, fragments
from ipsecsim.ike.v2.messages.envelope import Content
from ipsecsim.ike.v2.messages.fragments import MOST_BYTES, MOST_FRAGMENTS
from ipsecsim.wire.ike.encrypted import FRAGMENT_FIELDS
from ipsecsim.wire.ike.header import IkeHeader
from tests.hostile import mutators
from tests.hostile.ike_targets import SealedIke
from tests.hostile.target import require

_CUT = (40, 80, 200, 548)


class FragmentedIke(SealedIke):
    """Fragments under good seals: out of order, with wrong numbers, doubled, missing, of several messages."""

    name = "IKE, in fragments"
    share = 100

    def __init__(self, chance: Random) -> None:
        self._waiting: deque[bytes] = deque()
        self._recent: deque[bytes] = deque(maxlen=100)
        super().__init__(chance)

    def restore(self) -> None:
        """Put the victim back to where it began; what was on its way is for nobody."""
        super().restore()
        self._waiting.clear()

    def next_input(self) -> bytes:
        self._prepare()
        if not self._waiting:
            self._cut_another()
        return self._waiting.popleft()

    def _cut_another(self) -> None:
        """One more message, in pieces; some that were on their way may still come."""
        chance = self.chance
        first, chain = self._chain()
        self._recent.append(chain)
        raw = self._addressed(first, self._padded(chain))
        if chance.random() < 0.1 or not chain:
            self._waiting.append(raw)
            return
        pieces = self._pieces(raw, Content(first & 0xFF, chain[:20_000]))
        if chance.random() < 0.5:
            chance.shuffle(pieces)
        if chance.random() < 0.3:
            pieces.append(chance.choice(pieces))
        if chance.random() < 0.2:
            pieces.pop(chance.randrange(len(pieces)))
        self._waiting.extend(pieces or [raw])

    def _pieces(self, raw: bytes, content: Content) -> list[bytes]:
        chance, protection = self.chance, self.made.protection
        assert protection is not None
        header = IkeHeader.parse(raw)
        around = 28 + 8 + protection.iv_length + protection.icv_length
        limit = around + max(chance.choice(_CUT), len(content.inner) // 40)
        pieces = fragments.cut(header, content, protection, limit)
        if chance.random() < 0.3:
            number, total = (
                mutators.number(chance, (0, 1, 2, len(pieces), 256, 257, 65535)) for _ in range(2)
            )
            fields = FRAGMENT_FIELDS.pack(number & 0xFFFF, total & 0xFFFF)
            part = Content(content.first_inner, content.inner[: chance.choice((0, 1, 100, 9000))])
            pieces.insert(
                chance.randrange(len(pieces) + 1), envelope.seal_content(header, part, protection, fields)
            )
        return pieces

    def feed(self, data: bytes) -> str:
        # a proof may come in pieces of several messages
        self._inside = (0, b"".join(self._recent))
        became = super().feed(data)
        for sa in self.made.endpoint.sas:
            for known in sa.fragments.values():
                require(known.size <= MOST_BYTES, f"{known.size} bytes of fragments are kept")
                require(len(known.pieces) < known.total <= MOST_FRAGMENTS, "a set is kept that is whole")
            require(len(sa.fragments) <= 2, "more than one set in one direction")
        return became
