// Inside the node: what the packet passed in order, and where it died: why, who knows, what would have let it live.

const VERDICTS = { pass: "passed", skip: "nothing to do", fail: "failed", unreached: "not reached" };

class InsidePanel {
  constructor() {
    this.title = h("h3", null, "Inside the node");
    this.what = h("span", { class: "what" });
    this.body = h("div", { class: "panelbody" });
    this.element = h("section", { class: "panel inside", "aria-label": "Inside the node" }, h("div", { class: "panelhead" }, this.title, this.what), this.body);
  }

  draw(view) {
    const { model } = view;
    const turn = model.turn(view.turn);
    this.title.textContent = turn.drop ? "Why was it dropped?" : "Inside the node";
    this.what.textContent = `${turn.node} · ${turn.hooks.length} ${turn.hooks.length === 1 ? "step" : "steps"}`;
    this.body.replaceChildren(
      h(
        "ol",
        { class: "hooks" },
        turn.hooks.map(([name, verdict, detail]) =>
          h(
            "li",
            { class: `hook hook-${verdict}` },
            h("span", { class: "dot" }, s("svg", { width: 20, height: 20, viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" }, this.mark(verdict)), h("span", { class: "sr" }, `${VERDICTS[verdict]}: `)),
            h("span", { class: "hookname" }, model.text(name)),
            h("span", { class: "hookdetail" }, verdict === "unreached" ? "not reached" : model.text(detail)),
          ),
        ),
      ),
      turn.drop ? this.why(model, turn.drop) : "",
    );
  }

  mark(verdict) {
    if (verdict === "pass") return s("path", { d: "M6 12l4 4 8-8" });
    if (verdict === "fail") return s("path", { d: "M7 7l10 10M17 7L7 17" });
    return s("circle", { cx: 12, cy: 12, r: verdict === "skip" ? 2.5 : 1.5 });
  }

  why(model, drop) {
    const rows = [
      ["Reason", h("span", { class: "code" }, `✕ ${model.text(drop.code)}`)],
      ["Clause", model.text(drop.clause)],
      ["Who knows", model.text(drop.knows)],
      ["Who does not", model.text(drop.blind)],
      ["Look at", model.text(drop.look)],
      ["What flips it", model.text(drop.flip)],
    ];
    return h("dl", { class: "why" }, rows.filter(([, value]) => value).map(([name, value]) => [h("dt", null, name), h("dd", null, value)]));
  }
}

// The sentence: what happened, why, and where it is written.
class Sentence {
  constructor() {
    this.say = h("p", { class: "say" });
    this.deeper = h("p", { class: "deeper" });
    this.clause = h("p", { class: "clause" });
    this.element = h("section", { class: "sentence", role: "status", "aria-live": "polite" }, h("div", null, this.say, this.deeper), this.clause);
  }

  draw(view) {
    const { model } = view;
    const turn = model.turn(view.turn);
    this.element.setAttribute("aria-live", view.isPlaying ? "off" : "polite");
    this.element.classList.toggle("is-drop", Boolean(turn.drop));
    if (this.say.textContent !== model.text(turn.say)) this.say.textContent = model.text(turn.say);
    this.deeper.textContent = model.text(turn.deeper);
    const clause = model.text(turn.rfc);
    this.clause.replaceChildren(...(clause ? [h("span", null, "read "), h("b", null, clause)] : []));
  }
}
