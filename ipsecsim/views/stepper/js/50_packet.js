// The packet X-ray: how each byte is protected, the layers as a staircase, one layer in rows of 32 bits, and the bytes.

const STEP = 22;

class PacketPanel {
  constructor(view) {
    this.head = h("div", { class: "panelhead" });
    this.body = h("div", { class: "panelbody" });
    this.sides = h(
      "div",
      { class: "segments", role: "group", "aria-label": "which packet" },
      [
        ["in", "Arriving"],
        ["changes", "Changes"],
        ["out", "Leaving"],
      ].map(([side, word]) => h("button", { type: "button", class: "segment", "data-side": side, onclick: () => view.set({ side }) }, word)),
    );
    this.hex = h("button", { type: "button", class: "button small", onclick: () => view.set({ hex: !view.hex }) }, "Hex");
    this.what = h("span", { class: "what" });
    this.head.append(h("h3", null, "Packet X-ray"), this.what, this.sides, this.hex);
    this.element = h("section", { class: "panel packet", "aria-label": "Packet X-ray" }, this.head, this.body);
    this.staircaseBox = h("div", { class: "staircase", role: "listbox", "aria-label": "layers" });
    roving(this.staircaseBox, "[role=option]");
  }

  // Which packet is looked at, and what it was before, where changes are to be shown.
  choose(view) {
    const turn = view.model.turn(view.turn);
    const arriving = view.seen(view.model.packet(turn.in));
    const leaving = turn.out.length ? view.seen(view.model.packet(turn.out[view.out].p)) : null;
    const canCompare = Boolean(arriving && leaving && turn.rel === "same");
    let side = view.side || (canCompare ? "changes" : arriving ? "in" : "out");
    if (side === "changes" && !canCompare) side = arriving ? "in" : "out";
    if (side === "in" && !arriving) side = "out";
    if (side === "out" && !leaving) side = "in";
    return { side, canCompare, arriving, leaving, packet: side === "in" ? arriving : leaving, before: side === "changes" ? arriving : null };
  }

  draw(view) {
    const chosen = this.choose(view);
    const { packet } = chosen;
    for (const button of this.sides.children) {
      const { side } = button.dataset;
      button.disabled = side === "changes" ? !chosen.canCompare : side === "in" ? !chosen.arriving : !chosen.leaving;
      button.setAttribute("aria-pressed", String(side === chosen.side));
    }
    this.hex.setAttribute("aria-pressed", String(view.hex));
    this.what.textContent = packet ? `${packet.name} · ${packet.size} bytes` : "";
    if (!packet) {
      this.body.replaceChildren(h("p", { class: "quiet" }, "No packet comes or goes in this turn."));
      return;
    }
    const changes = chosen.before ? differences(chosen.before, packet) : [];
    const drop = view.model.turn(view.turn).drop;
    const culprit = drop && drop.culprit && chosen.side === "in" ? this.unpacked(view, drop.culprit) : null;
    const layer = Math.min(view.layer ?? this.interesting(packet, changes, culprit), packet.layers.length - 1);
    const focused = this.staircaseBox.contains(document.activeElement);
    this.body.replaceChildren(
      this.legend(view, packet, changes),
      this.staircase(view, packet, layer, changes),
      h("div", { class: "scale", "aria-hidden": "true" }, h("span", null, "byte 0"), h("span", null, `${packet.size} bytes`)),
      this.note(view, changes, culprit) || "",
      this.layerTitle(packet, layer),
      this.grid(view, packet, layer, changes, culprit),
      view.hex ? this.hexdump(packet) : "",
      packet.isClosed ? h("p", { class: "quiet" }, `${view.reader()} has no key for what is inside.`) : "",
    );
    if (focused) this.staircaseBox.querySelector("[aria-selected=true]")?.focus();
  }

  unpacked(view, culprit) {
    return Object.fromEntries(Object.entries(culprit).map(([name, value]) => [name, view.model.text(value)]));
  }

  // Without a choice the layer is looked at in which something happened.
  interesting(packet, changes, culprit) {
    if (culprit) {
      const at = packet.layers.findIndex((layer) => layer.fields.some((field) => isSame(field.name, culprit.field)));
      if (at >= 0) return at;
    }
    const counted = changes.filter((each) => !/checksum|time to live|hop limit/i.test(each.name));
    return counted.length ? counted[0].layer : changes.length ? changes[0].layer : 0;
  }

