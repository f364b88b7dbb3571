"""The installed units: a real user manager runs the user's, and systemd-analyze judges both."""
import json, os, re, shutil, signal, stat, subprocess, time
import pytest
from feeds import item, rss
from feedwatchd import ROOT, ini, parse_log, wait_for
from httpd import Httpd, Reply
from smtpd import Smtpd
from test_install import make
from user_session import Unavailable, UserSession

UNIT = "feedwatchd.service"
STOP_S = 10  # what the daemon promises


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    try:
        session = UserSession(tmp_path_factory.mktemp("session"))
    except Unavailable as reason:
        pytest.skip(str(reason))
    with session:
        make("install", session.home, PREFIX=session.home / ".local")
        session.own(session.home / ".local")
        yield session


@pytest.fixture
def server():
    with Httpd(hosts=4) as server:
        yield server


class Service:
    """The user's unit with a home as new: configuration, drop-in, alert log."""

    def __init__(self, session, server):
        self.session, self.server = session, server
        self.config = session.home / ".config/feedwatch/feedwatch.conf"
        self.log = session.home / ".local/state/feedwatch/alerts.log"
        self.stderr_path = session.home / "stderr"
        self.ends_path = session.home / "ends"
        self.dropin = session.home / f".config/systemd/user/{UNIT}.d/test.conf"

    def write(self, path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.session.own(self.session.home / path.relative_to(self.session.home).parts[0])

    def configure(self, *paths, alert="log"):
        """One feed for each path, each on a host of its own, all with one item that matches."""
        sections = {"defaults": {"initial": "all"}, "rule any": {"match": "news", "alert": alert}}
        for host, path in enumerate(paths):
            self.server.on(path, Reply(200, rss([item(path, title=f"news of {path}", link=f"https://news.example{path}")])))
            sections[f"feed f{host}"] = {"url": self.server.url(path, host)}
        self.write(self.config, ini(sections))

    def override(self, *settings):
        """There is no journal here, so what is said goes to a file, and how it ended to another."""
        settings = (f"StandardError=append:{self.stderr_path}",
                    f"ExecStopPost=/bin/sh -c 'echo $$SERVICE_RESULT $$EXIT_CODE $$EXIT_STATUS >>{self.ends_path}'", *settings)
        self.write(self.dropin, "[Service]\n" + "".join(f"{line}\n" for line in settings))
        assert self.session.systemctl("daemon-reload").code == 0

    def ctl(self, verb):
        return self.session.systemctl(verb, UNIT)

    def start(self):
        result = self.ctl("start")
        assert result.code == 0, f"{result.err}\n{self.said()}"
        return int(self["MainPID"])

    def said(self):
        return (self.stderr_path.read_text() if self.stderr_path.exists() else "") + self.session.manager_log()

    def ends(self):
        """How each daemon ended: result, code, status."""
        return self.ends_path.read_text().splitlines() if self.ends_path.exists() else []

    def __getitem__(self, name):
        return self.session.show(UNIT)[name]

    def wait(self, timeout_s=40, **properties):
        def holds():
            shown = self.session.show(UNIT)
            return all(shown[name] == value for name, value in properties.items())
        wait_for(holds, f"{properties} of {UNIT}: {self.said()}", timeout_s)

    def alerts(self, count):
        wait_for(lambda: self.log.exists() and self.log.read_bytes().count(b"\n") >= count, f"{count} alerts")
        return parse_log(self.log)

    def forget(self):
        self.ctl("stop")
        self.ctl("reset-failed")
        for path in (self.config.parent, self.dropin.parent, self.log.parent):
            shutil.rmtree(path, ignore_errors=True)
        for path in (self.stderr_path, self.ends_path):
            path.unlink(missing_ok=True)
        self.override()


@pytest.fixture
def service(session, server):
    service = Service(session, server)
    service.forget()
    yield service
    service.forget()


def test_it_starts_with_the_session_and_says_what_it_does(service):
    service.configure("/a")
    result = service.session.systemctl("enable", "--now", UNIT)
    assert result.code == 0 and "default.target.wants" in result.err
    shown = service.session.show(UNIT)  # systemctl came back, so READY was told
    assert (shown["ActiveState"], shown["SubState"], shown["Type"]) == ("active", "running", "notify")
    assert shown["FragmentPath"] == f"{service.session.home}/.local/share/systemd/user/{UNIT}"
    assert shown["WatchdogUSec"] == "3min" and shown["Restart"] == "on-failure"
    assert [alert.title for alert in service.alerts(1)] == ["news of /a"]
    assert stat.S_IMODE(service.log.stat().st_mode) == 0o600
    service.wait(StatusText="1 feed, 0 failing")
    answer = service.session.run(service.session.home / ".local/bin/feedwatch", "poll", "--wait", "0s", "--json")
    assert [json.loads(line)["feed"] for line in answer.out.splitlines()] == ["f0"], \
        f"the command is not heard in the unit's user namespace: {answer.err}"
    assert service.session.systemctl("disable", UNIT).code == 0


def test_a_reload_takes_effect_or_says_why_not(service):
    service.configure("/a")
    pid = service.start()
    service.configure("/a", "/b")
    assert service.ctl("reload").code == 0
    service.wait(StatusText="2 feeds, 0 failing", ActiveState="active", SubState="running")
    service.write(service.config, "[feed x]\nurl = nowhere\n")
    assert service.ctl("reload").code != 0, "systemctl must not say that a wrong configuration is in force"
    assert f"{service.config}:2:" in service.said()
    shown = service.session.show(UNIT)
    assert (shown["ActiveState"], shown["StatusText"]) == ("active", "2 feeds, 0 failing")
    assert int(shown["MainPID"]) == pid


def test_a_daemon_that_stands_still_is_killed_and_started_again(service):
    service.configure("/a")
    service.override("WatchdogSec=4s", "TimeoutAbortSec=1s", "RestartSec=100ms")
    pid = service.start()
    service.alerts(1)
    told = service["WatchdogTimestampMonotonic"]
    wait_for(lambda: service["WatchdogTimestampMonotonic"] != told, "the watchdog is fed")
    assert service["MainPID"] == str(pid)
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: service["MainPID"] not in (str(pid), "0"), "another daemon", 60)
    service.wait(ActiveState="active", StatusText="1 feed, 0 failing")
    [end] = service.ends()
    assert end.startswith("watchdog killed ")  # by ABRT, or KILL where it does not hear that
    assert len(service.alerts(1)) == 1, "the alert is told once"


