"""COL-59 as rows: a standby takes over an IKE SA and synchronises message IDs (RFC 6311).

The words are those of `tests.support.crossing`; every row is played twice, the second time with roles exchanged.
"""

from dataclasses import dataclass

from ipsecsim.base.drop_reasons import DropReason

OLD, NOT_ASKED, NOT_OURS = (
    DropReason.RETRANSMIT_IGNORED,
    DropReason.UNEXPECTED_RESPONSE,
    DropReason.STATE_VIOLATION,
)


@dataclass(frozen=True)
class SyncRow:
    """`west`, `east`: what each drops. `agreed`: how often west comes to new message IDs."""

    about: str
    words: str
    west: tuple[DropReason, ...] = ()
    east: tuple[DropReason, ...] = ()
    agreed: int = 1
    without: str = ""
    id: str = "COL-59"

    def __str__(self) -> str:
        return f"{self.id} {self.about}"


SYNC_ROWS = [
    SyncRow("normal", "west.synchronise ~"),
    SyncRow("normal, the last request is not known", "west.live ~ west.miss-sent west.synchronise ~"),
    SyncRow("normal, on both sides at once", "west.synchronise east.synchronise w1 e1 ~", agreed=2),
    SyncRow("retransmit, the request was lost", "west.synchronise w1! 5s"),
    SyncRow("retransmit, the answer was lost", "west.synchronise w1 e1! 5s"),
    SyncRow("replay of the request", "west.synchronise w1+ w1? ~ west.live ~ w1 ~", east=(OLD,)),
    SyncRow("replay of the answer", "west.synchronise w1 e1+ e1 ~", west=(NOT_ASKED,)),
    SyncRow(
        "replay of the answer to the one before",
        "west.synchronise w1 e1+ e1? ~ west.synchronise e1 ~",
        west=(NOT_OURS,),
        agreed=2,
    ),
    SyncRow("disabled here", "west.synchronise ~", agreed=0, without="west"),
    SyncRow("disabled there", "west.synchronise ~", agreed=0, without="east"),
    SyncRow(
        "too low until it is high enough",
        "west.live ~ west.live ~ west.miss-sent west.miss-sent west.miss-sent "
        "west.synchronise ~ west.synchronise ~ west.synchronise ~",
        east=(OLD, OLD),
    ),
    SyncRow(
        "receiver update, the peer's last requests are not known",
        "east.live ~ east.live ~ west.miss-heard west.miss-heard west.synchronise ~",
    ),
    SyncRow("active task of the peer", "east.rekey e1! west.synchronise ~"),
    SyncRow("active task of the member", "west.rekey w1! west.synchronise ~"),
    SyncRow(
        "active task, and its request comes too late",
        "east.rekey e1? west.synchronise ~ e1 ~",
        west=(OLD,),
    ),
]
