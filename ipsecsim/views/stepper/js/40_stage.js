// The stage: nodes in their places, the links, and the turn as a picture with a verb: what came, what was done, what went.

const LINE = 19.5;
const ZONE_TOP = 5;
const VERB = 128;

class Stage {
  constructor(view) {
    this.svg = s("svg", { class: "stage", role: "group", "aria-label": "the network" });
    this.choice = h("div", { class: "choice", role: "group", "aria-label": "packets sent in this turn" });
    this.element = h("section", { class: "stagebox", "aria-label": "stage" }, this.svg, this.choice);
    const { data } = view.model;
    this.rows = [...new Set(data.nodes.map((node) => node.y.toFixed(3)))].sort();
    const across = [...new Set(data.nodes.map((node) => node.x))].sort((a, b) => a - b);
    this.span = { from: across[0], size: across[across.length - 1] - across[0] || 1 };
    this.gap = Math.min(1, ...across.slice(1).map((x, at) => (x - across[at]) / this.span.size));
    this.depth = Math.max(4, ...data.layouts.map((layout) => Math.min(view.isNotebook ? 5 : 7, layout.layers.length)));
  }

  geometry(view) {
    const width = view.widthOf(this.element) || 600;
    const isNarrow = view.width < 760;
    const line = view.isNotebook ? 17.5 : LINE;
    const each = (width - 168) * this.gap;
    const isIcons = isNarrow || each < 112;
    const nodeWidth = isIcons ? Math.max(26, Math.min(54, each - 8)) : Math.min(144, each - 20);
    const nodeHeight = isIcons ? 38 : 46;
    const rowHeight = this.rows.length === 1 ? 76 : view.isNotebook ? 84 : 102;
    const margin = nodeWidth / 2 + 16;
    const room = (width - 2 * margin) * this.gap - 6;
    const area = ZONE_TOP + this.rows.length * rowHeight + 12;
    const at = new Map(
      view.model.data.nodes.map((node) => [
        node.id,
        { x: margin + ((node.x - this.span.from) * (width - 2 * margin)) / this.span.size, y: 46 + this.rows.indexOf(node.y.toFixed(3)) * rowHeight },
      ]),
    );
    return { width, line, isIcons, isNarrow, nodeWidth, nodeHeight, at, room, area, most: this.depth, height: area + 10 + this.depth * (line + 1) + 20 };
  }

  draw(view) {
    const { model } = view;
    const turn = model.turn(view.turn);
    const g = this.geometry(view);
    const frozen = [g.width, g.isIcons, view.themeName].join();
    this.svg.setAttribute("viewBox", `0 0 ${g.width} ${g.height}`);
    this.svg.setAttribute("height", g.height);
    const used = new Set([model.text(turn.link_in), ...turn.out.map((each) => model.text(each.link))]);
    this.svg.replaceChildren(
      s("g", null, this.zones(view, g)),
      s("g", null, model.data.links.map((link) => this.link(view, g, link, used))),
      s("g", null, model.data.nodes.map((node) => this.node(g, node, node.id === turn.node))),
      s("g", { class: "turn" }, this.picture(view, g, turn)),
    );
    this.drawn = frozen;
    this.drawChoice(view, turn);
  }

