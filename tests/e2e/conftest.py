"""Fixtures of the end-to-end tests: a real nginx, the real daemon, a desktop. All are gone when the test is over.

Tests named after a row of a specification (test_e09_…, test_s12_…) are counted by row at the end.
"""
import re
import pytest
from desktop import Desktop
from feedwatchd import Daemon
from nginx import Nginx
from stage import Stage


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


@pytest.fixture
def make_stage(tmp_path):
    stages = []

    def make(plays, **settings):
        stages.append(Stage(tmp_path / f"stage{len(stages)}", plays, **settings))
        return stages[-1]
    yield make
    for stage in stages:
        stage.__exit__()


@pytest.fixture
def desktop(daemon):
    """The daemon's desktop: its bus does not run yet."""
    with Desktop() as made:
        daemon.extra_environment["DBUS_SESSION_BUS_ADDRESS"] = made.address
        daemon.extra_environment["FEEDWATCH_OPENER"] = str(made.make_opener())
        yield made


ROW = re.compile(r"::test_([a-z]\d\d)_")


def pytest_terminal_summary(terminalreporter):
    """Which rows hold: polling (E), hostile input (S)."""
    rows = {}
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            match = ROW.search(getattr(report, "nodeid", ""))
            if match and (outcome != "passed" or report.when == "call"):
                rows.setdefault(match[1].upper(), []).append(outcome)
    if not rows:
        return
    good = [row for row, outcomes in rows.items() if "passed" in outcomes and set(outcomes) <= {"passed", "skipped"}]
    terminalreporter.section(f"{len(good)} of {len(rows)} rows hold")
    for row in sorted(rows):
        said = ", ".join(f"{rows[row].count(o)} {o}" for o in sorted(set(rows[row]), reverse=True))
        terminalreporter.write_line(f"{row}  {'holds' if row in good else 'BROKEN'}  {said}")
