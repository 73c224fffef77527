"""The Python implementation of configurable-http-proxy, taught two things that the one for Node.js does.

It chooses the target by the host's name (it has an option for that, and ignores it), and passes on events as they come:
the hub's page waits for one that says that a server is ready.
"""

from __future__ import annotations

import sys
from typing import Any

from configurable_http_proxy import cli, configproxy, handlers
from tornado.httpclient import AsyncHTTPClient

EVENTS = "text/event-stream"


class _ForHost:
    """The proxy as requests for one host see it."""

    def __init__(self, proxy: configproxy.PythonProxy, host: str) -> None:
        self._proxy, self._host = proxy, host

    def target_for_req(self, host: None, path: str) -> Any:
        return self._proxy.target_for_req(self._host, "/" + path.lstrip("/"))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._proxy, name)


class ProxyByHost(handlers.ProxyHandler):
    """Handles requests and websockets."""

    def initialize(self, proxy: configproxy.PythonProxy, **kwargs: Any) -> None:
        super().initialize(_ForHost(proxy, self.request.host_name), **kwargs)

    async def call_proxy(self, path: str | None = None) -> None:
        if EVENTS not in self.request.headers.get("Accept", ""):
            return await super().call_proxy(path)
        request = self._get_proxy_request(await self.get_target_url(path))
        request.streaming_callback = self._pass_on
        self.set_header("Content-Type", EVENTS)
        await AsyncHTTPClient().fetch(request, raise_error=False)
        await self.finish()

    def _pass_on(self, piece: bytes) -> None:
        self.write(piece)
        self.flush()


if __name__ == "__main__":
    configproxy.ProxyHandler = ProxyByHost
    cli.main([argument + "=yes" if argument == "--host-routing" else argument for argument in sys.argv[1:]])
