// Sizes of outputs, and the words for settings that do not fit: cnncourse.geometry for one axis.

function extentOf(kernel, dilation) {
  return dilation * (kernel - 1) + 1;
}

function freeOf({ input, kernel, before, after, dilation }) {
  return input + before + after - extentOf(kernel, dilation);
}

function fitsExactly(axis) {
  return freeOf(axis) >= 0 && freeOf(axis) % axis.stride === 0;
}

/** Numbers from low to high, nearest to start first, the smaller of two equally near first. */
function* outwards(start, low, high) {
  for (let distance = 0; distance <= Math.max(start - low, high - start); distance++) {
    if (low <= start - distance && start - distance <= high) yield start - distance;
    if (distance && low <= start + distance && start + distance <= high) yield start + distance;
  }
}

/** One change away each, as small as it can be: [setting, value in words, output size]. */
function nearestFits(axis) {
  const { input, kernel, stride, before, after } = axis;
  const free = freeOf(axis);
  const reach = Math.max(-free, 0) + stride;
  const found = [];
  const look = (setting, candidates) => {
    for (const changes of candidates) {
      const one = { ...axis, ...changes };
      if (!fitsExactly(one)) continue;
      const value = setting !== "padding" ? one[setting]
        : one.before === one.after ? one.before : `(${one.before}, ${one.after})`;
      const size = freeOf(one) / one.stride + 1;
      if (!found.some(([name, other]) => name === setting && other === value)) found.push([setting, value, size]);
      return;
    }
  };
  const all = (numbers, change) => [...numbers].map(change);
  look("stride", all(outwards(stride, 1, free), (value) => ({ stride: value })));
  look("padding", Array.from({ length: reach + 1 }, (_, more) => (
    { before: before + Math.floor(more / 2), after: after + more - Math.floor(more / 2) })));
  look("padding", all(outwards(Math.max(before, after), 0, after + before + reach), (v) => ({ before: v, after: v })));
  look("kernel", all(outwards(kernel, 1, kernel + reach), (value) => ({ kernel: value })));
  look("input", all(outwards(input, 1, input + reach), (value) => ({ input: value })));
  return found;
}

function offersOf(frame, axis) {
  const names = { stride: "stride", padding: "padding", kernel: "kernel_size", input: "input_size" };
  return nearestFits(axis).map(([setting, value, size]) => (
    frame.text("offer", { setting: frame.text(`setting_${names[setting]}`), value, size }))).join(", ")
    || frame.text("no_offer");
}

/** "W - F + 2*P" with the numbers put in. */
function sumOf({ input, kernel, before, after, dilation }) {
  const reach = dilation === 1 ? `${kernel}` : `(${dilation}*(${kernel} - 1) + 1)`;
  return `${input} - ${reach} + ${before === after ? `2*${before}` : `${before} + ${after}`}`;
}

function decimal(value) {
  return String(Number(value.toFixed(3)));
}

/** What is wrong with settings along one axis, in words; an empty string if they fit exactly. */
function problemOf(frame, axis) {
  if (fitsExactly(axis)) return "";
  const offers = offersOf(frame, axis);
  const free = freeOf(axis);
  const { input, kernel, before, after, dilation, stride } = axis;
  if (free >= 0) {
    const floor = Math.floor(free / stride) + 1;
    return frame.text("not_whole", { sum: sumOf(axis), stride, size: decimal(free / stride + 1), offers, floor,
      ceil: floor + 1 });
  }
  const window = frame.text(dilation > 1 ? "window_dilated" : "window", { kernel, dilation,
    extent: extentOf(kernel, dilation) });
  return frame.text("too_large", { window, input, before, after, padded: input + before + after, offers });
}

/** The formula of the output size along one axis, with its result. */
function formulaOf(axis) {
  return `(${sumOf(axis)})/${axis.stride} + 1 = ${decimal(freeOf(axis) / axis.stride + 1)}`;
}
