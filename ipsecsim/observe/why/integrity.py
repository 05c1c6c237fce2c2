"""What makes the integrity check fail on packets that nobody has touched."""

from collections.abc import Iterator

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.crypto.catalogue import AH_WORDS, Encryption, Integrity
from ipsecsim.ipsec.association import Direction
from ipsecsim.ipsec.events import SaInstalled
from ipsecsim.observe.record import Record
from ipsecsim.observe.telling.shape import count
from ipsecsim.observe.why.finding import Case, Finding
from ipsecsim.wire.headers import security

_SHOWS_AS = (DropReason.ICV_FAIL, DropReason.AH_ICV_FAIL, DropReason.AH_BAD_LEN, DropReason.ESP_ALIGN)
"""With another length the ICV is looked for in the wrong place; what is left may not even be whole blocks."""


def icv_len_mismatch(case: Case) -> Iterator[Finding]:
    """Both ends have the same keys and algorithm, and cut its ICV to different lengths."""
    found: dict[tuple[str, str, int], list[Record]] = {}
    for row, event in case.drops(*_SHOWS_AS):
        about = security(event.packet)
        if about is not None:
            found.setdefault((row.node, about.protocol, about.spi), []).append(row)
    for (node, protocol, spi), rows in found.items():
        at_receiver = _installed(case, Direction.INBOUND, protocol, spi, rows[0], {node})
        at_sender = _installed(
            case, Direction.OUTBOUND, protocol, spi, rows[0], set(case.simulator.nodes) - {node}
        )
        if at_receiver is None or at_sender is None or not _differ_in_length(at_receiver, at_sender):
            continue
        sentence = (
            f"{node}: the ICV of {count(len(rows), 'packet')} of {protocol} SPI {spi:08x} has "
            f"{_icv(at_sender)} B and is looked for as one of {_icv(at_receiver)} B: "
            f"{at_sender.suite} there, {at_receiver.suite} here, and the same keys"
        )
        yield Finding(Diagnosis.ICV_LEN_MISMATCH, tuple(rows), sentence, ((node, at_receiver.policy),))


def _installed(
    case: Case, direction: Direction, protocol: str, spi: int, before: Record, nodes: set[str]
) -> SaInstalled | None:
    """The newest SA of that SPI on one of the nodes, as it was installed."""
    return next(
        (
            event
            for row, event in reversed(case.of(SaInstalled))
            if row.sequence < before.sequence
            and row.node in nodes
            and (event.direction, event.protocol, event.spi) == (direction.value, protocol, spi)
        ),
        None,
    )


def _differ_in_length(one: SaInstalled, other: SaInstalled) -> bool:
    has_same_keys = (one.encryption_key, one.integrity_key) == (other.encryption_key, other.integrity_key)
    return has_same_keys and _row(one).make == _row(other).make and _icv(one) != _icv(other)


def _row(sa: SaInstalled) -> Encryption | Integrity:
    """The algorithm that makes the ICV: the last word of a suite."""
    row = AH_WORDS[sa.suite.rpartition("-")[2]].row
    assert isinstance(row, Encryption | Integrity)  # noqa: S101 - a suite has no other words
    return row


def _icv(sa: SaInstalled) -> int:
    return _row(sa).icv
