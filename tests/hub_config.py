"""What is different in a test from the page's jupyterhub_config.py: addresses, no passwords, no system users."""

import os
import shlex
import sys
from pathlib import Path

folder = Path(os.environ["HUB_TEST_FOLDER"])
port, api_port, proxy_port = (os.environ[f"HUB_TEST_{name}"] for name in ("PORT", "API_PORT", "PROXY_PORT"))

load_subconfig(str(folder / "srv/course/jupyterhub_config.py"))  # noqa: F821  JupyterHub defines it
c = get_config()  # noqa: F821
c.JupyterHub.bind_url = f"http://127.0.0.1:{port}"
c.JupyterHub.subdomain_host = f"http://hub.localhost:{port}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{api_port}"
c.JupyterHub.db_url = f"sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = str(folder / "cookie_secret")
c.JupyterHub.cleanup_servers = True
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{proxy_port}"
c.ConfigurableHTTPProxy.command = [sys.executable, "-m", "tests.hub_proxy", "--proxy-timeout", "600000"]
c.ConfigurableHTTPProxy.pid_file = str(folder / "proxy.pid")
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = "a password for everybody in the test"
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(folder / "home" / "{username}")
c.Spawner.cmd = shlex.split(os.environ["HUB_TEST_SERVER"])
c.Spawner.args = ["--allow-root"] if os.getuid() == 0 else []
c.Spawner.env_keep = ["PATH", "LANG", "LC_ALL"]
c.Spawner.start_timeout = c.Spawner.http_timeout = 120
