// The view as a whole: what is looked at, the keys, the widths, and what is redrawn when.

const MOVES = { ArrowLeft: -1, ArrowRight: 1 };
const PLAY_EVERY = 1600;
const TABS = [
  ["packet", "Packet"],
  ["inside", "Inside the node"],
  ["ladder", "Ladder"],
  ["ends", "Both ends"],
];
let views = 0;

class View {
  constructor(element, options) {
    this.root = element;
    this.options = options;
    this.model = new Model(options.data);
    this.prefix = `ipsecsim${++views}`;
    Object.assign(this, { turn: this.model.first, eyes: "all", side: null, layer: null, out: 0, hex: false, filter: "", tab: "packet", isPlaying: false, speed: 1, slide: "", width: 0 });
    this.isNotebook = options.host === "notebook";
    this.themeName = options.theme || "auto";
    this.build();
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(this.root);
    this.night = matchMedia("(prefers-color-scheme: dark)");
    this.onNight = () => this.draw();
    this.night.addEventListener("change", this.onNight);
    this.resized();
  }

  build() {
    this.bar = new Bar(this);
    this.strip = new Strip(this);
    this.stage = new Stage(this);
    this.sentence = new Sentence(this);
    this.panels = { packet: new PacketPanel(this), ends: new EndsPanel(this), inside: new InsidePanel(this), ladder: new LadderPanel(this) };
    this.help = helpPanel(this);
    this.tabs = h(
      "div",
      { class: "tabs", role: "tablist", "aria-label": "what is shown" },
      TABS.map(([name, word]) => h("button", { type: "button", class: "tab", role: "tab", id: `${this.prefix}-tab-${name}`, "aria-controls": `${this.prefix}-${name}`, "data-tab": name, onclick: () => this.set({ tab: name }) }, word)),
    );
    roving(this.tabs, "[role=tab]");
    for (const [name, panel] of Object.entries(this.panels)) {
      panel.element.id = `${this.prefix}-${name}`;
      if (this.isNotebook && name !== "ladder") this.letScroll(panel.element);
    }
    this.root.classList.add("ipsecsim");
    this.root.setAttribute("role", "region");
    this.root.setAttribute("aria-label", `step by step: ${this.model.data.title}`);
    this.root.tabIndex = -1;
    // Jupyter takes keys before anybody below hears them: two D would delete the cell
    this.root.dataset.lmSuppressShortcuts = "true";
    this.root.addEventListener("keydown", (event) => this.onKey(event));
    this.root.replaceChildren(
      patterns(this.prefix),
      this.bar.element,
      this.help,
      this.strip.element,
      h("div", { class: "scene" }, this.stage.element, this.sentence.element),
      this.tabs,
      h(
        "div",
        { class: "lower" },
        h("div", { class: "column" }, this.panels.packet.element, !this.isNotebook && this.panels.ends.element),
        h("div", { class: "column" }, this.panels.inside.element, this.panels.ladder.element, this.isNotebook && this.panels.ends.element),
      ),
    );
  }

  // In a view of fixed height the panels scroll, by keys too.
  letScroll(panel) {
    const body = panel.querySelector(".panelbody");
    for (const [name, value] of [["tabindex", 0], ["role", "group"], ["aria-label", `${panel.getAttribute("aria-label")}, contents`]]) body.setAttribute(name, value);
  }

  resized() {
    const { width } = this.root.getBoundingClientRect();
    if (!width || Math.abs(width - this.width) < 1) return;
    this.width = width;
    this.measured = new Map();
    this.heights = new Map();
    const { classList } = this.root;
    classList.toggle("wide", width >= 1320);
    classList.toggle("middle", width >= 760 && width < 1320);
    classList.toggle("narrow", width < 760);
    classList.toggle("notebook", this.isNotebook);
    classList.toggle("tall", this.stage.rows > 2);
    this.draw();
  }

  // The width of an element: asking makes the browser lay out the page, so once for each width and tab.
  widthOf(element) {
    let width = this.measured.get(element);
    if (!width) {
      width = element.clientWidth;
      this.measured.set(element, width);
    }
    return width;
  }

  heightOf(element) {
    let height = this.heights.get(element);
    if (!height) {
      height = element.clientHeight;
      this.heights.set(element, height);
    }
    return height;
  }

  // -- what is looked at ---------------------------------------------------------------------

  get usesTabs() {
    return this.width < 760 || this.isNotebook;
  }

  reader() {
    return this.eyes === "all" ? "Nobody" : this.model.turn(this.turn).node;
  }

