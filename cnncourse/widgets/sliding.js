// A fully connected head as a convolution: one pass gives the scores of every window of the picture.

const SCALE = 4;
// Anchors of the map "cividis", dark for the lowest score.
const RAMP = [[0, 34, 78], [65, 77, 107], [124, 123, 120], [188, 175, 111], [254, 232, 56]];

function rampColor(share) {
  const place = clamp(share, 0, 1) * (RAMP.length - 1);
  const low = Math.min(Math.floor(place), RAMP.length - 2);
  return RAMP[low].map((one, index) => one + (place - low) * (RAMP[low + 1][index] - one));
}

/** Scores as the address of a picture with a pixel for each. */
function pictureOf(scores, [low, high]) {
  const canvas = html("canvas", { width: scores[0].length, height: scores.length });
  const brush = canvas.getContext("2d");
  const pixels = brush.createImageData(canvas.width, canvas.height);
  scores.flat().forEach((score, index) => (
    pixels.data.set([...rampColor((score - low) / (high - low || 1)), 255], 4 * index)));
  brush.putImageData(pixels, 0, 0);
  return canvas.toDataURL();
}

function render({ model, el }) {
  const frame = new Frame(model, el);
  const { picture, window: size, step, classes, scores, sliding, crop, brightness } = frame.data;
  const [mostRows, mostColumns] = [scores[0].length, scores[0][0].length];
  const flat = scores.flat(2);
  const [low, high] = [flat.reduce((a, b) => Math.min(a, b)), flat.reduce((a, b) => Math.max(a, b))];
  const pixels = (count, axis) => size[axis] + (count - 1) * step[axis];

  frame.slider("row", { max: () => frame.settings.rows - 1 });
  frame.slider("column", { max: () => frame.settings.columns - 1 });
  frame.choice("shown", classes.map((name, index) => [String(index), name]));
  frame.slider("rows", { min: 1, max: mostRows, shown: (count) => String(pixels(count, 0)), label: "height" });
  frame.slider("columns", { min: 1, max: mostColumns, shown: (count) => String(pixels(count, 1)), label: "width" });

  const drawn = (name, back) => {
    const frames = ["cnn-window-back", "cnn-window"].map((kind) => svg("rect", { class: kind }));
    const drawing = svg("svg", { role: "img", class: "cnn-pick cnn-pixels" }, ...back, ...frames);
    return { drawing, frames, node: html("figure", {}, html("figcaption", {}, frame.text(name)), drawing) };
  };
  const scene = drawn("picture", [svg("image", { href: picture.png, width: picture.size[1],
    height: picture.size[0] })]);
  const heat = svg("image", { width: mostColumns, height: mostRows });
  const heats = [];
  const map = drawn("map", [heat]);
  const bars = classes.map((name) => {
    const bar = svg("rect", { class: "cnn-bar", y: 3, height: 14 });
    const value = svg("text", { y: 10 });
    const drawing = svg("svg", { viewBox: "0 0 200 20", "aria-hidden": "true" },
      svg("line", { class: "cnn-axis", x1: zero(), x2: zero(), y1: 0, y2: 20 }), bar, value);
    const head = html("span", {}, name);
    return { bar, value, row: html("div", { class: "cnn-score" }, head, drawing) };
  });
  const costs = ["one_pass", "crop_by_crop"].map((name) => {
    const bar = html("div", { class: "cnn-cost" });
    const words = html("span", {});
    return { name, bar, words, node: html("div", {}, words, bar) };
  });
  const shared = html("p", { class: "cnn-terms" });
  frame.stage.append(
    html("div", { class: "cnn-outputs" }, scene.node, map.node),
    html("div", { class: "cnn-outputs cnn-below" },
      html("figure", { class: "cnn-scores" }, html("figcaption", {}, frame.text("scores")),
        ...bars.map((one) => one.row)),
      html("div", { class: "cnn-costs" }, ...costs.map((one) => one.node), shared)));
  scene.drawing.addEventListener("click", (event) => {
    const [x, y] = placeIn(scene.drawing, event);
    move(Math.round((y - size[0] / 2) / step[0]), Math.round((x - size[1] / 2) / step[1]));
  });
  map.drawing.addEventListener("click", (event) => {
    const [x, y] = placeIn(map.drawing, event);
    move(Math.floor(y), Math.floor(x));
  });

  return frame.begin((settings) => {
    settings.row = clamp(settings.row, 0, settings.rows - 1);
    settings.column = clamp(settings.column, 0, settings.columns - 1);
    const { row, column, rows, columns, shown } = settings;
    const [height, width] = [pixels(rows, 0), pixels(columns, 1)];
    show(scene, width, height, SCALE, [column * step[1], row * step[0], size[1], size[0]]);
    show(map, columns, rows, SCALE * step[1], [column, row, 1, 1]);
    put(heat, "href", heats[shown] ??= pictureOf(scores[shown], brightness));
    const here = scores.map((one) => one[row][column]);
    const best = here.indexOf(Math.max(...here));
    bars.forEach(({ bar, value, row: line }, index) => {
      const [from, to] = [zero(), at(here[index])];
      put(bar, "x", Math.min(from, to));
      put(bar, "width", Math.abs(to - from));
      put(value, "x", here[index] < 0 ? Math.max(from, to) + 22 : to + 22);
      write(value, number(here[index]));
      line.classList.toggle("cnn-best", index === best);
    });
    const [a, b, c, d] = sliding;
    const work = { one_pass: a + b * rows + c * columns + d * rows * columns, crop_by_crop: crop * rows * columns };
    for (const { name, bar, words } of costs) {
      write(words, frame.text(name, { count: grouped(work[name]), rows, columns, positions: rows * columns }));
      bar.style.width = `${100 * work[name] / Math.max(work.one_pass, work.crop_by_crop)}%`;
    }
    const windows = [0, 1].map((axis) => Math.min(Math.ceil(size[axis] / step[axis]), axis ? columns : rows));
    write(shared, frame.text("shared", { ratio: number(work.crop_by_crop / work.one_pass, 1),
      windows: windows[0] * windows[1] }));
    put(scene.drawing, "aria-label", frame.text("picture_description", { height, width, ...corner(settings) }));
    put(map.drawing, "aria-label", frame.text("map_description", { rows, columns, name: classes[Number(shown)] }));
    frame.say(frame.text("spoken", { ...corner(settings), row, column, best: classes[best], score: number(here[best]),
      ratio: number(work.crop_by_crop / work.one_pass, 1) }));
  });

  function zero() {
    return at(0);
  }

  /** Where a score lies on its bar, with room for the number at the right. */
  function at(score) {
    const [from, to] = [Math.min(low, 0), Math.max(high, 0)];
    return 4 + 150 * (score - from) / (to - from || 1);
  }

  function corner({ row, column }) {
    return { top: row * step[0], left: column * step[1], window_height: size[0], window_width: size[1] };
  }

  function move(row, column) {
    frame.settings.row = clamp(row, 0, frame.settings.rows - 1);
    frame.settings.column = clamp(column, 0, frame.settings.columns - 1);
    frame.update();
  }

  /** The upper left part of a drawing, at a scale that does not change, and a frame in it. */
  function show({ drawing, frames }, width, height, scale, [x, y, w, h]) {
    put(drawing, "viewBox", `0 0 ${width} ${height}`);
    drawing.style.width = `${width * scale}px`;
    const thin = 0.6 * SCALE / scale;
    frames.forEach((one, index) => {
      Object.entries({ x, y, width: w, height: h, "stroke-width": index ? thin : 2 * thin })
        .forEach(([name, value]) => put(one, name, value));
    });
  }

  function placeIn(drawing, event) {
    const box = drawing.getBoundingClientRect();
    const view = drawing.viewBox.baseVal;
    return [(event.clientX - box.left) / box.width * view.width, (event.clientY - box.top) / box.height * view.height];
  }
}

export default { render };
