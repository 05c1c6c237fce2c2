// Both ends: what each knows once the turn is over, side by side, and what the turn has changed.

class EndsPanel {
  constructor() {
    this.body = h("div", { class: "panelbody" });
    this.element = h(
      "section",
      { class: "panel ends", "aria-label": "Both ends" },
      h("div", { class: "panelhead" }, h("h3", null, "Both ends"), h("span", { class: "what" }, "what is known after this turn · ▲ changed in it")),
      this.body,
    );
  }

  // The pair, and below it nodes in between that translate, or that learned something in this turn.
  draw(view) {
    const { model } = view;
    const turn = model.turn(view.turn);
    const state = model.state(view.turn);
    const changed = new Map(turn.changes.map(([path, old]) => [path.join("\u0000"), old]));
    const pair = this.pair(model, turn, state);
    const others = model.data.nodes.map((node) => node.id).filter((id) => !pair.includes(id) && state[id] && (state[id].mappings || state[id].connections || (id === turn.node && this.hasNews(turn, id))));
    this.body.replaceChildren(
      h("div", { class: "pair" }, pair.map((id) => this.node(view, id, state[id] || {}, changed))),
      ...others.map((id) => this.node(view, id, state[id], changed)),
    );
  }

  // The ends of the tunnel that the last message was between; where many call one, that one and who it was with.
  pair(model, turn, state) {
    const { ends, ladder } = model.data;
    const own = ends.filter((each) => each.includes(turn.node));
    const asked = own.length ? own : ends;
    const from = model.rungOf(turn.n);
    for (let at = from; at >= Math.max(0, from - 40); at--) {
      const { a, b } = ladder[at];
      const whole = asked.find((each) => each.length === 2 && each.includes(a) && each.includes(b));
      if (whole) return whole;
      const alone = asked.find((each) => each.length === 1 && (each[0] === a || each[0] === b));
      const other = alone && (alone[0] === a ? b : a);
      if (other && (state[other]?.ike || state[other]?.sas)) return [other, alone[0]];
    }
    return asked[0] || [turn.node];
  }

  hasNews(turn, id) {
    return turn.changes.some(([path]) => path[0] === id);
  }

  node(view, id, known, changed) {
    const cell = (path, value, extra, tell) => this.cell(changed, [id, ...path], value, extra, tell);
    cell.old = (path) => changed.get([id, ...path].join("\u0000"));
    const turn = view.model.turn(view.turn);
    cell.again = turn.node === id && turn.again ? turn.again : [];
    const ike = Object.entries(known.ike || {});
    return h(
      "section",
      { class: "end", "aria-label": id },
      h("h4", null, id, ike.map(([row, each]) => h("span", { class: `pill${changed.has([id, "ike", row, "state"].join("\u0000")) ? " changed" : ""}` }, each.state || ""))),
      this.sas(known.sas, cell),
      this.policies(known.policies, cell),
      ike.map(([row, each]) => this.ike(view, row, each, cell)),
      this.rows("Virtual addresses", known.pools, cell, "pools"),
      this.rows("Waiting for an SA", known.held, cell, "held"),
      this.table("NAT table", ["mapping", "inside", "remote"], known.mappings, ["inside", "remote"], cell, "mappings"),
      this.table("Connections", ["connection", "answered"], known.connections, ["is answered"], cell, "connections"),
      this.rows("Fragments", known.fragments, cell, "fragments"),
      this.rows("Path MTU", known["path MTU"], cell, "path MTU"),
      !known.sas && !known.policies && !known.mappings && !known.connections ? this.rows("Interfaces", known.interfaces, cell, "interfaces") : null,
    );
  }

  // A value; when the turn changed it, marked, with what it was.
  cell(changed, path, value, extra, tell = shortly) {
    const key = path.join("\u0000");
    if (!changed.has(key)) return h("td", { class: extra }, value);
    const old = changed.get(key);
    const was = old === null ? "new" : `was ${tell(old)}`;
    return h("td", { class: `changed ${extra || ""}` }, h("span", { class: "triangle", "aria-hidden": "true" }, "▲ "), value, h("span", { class: "was" }, ` ${was}`));
  }

  sas(sas, cell) {
    const rows = Object.entries(sas || {});
    if (!rows.length) return null;
    return [
      h("h5", null, "SAD · one row per direction"),
      h(
        "table",
        null,
        h("thead", null, h("tr", null, ["way", "SPI", "kind", "counter"].map((head) => h("th", { scope: "col" }, head)))),
        h(
          "tbody",
          null,
          rows.map(([row, sa]) => {
            const [way, spi] = row.split(" ");
            const counter = `${way === "in" ? "top" : "seq"} ${sa.sequence}`;
            return h("tr", null, h("td", null, way), cell(["sas", row, "kind"], h("span", { class: "mono nowrap" }, spi)), h("td", null, sa.kind), cell(["sas", row, "sequence"], counter));
          }),
        ),
      ),
      rows.filter(([, sa]) => sa.window).map(([row, sa]) => this.window(row, sa, cell)),
    ];
  }

