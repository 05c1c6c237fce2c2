"""The stepper as an anywidget: the page's own module in a notebook cell, and its position in Python.

The browser has the run and walks it alone. It tells where it stands, and asks for one turn more at the end of a run
that goes on.
"""

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
    let heard = false;
    const stepper = mount(place, {
      data: JSON.parse(model.get("data")),
      host: "notebook",
      theme: model.get("theme"),
      onTurn(turn) {
        if (heard) return;
        model.set("turn", turn);
        model.save_changes();
      },
      onStep() {
        model.send({ wants: "step" });
      },
    });
    const follow = () => {
      const turn = model.get("turn");
      if (turn === stepper.turn) return;
      heard = true;
      stepper.go(turn);
      heard = false;
    };
    const grow = (message) => {
      if (message.more) stepper.append(JSON.parse(message.more));
    };
    if (model.get("turn")) follow();
    model.on("change:turn", follow);
    model.on("msg:custom", grow);
    return () => {
      model.off("change:turn", follow);
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
    turn = traitlets.Int(0).tag(sync=True)
    theme = traitlets.Unicode("auto").tag(sync=True)

    def __init__(self, run: Run, *, live: bool = False, turn: int | None = None) -> None:
        if live and not run.turns:
            run.step()  # there is nothing to look at before the first turn
        self._run = run
        self._feed = Feed(run)
        sent = to_json(self._feed.whole(live=live))
        super().__init__(data=sent, turn=min(turn or 1, run.turns))
        self.on_msg(self._asked)

    def _asked(self, _widget: object, content: dict[str, Any], _buffers: object) -> None:
        """The browser asks for one turn more. What it sends is a wish: nothing else of it is believed."""
        if content.get("wants") == "step":
            goes_on = self._run.step()
            self.send({"more": to_json(self._feed.more(live=goes_on))})
