// Without a kernel: the figures of this page that have not been started, each with its own data and a model of four
// functions in the place of Jupyter's.

function pageModel(state) {
  const heard = {};
  return {
    get: (name) => state[name],
    set(name, value) {
      state[name] = value;
      for (const one of heard[`change:${name}`] || []) one();
    },
    on(event, action) { (heard[event] ??= []).push(action); },
    off(event, action) { heard[event] = (heard[event] || []).filter((one) => one !== action); },
    save_changes() {},
  };
}

for (const place of document.querySelectorAll(`[data-cnn-figure="${CNN_FIGURE}"]:not([data-cnn-started])`)) {
  place.setAttribute("data-cnn-started", "");
  const state = JSON.parse(place.querySelector("script[type='application/json']").textContent);
  render({ model: pageModel(state), el: place.querySelector(".cnn-place") });
}