def test_a_daemon_that_dies_is_started_again(service):
    service.configure("/a")
    service.override("RestartSec=100ms")
    pid = service.start()
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: service["MainPID"] not in (str(pid), "0"), "another daemon")
    service.wait(ActiveState="active", NRestarts="1")
    assert service.ends() == ["signal killed KILL"]


def test_it_stops_in_time_with_a_request_under_way(service):
    service.configure("/a")
    service.server.on("/a", Reply(hang=True))
    service.start()
    wait_for(lambda: service.server.requests("/a"), "the request")
    start = time.monotonic()
    assert service.ctl("stop").code == 0
    assert time.monotonic() - start < STOP_S
    assert service.ends() == ["success exited 0"]


@pytest.mark.parametrize("text", [None, "[feed x]\nurl = nowhere\n"], ids=["missing", "wrong"])
def test_a_bad_configuration_is_not_tried_again(service, text):
    service.override("RestartSec=0")
    if text:
        service.write(service.config, text)
    assert service.ctl("start").code != 0
    shown = service.session.show(UNIT)
    assert (shown["ActiveState"], shown["SubState"], shown["Result"]) == ("failed", "failed", "exit-code")
    assert shown["NRestarts"] == "0" and service.ends() == ["exit-code exited 78"]


def test_what_it_may_and_may_not_touch(service):
    """A script in the same sandbox, before the daemon."""
    home = service.session.home
    for folder in (".ssh", ".gnupg"):
        service.write(home / folder / "secret", "secret")
    service.write(home / ".local/state/made", "")  # as on any desktop, also when this test runs alone
    service.configure("/a")
    service.write(home / "probe", f"""#!/bin/sh
exec >{home}/probe.out 2>/dev/null
for path in {home}/x {home}/.local/state/x {home}/.config/x {home}/.config/feedwatch/x /tmp/x /etc/x; do
  touch $path && echo "writes $path" && rm $path
done
for path in {home}/.ssh/secret {home}/.gnupg/secret {home}/.config/feedwatch/feedwatch.conf; do
  cat $path >&2 && echo "reads $path"
done
exit 0
""")
    os.chmod(home / "probe", 0o755)
    service.override(f"ExecStartPre={home}/probe")
    service.start()
    assert (home / "probe.out").read_text().splitlines() == [
        f"writes {home}/x", f"writes {home}/.local/state/x", f"reads {home}/.config/feedwatch/feedwatch.conf"]


def test_sinks_reach_files_servers_and_programs_from_the_sandbox(service):
    home = service.session.home
    service.configure("/a", alert="log, feed, mail, command")
    service.write(home / "program", f"#!/bin/sh\ncat >{home}/told\n")
    os.chmod(home / "program", 0o755)
    with Smtpd() as smtpd:
        text = service.config.read_text() + ini({
            "sink feed": {"path": "~/news.xml"}, "sink mail": {"to": "me@example.org", "server": smtpd.url()},
            "sink command": {"argv": f"{home}/program"}})
        service.write(service.config, text)
        service.start()
        service.alerts(1)
        wait_for(lambda: smtpd.messages, "the mail")
        wait_for(lambda: (home / "news.xml").exists() and "news of /a" in (home / "news.xml").read_text(), "the feed")
        wait_for(lambda: (home / "told").exists() and (home / "told").stat().st_size, "the program")
        assert smtpd.messages[0]["Subject"] == "[any] news of /a"


