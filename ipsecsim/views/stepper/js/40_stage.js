// The stage: nodes in their places, the links, and the turn as a picture with a verb: what came, what was done, what went.

const LINE = 18.5;
const ZONE_TOP = 5;
const VERB = 128;
const INSET = 5;
const SEALING = ["esp", "ah", "sk"];
const CLOSE = 3; // between the bottoms of a layer and of what it is in

class Stage {
  constructor(view) {
    this.svg = s("svg", { class: "stage", role: "group", "aria-label": "the network" });
    this.choice = h("div", { class: "choice", role: "group", "aria-label": "packets sent in this turn" });
    this.element = h("section", { class: "stagebox", "aria-label": "stage" }, this.svg, this.choice);
    const { data } = view.model;
    this.rows = data.grid?.[1] || 1;
    const across = [...new Set(data.nodes.map((node) => node.x))].sort((a, b) => a - b);
    this.span = { from: across[0], size: across[across.length - 1] - across[0] || 1 };
    this.gap = Math.min(1, ...across.slice(1).map((x, at) => (x - across[at]) / this.span.size));
    this.hasChoices = data.turns.some((turn) => turn.out.length > 1);
    this.links = new Map(data.links.map((link) => [link.name, link]));
  }

  // As many rows as the deepest packet of the run has, so that nothing moves from turn to turn.
  depth(view) {
    const { layouts } = view.model.data;
    if (this.deepest?.of !== layouts.length) {
      const most = view.isNotebook ? 5 : 7;
      const rows = layouts.reduce((found, layout) => Math.max(found, layout.layers.length), 4);
      this.deepest = { of: layouts.length, rows: Math.min(most, rows) };
    }
    return this.deepest.rows;
  }

  geometry(view) {
    const width = view.widthOf(this.element) || 600;
    const isNarrow = view.width < 760;
    const line = view.isNotebook ? 17 : LINE;
    const each = (width - 168) * this.gap;
    const isFlat = view.isNotebook && this.rows > 2;
    const isIcons = isNarrow || isFlat || each < 112;
    const nodeWidth = isIcons ? Math.max(26, Math.min(54, each - 8)) : Math.min(144, each - 20);
    const nodeHeight = isIcons ? 38 : 46;
    const rowHeight = isFlat ? 58 : this.rows === 1 ? 76 : isIcons ? 88 : 96;
    const margin = nodeWidth / 2 + 16;
    const area = ZONE_TOP + this.rows * rowHeight + 12;
    const placed = (x, y) => ({
      x: margin + ((x - this.span.from) * (width - 2 * margin)) / this.span.size,
      y: 46 + (y * this.rows - 0.5) * rowHeight,
    });
    const at = new Map(view.model.data.nodes.map((node) => [node.id, placed(node.x, node.y)]));
    const room = (width - 2 * margin) * this.gap - 6;
    const most = this.depth(view);
    const height = area + 10 + most * (line + CLOSE) + 20;
    return { width, line, isIcons, isNarrow, isFlat, nodeWidth, nodeHeight, at, placed, room, area, height, most };
  }

  draw(view) {
    const { model } = view;
    const turn = model.turn(view.turn);
    const g = this.geometry(view);
    this.svg.setAttribute("viewBox", `0 0 ${g.width} ${g.height}`);
    this.svg.setAttribute("height", g.height);
    const used = new Map([[model.text(turn.link_in), [turn.from]]]);
    for (const each of turn.out) used.set(model.text(each.link), [...(used.get(model.text(each.link)) || []), each.to]);
    const zones = g.isFlat ? [] : this.zones(view, g);
    const { lines, parts } = this.picture(view, g, turn);
    this.svg.replaceChildren(
      s("g", null, zones.map(([frame]) => frame)),
      s("g", null, model.data.links.map((link) => this.link(view, g, link, used.get(link.name)))),
      s("g", null, zones.map(([, name]) => name)),
      s("g", null, model.data.nodes.map((node) => this.taps(g, node)), lines),
      s("g", null, model.data.nodes.map((node) => this.node(g, node, node.id === turn.node))),
      s("g", { class: "turn" }, parts),
    );
    this.drawChoice(view, turn);
  }

