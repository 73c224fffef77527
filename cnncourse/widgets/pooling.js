// Pooling forward and backward: which inputs a window takes, and where its gradient goes.

function render({ model, el }) {
  const frame = new Frame(model, el);
  const { x, grad, limits } = frame.data;
  const [height, width] = [x.length, x[0].length];
  const kinds = ["max", "average"].map((kind) => [kind, frame.text(kind)]);
  frame.choice("kind", kinds);
  for (const name of ["kernel_height", "kernel_width", "stride"]) {
    frame.slider(name, { min: limits[name][0], max: limits[name][1] });
  }
  let rows = 1;
  let columns = 1;
  const place = (position) => ({ row: Math.floor(position / columns), column: position % columns });
  const count = () => rows * columns;
  frame.player("position", count, { shown: (position) => frame.text("place", place(position)) });

  const formula = html("p", { class: "cnn-formula" });
  const pick = (row, column) => {
    frame.stop();
    frame.set("position", row * columns + column);
  };
  const input = new Grid({ name: frame.text("input"), cell: 26 });
  const output = new Grid({ name: frame.text("output"), cell: 26, pick });
  const gradOut = new Grid({ name: frame.text("grad_out"), cell: 26, pick });
  const gradIn = new Grid({ name: frame.text("grad_in"), cell: 26 });
  const forward = html("p", {});
  const backward = html("p", {});
  const half = (name, one, other, words) => html("div", { class: "cnn-half" },
    html("p", { class: "cnn-head" }, frame.text(name)),
    html("div", { class: "cnn-grids" }, one.node, sign("→"), other.node), words);
  frame.stage.append(formula, html("div", { class: "cnn-halves" },
    half("forward", input, output, forward), half("backward", gradOut, gradIn, backward)),
  html("p", { class: "cnn-terms" }, frame.text("key")));

  return frame.begin((settings) => {
    const { kind, kernel_height, kernel_width, stride } = settings;
    rows = Math.floor((height - kernel_height) / stride) + 1;
    columns = Math.floor((width - kernel_width) / stride) + 1;
    settings.position = clamp(settings.position, 0, count() - 1);
    const at = place(settings.position);
    const results = windows(settings);
    const now = results[at.row][at.column];
    const left = [height - ((rows - 1) * stride + kernel_height), width - ((columns - 1) * stride + kernel_width)];
    write(formula, frame.text("sizes", { rows, columns, left_rows: Math.max(left[0], 0),
      left_columns: Math.max(left[1], 0) }));

    const share = 1 / (kernel_height * kernel_width);
    const sums = x.map((line) => line.map(() => 0));
    const wins = x.map((line) => line.map(() => 0));
    results.forEach((line, p) => line.forEach((one, q) => {
      for (const [i, j] of kind === "max" ? [one.best] : one.inputs) {
        sums[i][j] += kind === "max" ? grad[p][q] : grad[p][q] * share;
        wins[i][j] += 1;
      }
    }));
    const inWindow = (i, j) => now.inputs.some(([r, s]) => r === i && s === j);
    const isBest = (i, j) => kind === "max" && now.best[0] === i && now.best[1] === j;
    const marks = (i, j) => `${inWindow(i, j) ? "taken" : ""} ${isBest(i, j) ? "winner" : ""}`;
    input.draw(height, width, (i, j) => (
      { text: number(x[i][j]), color: tint(x[i][j], limits.x), mark: marks(i, j) }),
    frame.text("input_description", { height, width, ...at }));
    const chosen = (p, q) => (p === at.row && q === at.column ? "taken" : "");
    output.draw(rows, columns, (p, q) => (
      { text: number(results[p][q].value), color: tint(results[p][q].value, limits.x), mark: chosen(p, q) }),
    frame.text("output_description", { rows, columns }));
    gradOut.draw(rows, columns, (p, q) => (
      { text: number(grad[p][q]), color: tint(grad[p][q], limits.grad), mark: chosen(p, q) }),
    frame.text("grad_out_description", { rows, columns }));
    gradIn.draw(height, width, (i, j) => ({ text: wins[i][j] ? number(sums[i][j]) : "",
      color: tint(sums[i][j], limits.grad), mark: `${marks(i, j)} ${wins[i][j] > 1 ? "several" : ""}` }),
    frame.text("grad_in_description", { height, width }));

    const given = grad[at.row][at.column];
    const values = now.inputs.map(([i, j]) => x[i][j]);
    const shared = wins.flat().filter((times) => times > 1).length;
    if (kind === "max") {
      const [row, column] = now.best;
      const index = row * width + column;
      const terms = results.flatMap((line, p) => line.flatMap((one, q) => (
        one.best[0] === row && one.best[1] === column ? [bracketed(grad[p][q])] : [])));
      write(forward, frame.text("max_forward", { values: values.map((one) => number(one)).join(", "),
        value: number(now.value), row, column, index, width }));
      write(backward, frame.text("max_backward", { given: number(given), row, column, windows: terms.length,
        terms: terms.join(" + "), sum: number(sums[row][column]) }));
    } else {
      write(forward, frame.text("average_forward", { values: values.map(bracketed).join(" + "), count: values.length,
        value: number(now.value) }));
      write(backward, frame.text("average_backward", { given: number(given), count: values.length,
        share: number(given * share, 3) }));
    }
    frame.say(frame.text("spoken", { ...at, value: number(now.value), rows, columns, given: number(given), shared }));
  });

  /** For each window its inputs, its result, and where its maximum is: the first of equal ones. */
  function windows({ kind, kernel_height, kernel_width, stride }) {
    return Array.from({ length: rows }, (_, p) => Array.from({ length: columns }, (_, q) => {
      const inputs = [];
      let best = null;
      let sum = 0;
      for (let i = p * stride; i < p * stride + kernel_height; i++) {
        for (let j = q * stride; j < q * stride + kernel_width; j++) {
          inputs.push([i, j]);
          sum += x[i][j];
          if (!best || x[i][j] > x[best[0]][best[1]]) best = [i, j];
        }
      }
      return { inputs, best, value: kind === "max" ? x[best[0]][best[1]] : sum / inputs.length };
    }));
  }
}

export default { render };
