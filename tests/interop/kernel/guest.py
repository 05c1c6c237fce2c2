"""A Linux kernel that runs as an ordinary program (User-Mode Linux), with a network card whose cable we hold.

Its root file system is this machine's, read-only, seen with the rights of an unprivileged user. It takes orders as
shell commands over a serial line.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.interop.kernel import ethernet
from tests.interop.kernel.serial_line import Refused, SerialLine

PROGRAM = "linux.uml"
NEEDED = {
    PROGRAM: "user-mode-linux",
    "ip": "iproute2",
    "modprobe": "kmod",
    "ping": "iputils-ping",
    "perl": "perl-base",
    "setpriv": "util-linux",
}
NOBODY = 65534
PATIENCE = 20  # seconds, for the start and for the end
_PLACES = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def missing() -> str | None:
    """What the guest lacks on this machine, and how to get it; None when it lacks nothing."""
    lacking = [package for program, package in NEEDED.items() if shutil.which(program, path=_PLACES) is None]
    if lacking:
        return (
            f"Linux kernel peer: {', '.join(lacking)} missing: `apt-get install {' '.join(lacking)}` (Debian)"
        )
    return None


class Guest:
    """`line` takes orders, `frames` carries Ethernet frames, one a message. `release` is the kernel's version."""

    def __init__(self, process: subprocess.Popen[bytes], line: socket.socket, frames: socket.socket) -> None:
        self.line = SerialLine(line)
        self.frames = frames
        self.release = ""
        self._process = process

    def greet(self) -> None:
        """Wait until it takes orders. Raises Refused when it never does."""
        match self.line.greeted():
            case ["ready", release]:
                self.release = release
            case words:
                raise Refused(f"a strange greeting: {' '.join(words)}")

    def drain(self) -> None:
        """Forget the frames that it sent and nobody took."""
        with suppress(BlockingIOError):
            while True:
                self.frames.recv(0x10000, socket.MSG_DONTWAIT)

    def end(self) -> None:
        """Hang up, which halts it; by force if need be."""
        self.line.hang_up()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self.frames.close()


@contextmanager
def running() -> Iterator[Guest]:
    """A guest that has booted. Raises Refused with the end of what it wrote to its console when it does not."""
    with tempfile.TemporaryDirectory(prefix="ipsecsim-guest-") as name:
        folder = Path(name)
        init = folder / "init"
        init.write_bytes(Path(__file__).with_name("init.sh").read_bytes())
        init.chmod(0o755)
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        console = folder / "console"
        guest = _start(folder, init, console)
        try:
            try:
                guest.greet()
            except (OSError, Refused) as failure:
                raise Refused(
                    f"no boot: {failure}\n{console.read_text(errors='replace')[-2000:]}"
                ) from failure
            yield guest
        finally:
            guest.end()


def _start(folder: Path, init: Path, console: Path) -> Guest:
    line, its_line = socket.socketpair()
    frames, its_frames = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    line.settimeout(PATIENCE)
    # the last words of a serial line or a console say which of our descriptors it reads and writes
    serial, card = its_line.fileno(), its_frames.fileno()
    words = [
        *_as_nobody(),
        PROGRAM,
        "mem=256M",
        "root=none",
        "rootfstype=hostfs",
        "rootflags=/",
        "ro",
        "quiet",
        f"uml_dir={folder}",
        "umid=guest",
        f"init={init}",
        f"vec0:transport=fd,fd={card},mac={ethernet.text(ethernet.GUESTS)},vec=0,gro=0",
        "con=null",
        "con0=null,fd:1",
        "ssl=null",
        f"ssl0=fd:{serial},fd:{serial}",
    ]
    with console.open("wb") as output, its_line, its_frames:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(serial, card),
            cwd=folder,
            env={"PATH": _PLACES, "TMPDIR": str(folder)},
            start_new_session=True,  # so that all of its processes can be ended at once
        )
    return Guest(process, line, frames)


def _as_nobody() -> list[str]:
    """Whoever is root here becomes nobody first."""
    if os.geteuid():
        return []
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