  legend(view, packet, changes) {
    const counts = byteCounts(packet);
    const rewritten = new Set();
    for (const each of changes) for (let at = Math.floor(each.bit / 8); at < (each.bit + each.length) / 8; at++) rewritten.add(at);
    const item = (name, word, count) =>
      h("span", { class: "legenditem" }, s("svg", { width: 30, height: 16, "aria-hidden": "true", focusable: "false" }, s("rect", { class: `swatch edge-${name}`, x: 1, y: 1, width: 28, height: 14, rx: 3, fill: fillOf(view, name) })), ` ${word} `, h("b", null, `${count} B`));
    return h(
      "div",
      { class: "legend" },
      CLASSES.filter((name) => counts[name]).map((name) => item(name, CLASS_WORDS[name], counts[name])),
      rewritten.size ? item("rewritten", "◆ rewritten here", rewritten.size) : null,
    );
  }

  staircase(view, packet, chosen, changes) {
    const width = Math.max(200, (view.widthOf(this.element) || 500) - 32);
    const scale = width / packet.size;
    const depths = packet.layers.map((layer) => layer.depth);
    const rows = packet.layers.length;
    this.staircaseBox.replaceChildren(
      ...packet.layers.map((layer, at) => {
        const x = layer.start * scale;
        const w = Math.max(3, (layer.end - layer.start) * scale);
        const own = ownSpans(packet, at);
        const child = packet.layers.find((each, number) => number > at && each.depth > layer.depth && each.start >= layer.start && each.end <= layer.end);
        const label = `${layer.name} ${layer.title}`.trim();
        const font = at === chosen ? `650 13px ${SANS}` : `13px ${SANS}`;
        const hollow = child ? { x: child.start * scale, width: (layer.end - child.start) * scale } : { x, width: w };
        const isOver = !child;
        const room = Math.max(hollow.width, width - hollow.x) - 12;
        const short = fitted(label, room, font);
        const inside = child?.end ?? own.findLast(([, , name]) => name === "both")?.[1];
        const seal = inside && own.find(([from, to, name]) => name === "auth" && from >= inside && (to - from) * scale > 34);
        const picture = s(
          "svg",
          { width, height: STEP, focusable: "false" },
          s("rect", { class: at === chosen ? "layerbox chosen" : "layerbox", x: x + 0.75, y: 1, width: Math.max(1.5, w - 1.5), height: STEP - 3, rx: 3 }),
          own.map(([from, to, name]) => s("rect", { class: `own edge-${name}`, x: from * scale + 0.5, y: 2, width: Math.max(1.5, (to - from) * scale - 1), height: STEP - 5, rx: 2, fill: fillOf(view, name) })),
          changes.filter((each) => each.layer === at).map((each) => {
            const first = Math.floor(each.bit / 8);
            const last = Math.ceil((each.bit + each.length) / 8);
            return [s("rect", { class: "rewritten-part", x: first * scale, y: STEP / 2, width: Math.max(2, (last - first) * scale), height: STEP / 2 - 3 }), s("path", { class: "glyph glyph-nat", d: `M${((first + last) / 2) * scale} 3l3.5 3.5-3.5 3.5-3.5-3.5z` })];
          }),
          s("text", { class: isOver ? "halo" : "layerlabel", x: hollow.x + 6, y: STEP / 2 + 3.5 }, short),
          seal && s("text", { class: "halo", x: ((seal[0] + seal[1]) / 2) * scale, y: STEP / 2 + 3.5, "text-anchor": "middle" }, (seal[1] - seal[0]) * scale > 110 ? "ICV · the seal" : "ICV"),
        );
        return h(
          "div",
          {
            class: "stair",
            role: "option",
            tabindex: at === chosen ? 0 : -1,
            "aria-selected": String(at === chosen),
            onclick: () => view.set({ layer: at }),
          },
          picture,
          h("span", { class: "sr" }, `${short === label ? "" : label}, bytes ${layer.start} to ${layer.end - 1}`),
        );
      }),
    );
    this.staircaseBox.dataset.rows = rows;
    this.staircaseBox.dataset.depth = Math.max(...depths);
    return this.staircaseBox;
  }

  note(view, changes, culprit) {
    if (culprit) {
      return h("p", { class: "note note-drop" }, h("b", null, `✕ ${culprit.layer} ${culprit.field}`), ` was ${culprit.was} when it was sealed; changed by ${culprit.by}.`);
    }
    if (!changes.length) return null;
    const names = changes.map((each) => `${each.of} ${each.name}`);
    const node = view.model.turn(view.turn).node;
    return h("p", { class: "note note-rewritten" }, h("b", null, `◆ ${changes.length === 1 ? "1 field" : `${changes.length} fields`} rewritten by ${node}: `), `${names.slice(0, 6).join(", ")}${names.length > 6 ? ", …" : "."}`);
  }