  // Of each zone its frame, which lies under the links, and its name, which lies over them.
  zones(view, g) {
    return view.model.data.zones.map((zone) => {
      const places = zone.nodes.map((id) => g.at.get(id)).filter(Boolean);
      if (!places.length) return [];
      const left = Math.min(...places.map((each) => each.x)) - g.nodeWidth / 2 - 8;
      const right = Math.max(...places.map((each) => each.x)) + g.nodeWidth / 2 + 8;
      const top = Math.min(...places.map((each) => each.y)) - g.nodeHeight / 2 - 18;
      const bottom = Math.max(...places.map((each) => each.y)) + g.nodeHeight / 2 + 24;
      return [
        s("rect", { class: "zone", x: left, y: top, width: right - left, height: bottom - top, rx: 8 }),
        s("text", { class: "zonename", x: left + 8, y: top + 13 }, fitted(zone.name, right - left - 16, `600 12px ${SANS}`)),
      ];
    });
  }

  // A line between two ends, or a bar with a line to each; what a packet is on in this turn is bold.
  link(view, g, link, used) {
    const tube = (link.secured || []).find(([from, to]) => from <= view.turn && (to === null || view.turn <= to));
    const acting = view.model.turn(view.turn).node;
    const parts = this.strokes(g, link).map(([end, a, b]) => {
      const isUsed = Boolean(used) && (link.x === undefined || end === acting || used.includes(end));
      const where = { x1: a.x, y1: a.y, x2: b.x, y2: b.y };
      return [
        tube && s("line", { class: "tube", ...where, stroke: `url(#${view.prefix}-${tube[2]})` }),
        s("line", { class: isUsed ? "link used" : "link", ...where }),
        isUsed && s("circle", { class: "ring", cx: (a.x + b.x) / 2, cy: (a.y + b.y) / 2, r: 5 }),
      ];
    });
    if (link.x === undefined) return parts;
    const top = g.placed(link.x, link.top);
    const bottom = g.placed(link.x, link.bottom);
    return [
      parts,
      s("rect", { class: used ? "lan used" : "lan", x: top.x - 4, y: top.y - 12, width: 8, height: bottom.y - top.y + 24, rx: 4 }),
      s("text", { class: "lanname", x: top.x, y: top.y - 16, "text-anchor": "middle" }, link.name),
    ];
  }

  // The lines of a link: [whose, from, to].
  strokes(g, link) {
    const ends = link.nodes.filter((id) => g.at.has(id));
    if (link.x !== undefined) {
      const bar = g.placed(link.x, 0).x;
      return ends.map((id) => {
        const { x, y } = g.at.get(id);
        return [id, { x: x + (Math.sign(bar - x) * g.nodeWidth) / 2, y }, { x: bar, y }];
      });
    }
    return ends.length === 2 ? [[ends[0], g.at.get(ends[0]), g.at.get(ends[1])]] : [];
  }

  // Where a packet is shown that the acting node gets or sends over a link.
  onLink(g, name, node, fallback) {
    const strokes = this.links.has(name) ? this.strokes(g, this.links.get(name)) : [];
    const [, a, b] = strokes.find(([end]) => end === node) || strokes[0] || ["", g.at.get(node), fallback || g.at.get(node)];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  }

  // Who listens on a link stands beside it.
  taps(g, node) {
    const here = g.at.get(node.id);
    return (node.taps || []).map((name) => {
      const there = this.onLink(g, name, "", here);
      return s("line", { class: "tap", x1: here.x, y1: here.y, x2: there.x, y2: there.y });
    });
  }

