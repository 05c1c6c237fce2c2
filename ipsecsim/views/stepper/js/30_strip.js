// The strip: the whole run at a glance, chapters above, a lane for each kind of event, and a range to scrub with.

const LANES = ["drop", "state", "nat", "ike", "esp"];
const LANE_TOP = 26;
const LANE_HEIGHT = 9.5;
const STRIP_HEIGHT = 78;
const PAD = 8;

class Strip {
  constructor(view) {
    this.canvas = h("canvas", { class: "marks", "aria-hidden": "true" });
    this.chapters = h("div", { class: "chapters", "aria-hidden": "true" });
    this.frame = h("div", { class: "frame", "aria-hidden": "true" });
    this.range = h("input", {
      type: "range",
      class: "range",
      "aria-label": "turn",
      oninput: () => view.scrub(Number(this.range.value)),
    });
    this.element = h("section", { class: "strip", "aria-label": "all turns" }, this.chapters, this.canvas, this.frame, this.range);
    this.drawn = "";
  }

  x(view, turn) {
    const { first, last } = view.model;
    return PAD + ((turn - first + 0.5) * (this.width - 2 * PAD)) / (last - first + 1);
  }

  draw(view) {
    const { model, turn } = view;
    this.width = view.widthOf(this.element) || 600;
    const wanted = [this.width, model.last, view.filter, view.themeName, view.night.matches, devicePixelRatio].join();
    const chapter = model.chapterOf(turn);
    if (wanted !== this.drawn || chapter !== this.chapter) this.drawChapters(view, chapter, wanted !== this.drawn);
    if (wanted !== this.drawn) this.drawMarks(view);
    this.drawn = wanted;
    this.chapter = chapter;
    const room = (this.width - 2 * PAD) / (model.last - model.first + 1);
    this.frame.style.setProperty("left", `${this.x(view, turn) - Math.max(room, 12) / 2}px`);
    this.frame.style.setProperty("width", `${Math.max(room, 12)}px`);
    this.range.min = model.first;
    this.range.max = model.last;
    this.range.value = turn;
    const now = model.turn(turn);
    this.range.setAttribute("aria-valuetext", `turn ${turn} of ${model.last}, ${now.node} ${model.text(now.verb)}`);
  }

  // Chapters that are too narrow for a name have no box, but for the one that one is in.
  drawChapters(view, current, isAnew) {
    const { model } = view;
    const list = model.data.chapters;
    if (isAnew) {
      this.places = list.map((chapter, at) => {
        const right = at + 1 < list.length ? this.x(view, list[at + 1].turn - 0.5) : this.width - PAD;
        return { chapter, left: this.x(view, Math.max(chapter.turn, model.first) - 0.5), right };
      });
    }
    const boxes = this.places.filter(({ chapter, left, right }) => chapter === current || right - left >= 24);
    this.chapters.replaceChildren(
      ...boxes.map(({ chapter, left, right }) => {
        const isCurrent = chapter === current;
        // the name of the chapter one is in is never cut
        const room = isCurrent ? Math.max(right - left, widthOf(chapter.name, `600 12px ${SANS}`) + 12) : right - left;
        const from = Math.max(0, Math.min(left, this.width - room));
        const box = h("span", { class: isCurrent ? "chapter current" : "chapter" }, isCurrent ? chapter.name : fitted(chapter.name, room - 8, `12px ${SANS}`));
        box.style.setProperty("left", `${from}px`);
        box.style.setProperty("width", `${room - 1}px`);
        return box;
      }),
    );
  }

  drawMarks(view) {
    const { model } = view;
    const scale = devicePixelRatio || 1;
    this.canvas.width = this.width * scale;
    this.canvas.height = STRIP_HEIGHT * scale;
    const pen = this.canvas.getContext("2d");
    pen.scale(scale, scale);
    const style = getComputedStyle(this.element);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const colours = { drop: colour("drop"), state: colour("state"), nat: colour("rewritten"), ike: colour("ink"), esp: colour("both"), ah: colour("auth"), forward: colour("clear") };
    const each = (this.width - 2 * PAD) / (model.last - model.first + 1);
    if (each < 4) this.drawBins(view, pen, colours);
    else for (let turn = model.first; turn <= model.last; turn++) this.drawTurn(view, pen, colours, turn);
  }

  drawTurn(view, pen, colours, number) {
    const turn = view.model.turn(number);
    const x = this.x(view, number);
    pen.globalAlpha = view.isFiltered(turn) ? 0.18 : 1;
    const isQuiet = !turn.kinds.some((kind) => LANES.includes(kind) || kind === "ah");
    if (isQuiet) {
      pen.fillStyle = colours.forward;
      pen.fillRect(x - 0.5, LANE_TOP + 4 * LANE_HEIGHT - 3, 1.5, 7);
    }
    for (const kind of turn.kinds) this.mark(pen, colours, kind, x);
    pen.globalAlpha = 1;
  }

  mark(pen, colours, kind, x) {
    const lane = LANES.indexOf(kind === "ah" ? "esp" : kind);
    if (lane < 0) return;
    const y = LANE_TOP + lane * LANE_HEIGHT;
    pen.fillStyle = pen.strokeStyle = colours[kind];
    pen.lineWidth = 2.5;
    pen.beginPath();
    if (kind === "ike") pen.arc(x, y, 4, 0, 7);
    else if (kind === "nat") pen.moveTo(x, y - 5), pen.lineTo(x + 5, y), pen.lineTo(x, y + 5), pen.lineTo(x - 5, y);
    else if (kind === "state") pen.moveTo(x, y - 4), pen.lineTo(x + 4.5, y + 4), pen.lineTo(x - 4.5, y + 4);
    else if (kind === "drop") {
      pen.moveTo(x - 4, y - 4), pen.lineTo(x + 4, y + 4), pen.moveTo(x + 4, y - 4), pen.lineTo(x - 4, y + 4);
      pen.stroke();
      return;
    } else if (kind === "ah") {
      pen.lineWidth = 1.5;
      pen.strokeRect(x - 2.5, y - 4, 5, 8);
      return;
    } else pen.rect(x - 3, y - 4.5, 6, 9);
    pen.fill();
  }

  // Too many turns for a mark each: a column of pixels says what is among its turns. A drop is never lost.
  drawBins(view, pen, colours) {
    const { model } = view;
    const bins = new Map();
    for (let number = model.first; number <= model.last; number++) {
      const turn = model.turn(number);
      if (view.isFiltered(turn)) continue;
      const x = Math.round(this.x(view, number));
      const bin = bins.get(x) || { esp: 0 };
      for (const kind of turn.kinds) {
        if (kind === "esp" || kind === "ah") bin.esp += 1;
        else bin[kind] = true;
      }
      bins.set(x, bin);
    }
    const most = Math.max(1, ...[...bins.values()].map((bin) => bin.esp));
    for (const [x, bin] of bins) {
      if (bin.drop) {
        pen.fillStyle = colours.drop;
        pen.fillRect(x, LANE_TOP - 4, 1.5, 8);
      }
      for (const kind of ["state", "nat", "ike"]) {
        if (!bin[kind]) continue;
        pen.fillStyle = colours[kind];
        pen.fillRect(x, LANE_TOP + LANES.indexOf(kind) * LANE_HEIGHT - 4, 1, 7);
      }
      if (bin.esp) {
        const height = 2 + (9 * bin.esp) / most;
        pen.fillStyle = colours.esp;
        pen.fillRect(x, LANE_TOP + 4 * LANE_HEIGHT + 5 - height, 1, height);
      }
    }
  }
}