  seen(packet) {
    return this.eyes === "all" ? packet : this.model.seenBy(packet, this.model.turn(this.turn).node);
  }

  isFiltered(turn) {
    const [by, ...rest] = this.filter.split(" ");
    const wanted = rest.join(" ");
    if (by === "node") return turn.node !== wanted;
    if (by === "kind") return !KINDS.find((kind) => kind.key === wanted).of.some((each) => turn.kinds.includes(each));
    return false;
  }

  set(changes) {
    Object.assign(this, changes);
    this.slide = "";
    this.draw();
  }

  go(turn, slide = "") {
    const to = Math.max(this.model.first, Math.min(this.model.last, turn));
    if (to !== this.turn) Object.assign(this, { turn: to, out: 0, layer: null, side: null });
    this.slide = slide;
    this.draw();
    this.options.onTurn?.(this.turn);
  }

  step(way) {
    if (way > 0 && this.turn === this.model.last && this.model.data.live) {
      this.options.onStep?.();
      return;
    }
    let to = this.turn + way;
    while (this.filter && this.model.turn(to) && this.isFiltered(this.model.turn(to))) to += way;
    if (this.model.turn(to)) this.go(to, way > 0 ? "onward" : "backward");
  }

  next(kind, way) {
    const { of } = KINDS.find((each) => each.key === kind);
    const to = this.model.seek(this.turn, way, (turn) => !this.isFiltered(turn) && turn.kinds.some((each) => of.includes(each)));
    if (to !== null) this.go(to);
  }

  chapter(way) {
    const turns = this.model.data.chapters.map((each) => each.turn);
    const to = way > 0 ? turns.find((each) => each > this.turn) : turns.findLast((each) => each < this.turn);
    if (to !== undefined) this.go(to);
  }

  find(words, way) {
    const wanted = words.trim().toLowerCase();
    if (!wanted) return;
    const { model } = this;
    const fits = (turn) => [turn.node, ...[turn.say, turn.deeper, turn.verb, turn.message].map((each) => model.text(each))].join(" ").toLowerCase().includes(wanted);
    const to = model.seek(this.turn, way, fits);
    if (to !== null) this.go(to);
  }

