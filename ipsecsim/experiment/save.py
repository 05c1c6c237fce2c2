"""Writing a run down: the trace, the audit log, the capture, and what Wireshark needs to open it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from ipsecsim.base.trace import Tap
from ipsecsim.experiment.run import Run
from ipsecsim.experiment.telling import teller
from ipsecsim.observe.written import audit, jsonl, pcapng
from ipsecsim.observe.written.key_log import write_profile

TRACE = "trace.jsonl"
AUDIT = "audit.jsonl"
CAPTURE = "capture.pcapng"
WIRESHARK = "wireshark"


def save(run: Run, folder: Path) -> list[Path]:
    """Write trace.jsonl, audit.jsonl, capture.pcapng and wireshark/ into `folder`; which paths were written."""
    folder.mkdir(parents=True, exist_ok=True)
    trace, log = folder / TRACE, folder / AUDIT
    capture, profile = folder / CAPTURE, folder / WIRESHARK
    with trace.open("w", encoding="utf-8") as text:
        jsonl.write(run.recorder.rows, text)
    with log.open("w", encoding="utf-8") as text:
        audit.write(run.recorder.rows, text)
    with capture.open("wb") as binary:
        write_capture(run, binary)
    write_profile(run.recorder.rows, profile)
    return [trace, log, capture, profile]


def write_capture(run: Run, file: BinaryIO) -> None:
    """Every frame as pcapng; the comments end with the sentences that every view says of a turn."""
    tells = teller(run)
    pcapng.write(run.recorder, file, lambda turn: tells.tell(turn).say)


@contextmanager
def written_on_the_way(trace: Path | None, capture: Path | None) -> Iterator[list[Tap]]:
    """Observers for a run that write its trace and its capture while it goes on; what they keep does not grow.

    A capture that is written on the way has no comments and no names of nodes: these are known at the end.
    """
    with ExitStack() as files:
        observers: list[Tap] = []
        if trace is not None:
            rows = jsonl.Trace(files.enter_context(trace.open("w", encoding="utf-8")))
            files.callback(rows.flush)
            observers.append(rows.tell)
        if capture is not None:
            observers.append(pcapng.Capture(files.enter_context(capture.open("wb")).write).tell)
        yield observers
