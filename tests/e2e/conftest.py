"""Fixtures of the end-to-end tests: a real nginx, the real daemon. Both are gone when the test is over."""
import pytest
from feedwatchd import Daemon
from nginx import Nginx


@pytest.fixture
def make_nginx(tmp_path):
    servers = []

    def make(hosts=4):
        servers.append(Nginx(tmp_path / f"nginx{len(servers)}", hosts))
        return servers[-1]
    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def nginx(make_nginx):
    return make_nginx()


@pytest.fixture
def make_daemon(tmp_path):
    daemons = []

    def make():
        daemons.append(Daemon(tmp_path / f"home{len(daemons)}"))
        return daemons[-1]
    yield make
    for daemon in daemons:
        daemon.reap()
    for daemon in daemons:
        daemon.check_stderr()


@pytest.fixture
def daemon(make_daemon):
    return make_daemon()
