// The bar: title, transport, what to go to next, speed, filter, eyes, theme, help.

class Bar {
  constructor(view) {
    const { model } = view;
    const button = (name, label, act, extra) =>
      h("button", { type: "button", class: `button ${extra || ""}`, "aria-label": label, title: label, onclick: act }, icon(name));
    this.play = h("button", { type: "button", class: "button play", onclick: () => view.togglePlay() }, icon("play"), h("span", null, "Play"));
    this.where = h("span", { class: "where" });
    this.speed = h(
      "select",
      { class: "button", "aria-label": "speed", onchange: () => view.setSpeed(Number(this.speed.value)) },
      [0.5, 1, 2, 4].map((each) => h("option", { value: each, selected: each === 1 }, `${each === 0.5 ? "½" : each} ×`)),
    );
    this.filter = h(
      "select",
      { class: "button filter", "aria-label": "turns shown", onchange: () => view.set({ filter: this.filter.value }) },
      h("option", { value: "" }, "all turns"),
      h("optgroup", { label: "of a node" }, model.data.nodes.map((node) => h("option", { value: `node ${node.id}` }, node.id))),
      h("optgroup", { label: "of a kind" }, KINDS.map((kind) => h("option", { value: `kind ${kind.key}` }, kind.word))),
    );
    this.find = h("input", {
      class: "button find",
      type: "search",
      placeholder: "find in turns",
      "aria-label": "find in turns: Enter goes to the next one, Shift and Enter to the one before",
      onkeydown: (event) => {
        if (event.key === "Enter") view.find(this.find.value, event.shiftKey ? -1 : 1);
        if (event.key !== "Escape") event.stopPropagation();
      },
    });
    this.eyes = h(
      "select",
      { class: "button eyes", "aria-label": "see", onchange: () => view.set({ eyes: this.eyes.value }) },
      h("option", { value: "all" }, "See: all keys"),
      h("option", { value: "node" }, "See: as this node"),
    );
    this.element = h(
      "div",
      { class: "bar", role: "group", "aria-label": "controls" },
      h("div", { class: "title" }, h("h2", null, model.data.title), this.where),
      h(
        "div",
        { class: "transport", role: "group", "aria-label": "transport" },
        button("start", "to the start", () => view.go(model.first)),
        button("back", "back", () => view.step(-1)),
        this.play,
        button("step", "step", () => view.step(1)),
        button("end", "to the end", () => view.go(model.last)),
      ),
      h(
        "div",
        { class: "next", role: "group", "aria-label": "next" },
        h("span", { class: "label" }, "Next"),
        KINDS.map((kind) =>
          h(
            "button",
            {
              type: "button",
              class: "button",
              title: `next ${kind.word} (${kind.letter.toUpperCase()}); with Shift the one before`,
              onclick: (event) => view.next(kind.key, event.shiftKey ? -1 : 1),
            },
            s("svg", { width: 14, height: 14, "aria-hidden": "true", focusable: "false" }, glyph(kind.key, 7, 7)),
            h("span", null, kind.word),
          ),
        ),
      ),
      h(
        "div",
        { class: "ways", role: "group", "aria-label": "ways of looking" },
        this.speed,
        this.filter,
        this.find,
        this.eyes,
        button("theme", "light, dark, or as the reader has it", () => view.nextTheme(), "theme"),
        h("button", { type: "button", class: "button help", "aria-label": "keys", title: "keys (?)", onclick: () => view.toggleHelp() }, "?"),
      ),
    );
  }

  draw(view) {
    const { model } = view;
    const { turn } = view;
    const total = Math.max(model.data.turns_total || 0, model.last);
    this.where.replaceChildren("turn ", h("b", null, turn), ` of ${total}`, h("span", { class: "time" }, seconds(model.turn(turn).t)));
    const [word, name] = view.isPlaying ? ["Pause", "pause"] : ["Play", "play"];
    if (this.play.lastChild.textContent !== word) {
      this.play.replaceChildren(icon(name), h("span", null, word));
      this.play.setAttribute("aria-pressed", String(view.isPlaying));
    }
    this.eyes.value = view.eyes;
    this.filter.value = view.filter;
  }
}

const KEYS = [
  ["Left, Right", "back, step"],
  ["Shift and Left, Right", "chapter before, next"],
  ["Home, End", "to the start, to the end"],
  ["Space", "play, pause"],
  ["I E N S D", "next IKE, ESP or AH, NAT, state, drop; with Shift the one before"],
  ["1 2 3 4", "packet, inside, ladder, both ends"],
  ["[ ]", "one layer out, in"],
  ["A V C", "arriving, leaving, changes"],
  ["L", "see with all keys, as this node"],
  ["H", "hex"],
  ["?", "this list"],
];

function helpPanel(view) {
  return h(
    "section",
    { class: "panel helplist", "aria-label": "keys", hidden: true },
    h("h3", null, "Keys"),
    h("dl", null, KEYS.map(([keys, does]) => [h("dt", null, keys), h("dd", null, does)])),
    h("button", { type: "button", class: "button", onclick: () => view.toggleHelp() }, "Close"),
  );
}