  node(g, node, isActing) {
    const { x, y } = g.at.get(node.id);
    const [w, ht] = [g.nodeWidth, g.nodeHeight];
    const room = g.isIcons ? g.room : w - 48;
    const picture = s("g", { transform: `translate(${g.isIcons ? x - 13 : x - w / 2 + 8} ${y - 13})` }, s("path", { class: "nodeicon", d: ICONS[node.icon] || ICONS[node.kind] || ICONS.host, transform: "scale(1.08)" }));
    const words = g.isIcons
      ? s("text", { class: "nodename below", x, y: y + ht / 2 + 14, "text-anchor": "middle" }, fitted(node.id, room, `600 13px ${SANS}`))
      : [
          s("text", { class: "nodename", x: x - w / 2 + 42, y: y - 3 }, fitted(node.id, room, `650 15px ${SANS}`)),
          s("text", { class: "nodekind", x: x - w / 2 + 42, y: y + 14 }, fitted(node.kind, room, `12.5px ${SANS}`)),
          s("text", { class: "nodeaddress", x, y: y + ht / 2 + 14, "text-anchor": "middle" }, wholeWords(node.addresses, g.room, `12px ${MONO}`)),
        ];
    return s(
      "g",
      { class: isActing ? "node acting" : "node", role: "img", "aria-label": `${node.id}, ${node.kind}${isActing ? ", acts in this turn" : ""}` },
      s("title", null, `${node.id} (${node.kind}) ${node.addresses.join(" ")}`),
      s("rect", { x: x - w / 2, y: y - ht / 2, width: w, height: ht, rx: 8 }),
      picture,
      words,
    );
  }

  // [envelope] verb -> [envelope], under the node that acts; what comes from the right stands on the right.
  picture(view, g, turn) {
    const { model } = view;
    const here = g.at.get(turn.node);
    const sent = turn.out[view.out];
    const from = g.at.get(turn.from);
    const to = sent && g.at.get(sent.to);
    const isMirrored = (from && from.x > here.x && !(to && to.x > here.x)) || (!from && to && to.x < here.x);
    const verbWidth = g.isNarrow ? 92 : VERB;
    const most = g.isNarrow ? (g.width - verbWidth - 12) / 2 : Math.min(g.width >= 1200 ? 282 : 232, (g.width - verbWidth - 24) / 2);
    const bare = Math.min(most, 120);
    const sides = [turn.in === null ? bare : most, sent ? most : bare];
    if (isMirrored) sides.reverse();
    const x = Math.max(sides[0] + verbWidth / 2 + 6, Math.min(g.width - sides[1] - verbWidth / 2 - 6, here.x));
    const left = { x: x - verbWidth / 2 - sides[0], width: sides[0] };
    const right = { x: x + verbWidth / 2, width: sides[1] };
    const [inAt, outAt] = isMirrored ? [right, left] : [left, right];
    const arrived = view.seen(model.packet(turn.in));
    const leaving = sent ? view.seen(model.packet(sent.p)) : null;
    const before = turn.rel === "same" && leaving && arrived?.layers.length === leaving.layers.length ? arrived : null;
    const top = g.area + 4;
    const lines = [];
    const parts = [];
    if (arrived) {
      lines.push(this.line(this.onLink(g, model.text(turn.link_in), turn.node, from), inAt, g, top));
      parts.push(this.envelope(view, g, arrived, inAt, top, { isDropped: Boolean(turn.drop), label: "came" }));
    } else parts.push(this.nothing(inAt, top, "starts here"));
    if (leaving) {
      lines.push(this.line(this.onLink(g, model.text(sent.link), turn.node, to), outAt, g, top));
      parts.push(this.envelope(view, g, leaving, outAt, top, { before, isLost: Boolean(sent.lost), isLeaving: true, label: "went" }));
    } else if (!turn.drop) parts.push(this.nothing(outAt, top, arrived ? `for ${turn.node}` : "nothing leaves"));
    parts.push(this.verb(view, turn, x, top, isMirrored, arrived, leaving));
    return { lines, parts };
  }

  line(from, box, g, top) {
    const x = Math.max(box.x + 8, Math.min(box.x + box.width - 8, from.x));
    return s("path", { class: "drop-line", d: `M${from.x} ${from.y}V${g.area - 4}L${x} ${top}` });
  }

  nothing(box, top, words) {
    return s("text", { class: "nothing", x: box.x + box.width / 2, y: top + 24, "text-anchor": "middle" }, words);
  }

