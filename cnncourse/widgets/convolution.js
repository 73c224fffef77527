// One convolution, entry by entry: every product of the current output entry is shown.

const PADDED = { text: "0", mark: "outside" };

function render({ model, el }) {
  const frame = new Frame(model, el);
  const { x, weight, bias, limits } = frame.data;
  const channels = x.length;
  for (const name of ["height", "width", "kernel_height", "kernel_width", "stride", "padding", "dilation"]) {
    frame.slider(name, { min: limits[name][0], max: limits[name][1] });
  }
  let sizes = null;
  let seen = null;
  const count = () => (sizes ? weight.length * sizes.rows * sizes.columns : 0);
  const place = (position) => ({
    filter: Math.floor(position / (sizes.rows * sizes.columns)),
    row: Math.floor(position / sizes.columns) % sizes.rows,
    column: position % sizes.columns,
  });
  frame.player("position", count, { shown: (position) => (sizes
    ? frame.text("place", place(position)) : frame.text("nothing")) });

  const formula = html("p", { class: "cnn-formula" });
  const body = html("div", { class: "cnn-lines" });
  const lines = x.map((_, channel) => {
    const grids = ["input", "filter", "products"].map((name) => (
      new Grid({ name: frame.text(name, { channel }), cell: 26 })));
    const sum = html("p", { class: "cnn-sum" });
    const terms = html("p", { class: "cnn-terms" });
    const nodes = grids.map((one) => one.node);
    body.append(html("div", { class: "cnn-line" },
      html("div", { class: "cnn-grids" }, nodes[0],
        html("div", { class: "cnn-pair" }, sign("×"), nodes[1], sign("="), nodes[2])),
      terms, sum));
    return { grids, sum, terms };
  });
  const outputs = weight.map((_, filter) => new Grid({
    name: frame.text("output", { filter }),
    cell: 32,
    pick: (row, column) => {
      frame.stop();
      frame.set("position", (filter * sizes.rows + row) * sizes.columns + column);
    },
  }));
  const total = html("p", { class: "cnn-total" });
  const results = html("div", { class: "cnn-results" }, total,
    html("div", { class: "cnn-outputs" }, ...outputs.map((one) => one.node)));
  frame.stage.append(formula, html("div", { class: "cnn-beside" }, body, results));

  return frame.begin((settings) => {
    const axes = axesOf(settings);
    const problems = ["height", "width"].filter((name) => !fitsExactly(axes[name]))
      .map((name) => `${frame.text(name)}: ${problemOf(frame, axes[name])}`);
    sizes = problems.length ? null : {
      rows: freeOf(axes.height) / settings.stride + 1, columns: freeOf(axes.width) / settings.stride + 1 };
    body.hidden = results.hidden = !sizes;
    frame.explain(problems.join("\n"));
    write(formula, ["height", "width"].map((name) => `${frame.text(name)}: ${formulaOf(axes[name])}`).join(";\n"));
    if (!sizes) {
      frame.stop();
      frame.say(frame.text("does_not_fit"));
      return;
    }
    settings.position = clamp(settings.position, 0, count() - 1);
    const at = place(settings.position);
    const values = allOutputs(settings);
    const sums = lines.map((line, channel) => drawLine(line, channel, at, settings));
    const result = values[at.filter][at.row][at.column];
    const added = [...sums.map((value) => bracketed(value)), bracketed(bias[at.filter])].join(" + ");
    write(total, frame.text("total", { ...at, sums: added, result: number(result) }));
    outputs.forEach((grid, filter) => drawOutput(grid, filter, at, values[filter]));
    frame.say(frame.text("spoken", { ...at, rows: sizes.rows, columns: sizes.columns, filters: weight.length,
      sums: added, result: number(result) }));
  });

  function axesOf({ height, width, kernel_height, kernel_width, stride, padding, dilation }) {
    const shared = { stride, before: padding, after: padding, dilation };
    return { height: { ...shared, input: height, kernel: kernel_height },
      width: { ...shared, input: width, kernel: kernel_width } };
  }

  /** All entries of all filters; once for each geometry, not at each step. */
  function allOutputs(settings) {
    const { height, width, kernel_height, kernel_width, stride, padding, dilation } = settings;
    const key = [height, width, kernel_height, kernel_width, stride, padding, dilation].join();
    if (seen?.key === key) return seen.values;
    const values = weight.map((kernels, filter) => Array.from({ length: sizes.rows }, (_, row) => (
      Array.from({ length: sizes.columns }, (_, column) => {
        let sum = bias[filter];
        for (let channel = 0; channel < channels; channel++) {
          for (let r = 0; r < kernel_height; r++) {
            for (let s = 0; s < kernel_width; s++) {
              const [i, j] = [row * stride - padding + r * dilation, column * stride - padding + s * dilation];
              if (i >= 0 && j >= 0 && i < height && j < width) sum += x[channel][i][j] * kernels[channel][r][s];
            }
          }
        }
        return sum;
      }))));
    seen = { key, values };
    return values;
  }

  function drawLine({ grids, sum, terms }, channel, at, settings) {
    const { height, width, kernel_height, kernel_width, stride, padding, dilation } = settings;
    const [input, filter, products] = grids;
    const kernel = weight[at.filter][channel];
    const value = (i, j) => (i >= 0 && j >= 0 && i < height && j < width ? x[channel][i][j] : 0);
    const [top, left] = [at.row * stride - padding, at.column * stride - padding];
    const taken = (i, j) => {
      const [r, s] = [i - top, j - left];
      return r >= 0 && s >= 0 && r % dilation === 0 && s % dilation === 0
        && r / dilation < kernel_height && s / dilation < kernel_width;
    };
    input.draw(height + 2 * padding, width + 2 * padding, (row, column) => {
      const [i, j] = [row - padding, column - padding];
      const inside = i >= 0 && j >= 0 && i < height && j < width;
      const painted = inside ? { text: number(x[channel][i][j]), color: tint(x[channel][i][j], limits.x), mark: "" }
        : PADDED;
      return taken(i, j) ? { ...painted, mark: `${painted.mark} taken` } : painted;
    }, frame.text("input_description", { channel, height, width, padding, ...at }));
    filter.draw(kernel_height, kernel_width, (r, s) => (
      { text: number(kernel[r][s]), color: tint(kernel[r][s], limits.weight) }),
    frame.text("filter_description", { channel, filter: at.filter,
      values: kernel.slice(0, kernel_height).map((line) => line.slice(0, kernel_width).join(" ")).join("; ") }));
    const found = [];
    const factors = [];
    products.draw(kernel_height, kernel_width, (r, s) => {
      const factor = value(top + r * dilation, left + s * dilation);
      found.push(factor * kernel[r][s]);
      factors.push(`${factors.length ? bracketed(factor) : number(factor)}·${bracketed(kernel[r][s])}`);
      return { text: number(found.at(-1)), color: tint(found.at(-1), limits.x * limits.weight) };
    }, "");
    const result = found.reduce((one, other) => one + other, 0);
    put(products.drawing, "aria-label", factors.join(" + "));
    write(terms, factors.join(" + "));
    write(sum, frame.text("channel_sum", { channel, sum: number(result) }));
    return result;
  }

  function drawOutput(grid, filter, at, values) {
    const { rows, columns } = sizes;
    const now = (at.filter * rows + at.row) * columns + at.column;
    grid.draw(rows, columns, (row, column) => {
      const index = (filter * rows + row) * columns + column;
      if (index > now) return { text: "", mark: "later" };
      const value = values[row][column];
      return { text: number(value), color: tint(value, limits.output), mark: index === now ? "taken" : "" };
    }, frame.text("output_description", { filter, rows, columns }));
  }
}

export default { render };