  zones(view, g) {
    return view.model.data.zones.map((zone) => {
      const places = zone.nodes.map((id) => g.at.get(id)).filter(Boolean);
      if (!places.length) return null;
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

  link(view, g, link, used) {
    const ends = link.nodes.map((id) => g.at.get(id)).filter(Boolean);
    const isUsed = used.has(link.name);
    const isSecured = (link.secured || []).some(([from, to]) => from <= view.turn && (to === null || view.turn <= to));
    const name = isUsed ? "link used" : "link";
    if (ends.length === 2) {
      const [a, b] = ends;
      return [
        isSecured && s("line", { class: "tube", x1: a.x, y1: a.y, x2: b.x, y2: b.y, stroke: `url(#${view.prefix}-both)` }),
        s("line", { class: name, x1: a.x, y1: a.y, x2: b.x, y2: b.y }),
        isUsed && s("circle", { class: "ring", cx: (a.x + b.x) / 2, cy: (a.y + b.y) / 2, r: 5 }),
      ];
    }
    const middle = {
      x: ends.reduce((sum, each) => sum + each.x, 0) / ends.length,
      y: ends.reduce((sum, each) => sum + each.y, 0) / ends.length,
    };
    return [
      ends.map((end) => s("line", { class: name, x1: end.x, y1: end.y, x2: middle.x, y2: middle.y })),
      s("rect", { class: isUsed ? "lan used" : "lan", x: middle.x - 22, y: middle.y - 4, width: 44, height: 8, rx: 4 }),
      s("text", { class: "lanname", x: middle.x, y: middle.y - 8, "text-anchor": "middle" }, link.name),
    ];
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
          s("text", { class: "nodeaddress", x, y: y + ht / 2 + 14, "text-anchor": "middle" }, fitted(node.addresses.join("  "), g.room, `12px ${MONO}`)),
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
    const parts = [];
    if (arrived) parts.push(this.line(from || here, here, inAt, g, top), this.envelope(view, g, arrived, inAt, top, { isDropped: Boolean(turn.drop), label: "came" }));
    else parts.push(this.nothing(inAt, top, g, "starts here"));
    if (leaving) parts.push(this.line(here, to || here, outAt, g, top), this.envelope(view, g, leaving, outAt, top, { before, isLost: Boolean(sent.lost), isLeaving: true, label: "went" }));
    else if (!turn.drop) parts.push(this.nothing(outAt, top, g, arrived ? `for ${turn.node}` : "nothing leaves"));
    parts.push(this.verb(view, turn, x, top, isMirrored, arrived, leaving));
    return parts;
  }

  line(a, b, box, g, top) {
    const x = (a.x + b.x) / 2;
    return s("path", { class: "drop-line", d: `M${x} ${(a.y + b.y) / 2}V${g.area - 4}L${Math.max(box.x + 8, Math.min(box.x + box.width - 8, x))} ${top}` });
  }

  nothing(box, top, g, words) {
    return s("text", { class: "nothing", x: box.x + box.width / 2, y: top + 24, "text-anchor": "middle" }, words);
  }

  envelope(view, g, packet, box, top, how) {
    const inset = 5;
    const rows = packet.layers.slice(0, g.most);
    const count = rows.length + (packet.isClosed ? 1 : 0);
    const parts = [];
    rows.forEach((layer, at) => {
      const x = box.x + at * inset;
      const width = box.width - 2 * at * inset;
      const height = (count - at) * (g.line + 1) + 4;
      const y = top + at * (g.line + 1);
      const protection = layerClass(layer);
      parts.push(s("rect", { class: `layer layer-${protection}`, x, y, width, height, rx: 5 }));
      const before = how.before?.layers[layer.at]?.title ?? layer.title;
      const isChanged = before !== layer.title;
      const marks = this.marks(layer, protection, x + width, y + g.line / 2 + 1, packet);
      const room = width - 12 - marks.room - (isChanged ? 12 : 0);
      const name = fitted(layer.name, room, `700 12.5px ${SANS}`);
      const nameWidth = widthOf(name, `700 12.5px ${SANS}`) + 5;
      parts.push(
        isChanged && s("path", { class: "glyph glyph-nat", d: `M${x + 10} ${y + g.line / 2 - 3}l4 4-4 4-4-4z` }),
        s(
          "text",
          { class: "layername", x: x + (isChanged ? 18 : 7), y: y + g.line / 2 + 5.5 },
          s("tspan", { class: "strong" }, name),
          s("tspan", { dx: 5 }, this.words(fitted(layer.title, room - nameWidth, `12.5px ${SANS}`), before, isChanged)),
        ),
        marks.parts,
      );
    });
    if (packet.isClosed) {
      const at = rows.length;
      const y = top + at * (g.line + 1);
      const x = box.x + at * inset;
      const width = box.width - 2 * at * inset;
      parts.push(
        s("rect", { class: "layer closed", x, y, width, height: g.line + 3, rx: 5, fill: `url(#${view.prefix}-both)` }),
        s("text", { class: "halo", x: x + width / 2, y: y + g.line / 2 + 6, "text-anchor": "middle" }, "no key here"),
      );
    }
    const name = `envelope${how.isDropped ? " dropped" : ""}${how.isLost ? " lost" : ""}${how.isLeaving && view.slide ? ` leaving ${view.slide}` : ""}`;
    const said = `${how.label}: ${packet.name}, ${packet.size} bytes: ${rows.map((layer) => `${layer.name} ${layer.title}`).join("; ")}${packet.isClosed ? "; sealed, no key here" : ""}`;
    return s("g", { class: name, role: "img", "aria-label": said }, s("title", null, said), parts, how.isDropped && s("rect", { class: "dropframe", x: box.x - 4, y: top - 4, width: box.width + 8, height: count * (g.line + 1) + 12, rx: 8 }));
  }

  // The words of a title, those marked that it did not have before.
  words(title, before, isChanged) {
    if (!isChanged) return title;
    const old = new Set(before.split(/[ :,]+/));
    return title.split(/(?<=[ :])/).map((word) => s("tspan", { class: old.has(word.replace(/[ :,…]+$/, "")) || word.endsWith("…") ? null : "changed" }, word));
  }

  marks(layer, protection, right, y, packet) {
    const parts = [];
    let x = right - 18;
    if (protection === "both" || protection === "encrypted") {
      parts.push(s("g", { class: "lock", transform: `translate(${x} ${y - 8}) scale(.62)` }, s("path", { d: ICONS.lock })));
      x -= 17;
    }
    if (["ESP", "AH", "SK", "IKE"].some((word) => layer.name.startsWith(word)) && protection !== "clear") {
      const isBroken = packet.broken;
      parts.push(s("circle", { class: isBroken ? "seal broken" : "seal", cx: x + 7, cy: y, r: 6 }), s("path", { class: isBroken ? "seal-mark broken" : "seal-mark", d: isBroken ? `M${x + 4.5} ${y - 2.5}l5 5m0-5l-5 5` : `M${x + 4} ${y}l2 2.5 4-5` }));
      x -= 17;
    }
    return { parts, room: right - 18 - x };
  }

  verb(view, turn, x, top, isMirrored, arrived, left) {
    const { model } = view;
    const isDrop = Boolean(turn.drop);
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
    this.choice.hidden = turn.out.length < 2;
    if (this.choice.hidden) return;
    this.choice.replaceChildren(
      h("span", { class: "label" }, `${turn.out.length} packets leave:`),
      ...turn.out.slice(0, 12).map((each, at) =>
        h(
          "button",
          { type: "button", class: "button small", "aria-pressed": String(at === view.out), onclick: () => view.set({ out: at }) },
          `${at + 1}: ${view.model.packet(each.p).name}`,
        ),
      ),
      turn.out.length > 12 && h("span", { class: "label" }, `and ${turn.out.length - 12} more`),
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