  // A box for each layer within the one that it is in, what stands beside each other below each other.
  envelope(view, g, packet, box, top, how) {
    const rows = envelopeRows(packet, g.most, box.width);
    const boxes = [];
    const words = [];
    const open = [];
    let y = top;
    const close = (depth) => {
      while (open.length && open[open.length - 1].depth >= depth) {
        const { rect, from } = open.pop();
        y += CLOSE;
        rect.setAttribute("height", y - from);
      }
    };
    for (const row of rows) {
      close(row.depth);
      const x = box.x + row.depth * INSET;
      const width = box.width - 2 * row.depth * INSET;
      const rect = s("rect", { class: row.isClosed ? "closed" : `layer layer-${row.protection}`, x, y, width, rx: 5, fill: row.isClosed ? `url(#${view.prefix}-both)` : null });
      open.push({ rect, from: y, depth: row.depth });
      boxes.push(rect);
      words.push(row.isClosed ? s("text", { class: "halo", x: x + width / 2, y: y + g.line / 2 + 6, "text-anchor": "middle" }, "no key here") : this.row(g, row, x, y, width, how, packet.broken && (view.eyes === "all" || how.isDropped)));
      y += g.line;
    }
    close(0);
    const name = `envelope${how.isDropped ? " dropped" : ""}${how.isLost ? " lost" : ""}${how.isLeaving && view.slide ? ` leaving ${view.slide}` : ""}`;
    const said = `${how.label}: ${packet.name}, ${packet.size} bytes: ${packet.layers.map((layer) => `${layer.name} ${layer.title}`).join("; ")}${packet.isClosed ? "; sealed, no key here" : ""}`;
    const frame = how.isDropped && s("rect", { class: "dropframe", x: box.x - 4, y: top - 4, width: box.width + 8, height: y - top + 8, rx: 8 });
    return s("g", { class: name, role: "img", "aria-label": said }, s("title", null, said), boxes, words, frame);
  }

  row(g, row, x, y, width, how, isBroken) {
    const before = how.before?.layers[row.at]?.title ?? row.title;
    const isChanged = before !== row.title;
    const marks = this.marks(row, x + width, y + g.line / 2 + 1, isBroken);
    const room = width - 12 - marks.room - (isChanged ? 12 : 0);
    const name = fitted(row.name, room, `700 12.5px ${SANS}`);
    const nameWidth = name ? widthOf(name, `700 12.5px ${SANS}`) + 5 : 0;
    return [
      isChanged && s("path", { class: "glyph glyph-nat", d: `M${x + 10} ${y + g.line / 2 - 3}l4 4-4 4-4-4z` }),
      s(
        "text",
        { class: "layername", x: x + (isChanged ? 18 : 7), y: y + g.line / 2 + 5.5 },
        s("tspan", { class: "strong" }, name),
        s("tspan", { dx: name ? 5 : 0 }, this.words(fitted(row.title, room - nameWidth, `12.5px ${SANS}`), before, isChanged)),
      ),
      marks.parts,
    ];
  }

  // The words of a title, those marked that it did not have before.
  words(title, before, isChanged) {
    if (!isChanged) return title;
    const old = new Set(before.split(/[ :,]+/));
    return title.split(/(?<=[ :])/).map((word) => s("tspan", { class: old.has(word.replace(/[ :,…]+$/, "")) || word.endsWith("…") ? null : "changed" }, word));
  }

  // A lock where the bytes are encrypted, a seal on the layer that has the ICV.
  marks(row, right, y, isBroken) {
    const parts = [];
    let x = right - 18;
    if (row.protection === "both" || row.protection === "encrypted") {
      parts.push(s("g", { class: "lock", transform: `translate(${x} ${y - 8}) scale(.62)` }, s("path", { d: ICONS.lock })));
      x -= 17;
    }
    if (SEALING.includes(row.kind)) {
      const mark = isBroken ? `M${x + 4.5} ${y - 2.5}l5 5m0-5l-5 5` : `M${x + 4} ${y}l2 2.5 4-5`;
      parts.push(s("circle", { class: isBroken ? "seal broken" : "seal", cx: x + 7, cy: y, r: 6 }), s("path", { class: isBroken ? "seal-mark broken" : "seal-mark", d: mark }));
      x -= 17;
    }
    return { parts, room: right - 18 - x };
  }

