"""Writing a run down: the trace, the capture, and what Wireshark needs to open it."""

from pathlib import Path

from ipsecsim.experiment.run import Run
from ipsecsim.observe import jsonl, pcapng
from ipsecsim.observe.key_log import write_profile

TRACE = "trace.jsonl"
CAPTURE = "capture.pcapng"
WIRESHARK = "wireshark"


def save(run: Run, folder: Path) -> list[Path]:
    """Write trace.jsonl, capture.pcapng and wireshark/ into `folder`, and say which paths were written."""
    folder.mkdir(parents=True, exist_ok=True)
    trace, capture, profile = folder / TRACE, folder / CAPTURE, folder / WIRESHARK
    with trace.open("w", encoding="utf-8") as text:
        jsonl.write(run.recorder.rows, text)
    with capture.open("wb") as binary:
        pcapng.write(run.recorder, binary)
    write_profile(run.recorder.rows, profile)
    return [trace, capture, profile]