NOTIFIER = """
import json, os, sys
from gi.repository import Gio, GLib
API = '''<node><interface name="org.freedesktop.Notifications">
<method name="GetCapabilities"><arg type="as" direction="out"/></method>
<method name="GetServerInformation"><arg type="s" direction="out"/><arg type="s" direction="out"/><arg type="s" direction="out"/><arg type="s" direction="out"/></method>
<method name="Notify"><arg type="s" direction="in"/><arg type="u" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="as" direction="in"/><arg type="a{sv}" direction="in"/><arg type="i" direction="in"/><arg type="u" direction="out"/></method>
<method name="CloseNotification"><arg type="u" direction="in"/></method>
<signal name="ActionInvoked"><arg type="u"/><arg type="s"/></signal>
<signal name="NotificationClosed"><arg type="u"/><arg type="u"/></signal></interface></node>'''
def click(bus, sender):
    bus.emit_signal(sender, "/org/freedesktop/Notifications", "org.freedesktop.Notifications", "ActionInvoked",
                    GLib.Variant("(us)", (1, "default")))
def call(bus, sender, path, interface, method, arguments, invocation):
    answer = {"GetCapabilities": ("(as)", (["body", "actions"],)), "GetServerInformation": ("(ssss)", ("t", "t", "1", "1.2")),
              "Notify": ("(u)", (1,))}.get(method)
    invocation.return_value(GLib.Variant(*answer) if answer else None)
    if method == "Notify":
        with open(os.environ["HOME"] + "/popups", "a") as file:
            file.write(json.dumps(arguments.unpack()[:6], default=str) + "\\n")
        GLib.timeout_add(100, click, bus, sender)
def own(bus, name):
    bus.register_object("/org/freedesktop/Notifications", Gio.DBusNodeInfo.new_for_xml(API).interfaces[0], call)
Gio.bus_own_name(Gio.BusType.SESSION, "org.freedesktop.Notifications", 0, own, None, None)
GLib.MainLoop().run()
"""


def test_popups_leave_the_sandbox_and_links_are_opened_outside_it(service):
    home = service.session.home
    service.write(home / "opener", f'#!/bin/sh\n(echo "$@"; grep -E "^(NoNewPrivs|Seccomp):" /proc/self/status) >{home}/opened.new\n'
                                   f'mv {home}/opened.new {home}/opened\n')
    os.chmod(home / "opener", 0o755)
    service.session.spawn("/usr/bin/python3", "-c", NOTIFIER)
    wait_for(lambda: re.search(r"^org.freedesktop.Notifications +\d+ python3 ", service.session.run("busctl", "--user", "list").out, re.M),
             "the notification server is on the bus")
    service.configure("/a", alert="desktop, log")
    service.override(f"Environment=FEEDWATCH_OPENER={home}/opener")
    service.start()
    popups = wait_for(lambda: (home / "popups").exists() and (home / "popups").read_text().splitlines(),
                      f"a popup: {service.said()}", 40)
    program, _, icon, summary, body, actions = json.loads(popups[0])
    assert (program, icon, summary) == ("feedwatch", "feedwatch", "news of /a")
    assert "default" in actions
    opened = wait_for(lambda: (home / "opened").exists() and (home / "opened").read_text().splitlines(),
                      f"the link is opened: {service.said()}")
    assert opened == ["https://news.example/a", "NoNewPrivs:\t0", "Seccomp:\t0"]


# ---- what systemd-analyze says; this needs no manager ----

@pytest.fixture(scope="module")
def units(tmp_path_factory):
    """Both units with paths that exist, as {"user": path, "system": path}."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze")
    prefix = tmp_path_factory.mktemp("units")
    make("install", prefix, PREFIX=prefix, SYSCONFDIR=prefix / "etc")
    return {kind: prefix / f"lib/systemd/{kind}/{UNIT}" for kind in ("user", "system")}


@pytest.mark.parametrize("kind", ["user", "system"])
def test_the_unit_is_without_fault(units, kind, tmp_path):
    environment = {"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    # Without man(1) it cannot look for the manuals: that is done here.
    result = subprocess.run(["systemd-analyze", f"--{kind}", "--man=no", "verify", units[kind]], env=environment,
                            capture_output=True, text=True, timeout=60)
    said = [line for line in result.stderr.splitlines() if UNIT in line or "Failed" in line]
    assert (result.returncode, said) == (0, [])
    manuals = units[kind].parents[3] / "share/man"
    pages = re.findall(r"man:([\w.-]+)\((\d)\)", units[kind].read_text())
    assert pages and [p for p in pages if not (manuals / f"man{p[1]}/{p[0]}.{p[1]}").exists()] == []


@pytest.mark.parametrize("kind, limit", [("user", 2.0), ("system", 1.2)])
def test_how_exposed_the_unit_is(units, kind, limit):
    result = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", units[kind]],
                            capture_output=True, text=True, timeout=60)
    [exposure] = re.findall(r"Overall exposure level for \S+: ([\d.]+)", result.stdout)
    assert result.returncode == 0 and 0 < float(exposure) <= limit