  // While scrubbing faster than the screen, only the last position is drawn.
  scrub(turn) {
    this.wanted = turn;
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = undefined;
      this.go(this.wanted);
    });
  }

  // -- playing -------------------------------------------------------------------------------

  togglePlay() {
    this.isPlaying = !this.isPlaying;
    if (this.isPlaying && this.turn === this.model.last && !this.model.data.live) this.go(this.model.first);
    this.schedule();
    this.draw();
  }

  setSpeed(speed) {
    this.speed = speed;
    this.schedule();
  }

  schedule() {
    clearTimeout(this.timer);
    if (!this.isPlaying) return;
    this.timer = setTimeout(() => {
      const before = this.turn;
      this.step(1);
      if (this.turn === before && !this.model.data.live) this.isPlaying = false;
      this.schedule();
      if (!this.isPlaying) this.draw();
    }, PLAY_EVERY / this.speed);
  }

  append(more) {
    const wasLast = this.turn === this.model.last;
    this.model.append(more);
    if (wasLast && more.turns?.length) this.go(this.turn + 1, "onward");
    else this.draw();
  }

  // -- keys ----------------------------------------------------------------------------------

  onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.key === "Tab") return;
    const { target } = event;
    const isButton = target.matches("button, summary, select");
    const isText = target.matches("input:not([type=range])");
    if (isText || (target.matches("select") && event.key.startsWith("Arrow"))) return;
    if ((event.key === " " || event.key === "Enter") && isButton) return;
    if (this.act(event.key, event.shiftKey)) event.preventDefault();
    // a notebook takes keys of its own, and would run or delete cells
    event.stopPropagation();
  }

  act(key, isBack) {
    const way = isBack ? -1 : 1;
    if (key in MOVES) {
      if (isBack) this.chapter(MOVES[key]);
      else this.step(MOVES[key]);
      return true;
    }
    const letter = key.toLowerCase();
    const kind = KINDS.find((each) => each.letter === letter);
    if (kind) {
      this.next(kind.key, way);
      return true;
    }
    const doings = {
      home: () => this.go(this.model.first),
      end: () => this.go(this.model.last),
      " ": () => this.togglePlay(),
      1: () => this.show("packet"),
      2: () => this.show("inside"),
      3: () => this.show("ladder"),
      4: () => this.show("ends"),
      "[": () => this.set({ layer: Math.max(0, this.currentLayer() - 1) }),
      "]": () => this.set({ layer: this.currentLayer() + 1 }),
      a: () => this.set({ side: "in", layer: null }),
      v: () => this.set({ side: "out", layer: null }),
      c: () => this.set({ side: "changes", layer: null }),
      l: () => this.set({ eyes: this.eyes === "all" ? "node" : "all" }),
      h: () => this.set({ hex: !this.hex }),
      "?": () => this.toggleHelp(),
      escape: () => !this.help.hidden && this.toggleHelp(),
    };
    if (!Object.hasOwn(doings, letter)) return false;
    doings[letter]();
    return true;
  }

  currentLayer() {
    const stairs = [...this.panels.packet.staircaseBox.children];
    return Math.max(0, stairs.findIndex((each) => each.getAttribute("aria-selected") === "true"));
  }

  show(name) {
    this.set({ tab: name });
    if (!this.usesTabs) this.panels[name].element.scrollIntoView({ block: "nearest" });
  }

  toggleHelp() {
    this.help.hidden = !this.help.hidden;
    if (this.help.hidden) this.root.focus();
    else this.help.querySelector("button").focus();
  }

  nextTheme() {
    const names = ["auto", "light", "dark"];
    this.themeName = names[(names.indexOf(this.themeName) + 1) % names.length];
    this.draw();
  }

  // -- drawing -------------------------------------------------------------------------------

  draw() {
    if (!this.width) return;
    const hadFocus = this.root.contains(document.activeElement);
    this.drawTheme();
    this.drawTabs();
    for (const part of [this.bar, this.strip, this.stage, this.sentence]) part.draw(this);
    for (const [name, panel] of Object.entries(this.panels)) if (this.isShown(name)) panel.draw(this);
    if (hadFocus) this.keepFocus();
  }

  // What was drawn anew or can't be pressed any more has lost the focus: the next key would be the notebook's.
  keepFocus() {
    const now = document.activeElement;
    if (!this.root.contains(now) || now.disabled) this.root.focus({ preventScroll: true });
  }

  drawTheme() {
    if (this.themeName === this.shownTheme) return;
    this.shownTheme = this.themeName;
    if (this.themeName === "auto") delete this.root.dataset.theme;
    else this.root.dataset.theme = this.themeName;
    this.options.onTheme?.(this.themeName);
  }

  isShown(name) {
    if (!this.usesTabs) return true;
    if (this.isNotebook && this.width >= 760) return name === "packet" || name === this.besideTab;
    return name === this.tab;
  }

  // In a wide notebook the packet stays on the left, and the tabs choose what is beside it.
  get besideTab() {
    if (this.tab !== "packet") this.lastBeside = this.tab;
    return this.lastBeside || "inside";
  }

  drawTabs() {
    this.tabs.hidden = !this.usesTabs;
    const isBeside = this.isNotebook && this.width >= 760;
    const current = isBeside ? this.besideTab : this.tab;
    const hasDrop = Boolean(this.model.turn(this.turn).drop);
    for (const tab of this.tabs.children) {
      const name = tab.dataset.tab;
      tab.hidden = isBeside && name === "packet";
      tab.setAttribute("aria-selected", String(name === current));
      tab.tabIndex = name === current ? 0 : -1;
      if (name === "inside") tab.textContent = hasDrop ? "✕ Why" : "Inside the node";
    }
    for (const [name, panel] of Object.entries(this.panels)) {
      panel.element.hidden = !this.isShown(name);
      const isTabPanel = this.usesTabs && !(isBeside && name === "packet");
      if (isTabPanel) {
        panel.element.setAttribute("role", "tabpanel");
        panel.element.setAttribute("aria-labelledby", `${this.prefix}-tab-${name}`);
      } else {
        panel.element.removeAttribute("role");
        panel.element.removeAttribute("aria-labelledby");
      }
    }
  }

  destroy() {
    clearTimeout(this.timer);
    this.observer.disconnect();
    this.night.removeEventListener("change", this.onNight);
    this.root.replaceChildren();
  }
}

// The stepper in `element`. `data` is the run, `host` "page" or "notebook", `theme` "auto", "light" or "dark";
// `onTurn(turn)` and `onTheme(name)` hear where it stands and how it looks, `onStep()` is asked for one more turn of a
// run that goes on. `key(event)` takes a key that was pressed elsewhere.
export function mount(element, options) {
  const view = new View(element, options);
  return {
    go: (turn) => view.go(turn),
    set: (changes) => view.set(changes),
    key: (event) => view.onKey(event),
    append: (more) => view.append(more),
    destroy: () => view.destroy(),
    get turn() {
      return view.turn;
    },
  };
}
