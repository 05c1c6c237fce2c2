// The ladder: messages between nodes, with what is inside; only the rows in view are drawn. The future has names only.

const RUNG = 44;

class LadderPanel {
  constructor(view) {
    this.svg = s("svg", { class: "ladder", role: "group", "aria-label": "messages" });
    this.top = 0;
    this.heads = s("svg", { class: "ladderheads", "aria-hidden": "true", focusable: "false", height: 26 });
    this.scroller = h("div", { class: "ladderscroll", tabindex: 0, role: "group", "aria-label": "messages; up and down go from one to the next", onscroll: () => this.scrolled(view) }, this.svg);
    this.scroller.addEventListener("keydown", (event) => {
      const way = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!way) return;
      const rung = view.model.data.ladder[view.model.rungOf(view.turn) + way];
      if (rung) view.go(rung.turn_arrived ?? rung.turn_sent);
      event.preventDefault();
      event.stopPropagation();
    });
    this.element = h(
      "section",
      { class: "panel ladderpanel", "aria-label": "Ladder" },
      h("div", { class: "panelhead" }, h("h3", null, "Ladder"), h("span", { class: "what" }, "messages, with what is inside; dotted: not yet")),
      h("div", { class: "panelbody" }, this.heads, this.scroller),
    );
  }

  scrolled(view) {
    if (Math.abs(this.scroller.scrollTop - this.top) < 1) return;
    this.top = this.scroller.scrollTop;
    this.drawRows(view);
  }

  draw(view) {
    const { ladder, ladder_nodes: nodes } = view.model.data;
    this.width = Math.max(240, (view.widthOf(this.element) || 500) - 34);
    this.column = new Map(nodes.map((id, at) => [id, nodes.length === 1 ? this.width / 2 : 46 + (at * (this.width - 92)) / (nodes.length - 1)]));
    const each = nodes.length > 1 ? (this.width - 92) / (nodes.length - 1) : this.width;
    // names that have no room beside each other stand in two or three lines
    const widest = Math.max(...nodes.map((id) => widthOf(id, `700 13px ${SANS}`)));
    const lines = Math.min(3, Math.ceil((widest + 6) / each));
    const height = 10 + 15 * lines;
    this.heads.setAttribute("viewBox", `0 0 ${this.width} ${height}`);
    this.heads.setAttribute("width", this.width);
    this.heads.setAttribute("height", height);
    const acting = view.model.turn(view.turn).node;
    this.heads.replaceChildren(
      ...nodes.map((id, number) =>
        s("text", { class: id === acting ? "lifeline-name acting" : "lifeline-name", x: this.column.get(id), y: 14 + 15 * (number % lines), "text-anchor": "middle" }, fitted(id, each * lines - 4, `13px ${SANS}`)),
      ),
    );
    this.svg.setAttribute("width", this.width);
    this.svg.setAttribute("height", Math.max(1, ladder.length) * RUNG + 8);
    const at = view.model.rungOf(view.turn);
    this.height = view.heightOf(this.scroller) || 400;
    const y = at * RUNG - this.top;
    if (y < 0.15 * this.height || y > 0.7 * this.height) {
      // where it is, is known without asking: that would lay out the page
      const most = Math.ceil((ladder.length * RUNG + 8 - this.height) / RUNG);
      this.top = RUNG * Math.max(0, Math.min(at - Math.floor(this.height / RUNG / 2), most)); // whole rows: no name is cut
      this.scroller.scrollTop = this.top;
    }
    this.drawRows(view);
  }

  drawRows(view) {
    const { ladder, ladder_nodes: nodes } = view.model.data;
    const from = Math.max(0, Math.floor(this.top / RUNG) - 20);
    const to = Math.min(ladder.length, Math.ceil((this.top + this.height) / RUNG) + 20);
    const kept = this.rungs?.width === this.width ? this.rungs.byRow : new Map();
    this.rungs = { width: this.width, byRow: new Map() };
    const current = view.model.rungOf(view.turn);
    const rows = [this.lifelines(view, nodes, from, to)];
    for (let at = from; at < to; at++) {
      const rung = ladder[at];
      const isPast = at !== current && rung.turn_sent <= view.turn && (rung.turn_arrived ?? rung.turn_sent) <= view.turn;
      const eyes = view.eyes === "node" ? view.model.turn(view.turn).node : "";
      const phase = eyes + (at === current ? `now ${view.turn}` : isPast ? "past" : rung.turn_sent > view.turn ? "future" : "on its way");
      const before = kept.get(at);
      const drawn = before && before.rung === rung && before.phase === phase ? before : { rung, phase, element: this.rung(view, rung, at, at === current) };
      this.rungs.byRow.set(at, drawn);
      rows.push(drawn.element);
    }
    replaceRows(this.svg, rows);
  }

  lifelines(view, nodes, from, to) {
    const key = [from, to, this.width].join();
    if (this.lines?.key !== key) {
      const element = s(
        "g",
        null,
        nodes.map((id) => {
          const isMiddle = ["router", "nat", "firewall"].includes(view.model.nodes.get(id)?.kind);
          return s("line", { class: isMiddle ? "lifeline middle" : "lifeline", x1: this.column.get(id), x2: this.column.get(id), y1: from * RUNG, y2: to * RUNG });
        }),
      );
      this.lines = { key, element };
    }
    return this.lines.element;
  }

  rung(view, rung, at, isCurrent) {
    const { model } = view;
    const y = at * RUNG + 20;
    const [a, b] = [this.column.get(rung.a) ?? 0, this.column.get(rung.b) ?? this.width];
    const isFuture = rung.turn_sent > view.turn;
    const isLost = !isFuture && rung.reason && (rung.turn_arrived === null || rung.turn_arrived <= view.turn);
    const way = b >= a ? 1 : -1;
    const middle = (a + b) / 2;
    const name = model.text(rung.name);
    const reason = isLost ? ` ✕ ${model.text(rung.reason)}` : "";
    const end = isLost ? b - way * 6 : b;
    const turn = rung.turn_arrived ?? rung.turn_sent;
    const reader = view.eyes === "node" && rung.sealed ? model.turn(view.turn).node : rung.a;
    const isOpen = reader === rung.a || reader === rung.b;
    const chips = isFuture ? [] : isOpen ? rung.chips.map((each) => model.text(each)) : ["no key here"];
    return s(
      "g",
      {
        class: `rung${isFuture ? " future" : ""}${isLost ? " lost" : ""}${isCurrent ? " current" : ""}`,
        onclick: () => view.go(turn),
      },
      s("title", null, isFuture ? `${name}: not yet` : `${name}${reason}${chips.length ? `: ${chips.join(", ")}` : ""}, turn ${turn}`),
      isCurrent && [s("rect", { class: "rungframe", x: 2, y: y - 18, width: this.width - 4, height: RUNG - 2, rx: 6 }), s("path", { class: "wedge", d: `M6 ${y - 5}l6 5-6 5z` })],
      s("path", { class: `arrow${rung.kind === "plain" ? " plain" : ""}`, d: `M${a} ${y}H${end}` }),
      isLost ? glyph("drop", b, y, 6) : s("path", { class: "arrowhead", d: `M${b - way * 8} ${y - 5}l${way * 8} 5 ${-way * 8} 5` }),
      s("text", { class: "rungname", x: middle, y: y - 5, "text-anchor": "middle" }, fitted(name + reason, this.width - 16, `650 13px ${SANS}`)),
      this.chips(chips, rung, middle, y + 5),
      isCurrent && s("circle", { class: "ring", cx: this.column.get(model.turn(view.turn).node) ?? b, cy: y, r: 5 }),
    );
  }

  chips(words, rung, middle, y) {
    if (!words.length) return null;
    const font = `12px ${SANS}`;
    const sizes = [];
    let room = this.width - (rung.sealed ? 26 : 8);
    let total = 0;
    for (const word of words) {
      const size = Math.min(widthOf(word, font) + 10, room);
      if (total + size > room) {
        sizes.push({ word: "…", size: 16 });
        break;
      }
      sizes.push({ word: fitted(word, size - 8, font), size });
      total += size + 3;
    }
    total = sizes.reduce((sum, each) => sum + each.size + 3, -3);
    let x = Math.max(rung.sealed ? 20 : 4, Math.min(this.width - total - 4, middle - total / 2));
    const parts = rung.sealed ? [s("g", { class: "lock", transform: `translate(${x - 16} ${y + 1}) scale(.6)` }, s("path", { d: ICONS.lock }))] : [];
    for (const each of sizes) {
      parts.push(s("rect", { class: rung.sealed ? "chip sealed" : rung.kind === "ah" ? "chip signed" : "chip", x, y, width: each.size, height: 16, rx: 3 }));
      parts.push(s("text", { class: "chiptext", x: x + each.size / 2, y: y + 12, "text-anchor": "middle" }, each.word));
      x += each.size + 3;
    }
    return parts;
  }
}

// Like replaceChildren, but what stays is left alone.
function replaceRows(parent, wanted) {
  const staying = new Set(wanted);
  for (const child of [...parent.childNodes]) if (!staying.has(child)) child.remove();
  wanted.forEach((child, at) => {
    if (parent.childNodes[at] !== child) parent.insertBefore(child, parent.childNodes[at] || null);
  });
}
