// Memory of a training step or of inference: bars by kind against a budget.

const GIB = 2 ** 30;
const BUDGETS = [0.5, 1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 80];

function render({ model, el }) {
  const frame = new Frame(model, el);
  const { kinds, batches, networks, states, dtypes } = frame.data;
  const names = Object.keys(networks);
  frame.choice("network", names.map((name) => [name, name]));
  frame.choice("mode", ["training", "inference"].map((mode) => [mode, frame.text(mode)]));
  frame.choice("optimizer", Object.keys(states).map((name) => [name, frame.text(name)]));
  frame.choice("dtype", dtypes.map((name) => [name, name]));
  frame.slider("batch", { max: batches.length - 1, shown: (index) => String(batches[index]) });
  frame.slider("budget", { max: BUDGETS.length - 1, shown: (index) => `${BUDGETS[index]} GiB` });

  const key = html("p", { class: "cnn-key" }, ...kinds.map((kind) => html("span", {},
    svg("svg", { viewBox: "0 0 24 16", "aria-hidden": "true" },
      svg("rect", { class: `cnn-kind-${kind}`, width: 24, height: 16 }),
      svg("rect", { width: 24, height: 16, fill: `url(#${frame.id(kind)})` })), frame.text(`kind_${kind}`))));
  const rows = [...batches.keys()].map(() => {
    const bar = svg("g", {});
    const parts = kinds.map((kind) => svg("rect", { class: `cnn-kind-${kind}`, height: 18 }));
    const patterns = kinds.map((kind) => svg("rect", { height: 18, fill: `url(#${frame.id(kind)})` }));
    const words = svg("text", { class: "cnn-left" });
    const head = svg("text", { class: "cnn-left", x: 0 });
    bar.append(...parts, ...patterns);
    return { bar, parts, patterns, words, head, named: svg("g", {}, words, head) };
  });
  const line = svg("line", { class: "cnn-budget" });
  const limit = svg("text", {});
  const chart = svg("svg", { role: "img", class: "cnn-chart" }, svg("defs", {}, ...kinds.map(hatch)),
    ...rows.map((one) => one.bar), line, limit, ...rows.map((one) => one.named));
  const table = html("table", { class: "cnn-table" });
  const cells = ["", ...kinds].map((kind) => {
    const cell = html("td", {});
    table.append(html("tr", {}, html("th", { scope: "row" }, frame.text(kind ? `kind_${kind}` : "sum")), cell));
    return cell;
  });
  frame.stage.append(key, chart, html("div", { class: "cnn-below" }, table));

  return frame.begin((settings) => {
    const counts = batches.map((_, index) => countsOf(settings, index));
    const sums = counts.map((one) => one.reduce((a, b) => a + b, 0));
    const budget = BUDGETS[settings.budget] * GIB;
    const room = [46, el.clientWidth < 600 ? 250 : 560];
    const scale = room[1] / Math.max(budget * 1.1, sums[settings.batch] * 1.05);
    const end = room[0] + room[1];
    rows.forEach(({ bar, parts, patterns, words, head, named }, index) => {
      const y = 26 + index * 24;
      let x = room[0];
      parts.forEach((part, kind) => {
        const width = Math.max(Math.min(counts[index][kind] * scale, end - x), 0);
        for (const one of [part, patterns[kind]]) {
          put(one, "x", x);
          put(one, "y", y);
          put(one, "width", width);
        }
        x += width;
      });
      for (const one of [bar, named]) put(one, "class", index === settings.batch ? "cnn-chosen" : "");
      for (const one of [words, head]) put(one, "y", y + 9);
      put(words, "x", x + 6);
      const over = sums[index] > budget;
      write(words, `${over ? "✗ " : "✓ "}${sizeText(sums[index])}`);
      write(head, `${index === settings.batch ? "▸ " : ""}${batches[index]}`);
    });
    const height = 30 + batches.length * 24;
    const at = room[0] + budget * scale;
    Object.entries({ x1: at, x2: at, y1: 20, y2: height }).forEach(([name, value]) => put(line, name, value));
    put(limit, "x", at);
    put(limit, "y", 9);
    write(limit, frame.text("budget_line", { size: sizeText(budget) }));
    put(chart, "viewBox", `0 0 ${end + 90} ${height + 4}`);
    const fitting = sums.findLastIndex((sum) => sum <= budget);
    const largest = fitting < 0 ? frame.text("none") : String(batches[fitting]);
    [sums[settings.batch], ...counts[settings.batch]].forEach((count, index) => write(cells[index], sizeText(count)));
    const { network, batch } = settings;
    const words = { network, batch: batches[batch], sum: sizeText(sums[batch]), budget: sizeText(budget), largest,
      mode: frame.text(settings.mode), optimizer: frame.text(settings.optimizer), dtype: settings.dtype };
    put(chart, "aria-label", frame.text("chart_description", words));
    frame.say(frame.text(sums[batch] <= budget ? "fits" : "too_much", words));
  });

  /** Bytes of each kind at the peak; what the optimizer keeps is so many times the parameters. */
  function countsOf({ network, mode, optimizer, dtype }, index) {
    const { parameters, peaks } = networks[network];
    const kept = mode === "training" ? states[optimizer] * parameters * frame.data.bytes[dtype] : 0;
    return peaks[mode][dtype][index].map((count, kind) => (kinds[kind] === "optimizer" ? kept : count));
  }

  /** A pattern for each kind, so that no color is needed to tell them apart. */
  function hatch(kind, index) {
    const lines = ["", "M0 8L8 0", "M4 3v2", "M0 4h8", "", "M0 0L8 8"][index];
    return svg("pattern", { id: frame.id(kind), width: 8, height: 8, patternUnits: "userSpaceOnUse" },
      svg("path", { d: lines, class: "cnn-hatching" }));
  }
}

function sizeText(count) {
  for (const [unit, step] of [["GiB", GIB], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]) {
    if (count >= step) return `${(count / step).toFixed(1)} ${unit}`;
  }
  return `${count} B`;
}

export default { render };
