"""A private network and a private /run for a child process: Linux namespaces, held by a process of our own.

Works as root, and without root inside `unshare -Urmn`. Needs util-linux.
"""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Mapping
from pathlib import Path

from ipsecsim.base.errors import LocalError
from ipsecsim.base.instant import SECOND, Duration

PATIENCE = 10 * SECOND
_READY = b"ready\n"


class Finished:
    """A command that has ended: its exit code, and what it wrote to either output."""

    def __init__(self, words: tuple[str, ...], code: int, output: str) -> None:
        self.words = words
        self.code = code
        self.output = output

    @property
    def is_good(self) -> bool:
        """Did it end well?"""
        return self.code == 0

    def check(self) -> "Finished":
        """Itself. Raises LocalError with the command and its output when it did not end well."""
        if not self.is_good:
            raise LocalError(f"{' '.join(self.words)}: exit code {self.code}\n{self.output.strip()}")
        return self


class Namespace:
    """Use it as an asynchronous context. All that was started in it ends with it, and with this process."""

    def __init__(self) -> None:
        self._holder: Process | None = None
        self._started: list[Process] = []

    async def __aenter__(self) -> "Namespace":
        """Make the namespaces. Raises LocalError when that is not allowed here."""
        # cat is the holder: what it echoes proves that the namespaces are there, and it ends with our pipe
        self._holder = await _start("unshare", "--mount", "--net", "cat", stdin=PIPE, stdout=PIPE)
        assert self._holder.stdin is not None  # noqa: S101 - asked for
        assert self._holder.stdout is not None  # noqa: S101 - asked for
        try:
            self._holder.stdin.write(_READY)
            answer = await asyncio.wait_for(self._holder.stdout.readline(), PATIENCE / SECOND)
            if answer != _READY:
                raise LocalError(f"no private network and mounts: {answer.decode(errors='replace').strip()}")
            (await self.run("mount", "-t", "tmpfs", "tmpfs", "/run")).check()
            (await self.run("ip", "link", "set", "lo", "up")).check()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """End what was started, the youngest first, and let the namespaces go."""
        await self.close()

    @property
    def process_id(self) -> int:
        """The holder's, by which `ip link` and `nsenter` find the network."""
        if self._holder is None:
            raise LocalError("the namespace is not open")
        return self._holder.pid

    async def run(
        self, *words: str, environment: Mapping[str, str] | None = None, within: Duration = PATIENCE
    ) -> Finished:
        """A command inside, to its end. Raises TimeoutError when that does not come, after ending it."""
        process = await _start(*self._inside(), *words, environment=environment)
        try:
            output, _ = await asyncio.wait_for(process.communicate(), within / SECOND)
        except TimeoutError:
            raise TimeoutError(f"{' '.join(words)}: no end within {within / SECOND:g} s") from None
        finally:
            await _end(process)
        return Finished(words, process.returncode or 0, output.decode(errors="replace"))

    async def start(self, *words: str, environment: Mapping[str, str], output: Path) -> Process:
        """A program inside that goes on until `end` or `close`; it is ended too if this process dies before."""
        with output.open("wb") as file:
            process = await _start(*self._inside(), *words, environment=environment, stdout=file.fileno())
        self._started.append(process)
        return process

    async def end(self, process: Process) -> None:
        """End a program that `start` began; harmless when it has ended."""
        if process in self._started:
            self._started.remove(process)
            await _end(process)

    async def close(self) -> None:
        """End everything by its own process ID; harmless when repeated."""
        while self._started:
            await _end(self._started.pop())
        if self._holder is not None:
            await _end(self._holder)
            self._holder = None

    def _inside(self) -> tuple[str, ...]:
        return ("nsenter", f"--target={self.process_id}", "--mount", "--net", "setpriv", "--pdeathsig=TERM")


async def _start(
    *words: str,
    environment: Mapping[str, str] | None = None,
    stdin: int = DEVNULL,
    stdout: int = PIPE,
) -> Process:
    return await asyncio.create_subprocess_exec(
        *words, env=environment, stdin=stdin, stdout=stdout, stderr=STDOUT
    )


async def _end(process: Process) -> None:
    """Ask a child of ours to end, insist after a while, and wait until it is gone."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), PATIENCE / SECOND)
    except TimeoutError:
        process.kill()
        await process.wait()