  // 32 cells, the oldest left; the same in words.
  window(row, sa, cell) {
    const { window: picture, sequence: top } = sa;
    const first = firstOf(picture, top);
    const cells = [];
    for (let number = first; number < first + picture.length; number++) {
      const isSeen = isSeenIn(picture, top, number);
      const name = isSeen ? "seen" : number > top ? "ahead" : "gap";
      cells.push(s("rect", { class: `slot ${name}${number === top ? " top" : ""}`, x: (number - first) * 9 + 1, y: 1, width: 7, height: 12, rx: 1.5 }));
    }
    const [againSpi, again] = cell.again;
    const cameAgain = row === `in ${againSpi}`;
    if (cameAgain && isSeenIn(picture, top, again)) cells.push(s("rect", { class: "slot again", x: (again - first) * 9 + 0.5, y: 0.5, width: 8, height: 13, rx: 2 }));
    const windowSays = windowWords(picture, top);
    const words = cameAgain ? `${windowSays} · ${again} came again` : windowSays;
    const oldTop = cell.old(["sas", row, "sequence"]) ?? top;
    return h(
      "div",
      { class: "window" },
      h("p", { class: "quiet" }, `replay window of ${row.split(" ")[1]}, numbers ${first} to ${first + picture.length - 1}`),
      s("svg", { viewBox: `0 0 ${picture.length * 9 + 1} 15`, width: Math.min(picture.length * 9 + 1, 300), height: 15, role: "img", "aria-label": words }, cells),
      h("table", { class: "plain" }, h("tbody", null, h("tr", null, cell(["sas", row, "window"], cameAgain ? [windowSays, h("span", { class: "cameagain" }, ` · ✕ ${again} came again`)] : words, "", (old) => windowWords(old, oldTop))))),
    );
  }

  policies(policies, cell) {
    const rows = Object.entries(policies || {});
    if (!rows.length) return null;
    rows.sort(([a], [b]) => parseInt(a, 10) - parseInt(b, 10));
    return [
      h("h5", null, "SPD · rules, first match wins"),
      h(
        "table",
        null,
        h("thead", null, h("tr", null, ["rule", "local === remote", "action", "hits"].map((head) => h("th", { scope: "col" }, head)))),
        h("tbody", null, rows.map(([row, rule]) => h("tr", null, h("td", { class: "nowrap" }, row), h("td", { class: "mono wrap" }, rule.selectors), cell(["policies", row, "action"], String(rule.action).toUpperCase(), "strong"), cell(["policies", row, "hits"], rule.hits, "nowrap")))),
      ),
    ];
  }

  ike(view, row, each, cell) {
    const facts = [
      ["IKE SA SPIs", `${String(each["SPI i"]).slice(0, 8)}… / ${String(each["SPI r"]).slice(0, 8)}…`, "SPI r"],
      ["role", each.role, "role"],
      ["peer", `${each.peer || "not proved yet"} at ${each.remote}`, "remote"],
      ["suite", each.suite, "suite"],
      ["NAT", [each["we are behind a NAT"] && "this end is behind a NAT", each["the peer is behind a NAT"] && "the peer is behind a NAT"].filter(Boolean).join(", "), "the peer is behind a NAT"],
      ["message IDs", `next ${each["next request"]}, expects ${each["expected request"]}`, "next request"],
    ];
    const keys = Object.entries(each.keys || {});
    return [
      h("h5", null, `IKE SA of ${row.split(" ")[0]}`),
      h("table", { class: "facts" }, h("tbody", null, facts.filter(([, value]) => value).map(([name, value, field]) => h("tr", null, h("th", { scope: "row" }, name), cell(["ike", row, field], value))))),
      keys.length && view.eyes === "all" ? h("details", null, h("summary", null, "keys"), h("table", { class: "facts" }, h("tbody", null, keys.map(([name, value]) => h("tr", null, h("th", { scope: "row" }, name), h("td", { class: "mono wrap" }, value)))))) : null,
    ];
  }

  table(title, heads, section, fields, cell, name) {
    const rows = Object.entries(section || {});
    if (!rows.length) return null;
    return [
      h("h5", null, title),
      h("table", null, h("thead", null, h("tr", null, heads.map((head) => h("th", { scope: "col" }, head)))), h("tbody", null, rows.slice(0, 60).map(([row, each]) => h("tr", null, h("td", { class: "mono" }, row), fields.map((field) => cell([name, row, field], String(each[field] ?? ""), "mono")))))),
      rows.length > 60 ? h("p", { class: "quiet" }, `and ${rows.length - 60} more`) : null,
    ];
  }

  rows(title, section, cell, name) {
    const flat = [];
    const walk = (value, path) => {
      if (value !== null && typeof value === "object") for (const [key, below] of Object.entries(value)) walk(below, [...path, key]);
      else flat.push([path, value]);
    };
    walk(section || {}, []);
    if (!flat.length) return null;
    return [h("h5", null, title), h("table", { class: "facts" }, h("tbody", null, flat.slice(0, 60).map(([path, value]) => h("tr", null, h("th", { scope: "row" }, path.join(" ")), cell([name, ...path], String(value))))))];
  }
}

// A replay window is sent as a row of "1" for seen, the highest number last.
const firstOf = (picture, top) => Math.max(1, top - picture.length + 1);
const isSeenIn = (picture, top, number) => number <= top && picture[picture.length - 1 - (top - number)] === "1";

function windowWords(picture, top) {
  const seen = [];
  const gaps = [];
  for (let number = firstOf(picture, top); number <= top; number++) {
    if (isSeenIn(picture, top, number)) seen.push(number);
    else if (seen.length) gaps.push(number);
  }
  if (!seen.length) return top ? `seen nothing of the last ${picture.length} · top ${top}` : "seen nothing yet";
  return `seen ${spans(seen)}${gaps.length ? ` · gap at ${spans(gaps)}` : ""} · top ${top}`;
}

// "1-3, 5" of 1, 2, 3, 5.
function spans(numbers) {
  const found = [];
  for (const each of numbers) {
    const last = found[found.length - 1];
    if (last && last[1] === each - 1) last[1] = each;
    else found.push([each, each]);
  }
  return found.map(([from, to]) => (from === to ? `${from}` : to === from + 1 ? `${from}, ${to}` : `${from}-${to}`)).join(", ");
}

function shortly(value) {
  const text = String(value);
  return text.length > 24 ? `${text.slice(0, 23)}…` : text;
}
