// What all figures share: the frame with its labels, controls that are bound to settings, grids of numbers.
// Python puts this file before a figure's own, so that each figure is one module without imports.

const SVG = "http://www.w3.org/2000/svg";

function fillElement(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

function html(tag, attributes, ...children) {
  return fillElement(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return fillElement(document.createElementNS(SVG, tag), attributes, children);
}

/** Write only what differs: most cells stay as they are from one step to the next. */
function put(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** "{kernel} taps" with the values put in. */
function filled(template, values) {
  return template.replace(/\{(\w+)\}/g, (whole, name) => (values && name in values ? String(values[name]) : whole));
}

/** A number with a true minus sign and at most so many decimals. */
function number(value, decimals = 2) {
  return String(Number(value.toFixed(decimals))).replace("-", "−");
}

/** 1234567 as 1,234,567. */
function grouped(value) {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Negative numbers in brackets, as behind a plus or a dot. */
function bracketed(value) {
  return value < 0 ? `(${number(value)})` : number(value);
}

/** What stands between two grids. */
function sign(text) {
  return html("span", { class: "cnn-sign", "aria-hidden": "true" }, text);
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/** Class of a color, orange for positive and blue for negative, in five steps; far cheaper than styles of one's own. */
function tint(value, bound) {
  const step = bound ? Math.ceil(5 * Math.min(Math.abs(value) / bound, 1)) : 0;
  return step ? `cnn-${value < 0 ? "negative" : "positive"}-${step}` : "";
}

/** The frame of a figure: settings with their controls, words for every change, and what lies between them. */
class Frame {
  constructor(model, el) {
    this.model = model;
    // Figures of one page are modules of their own, and yet no two elements may have the same id.
    this.number = globalThis.cnnFigures = (globalThis.cnnFigures ?? 0) + 1;
    this.data = model.get("data");
    this.labels = model.get("labels");
    this.settings = { ...model.get("settings") };
    this.refresh = [];
    this.redraw = () => {};
    this.controls = html("div", { class: "cnn-controls" });
    this.problem = html("p", { class: "cnn-problem", hidden: true });
    this.stage = html("div", { class: "cnn-stage" });
    this.spoken = html("p", { class: "cnn-spoken", "aria-live": "polite" });
    this.root = html("section", { class: "cnn-figure", "aria-label": this.text("title") },
      html("p", { class: "cnn-title" }, this.text("title")),
      this.controls, this.problem, this.stage, this.spoken);
    // What a control does with a key is not also a notebook's shortcut: there arrows go to another cell.
    this.root.addEventListener("keydown", (event) => {
      const plain = !event.ctrlKey && !event.metaKey && !event.altKey && event.key !== "Escape";
      if (plain && event.target.matches("input, select, button")) event.stopPropagation();
    });
    el.replaceChildren(this.root);
    this.fromPython = () => {
      const given = model.get("settings");
      if (Object.keys(given).every((name) => given[name] === this.settings[name])) return;
      Object.assign(this.settings, given);
      this.update();
    };
    model.on("change:settings", this.fromPython);
  }

  text(name, values) {
    return filled(this.labels[name] ?? name, values);
  }

  id(name) {
    return `cnn-${this.number}-${name}`;
  }

  /** Say what is shown; nothing while a figure plays by itself, which would drown a screen reader. */
  say(sentence) {
    write(this.spoken, sentence);
  }

  set(name, value) {
    if (this.settings[name] === value) return;
    this.settings[name] = value;
    this.update();
  }

  update() {
    this.redraw(this.settings);
    for (const one of this.refresh) one();
    this.model.set("settings", { ...this.settings });
    this.model.save_changes();
  }

  /** Start drawing with a function of the settings; returns what takes the figure down again. */
  begin(redraw) {
    this.redraw = redraw;
    this.update();
    return () => {
      this.stop?.();
      this.model.off("change:settings", this.fromPython);
    };
  }

  explain(problem) {
    this.problem.hidden = !problem;
    write(this.problem, problem || "");
  }

  /** A slider for a whole number; `max` may be a function, `shown` turns the number into words. */
  slider(name, { min = 0, max, shown = String, label = name, into = this.controls }) {
    const id = this.id(name);
    const input = html("input", { type: "range", id, min, step: 1, name,
      oninput: () => this.set(name, Number(input.value)) });
    const output = html("output", { for: id });
    into.append(html("div", { class: "cnn-control" }, html("label", { for: id }, this.text(label)), input, output));
    this.refresh.push(() => {
      const top = typeof max === "function" ? max() : max;
      put(input, "max", top);
      input.disabled = top <= min;
      if (Number(input.value) !== this.settings[name]) input.value = this.settings[name];
      const words = shown(this.settings[name]);
      write(output, words);
      put(input, "aria-valuetext", words);
    });
    return input;
  }

  /** A list to choose from; options are pairs of value and words. */
  choice(name, options, { label = name, into = this.controls } = {}) {
    const id = this.id(name);
    const select = html("select", { id, name, onchange: () => this.set(name, select.value) },
      ...options.map(([value, words]) => html("option", { value }, words)));
    into.append(html("div", { class: "cnn-control" }, html("label", { for: id }, this.text(label)), select));
    this.refresh.push(() => { select.value = this.settings[name]; });
    return select;
  }

  tick(name, { label = name, into = this.controls } = {}) {
    const box = html("input", { type: "checkbox", name, onchange: () => this.set(name, box.checked) });
    into.append(html("label", { class: "cnn-tick" }, box, " ", this.text(label)));
    this.refresh.push(() => { box.checked = this.settings[name]; });
    return box;
  }

  button(label, action, into) {
    const made = html("button", { type: "button", onclick: action }, this.text(label));
    into.append(made);
    return made;
  }

  /** Buttons and a slider for one setting that steps from 0 to count() - 1. */
  player(name, count, { shown, pause = 700 }) {
    const bar = html("div", { class: "cnn-player" });
    let timer = 0;
    const go = (value) => this.set(name, clamp(value, 0, Math.max(count() - 1, 0)));
    const step = (by) => { this.stop(); go(this.settings[name] + by); };
    this.stop = () => {
      clearInterval(timer);
      timer = 0;
      write(play, this.text("play"));
      put(this.spoken, "aria-live", "polite");
    };
    const advance = () => {
      if (!this.root.isConnected || this.settings[name] >= count() - 1) this.stop();
      else go(this.settings[name] + 1);
    };
    const start = () => {
      if (count() < 2) return;
      put(this.spoken, "aria-live", "off");
      write(play, this.text("pause"));
      timer = setInterval(advance, pause);
      if (this.settings[name] >= count() - 1) go(0);
    };
    this.button("first", () => step(-Infinity), bar);
    this.button("back", () => step(-1), bar);
    const play = this.button("play", () => (timer ? this.stop() : start()), bar);
    this.button("next", () => step(1), bar);
    play.classList.add("cnn-play");
    this.slider(name, { max: () => Math.max(count() - 1, 0), shown, into: bar });
    this.stage.before(bar);
    return bar;
  }
}

/** Numbers in squares; the squares are kept from one drawing to the next. */
class Grid {
  constructor({ name, cell = 30, pick = null }) {
    Object.assign(this, { cell, made: {} });
    this.caption = html("figcaption", {}, name);
    this.drawing = svg("svg", { role: "img" });
    this.node = html("figure", { class: "cnn-grid" }, this.caption, this.drawing);
    if (pick) {
      this.drawing.classList.add("cnn-pick");
      this.drawing.addEventListener("click", (event) => {
        const place = event.target.closest("g")?.dataset;
        if (place?.row !== undefined) pick(Number(place.row), Number(place.column));
      });
    }
  }

  /** paint(row, column) gives { text, color, mark }: classes such as those of tint(), and "taken" or "outside". */
  draw(rows, columns, paint, description) {
    if (this.rows !== rows || this.columns !== columns) this.resize(rows, columns);
    put(this.drawing, "aria-label", description);
    for (const parts of this.cells) {
      const { text = "", color = "", mark = "" } = paint(parts.row, parts.column);
      const looks = `${color} ${mark}`;
      if (parts.looks !== looks) parts.group.setAttribute("class", parts.looks = looks);
      if (parts.text !== text) parts.words.textContent = parts.text = text;
    }
  }

  /** Squares have their places whatever the size is; those of other sizes wait until they are needed again. */
  resize(rows, columns) {
    const size = this.cell;
    Object.assign(this, { rows, columns, cells: [] });
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        this.cells.push(this.made[`${row},${column}`] ??= this.square(row, column));
      }
    }
    const wanted = new Set(this.cells);
    for (const one of Object.values(this.made)) {
      if (one.group.isConnected !== wanted.has(one)) {
        if (wanted.has(one)) this.drawing.append(one.group);
        else one.group.remove();
      }
    }
    put(this.drawing, "viewBox", `0 0 ${columns * size} ${rows * size}`);
    this.drawing.style.width = `${columns * size}px`;
  }

  square(row, column) {
    const size = this.cell;
    const square = svg("rect", { x: column * size + 1.5, y: row * size + 1.5, width: size - 3, height: size - 3 });
    const words = svg("text", { x: (column + 0.5) * size, y: (row + 0.5) * size });
    const group = svg("g", { "data-row": row, "data-column": column }, square, words);
    this.drawing.append(group);
    return { row, column, group, words };
  }
}
