// The course's start page as a tab of JupyterLab, always there, in front when the page is opened for the first time.
// JupyterLab loads extensions as containers of webpack's module federation; this is one, written by hand.
(() => {
  const NAME = "cnncourse-start";
  const SECONDS = 3;
  let shared;

  // A module of JupyterLab's own: of several versions the one that runs already.
  const lend = async (name) => {
    const versions = Object.values(shared[name]);
    return (await (versions.find((one) => one.loaded) ?? versions[0]).get())();
  };

  function createPage(Widget, app) {
    const { baseUrl, token } = app.serviceManager.serverSettings;
    let shown = "";

    class Page extends Widget {
      constructor() {
        super();
        this.id = NAME;
        this.title.closable = false;
        this.title.label = "Start";
        this.node.tabIndex = -1;
        Object.assign(this.node.style, { overflow: "auto", outline: "none", background: "var(--jp-layout-color1)" });
        this.node.addEventListener("click", (event) => open(event));
      }

      onActivateRequest() {
        this.node.focus({ preventScroll: true });
      }

      onAfterShow() {
        this.refresh();
      }

      async refresh() {
        if (shown && (!this.isVisible || document.hidden)) return;
        const headers = token ? { Authorization: `token ${token}` } : {};
        const answer = await fetch(`${baseUrl}cnncourse/start`, { headers }).catch(() => null);
        if (!answer?.ok) return;
        const html = await answer.text();
        if (html === shown) return;
        const before = shown && new Map([...this.node.querySelectorAll("details")].map((one) => [one.id, one.open]));
        const focused = this.node.contains(document.activeElement) && document.activeElement.id;
        this.node.innerHTML = shown = html;
        for (const one of before ? this.node.querySelectorAll("details") : []) one.open ||= before.get(one.id);
        if (focused) document.getElementById(focused)?.focus();
        this.title.label = this.node.querySelector("[data-title]").dataset.title;
      }
    }

    async function open(event) {
      const link = event.target.closest("a[data-path]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      const { path, cell } = link.dataset;
      const notebook = await app.commands.execute("docmanager:open", { path });
      if (!cell || !notebook) return;
      await notebook.context.ready;
      notebook.setFragment(`#cell-id=${cell}`);
    }

    return new Page();
  }

  const plugin = {
    id: `${NAME}:plugin`,
    description: "Adds the start page.",
    autoStart: true,
    activate: async (app) => {
      const { Widget } = await lend("@lumino/widgets");
      // Not before the layout of last time is restored, which removes what it does not know.
      app.restored.then(() => {
        const page = createPage(Widget, app);
        const reloaded = sessionStorage.getItem(NAME);
        app.shell.add(page, "main", { mode: "tab-before", activate: !reloaded });
        sessionStorage.setItem(NAME, "shown");
        page.refresh();
        setInterval(() => page.refresh(), SECONDS * 1000);
        document.addEventListener("visibilitychange", () => page.refresh());
      });
    },
  };

  window._JUPYTERLAB = window._JUPYTERLAB ?? {};
  window._JUPYTERLAB[NAME] = {
    init: (scope) => {
      shared = scope;
    },
    get: async () => () => ({ __esModule: true, default: plugin }),
  };
})();
