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
from contextlib import contextmanager
from pathlib import Path

from tests.interop.kernel import ethernet

PROGRAM = "linux.uml"
NEEDED = {PROGRAM: "user-mode-linux", "ip": "iproute2", "modprobe": "kmod", "ping": "iputils-ping"}
NOBODY = 65534
PATIENCE = 20  # seconds, for the start and for the end
_PLACES = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MOST = 0x10000


def missing() -> str | None:
    """What the guest lacks on this machine, and how to get it; None when it lacks nothing."""
    lacking = [package for program, package in NEEDED.items() if shutil.which(program, path=_PLACES) is None]
    if lacking:
        return (
            f"Linux kernel peer: {', '.join(lacking)} missing: `apt-get install {' '.join(lacking)}` (Debian)"
        )
    return None


class Refused(AssertionError):
    """The guest could not do what it was told."""


class Guest:
    """`frames` carries Ethernet frames, one a message. What `begin` begins is over when it has a `result`."""

    def __init__(self, process: subprocess.Popen[bytes], line: socket.socket, frames: socket.socket) -> None:
        self.frames = frames
        self.line = line
        self.release = ""
        self._process = process
        self._heard = b""
        self._orders = 0

    def begin(self, script: str) -> None:
        """Give an order: shell commands, of which the first that fails is the last."""
        self._orders += 1
        name = f"=== order {self._orders}"
        lines = f'echo "{name} begins"', "(set -e", script, ") </dev/null 2>&1", f'echo "{name} ends $?"', ""
        self.line.sendall("\n".join(lines).encode())

    def listen(self) -> None:
        """Take in what the serial line has to say. Raises Refused when the guest has gone."""
        heard = self.line.recv(_MOST)
        if not heard:
            raise Refused("the guest has gone")
        self._heard += heard

    def result(self) -> tuple[int, str] | None:
        """Exit code and output of the order that was given last; None while it goes on."""
        # before it there may be what an order has to say that nobody waits for any more
        _, begun, output = self._heard.partition(b"=== order %d begins\n" % self._orders)
        output, ended, code = output.partition(b"=== order %d ends " % self._orders)
        if not begun or not ended or not code.endswith(b"\n"):
            return None
        self._heard = b""
        return int(code), output.decode(errors="replace")

    def order(self, script: str) -> str:
        """Give an order and wait for its end; the network card is not served meanwhile. Raises Refused."""
        self.begin(script)
        while (result := self.result()) is None:
            self.listen()
        code, output = result
        if code:
            raise Refused(f"exit code {code}\n{script}\n{output}")
        return output

    def greet(self) -> None:
        """Wait until the guest takes orders. Raises Refused when it never does."""
        while b"\n" not in self._heard:
            self.listen()
        word, self.release = self._heard.decode().split()
        self._heard = b""
        if word != "ready":
            raise Refused(f"a strange greeting: {word}")

    def end(self) -> None:
        """Hang up, which halts it; by force if need be."""
        self.line.close()
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
            except (OSError, ValueError, Refused) as failure:
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
