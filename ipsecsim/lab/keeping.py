"""What is read and what is taken away: story, ladder, map, the stepper, and files."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipsecsim.base.errors import ConfigError
from ipsecsim.base.instant import format_seconds
from ipsecsim.experiment import save
from ipsecsim.experiment.run import Run
from ipsecsim.lab.errors import LabError
from ipsecsim.lab.shown import Shown, pictured
from ipsecsim.lab.table import Cell, Table
from ipsecsim.observe.turn_story import naming
from ipsecsim.observe.written import data_frame, jsonl
from ipsecsim.observe.written.key_log import write_profile
from ipsecsim.scenario import expanded_yaml
from ipsecsim.scenario.problems import did_you_mean
from ipsecsim.views import text
from ipsecsim.views.figures.figure import Figure
from ipsecsim.views.figures.ladder import Message
from ipsecsim.views.figures.ladder import ladder as draw_ladder
from ipsecsim.views.figures.timeline import timeline
from ipsecsim.views.figures.topology import topology_map
from ipsecsim.views.stepper.showing import Mode, Page, show

if TYPE_CHECKING:
    from ipsecsim.lab.lab import Lab

_LADDER = ("sent", "arrived", "from", "to", "link", "message", "size", "lost")


class Story(Shown):
    """The turns of a run in sentences."""

    def __init__(self, run: Run, since: int, until: int) -> None:
        self._blocks = tuple(text.turn(run.recorder.turn(number)) for number in range(since, until + 1))

    def text(self) -> str:
        """Turn after turn."""
        return "\n".join(self._blocks) or "nothing has happened yet"


class Map(Shown):
    """Which node is on which link, with its addresses."""

    def __init__(self, run: Run) -> None:
        self._lines = list(_map_lines(run))
        self._topology = run.topology

    def text(self) -> str:
        """A line a link."""
        return "\n".join(self._lines)

    def html(self) -> str:
        """The drawn map, and the text below."""
        return pictured(topology_map(self._topology), super().html())


class Ladder(Table):
    """Messages in their order; drawn where there are pictures."""

    def __init__(self, rows: Sequence[Mapping[str, Cell]], draw: Callable[[], Figure]) -> None:
        super().__init__("Messages", _LADDER, rows)
        self._draw = draw

    def html(self) -> str:
        """The drawn ladder, and the table below."""
        return pictured(self._draw(), super().html())


def _map_lines(run: Run) -> list[str]:
    topology = run.topology
    lines = [f"{topology.name}: {len(topology.nodes)} nodes, {len(topology.links)} links"]
    for link in topology.links.values():
        ends = [
            f"{node.name} {', '.join(str(address) for address in _addresses(run, node.name, interface.name))}"
            for node in topology.nodes.values()
            for interface in node.interfaces
            if interface.link == link.name
        ]
        lines.append(f"  {link.name:<12} {' - '.join(ends)}")
    for tunnel in topology.tunnels.values():
        lines.append(f"  tunnel {tunnel.name}: {' = '.join(end.node for end in tunnel.ends)}")
    return lines


def _addresses(run: Run, node: str, interface: str) -> list[str]:
    tree: Any = run.inventory.tree(0, node)
    return str(tree["interfaces"][interface]["addresses"]).split(", ")


class Keeping:
    """Reading a run as a whole, and writing it down."""

    def story(self, since: int = 1) -> Story:
        """Every turn up to the position, from `since` on, in sentences."""
        return Story(self._of.recording, since, int(self._of.turn))

    def ladder(self, *nodes: str, data: bool = False) -> Ladder:
        """Who sent which message to whom: IKE, and with `data` all packets; between some nodes, or all."""
        run, last = self._of.recording, int(self._of.turn)
        rows: list[dict[str, Cell]] = []
        hops = sorted((hop for life in run.lives.all for hop in life.hops), key=lambda hop: hop.frame)
        for hop in hops:
            ends = {hop.source, hop.to}
            if hop.left > last or (nodes and not ends & set(nodes)):
                continue
            if not data and naming.layer(hop.packet) != "ike":
                continue
            lost = "" if hop.reason is None else hop.reason.name
            cells = (format_seconds(hop.at), hop.arrived, hop.source, hop.to, hop.link)
            rows.append(
                dict(zip(_LADDER, (*cells, naming.name(hop.packet), len(hop.packet), lost), strict=True))
            )

        def is_meant(message: Message) -> bool:
            is_here = message.turn <= last and (not nodes or bool({*message.way} & {*nodes}))
            return is_here and (data or message.kind == "ike")

        return Ladder(rows, lambda: draw_ladder(run, among=is_meant))

    def timeline(self, link: str = "") -> Figure:
        """When which packet was put onto a link, or onto each, up to the position."""
        run = self._of.recording
        if link and link not in run.topology.links:
            raise LabError(f"there is no link '{link}'{did_you_mean(link, run.topology.links)}")
        return timeline(run, link, until=int(self._of.turn))

    def map(self) -> Map:
        """The topology, with addresses."""
        return Map(self._of.recording)

    def stepper(self, mode: Mode = "auto", *, live: bool = False) -> Any:
        """The run step by step, from the position on: a widget; "iframe" or "html" where widgets fail.

        With `live` a step past the end runs the simulation one turn further.
        """
        if not live and not self._of.recording.turns:
            raise LabError("nothing has happened yet; run it first with lab.run(), or step it with live=True")
        try:
            return show(self._of.recording, mode=mode, live=live, turn=int(self._of.turn))
        except ModuleNotFoundError as missing:
            raise LabError(str(missing)) from missing

    def to_html(self, path: str | Path) -> Path:
        """The stepper as one page that needs nothing else."""
        return Page(self._of.recording).save(path)

    def to_yaml(self, path: str | Path | None = None) -> str:
        """The whole topology as YAML, with all that a short file leaves out; written to `path` too."""
        written = expanded_yaml(self._of.topology)
        if path is not None:
            Path(path).write_text(written, encoding="utf-8")
        return written

    def to_jsonl(self, path: str | Path) -> Path:
        """Every event, a line each."""
        with Path(path).open("w", encoding="utf-8") as file:
            jsonl.write(self._of.recording.recorder.rows, file)
        return Path(path)

    def to_pcapng(self, path: str | Path) -> Path:
        """Every frame, for Wireshark, with a comment each."""
        with Path(path).open("wb") as file:
            save.write_capture(self._of.recording, file)
        return Path(path)

    def to_wireshark(self, folder: str | Path) -> Path:
        """The capture, and beside it the profile with the keys."""
        run, where = self._of.recording, Path(folder)
        where.mkdir(parents=True, exist_ok=True)
        self.to_pcapng(where / save.CAPTURE)
        write_profile(run.recorder.rows, where / save.WIRESHARK)
        return where

    def to_pandas(self) -> Any:
        """Every event up to the position, as a pandas DataFrame. Raises ConfigError without pandas."""
        last = int(self._of.turn)
        return data_frame.events(row for row in self._of.recording.recorder.rows if row.turn.number <= last)

    def save(self, folder: str | Path) -> Path:
        """Trace, audit log, capture, Wireshark profile, story and topology, all in one folder."""
        where = Path(folder)
        try:
            save.save(self._of.recording, where)
            (where / "story.txt").write_text(text.whole(self._of.recording), encoding="utf-8")
            self.to_yaml(where / "lab.yaml")
            self.to_html(where / "run.html")
        except OSError as refused:
            raise ConfigError(f"save({str(folder)!r}): {refused.strerror}; name another folder") from None
        return where

    @property
    def _of(self) -> "Lab":
        return self  # type: ignore[return-value]
