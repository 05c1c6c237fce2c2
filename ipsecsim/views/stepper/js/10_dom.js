// Elements are made by hand: names come from peers, so text is always a text node and never read as HTML.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(4)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

const h = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
const s = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

const ruler = { context: null, known: new Map() };

// How wide a text is, measured and never guessed; most texts come again at the next turn.
function widthOf(text, font) {
  const key = `${font} ${text}`;
  let width = ruler.known.get(key);
  if (width === undefined) {
    ruler.context ??= document.createElement("canvas").getContext("2d");
    ruler.context.font = font;
    width = ruler.context.measureText(text).width;
    if (ruler.known.size > 20000) ruler.known.clear();
    ruler.known.set(key, width);
  }
  return width;
}

// As much of a text as fits, with an ellipsis where it is cut.
function fitted(text, room, font) {
  if (widthOf(text, font) <= room) return text;
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (widthOf(`${text.slice(0, middle)}…`, font) <= room) low = middle;
    else high = middle - 1;
  }
  return low ? `${text.slice(0, low)}…` : "";
}

// As many of some words as fit, none of them cut, and how many there are besides.
function wholeWords(words, room, font) {
  for (let count = words.length; count > 0; count--) {
    const text = words.slice(0, count).join("  ") + (count < words.length ? ` +${words.length - count}` : "");
    if (count === 1 || widthOf(text, font) <= room) return text;
  }
  return "";
}

const SANS = 'system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';
const MONO = 'ui-monospace, "SFMono-Regular", Consolas, "DejaVu Sans Mono", monospace';

// Paths on a field of 24 x 24.
const ICONS = {
  start: "M5 5v14M19 5l-10 7 10 7z",
  back: "M7 5v14M18 5L9 12l9 7z",
  play: "M7 4l13 8-13 8z",
  pause: "M7 4v16M17 4v16",
  step: "M17 5v14M6 5l9 7-9 7z",
  end: "M19 5v14M5 5l10 7-10 7z",
  theme: "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  tick: "M5 12l5 5 9-10",
  cross: "M6 6l12 12M18 6L6 18",
  host: "M4 5h16v11H4zM9 20h6M12 16v4",
  laptop: "M6 5h12v10H6zM3 19h18l-2-4H5z",
  router: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 6v4M12 14v4M6 12h4M14 12h4",
  nat: "M3 5h18v14H3zM6 10h11l-3-3M18 14H7l3 3",
  firewall: "M3 5h18v14H3zM3 10h18M3 14.5h18M9 5v5M15 10v4.5M9 14.5V19",
  gateway: "M12 3l8 3v6c0 5-4 8-8 9-4-1-8-4-8-9V6zM12 10v4",
  attacker: "M12 4a5 5 0 0 1 5 5v2H7V9a5 5 0 0 1 5-5zM4 20c0-5 4-7 8-7s8 2 8 7z",
  server: "M5 4h14v5H5zM5 10h14v5H5zM5 16h14v4H5zM8 6.5h2M8 12.5h2",
};

function icon(name, size = 18) {
  return s(
    "svg",
    { viewBox: "0 0 24 24", width: size, height: size, class: `icon icon-${name}`, "aria-hidden": "true", focusable: "false" },
    s("path", { d: ICONS[name] || ICONS.host }),
  );
}

// The shape of an event's kind, round `x`, `y`.
function glyph(kind, x, y, size = 5) {
  const at = { class: `glyph glyph-${kind}` };
  if (kind === "ike") return s("circle", { ...at, cx: x, cy: y, r: size - 0.5 });
  if (kind === "nat") return s("path", { ...at, d: `M${x} ${y - size}l${size} ${size}-${size} ${size}-${size}-${size}z` });
  if (kind === "state") return s("path", { ...at, d: `M${x} ${y - size}l${size} ${2 * size - 1}h${-2 * size}z` });
  if (kind === "drop") return s("path", { ...at, d: `M${x - size + 1} ${y - size + 1}l${2 * size - 2} ${2 * size - 2}m0 ${2 - 2 * size}l${2 - 2 * size} ${2 * size - 2}` });
  if (kind === "forward") return s("path", { ...at, d: `M${x} ${y - 3}v6` });
  return s("rect", { ...at, x: x - 3, y: y - size, width: 6, height: 2 * size });
}

// The patterns of the protection classes, made anew for each view: ids are global in a page.
function patterns(prefix) {
  const lines = { encrypted: "M-1 1l2-2M0 6L6 0M5 7l2-2", auth: "M-1 5l2 2M0 0l6 6M5-1l2 2" };
  lines.both = `${lines.encrypted}${lines.auth}`;
  return s(
    "svg",
    { width: 0, height: 0, class: "patterns", "aria-hidden": "true", focusable: "false" },
    s(
      "defs",
      null,
      Object.entries(lines).map(([name, d]) =>
        s(
          "pattern",
          { id: `${prefix}-${name}`, width: 6, height: 6, patternUnits: "userSpaceOnUse" },
          s("rect", { width: 6, height: 6, class: `tint-${name}` }),
          s("path", { d, class: `line-${name}` }),
        ),
      ),
    ),
  );
}

// A list of things of which one can be reached by Tab and the others by the arrow keys.
function roving(container, selector) {
  container.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (!way || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
    const all = [...container.querySelectorAll(selector)];
    const at = all.indexOf(event.target.closest(selector));
    const next = all[at + way];
    if (at < 0 || !next) return;
    next.focus();
    next.dispatchEvent(new Event("click", { bubbles: true }));
    event.preventDefault();
    event.stopPropagation();
  });
}
