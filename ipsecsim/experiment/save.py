"""Writing a run down: the trace, the audit log, the capture, and what Wireshark needs to open it."""

from pathlib import Path

from ipsecsim.experiment.run import Run
from ipsecsim.observe import audit, jsonl, pcapng
from ipsecsim.observe.key_log import write_profile

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
        pcapng.write(run.recorder, binary)
    write_profile(run.recorder.rows, profile)
    return [trace, log, capture, profile]
