"""NAT keepalives: whoever is behind a NAT keeps its mapping alive while there is nothing to say (RFC 3948 4)."""

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import SECOND, Duration, Instant
from ipsecsim.ike.endpoint import IkeEndpoint
from ipsecsim.ike.v2.messages.message import Path
from ipsecsim.ike.v2.states import State
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.wire.nat_t import KEEPALIVE

INTERVAL = 20 * SECOND  # RFC 3948 4, the default
MOST_STRANGERS = 1000  # paths that belong to no IKE SA, such as those of cookies sent to whoever asked


class Keepalives:
    """Knows when something was last sent on each path, and sends one byte when that is `interval` ago; 0: never.

    They say nothing about the peer: whether it lives is asked by IKE (RFC 3948 4).
    """

    def __init__(self, ike: IkeEndpoint, interval: Duration = INTERVAL) -> None:
        self._ike = ike
        self._interval = interval
        self._last_sent: dict[Path, Instant] = {}
        self._room = MOST_STRANGERS

    def sent(self, path: Path, now: Instant) -> None:
        """Something else went to a peer: IKE, or ESP in UDP."""
        self._last_sent[path] = now
        if len(self._last_sent) > self._room:
            ours = {sa.path for sa in self._ike.sas}
            self._last_sent = {each: at for each, at in self._last_sent.items() if each in ours}
            self._room = len(self._last_sent) + MOST_STRANGERS

    def next_deadline(self) -> Instant | None:
        """When the first path has been silent for too long."""
        paths = self._paths()
        return min(self._last_sent.get(path, 0) for path in paths) + self._interval if paths else None

    def handle_timeout(self, now: Instant) -> list[Action]:
        """Harmless when early, when repeated, and when nothing is due."""
        paths = self._paths()
        # what is left belongs to SAs that are gone
        self._last_sent = {path: self._last_sent.get(path, 0) for path in paths}
        return [
            SendDatagram(path.local, path.local_port, path.remote, path.remote_port, KEEPALIVE)
            for path in paths
            if self._last_sent[path] + self._interval <= now
        ]

    def _paths(self) -> list[Path]:
        """The paths that lead out through a NAT of ours, each once."""
        paths: dict[Path, None] = {}
        for sa in self._ike.sas if self._interval else ():
            if sa.we_are_behind_nat and sa.state is State.ESTABLISHED:
                paths[sa.path] = None
        return list(paths)
