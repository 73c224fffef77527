// Famous networks as points over two costs that the reader chooses, and as a table.

const [LEFT, TOP, BOTTOM, NAMES] = [64, 14, 46, 124];

function render({ model, el }) {
  const frame = new Frame(model, el);
  const { networks, measures } = frame.data;
  const words = measures.map((name) => [name, frame.text(name)]);
  frame.choice("x", words);
  frame.choice("y", words);
  frame.choice("area", [["none", frame.text("no_area")], ...words]);
  frame.choice("network", networks.map((one) => [one.name, one.name]));
  frame.tick("logarithmic");

  const axes = svg("g", { class: "cnn-axes" });
  const points = networks.map((one) => {
    const disc = svg("circle", {});
    const name = svg("text", { class: "cnn-left" }, one.name);
    const line = svg("line", { class: "cnn-leader" });
    const group = svg("g", { class: "cnn-pick" }, line, disc, name);
    group.addEventListener("click", () => frame.set("network", one.name));
    return { one, group, disc, name, line };
  });
  const chart = svg("svg", { role: "img", class: "cnn-chart" }, axes, ...points.map((one) => one.group));
  const missing = html("p", { class: "cnn-terms" });
  const rows = networks.map((one) => html("tr", {}, html("th", { scope: "row" }, one.name),
    ...measures.map((name) => html("td", {}, shownValue(name, one[name])))));
  const table = html("table", { class: "cnn-table" },
    html("thead", {}, html("tr", {}, html("th", { scope: "col" }, frame.text("network")),
      ...words.map(([, title]) => html("th", { scope: "col" }, title)))), html("tbody", {}, ...rows));
  frame.stage.append(chart, missing,
    html("div", { class: "cnn-scroll", tabindex: 0, role: "region", "aria-label": frame.text("table") }, table),
    html("p", { class: "cnn-terms" }, frame.text("sources")));
  let width = 0;

  return frame.begin((settings) => {
    width = el.clientWidth < 600 ? 420 : 820;
    const height = width < 600 ? 380 : 420;
    put(chart, "viewBox", `0 0 ${width} ${height}`);
    const known = networks.filter((one) => one[settings.x] !== null && one[settings.y] !== null);
    const right = width - NAMES;
    const across = scaleOf(known.map((one) => one[settings.x]), LEFT + 22, right, settings.logarithmic);
    const up = scaleOf(known.map((one) => one[settings.y]), height - BOTTOM - 22, TOP + 12, settings.logarithmic);
    drawAxes(across, up, settings, height);
    const most = Math.max(...known.map((one) => one[settings.area] ?? 0));
    const shown = points.filter(({ one, group }) => {
      group.style.display = known.includes(one) ? "" : "none";
      return known.includes(one);
    });
    for (const { one, group, disc, name } of shown) {
      const chosen = one.name === settings.network;
      put(group, "class", `cnn-pick ${chosen ? "cnn-chosen" : ""}`);
      const share = settings.area === "none" ? 0.06 : (one[settings.area] ?? 0) / most;
      const radius = Math.max(26 * Math.sqrt(share), 3);
      Object.entries({ cx: across.at(one[settings.x]), cy: up.at(one[settings.y]), r: radius })
        .forEach(([key, value]) => put(disc, key, value));
      write(name, `${chosen ? "▸ " : ""}${one.name}`);
    }
    placeNames(shown, right, height);
    rows.forEach((row, index) => put(row, "class", networks[index].name === settings.network ? "cnn-chosen" : ""));
    const left = networks.filter((one) => !known.includes(one)).map((one) => one.name);
    write(missing, left.length ? frame.text("missing", { names: left.join(", ") }) : "");
    const now = networks.find((one) => one.name === settings.network);
    put(chart, "aria-label", frame.text("chart_description", { x: frame.text(settings.x), y: frame.text(settings.y),
      count: known.length }));
    frame.say(`${now.name}: ${measures.map((name) => (
      `${frame.text(name)} ${shownValue(name, now[name])}`)).join("; ")}.`);
  });

  function shownValue(name, value) {
    return value === null ? "–" : name === "top5" ? `${value.toFixed(2)} %` : name === "memory" ? value.toFixed(1)
      : grouped(value);
  }

  /** From values to places, with ticks at 1, 2, 5 or at powers of ten. */
  function scaleOf(values, from, to, logarithmic) {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    if (logarithmic) {
      const [a, b] = [Math.log10(low), Math.log10(high)];
      const ticks = [];
      for (let power = Math.floor(a); power <= Math.ceil(b); power++) {
        for (const digit of b - a > 2.5 ? [1] : [1, 2, 5]) {
          const tick = digit * 10 ** power;
          if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
        }
      }
      return { ticks, at: (value) => from + (to - from) * (b > a ? (Math.log10(value) - a) / (b - a) : 0.5) };
    }
    const rough = high / 5;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((one) => one * power >= rough);
    const ticks = Array.from({ length: Math.floor(high / step) + 1 }, (_, index) => index * step);
    return { ticks, at: (value) => from + (to - from) * value / high };
  }

  function short(value) {
    for (const [unit, step] of [["G", 1e9], ["M", 1e6], ["k", 1e3]]) {
      if (value >= step) return `${number(value / step, 1)} ${unit}`;
    }
    return number(value, 1);
  }

  function drawAxes(across, up, settings, height) {
    const right = width - NAMES;
    const bottom = height - BOTTOM;
    axes.replaceChildren(
      svg("path", { d: `M${LEFT} ${TOP}V${bottom}H${right + 14}` }),
      ...across.ticks.flatMap((tick) => [
        svg("path", { class: "cnn-rule", d: `M${across.at(tick)} ${TOP}V${bottom}` }),
        svg("text", { x: across.at(tick), y: bottom + 12 }, short(tick))]),
      ...up.ticks.flatMap((tick) => [
        svg("path", { class: "cnn-rule", d: `M${LEFT} ${up.at(tick)}H${right + 14}` }),
        svg("text", { x: LEFT - 6, y: up.at(tick), class: "cnn-right" }, short(tick))]),
      svg("text", { x: (LEFT + right) / 2, y: height - 10 }, frame.text(settings.x)),
      svg("text", { transform: `translate(10 ${(TOP + bottom) / 2}) rotate(-90)` }, frame.text(settings.y)));
  }

  /** Names in a column at the right, in the order of the discs from top to bottom, each with a line to its disc. */
  function placeNames(shown, right, height) {
    const order = [...shown].sort((a, b) => a.disc.cy.baseVal.value - b.disc.cy.baseVal.value);
    const gap = (height - BOTTOM - TOP - 20) / Math.max(order.length - 1, 1);
    order.forEach(({ disc, name, line }, index) => {
      const y = TOP + 10 + index * gap;
      put(name, "x", right + 22);
      put(name, "y", y);
      Object.entries({ x1: disc.cx.baseVal.value + disc.r.baseVal.value, y1: disc.cy.baseVal.value, x2: right + 18,
        y2: y }).forEach(([key, value]) => put(line, key, value));
    });
  }
}

export default { render };
