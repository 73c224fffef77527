"""An extension of the Jupyter server that answers with the start page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import url_path_join
from tornado import web

from autograder.lab.page import page

ADDRESS = "cnncourse/start"


class StartPageHandler(JupyterHandler):
    """Answers with the start page of the folder that the server serves."""

    @web.authenticated
    def get(self) -> None:
        """The page; the browser is told if it has not changed."""
        self.set_header("Cache-Control", "no-cache")
        self.finish(page(Path(self.settings["server_root_dir"]).expanduser(), self.base_url))


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": "autograder.lab.server"}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    where = url_path_join(server.web_app.settings["base_url"], ADDRESS)
    server.web_app.add_handlers(".*$", [(where, StartPageHandler)])