  layerTitle(packet, at) {
    const layer = packet.layers[at];
    return h("h4", { class: "layertitle" }, layer.name, h("span", { class: "quiet" }, ` bytes ${layer.start}–${layer.end - 1}${layer.rfc ? ` · ${layer.rfc}` : ""}`));
  }

  // Rows of 32 bits, as the RFCs draw a header; what is longer than a row has one of its own.
  grid(view, packet, at, changes, culprit) {
    const layer = packet.layers[at];
    const isNarrow = (view.widthOf(this.element) || 500) < 420;
    const changed = new Map(changes.filter((each) => each.layer === at).map((each) => [each.name, each]));
    const cells = layer.fields.map((field) => {
      const was = changed.get(field.name);
      const isCulprit = culprit && isSame(culprit.field, field.name);
      const span = Math.min(32, Math.max(field.length, 1));
      const from = (field.bit - layer.start * 8) % 32;
      const cell = h(
        "div",
        { class: `cell cell-${field.protection}${span < 8 ? " cell-short" : ""}${was ? " cell-changed" : ""}${isCulprit ? " cell-culprit" : ""}`, title: `${field.name}: ${field.value}\n${field.meaning}\n${CLASS_WORDS[field.protection]}${field.rfc ? `, ${field.rfc}` : ""}` },
        h("span", { class: "band", "aria-hidden": "true" }, bandOf(view, field.protection)),
        h("span", { class: "cellname" }, field.name),
        h(
          "span",
          { class: "cellvalue" },
          was ? [h("s", null, was.old), h("span", { class: "diamond" }, " ◆ ")] : isCulprit ? [h("s", null, culprit.was), h("span", { class: "crossmark" }, " ✕ ")] : null,
          h("b", null, field.value),
          field.meaning && span >= 16 ? h("span", { class: "meaning" }, ` ${field.meaning}`) : null,
        ),
        h("span", { class: "sr" }, `, ${CLASS_WORDS[field.protection]}`),
      );
      const wide = isNarrow || field.length > 32;
      cell.style.setProperty("grid-column", wide ? "1 / -1" : `${from + 1} / span ${Math.min(span, 32 - from)}`);
      return cell;
    });
    return h("div", { class: "grid", role: "group", "aria-label": `fields of ${layer.name}` }, cells);
  }

  hexdump(packet) {
    const classes = classByByte(packet);
    const rows = [];
    const end = Math.min(packet.size, 4096);
    for (let from = 0; from < end; from += 16) {
      const spans = [];
      for (let at = from; at < Math.min(from + 16, end); at++) {
        const last = spans[spans.length - 1];
        const text = packet.plain[at].toString(16).padStart(2, "0");
        const isOpened = packet.plain[at] !== packet.bytes[at];
        const name = `hex-${classes[at]}${isOpened ? " opened" : ""}`;
        if (last && last.name === name) last.text += ` ${text}`;
        else spans.push({ name, text });
      }
      rows.push(h("div", null, h("span", { class: "offset" }, from.toString(16).padStart(4, "0")), spans.map((each) => h("span", { class: each.name }, ` ${each.text}`))));
    }
    const isOpened = packet.plain !== packet.bytes;
    return h(
      "div",
      { class: "hex", role: "group", "aria-label": "bytes" },
      h("p", { class: "quiet" }, isOpened ? "Bytes, decrypted where there is a key. " : "Bytes as they are on the wire. ", "Dotted: in the clear; underlined: authenticated; twice: encrypted too."),
      rows,
    );
  }
}

// Where the bytes of a layer are that belong to no layer inside it, in runs of one class; what is sealed counts as its own.
function ownSpans(packet, at) {
  const spans = [];
  const isSealed = packet.isClosed && at === packet.layers.length - 1;
  for (const field of packet.layers[at].fields) {
    const from = field.bit / 8;
    const to = (field.bit + field.length) / 8;
    const last = spans[spans.length - 1];
    if (isSealed && last && from - last[1] >= 1) spans.push([last[1], from, "both"]);
    if (last && last[2] === field.protection && Math.abs(last[1] - from) < 0.01) last[1] = to;
    else spans.push([from, to, field.protection]);
  }
  return spans;
}

function fillOf(view, name) {
  return ["encrypted", "auth", "both"].includes(name) ? `url(#${view.prefix}-${name})` : `var(--${name}-tint)`;
}

// A band of 9 pixels carries the pattern; the text lies on the tint beside it.
function bandOf(view, name) {
  return s("svg", { width: 9, height: "100%", focusable: "false" }, s("rect", { width: 9, height: "100%", fill: fillOf(view, name) }));
}
