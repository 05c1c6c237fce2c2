"""The stepper as an anywidget: the page's own module in a notebook cell, and its position in Python.

The browser has the run and walks it alone. It tells where it stands, and asks for one turn more at the end of a run
that goes on.
"""

from collections.abc import Mapping
from typing import Any

import anywidget
import traitlets

from ipsecsim.experiment.run import Run
from ipsecsim.views.stepper.data import Feed, to_json
from ipsecsim.views.stepper.page import module, stylesheet

_ENTRY = """
export default {
  render({ model, el }) {
    const place = document.createElement("div");
    el.replaceChildren(place);
    const stepper = mount(place, {
      data: JSON.parse(model.get("data")),
      host: "notebook",
      theme: model.get("theme"),
      onTurn(turn) {
        model.send({ turn });
      },
      onStep() {
        model.send({ wants: "step" });
      },
    });
    const grow = (message) => {
      if (message.more) stepper.append(JSON.parse(message.more));
      if (message.go) stepper.go(message.go);
    };
    if (model.get("start")) stepper.go(model.get("start"));
    model.on("msg:custom", grow);
    return () => {
      model.off("msg:custom", grow);
      stepper.destroy();
    };
  },
};
"""


class StepperWidget(anywidget.AnyWidget):
    """Shows itself in a cell. `turn` is where it stands, to be read or set.

    With `live` a step past the end runs the simulation one turn further.
    """

    _esm = module() + _ENTRY
    _css = stylesheet()

    data = traitlets.Unicode().tag(sync=True)
    start = traitlets.Int(0).tag(sync=True)
    # not synced: the echo of an older turn would take back a newer one
    turn = traitlets.Int(0)
    theme = traitlets.Unicode("auto").tag(sync=True)

    def __init__(self, run: Run, *, live: bool = False, turn: int | None = None) -> None:
        if live and not run.turns:
            run.step()  # there is nothing to look at before the first turn
        self._run = run
        self._feed = Feed(run)
        sent = to_json(self._feed.whole(live=live))
        at = min(turn or 1, run.turns)
        super().__init__(data=sent, start=at, turn=at)
        self._heard = at  # the last turn that the browser told
        self.on_msg(self._asked)
        self.observe(self._go, "turn")

    def _go(self, change: Mapping[str, Any]) -> None:
        """Somebody in Python wants to look at another turn."""
        if change["new"] != self._heard:
            self.send({"go": change["new"]})

    def _asked(self, _widget: object, content: dict[str, Any], _buffers: object) -> None:
        """The browser says where it stands, or asks for one turn more. Nothing else of it is believed."""
        turn = content.get("turn")
        if isinstance(turn, int) and 0 < turn <= self._run.turns:
            self._heard = turn
            self.turn = turn
        if content.get("wants") == "step":
            goes_on = self._run.step()
            self.send({"more": to_json(self._feed.more(live=goes_on))})
