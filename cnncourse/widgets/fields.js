// Receptive fields through a stack of layers: what one output sees, layer by layer, down to the picture.

const LEVEL = 46;
const MOST = 6;

function render({ model, el }) {
  const frame = new Frame(model, el);
  const { picture, limits } = frame.data;
  const [height, width] = picture.size;
  const parts = ["kernel_size", "stride", "padding", "dilation"];
  const table = html("div", { class: "cnn-layers" });
  const buttons = html("div", { class: "cnn-player" });
  frame.controls.replaceWith(table, buttons);
  const add = frame.button("add", () => change([...frame.settings.layers, [3, 1, 0, 1]]), buttons);
  const remove = frame.button("remove", () => change(frame.settings.layers.slice(0, -1)), buttons);
  for (const axis of ["row", "column"]) {
    frame.slider(axis, { max: () => Math.max((sizesOf(axis === "row" ? height : width)?.at(-1) ?? 1) - 1, 0),
      into: buttons });
  }
  const chain = svg("svg", { role: "img", class: "cnn-chain" });
  const photo = svg("image", { href: picture.png, width, height });
  const hidden = svg("path", { class: "cnn-shade", "fill-rule": "evenodd" });
  const seenDots = svg("path", { class: "cnn-dots" });
  // White on black stands out from any picture.
  const framed = ["cnn-window-back", "cnn-window"].map((name) => svg("rect", { class: name }));
  const scene = svg("svg", { role: "img", class: "cnn-scene", viewBox: `-2 -2 ${width + 4} ${height + 4}` },
    photo, hidden, seenDots, ...framed);
  frame.stage.append(
    html("p", { class: "cnn-terms" }, frame.text("chain_caption")), chain,
    html("p", { class: "cnn-terms" }, frame.text("scene_caption")), scene);
  let shown = -1;
  return frame.begin((settings) => {
    if (shown !== settings.layers.length) build(settings.layers);
    remove.disabled = settings.layers.length <= 1;
    add.disabled = settings.layers.length >= MOST;
    const fields = fieldsOf(settings.layers);
    const sizes = { row: sizesOf(height), column: sizesOf(width) };
    fill(settings.layers, fields, sizes);
    const fits = sizes.row && sizes.column;
    frame.stage.hidden = !fits;
    if (!fits) {
      const problem = problemWith(sizes.row ? width : height, settings.layers);
      frame.explain(problem);
      frame.say(frame.text("does_not_fit"));
      return;
    }
    frame.explain("");
    for (const axis of ["row", "column"]) settings[axis] = clamp(settings[axis], 0, sizes[axis].at(-1) - 1);
    const field = fields.at(-1);
    const seen = { row: seenOf(settings.row, sizes.row), column: seenOf(settings.column, sizes.column) };
    drawChain(seen.column, sizes.column);
    drawScene(settings, field, seen);
    const range = (axis) => {
      const first = field.start + settings[axis] * field.jump;
      return `${number(first)} … ${number(first + field.size - 1)}`;
    };
    frame.say(frame.text("spoken", { row: settings.row, column: settings.column, size: field.size, jump: field.jump,
      rows: range("row"), columns: range("column"), inputs: seen.row[0].length * seen.column[0].length }));
  });

  function change(layers) {
    frame.settings.layers = layers;
    frame.update();
  }

  /** Size, jump and start of the field after each layer; before the first an input sees itself. */
  function fieldsOf(layers) {
    let field = { size: 1, jump: 1, start: 0 };
    return [field, ...layers.map(([kernel, stride, padding, dilation]) => {
      field = { size: field.size + dilation * (kernel - 1) * field.jump, jump: field.jump * stride,
        start: field.start - padding * field.jump };
      return field;
    })];
  }

  /** Outputs of each layer along one axis, rounded down; null if one does not fit. */
  function sizesOf(input) {
    const sizes = [input];
    for (const layer of frame.settings.layers) {
      const free = freeOf(axisOf(sizes.at(-1), layer));
      if (free < 0) return null;
      sizes.push(Math.floor(free / layer[1]) + 1);
    }
    return sizes;
  }

  function axisOf(input, [kernel, stride, padding, dilation]) {
    return { input, kernel, stride, before: padding, after: padding, dilation };
  }

  function problemWith(input, layers) {
    let size = input;
    for (const [index, layer] of layers.entries()) {
      const axis = axisOf(size, layer);
      if (freeOf(axis) < 0) return `${frame.text("layer", { layer: index + 1 })}: ${problemOf(frame, axis)}`;
      size = Math.floor(freeOf(axis) / layer[1]) + 1;
    }
    return "";
  }

  /** For each level, input first, which of its entries one output depends on. */
  function seenOf(position, sizes) {
    const levels = [[position]];
    for (let level = frame.settings.layers.length - 1; level >= 0; level--) {
      const [kernel, stride, padding, dilation] = frame.settings.layers[level];
      const below = new Set();
      for (const one of levels[0]) {
        for (let tap = 0; tap < kernel; tap++) {
          const place = one * stride - padding + tap * dilation;
          if (place >= 0 && place < sizes[level]) below.add(place);
        }
      }
      levels.unshift([...below].sort((a, b) => a - b));
    }
    return levels;
  }

  /** A row of sliders for each layer. */
  function build(layers) {
    shown = layers.length;
    table.replaceChildren(...layers.map((_, index) => {
      const row = html("fieldset", { class: "cnn-layer" },
        html("legend", {}, frame.text("layer", { layer: index + 1 })));
      parts.forEach((part, place) => {
        const id = frame.id(`${part}-${index}`);
        const input = html("input", { type: "range", id, name: `${part}-${index}`, step: 1, min: limits[part][0],
          max: limits[part][1], oninput: () => change(frame.settings.layers.map((layer, other) => (
            other === index ? layer.map((old, at) => (at === place ? Number(input.value) : old)) : layer))) });
        row.append(html("div", { class: "cnn-control" }, html("label", { for: id }, frame.text(part)), input,
          html("output", { for: id })));
      });
      row.append(html("p", { class: "cnn-found" }));
      return row;
    }));
  }

  function fill(layers, fields, sizes) {
    layers.forEach((layer, index) => {
      const row = table.children[index];
      row.querySelectorAll("input").forEach((input, place) => {
        if (Number(input.value) !== layer[place]) input.value = layer[place];
        write(input.nextSibling, String(layer[place]));
      });
      const { size, jump, start } = fields[index + 1];
      write(row.lastChild, frame.text("found", { size, jump, start: number(start),
        rows: sizes.row?.[index + 1] ?? "?", columns: sizes.column?.[index + 1] ?? "?" }));
    });
  }

  /** The levels along the columns, input below, with lines from each entry that counts to those that it sees. */
  function drawChain(seen, sizes) {
    const levels = sizes.length;
    const fields = fieldsOf(frame.settings.layers);
    const x = (level, place) => 10 * (fields[level].start + place * fields[level].jump + (fields[level].size - 1) / 2);
    const y = (level) => (levels - 1 - level) * LEVEL + 10;
    let [faint, strong, lines] = ["", "", ""];
    const square = (level, place) => `M${x(level, place) - 3.5} ${y(level) - 5}h7v10h-7z`;
    sizes.forEach((size, level) => {
      const taken = new Set(seen[level]);
      for (let place = 0; place < size; place++) {
        if (taken.has(place)) strong += square(level, place);
        else faint += square(level, place);
      }
      if (!level) return;
      const [kernel, stride, padding, dilation] = frame.settings.layers[level - 1];
      for (const place of seen[level]) {
        for (let tap = 0; tap < kernel; tap++) {
          const below = place * stride - padding + tap * dilation;
          if (below < 0 || below >= sizes[level - 1]) continue;
          lines += `M${x(level, place)} ${y(level) + 5}L${x(level - 1, below)} ${y(level - 1) - 5}`;
        }
      }
    });
    const left = Math.min(...sizes.map((_, level) => x(level, 0))) - 6;
    const right = Math.max(...sizes.map((size, level) => x(level, size - 1))) + 6;
    put(chain, "viewBox", `${left} 0 ${right - left} ${levels * LEVEL - LEVEL + 20}`);
    if (!chain.children.length) {
      chain.append(...["cnn-lines-thin", "cnn-entries", "cnn-entries cnn-seen"]
        .map((name) => svg("path", { class: name })));
    }
    [lines, faint, strong].forEach((path, index) => put(chain.children[index], "d", path));
    put(chain, "aria-label", frame.text("chain_description", { levels: levels - 1,
      counts: seen.map((places) => places.length).join(", ") }));
  }

  function drawScene(settings, field, seen) {
    const [top, left] = [field.start + settings.row * field.jump, field.start + settings.column * field.jump];
    Object.entries({ x: left, y: top, width: field.size, height: field.size })
      .forEach(([name, value]) => framed.forEach((one) => put(one, name, value)));
    const [t, l, b, r] = [clamp(top, 0, height), clamp(left, 0, width), clamp(top + field.size, 0, height),
      clamp(left + field.size, 0, width)];
    put(hidden, "d", `M0 0h${width}v${height}h${-width}zM${l} ${t}H${r}V${b}H${l}z`);
    // With holes it matters which pixels are seen; without any the frame says it all.
    const holes = seen.column[0].length < r - l || seen.row[0].length < b - t;
    put(seenDots, "d", holes ? seen.row[0].flatMap((i) => seen.column[0].map((j) => (
      `M${j + 0.2} ${i + 0.2}h0.6v0.6h-0.6z`))).join("") : "");
    const reach = Math.max(0, -top, -left, top + field.size - height, left + field.size - width);
    put(scene, "viewBox", `${-2 - reach} ${-2 - reach} ${width + 4 + 2 * reach} ${height + 4 + 2 * reach}`);
    put(scene, "aria-label", frame.text("scene_description", { size: field.size, top: number(top),
      left: number(left), height, width }));
  }
}

export default { render };
