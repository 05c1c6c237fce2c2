"""Orders over a serial line: shell commands go in, their output and exit code come out."""

import socket

_MOST = 0x10000


class Refused(AssertionError):
    """The guest could not do what it was told."""


class SerialLine:
    """What `begin` begins is over when it has a `result`. `listen` when there is something to hear."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._heard = b""
        self._orders = 0
        self._script = ""

    def fileno(self) -> int:
        """For `select`."""
        return self._line.fileno()

    def greeted(self) -> list[str]:
        """Wait for the first words of who takes the orders. Raises Refused when none come."""
        while not self._heard.endswith(b"\n"):
            self.listen()
        words, self._heard = self._heard.decode(errors="replace").split(), b""
        return words

    def begin(self, script: str) -> None:
        """Give an order: shell commands, of which the first that fails is the last."""
        self._orders += 1
        self._script = script
        name = f"=== order {self._orders}"
        lines = f'echo "{name} begins"', "(set -e", script, ") </dev/null 2>&1", f'echo "{name} ends $?"', ""
        self._line.sendall("\n".join(lines).encode())

    def listen(self) -> None:
        """Take in what the serial line has to say. Raises Refused when the guest has gone, or says nothing."""
        try:
            heard = self._line.recv(_MOST)
        except TimeoutError:
            raise Refused(f"silence, after {self._heard[-1000:]!r}") from None
        if not heard:
            raise Refused("the guest has gone")
        self._heard += heard

    def result(self) -> str | None:
        """What came of the order that was given last; None while it goes on. Raises Refused when it failed."""
        # before it there may be what an order has to say that nobody waits for any more
        _, begun, output = self._heard.partition(b"=== order %d begins\n" % self._orders)
        output, ended, code = output.partition(b"=== order %d ends " % self._orders)
        if not begun or not ended or not code.endswith(b"\n"):
            return None
        self._heard = b""
        text = output.decode(errors="replace")
        if int(code):
            raise Refused(f"exit code {int(code)}\n{self._script}\n{text}")
        return text

    def order(self, script: str) -> str:
        """Give an order and wait for its end; nothing else is done meanwhile. Raises Refused."""
        self.begin(script)
        while (result := self.result()) is None:
            self.listen()
        return result

    def hang_up(self) -> None:
        """There are no more orders."""
        self._line.close()