  verb(view, turn, middle, top, isMirrored, arrived, left) {
    const { model } = view;
    const isDrop = Boolean(turn.drop);
    const x = isDrop ? middle + (isMirrored ? -40 : 40) : middle; // nothing leaves, so there is room for the reason
    const arrow = isMirrored ? `M${x + 20} ${top + 34}h-40m8 -7l-8 7 8 7` : `M${x - 20} ${top + 34}h40m-8 -7l8 7-8 7`;
    const change = arrived && left ? left.size - arrived.size : 0;
    const below = isDrop
      ? model.text(turn.drop.code)
      : turn.rel === "answer"
        ? "a new packet"
        : !arrived || !left
          ? ""
          : change
            ? `${change > 0 ? "+" : "−"}${Math.abs(change)} bytes`
            : "same size";
    return s(
      "g",
      { class: isDrop ? "verb verb-drop" : "verb" },
      s("text", { class: "verbword", x, y: top + 16, "text-anchor": "middle" }, fitted(model.text(turn.verb), VERB, `650 16px ${SANS}`)),
      isDrop ? glyph("drop", x, top + 36, 10) : (arrived || left) && s("path", { class: "verbarrow", d: arrow }),
      s("text", { class: isDrop ? "dropcode" : "verbbelow", x, y: top + 62, "text-anchor": "middle" }, fitted(below, isDrop ? 190 : VERB, isDrop ? `700 11px ${MONO}` : `13px ${SANS}`)),
      isDrop && s("text", { class: "verbbelow", x, y: top + 78, "text-anchor": "middle" }, fitted(`at ${model.text(turn.drop.hook)}`, 190, `13px ${SANS}`)),
    );
  }

  drawChoice(view, turn) {
    this.hasChoices ||= turn.out.length > 1;
    this.choice.hidden = !this.hasChoices; // its place is kept over the run
    if (turn.out.length < 2) {
      this.choice.replaceChildren();
      return;
    }
    this.choice.replaceChildren(
      h("span", { class: "label" }, `${turn.out.length} packets leave:`),
      ...turn.out.slice(0, 12).map((each, at) =>
        h(
          "button",
          { type: "button", class: "button small", "aria-pressed": String(at === view.out), onclick: () => view.set({ out: at }) },
          `${at + 1}: ${view.model.packet(each.p).name}`,
        ),
      ),
      turn.out.length > 12 ? h("span", { class: "label" }, `and ${turn.out.length - 12} more`) : "",
    );
  }
}

// What stands for a layer as a whole: what most of its own bytes are.
function layerClass(layer) {
  const counts = {};
  for (const field of layer.fields) counts[field.protection] = (counts[field.protection] || 0) + field.length;
  const [best] = Object.entries(counts).sort((a, b) => b[1] - a[1]);
  return best ? best[0] : "clear";
}

// The rows of an envelope. Where there are too many, the payloads of a message share some.
function envelopeRows(packet, most, width) {
  const base = packet.layers[0]?.depth ?? 0;
  const rows = packet.layers.map((layer) => ({ ...layer, depth: layer.depth - base, protection: layerClass(layer) }));
  if (packet.isClosed) rows.push({ isClosed: true, depth: rows.length ? rows[rows.length - 1].depth + 1 : 0 });
  if (rows.length <= most) return rows;
  const first = rows.findIndex((row) => row.kind === "payload");
  if (first < 0 || first >= most) return rows.slice(0, most);
  const payloads = rows.slice(first).filter((row) => row.kind === "payload");
  const { depth, protection } = payloads[0];
  const lines = [""];
  for (const { name } of payloads) {
    const longer = lines[lines.length - 1] ? `${lines[lines.length - 1]} · ${name}` : name;
    const isFull = widthOf(longer, `12.5px ${SANS}`) > width - 2 * depth * INSET - 36;
    if (isFull && lines[lines.length - 1] && lines.length < most - first) lines.push(name);
    else lines[lines.length - 1] = longer;
  }
  return [...rows.slice(0, first), ...lines.map((title) => ({ name: "", title, depth, protection }))];
}
