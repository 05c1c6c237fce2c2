"""One published case: its inputs and expected values, and a record of which of them were really used."""

from collections.abc import Callable

from ipsecsim.base.errors import RemoteError
from ipsecsim.crypto.catalogue import Encryption, Group, Integrity, Prf
from tests.vectors import algorithms
from tests.vectors.results import MismatchError, same


class Case:
    """Hands out inputs and compares outputs, and notes both: what nobody looked at proves nothing."""

    def __init__(self, record: dict[str, object]) -> None:
        self.name = str(record["name"])
        self.kind = str(record["kind"])
        self.notes = str(record.get("notes", ""))
        self._inputs = _mapping(record["inputs"], "inputs")
        self._expected = _mapping(record["expected"], "expected")
        self._read: set[str] = set()
        self._compared: set[str] = set()
        self.reached: set[tuple[str, int, int]] = set()

    # inputs

    def has(self, name: str) -> bool:
        """Whether the case gives this input. Asking is not reading."""
        return name in self._inputs

    def octets(self, name: str) -> bytes:
        """An input of octets."""
        return bytes.fromhex(str(self._input(name)))

    def octets_or_none(self, name: str) -> bytes:
        """An input of octets, empty when the case has none."""
        return self.octets(name) if self.has(name) else b""

    def number(self, name: str) -> int:
        """An input number."""
        value = self._input(name)
        if not isinstance(value, int):
            raise MismatchError(f"input {name}: {value!r} is no number")
        return value

    def numbers(self, name: str) -> list[int]:
        """An input list of numbers."""
        value = self._input(name)
        if not isinstance(value, list) or not all(isinstance(each, int) for each in value):
            raise MismatchError(f"input {name}: {value!r:.60} is no list of numbers")
        return value

    def text(self, name: str) -> str:
        """An input word."""
        return str(self._input(name))

    def flag(self, name: str) -> bool:
        """An input that is true or false; false when the case has none."""
        return bool(self._input(name)) if self.has(name) else False

    def _input(self, name: str) -> object:
        if name not in self._inputs:
            raise MismatchError(f"the case has no input {name}")
        self._read.add(name)
        return self._inputs[name]

    # algorithms: through here, so that the case knows which rows it reached

    def encryption(self, name: str, icv: int, key_bits: int) -> Encryption:
        """The cipher's row. Raises NotSupportedError."""
        row = algorithms.encryption(name, icv)
        self.reached.add(("encryption", row.id, key_bits))
        return row

    def integrity(self, name: str, icv: int, key_bits: int = 0) -> Integrity:
        """The integrity row. Raises NotSupportedError."""
        row = algorithms.integrity(name, icv, key_bits)
        self.reached.add(("integrity", row.id, 0))
        return row

    def prf(self) -> Prf:
        """The row of the input `prf` (or `alg`). Raises NotSupportedError."""
        row = algorithms.prf(self.text("prf" if self.has("prf") else "alg"))
        self.reached.add(("prf", row.id, 0))
        return row

    def group(self, name: str = "group") -> Group:
        """The row of an input group. Raises NotSupportedError."""
        row = algorithms.group(self.number(name))
        self.reached.add(("groups", row.id, 0))
        return row

    # expected values

    def expects(self, name: str) -> bool:
        """Whether a value is published under this name. Asking is not comparing."""
        return name in self._expected

    def published(self, name: str) -> object:
        """A published value, for a comparison that `expect` cannot make. Counts as compared."""
        if name not in self._expected:
            raise MismatchError(f"no {name} is published")
        self._compared.add(name)
        return self._expected[name]

    def expect(self, name: str, actual: object) -> None:
        """Compare with the published value. Raises MismatchError."""
        published = self.published(name)
        if isinstance(actual, bytes):
            same(name, actual, bytes.fromhex(str(published)))
        else:
            same(name, (type(actual), actual), (type(published), published))

    def expect_if_given(self, name: str, actual: object) -> None:
        """As `expect`, for values that only some cases of a kind publish."""
        if self.expects(name):
            self.expect(name, actual)

    def expect_refusal(self, name: str, error: type[RemoteError], attempt: Callable[[], object]) -> None:
        """The published value says that this must be refused, and with this error it is."""
        self.published(name)
        try:
            outcome = attempt()
        except error:
            return
        raise MismatchError(f"must be refused, gave {outcome!r:.60}")

    def leftovers(self) -> str:
        """What the case holds that no check looked at; empty when all of it was."""
        if not self._expected:
            return "nothing is expected"
        unread = sorted(self._inputs.keys() - self._read)
        uncompared = sorted(self._expected.keys() - self._compared)
        parts = []
        if uncompared:
            parts.append("never compared: " + ", ".join(uncompared))
        if unread:
            parts.append("never read: " + ", ".join(unread))
        return "; ".join(parts)


def _mapping(value: object, what: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise MismatchError(f"{what} is no mapping")
    return value
