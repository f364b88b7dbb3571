"""A new configuration while the daemon runs: SIGHUP and SIGUSR1, conf.d/, what is wrong and where, and what was meant."""
import os, re, signal
import pytest
from feeds import item, rss
from feedwatchd import ini, wait_for
from httpd import Httpd, Reply

# One hour of the daemon is six seconds; a feed is polled about once a second.
SCALE = ("--time-scale", "600")
DEFAULTS = {"interval": "10m", "allow_private": "yes", "initial": "all"}
STAYS = "the new configuration has errors; the old one stays in force"


class Wires:
    """Publishers on hosts of their own, each with a feed whose items are added one by one."""
    def __init__(self, server):
        self.server, self.items = server, {}

    def add(self, name, number, title):
        if name not in self.items:
            self.items[name] = []
            self.server.on(f"/{name}", lambda _: Reply(200, rss(self.items[name])))
        self.items[name].insert(0, item(f"{name}{number}", title, link=f"https://news.example/{name}{number}"))

    def url(self, name):
        return self.server.url(f"/{name}", host=1 + "abc".index(name))

    def polls(self, name):
        return len(self.server.requests(f"/{name}"))

    def config(self, *names, **rules):
        return {"defaults": DEFAULTS, **{f"feed {name}": {"url": self.url(name)} for name in names},
                **{f"rule {name}": {"match": query} for name, query in rules.items()}}


@pytest.fixture
def wires():
    with Httpd(hosts=3) as httpd:
        yield Wires(httpd)


def told(daemon, log=None):
    return [(a.rule, a.link.rpartition("/")[2]) for a in daemon.alerts(log)]


def reload(daemon, process, config=None, answer="configuration reloaded"):
    """Writes the configuration, sends SIGHUP, and waits for the daemon's word on it."""
    if config is not None:
        daemon.configure(config)
    count = daemon.stderr.count(answer)
    process.send_signal(signal.SIGHUP)
    wait_for(lambda: daemon.stderr.count(answer) > count, answer)


def fragment(daemon, name, sections):
    path = daemon.config_path.parent / "conf.d" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(ini(sections))
    return path


def wait_polled(wires, name, times=2):
    count = wires.polls(name)
    wait_for(lambda: wires.polls(name) >= count + times, f"{times} polls of {name}")


def test_a_changed_rule_is_used_for_what_comes_and_not_for_what_is_known(wires, daemon):
    wires.add("a", 1, "Alpha beta")
    daemon.configure(wires.config("a", r="alpha"))
    process = daemon.start(*SCALE)
    daemon.wait_alerts(1)
    reload(daemon, process, {**wires.config("a", r="beta", s="@greek"), "list greek": {"any": "gamma, delta"}})
    wait_polled(wires, "a")
    wires.add("a", 2, "Alpha again")
    wires.add("a", 3, "Beta again")
    wires.add("a", 4, "Delta")
    daemon.wait_alerts(3)
    reload(daemon, process, {**wires.config("a", r="beta", s="@greek"), "list greek": {"any": "omega"}})
    wires.add("a", 5, "Delta again")
    wires.add("a", 6, "Omega")
    daemon.wait_alerts(4)
    assert sorted(told(daemon)) == [("r", "a1"), ("r", "a3"), ("s", "a4"), ("s", "a6")]
    assert "configuration reloaded: 1 feed, 2 rules" in daemon.stderr


def test_feeds_come_and_go(wires, daemon):
    """A removed feed is asked no longer; one that comes back is known still, so nothing is told twice."""
    wires.add("a", 1, "Alpha")
    wires.add("b", 1, "Alpha")
    daemon.configure(wires.config("a", "b", r="alpha"))
    process = daemon.start(*SCALE)
    daemon.wait_alerts(2)
    reload(daemon, process, wires.config("a", r="alpha"))
    asked = wires.polls("b")
    wires.add("b", 2, "Alpha unseen at first")
    wait_polled(wires, "a", 3)
    assert wires.polls("b") <= asked + 1  # one may have been under way
    asked = wires.polls("b")
    wires.add("c", 1, "Alpha")
    reload(daemon, process, wires.config("a", "c", r="alpha"))
    daemon.wait_alerts(3)
    assert wires.polls("b") == asked
    reload(daemon, process, wires.config("a", "b", "c", r="alpha"))
    daemon.wait_alerts(4)
    wait_polled(wires, "b")
    assert sorted(told(daemon)) == [("r", "a1"), ("r", "b1"), ("r", "b2"), ("r", "c1")]


def test_a_feed_that_is_switched_off_rests(wires, daemon):
    for name in "ab":
        wires.add(name, 1, "Alpha")
    config = wires.config("a", "b", r="alpha")
    daemon.configure(config)
    process = daemon.start(*SCALE)
    daemon.wait_alerts(2)
    reload(daemon, process, {**config, "feed b": {"url": wires.url("b"), "enabled": "no"}})
    asked = wires.polls("b")
    wait_polled(wires, "a", 3)
    assert wires.polls("b") <= asked + 1
    wires.add("b", 2, "Alpha")
    reload(daemon, process, config)
    daemon.wait_alerts(3)


def test_a_renamed_feed_keeps_what_is_known_of_it(wires, daemon):
    wires.add("a", 1, "Alpha")
    daemon.configure(wires.config("a", r="alpha"))
    process = daemon.start(*SCALE)
    daemon.wait_alerts(1)
    config = wires.config("a", r="alpha")
    config["feed new-name"] = config.pop("feed a")
    reload(daemon, process, config)
    wires.add("a", 2, "Alpha")
    daemon.wait_alerts(2)
    assert told(daemon) == [("r", "a1"), ("r", "a2")]
    assert '"feed":"new-name"' in daemon.feedwatch("alerts", "--json").splitlines()[1].replace(" ", "")


def test_sinks_come_and_go(wires, daemon):
    wires.add("a", 1, "Alpha")
    config = wires.config("a")
    rule = {"match": "alpha", "alert": "log, second"}
    both = {**config, "rule r": rule, "sink second": {"type": "log", "path": "%S/second.log"}}
    daemon.configure({**config, "rule r": {"match": "alpha"}})
    process = daemon.start(*SCALE)
    daemon.wait_alerts(1)
    second, moved = daemon.state / "second.log", daemon.state / "moved.log"
    reload(daemon, process, both)
    wires.add("a", 2, "Alpha")
    daemon.wait_alerts(2)
    daemon.wait_alerts(1, second)
    reload(daemon, process, {**both, "sink second": {"type": "log", "path": "%S/moved.log"}})
    wires.add("a", 3, "Alpha")
    daemon.wait_alerts(1, moved)
    reload(daemon, process, {**config, "rule r": {"match": "alpha"}})
    wires.add("a", 4, "Alpha")
    daemon.wait_alerts(4)
    assert told(daemon) == [("r", f"a{n}") for n in range(1, 5)]
    assert (told(daemon, second), told(daemon, moved)) == ([("r", "a2")], [("r", "a3")])


def test_the_desktop_is_switched_off_and_on(desktop, wires, daemon):
    desktop.start_bus()
    desktop.start_scripted("gnome")
    wires.add("a", 1, "Alpha")
    config = wires.config("a")
    config["rule r"] = {"match": "alpha", "alert": "desktop, log"}
    daemon.configure(config)
    process = daemon.start(*SCALE)
    desktop.wait_shown(1)
    daemon.allow("the sink 'desktop' is not enabled")
    reload(daemon, process, {**config, "sink desktop": {"enabled": "no"}})
    wires.add("a", 2, "Alpha two")
    daemon.wait_alerts(2)
    wait_polled(wires, "a")
    assert len(desktop.wire) == 1
    reload(daemon, process, config)
    wires.add("a", 3, "Alpha three")
    wait_for(lambda: any("Alpha three" in popup.summary for popup in desktop.shown), "the popup")
    daemon.wait_alerts(3)


WRONG = {
    "a query": ({"rule r": {"match": "alpha AND"}}, r"feedwatch\.conf:11:15: error: "),
    "an unknown setting": ({"rule r": {"match": "alpha", "mach": "beta"}}, r"feedwatch\.conf:12:1: error: .*did you mean 'match'\?"),
    "a scope": ({"rule r": {"match": "alpha", "feeds": "wire"}}, r"feedwatch\.conf:12:9: error: .*wire"),
    "a list": ({"rule r": {"match": "alpha AND @x"}}, r"feedwatch\.conf:11:19: error: .*x"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_configuration_is_refused_and_the_old_one_stays(wires, daemon, what):
    change, complaint = WRONG[what]
    wires.add("a", 1, "Alpha")
    config = wires.config("a", r="alpha")
    daemon.configure(config)
    process = daemon.start(*SCALE)
    daemon.wait_alerts(1)
    daemon.allow(r"feedwatch\.conf:\d+:\d+: error: ", STAYS)
    reload(daemon, process, {**config, **change}, STAYS)
    assert re.search(complaint, daemon.stderr), daemon.stderr
    wires.add("a", 2, "Alpha again")
    daemon.wait_alerts(2)
    reload(daemon, process, wires.config("a", s="again"))
    wires.add("a", 3, "Once again")
    daemon.wait_alerts(3)
    assert told(daemon) == [("r", "a1"), ("r", "a2"), ("s", "a3")]


def test_a_configuration_that_vanished_is_refused(wires, daemon):
    wires.add("a", 1, "Alpha")
    daemon.configure(wires.config("a", r="alpha"))
    process = daemon.start(*SCALE)
    daemon.wait_alerts(1)
    daemon.config_path.unlink()
    daemon.allow("No such file or directory", STAYS)
    reload(daemon, process, answer=STAYS)
    wires.add("a", 2, "Alpha again")
    daemon.wait_alerts(2)


def test_another_state_directory_needs_a_restart(wires, daemon):
    wires.add("a", 1, "Alpha")
    config = wires.config("a", r="alpha")
    daemon.configure(config)
    process = daemon.start(*SCALE)
    daemon.wait_alerts(1)
    answer = "another state_dir needs a restart; the old configuration stays in force"
    daemon.allow(answer)
    reload(daemon, process, {"feedwatch": {"state_dir": daemon.home / "elsewhere"}, **config}, answer)
    wires.add("a", 2, "Alpha again")
    daemon.wait_alerts(2)
    assert not (daemon.home / "elsewhere").exists()


def test_many_reloads_in_a_row(wires, daemon):
    """The poll that is under way goes on, and nothing is told twice."""
    wires.add("a", 1, "Alpha")
    daemon.configure(wires.config("a", r="alpha"))
    process = daemon.start(*SCALE)
    wait_for((daemon.state / "lock").exists, "the daemon to begin")
    process.send_signal(signal.SIGHUP)  # it is still coming up
    for number in range(2, 30):
        wires.add("a", number, f"Alpha {number}")
        reload(daemon, process)
    daemon.wait_alerts(29)
    assert sorted(told(daemon)) == sorted(("r", f"a{n}") for n in range(1, 30))


def test_conf_d_is_read_in_the_order_of_names_and_again_on_a_reload(wires, daemon):
    wires.add("a", 1, "Alpha")
    daemon.configure(wires.config("a", r="alpha"))
    fragment(daemon, "20-b.conf", {"rule late": {"match": "beta"}})
    fragment(daemon, "10-a.conf", {"rule early": {"match": "beta OR delta"}})
    fragment(daemon, "off.conf.example", {"rule never": {"match": "alpha"}})
    process = daemon.start(*SCALE)
    daemon.wait_alerts(1)
    wires.add("a", 2, "Beta")
    daemon.wait_alerts(3)
    late = fragment(daemon, "30-c.conf", {"feed b": {"url": wires.url("b")}})
    (daemon.config_path.parent / "conf.d/10-a.conf").unlink()
    wires.add("b", 1, "Beta")
    reload(daemon, process)
    daemon.wait_alerts(4)
    assert told(daemon) == [("r", "a1"), ("early", "a2"), ("late", "a2"), ("late", "b1")]
    late.write_text("[feed b]\nurl = http://127.0.0.1/\n; fine so far\nintervall = 1h\n[feed a]\nurl = http://127.0.0.1/x\n")
    daemon.allow(r"conf\.d/30-c\.conf:\d+:\d+: error: ", STAYS)
    reload(daemon, process, answer=STAYS)
    assert re.search(r"conf\.d/30-c\.conf:4:1: error: .*did you mean 'interval'\?", daemon.stderr)
    assert re.search(r"conf\.d/30-c\.conf:5:\d+: error: .*feed a", daemon.stderr)  # is in the main file already


def test_usr1_opens_the_log_anew(wires, daemon):
    """Also one that was refused: what waited is written at once, not when it would be tried again."""
    wires.add("a", 1, "Alpha")
    daemon.configure(wires.config("a", r="alpha"))
    process = daemon.start(*SCALE)
    daemon.wait_alerts(1)
    daemon.wait_delivered(1)
    old = daemon.log.with_name("alerts.log.1")
    os.rename(daemon.log, old)
    process.send_signal(signal.SIGUSR1)
    wires.add("a", 2, "Alpha")
    assert [alert.link[-2:] for alert in daemon.wait_alerts(1)] == ["a2"]
    assert len(daemon.alerts(old)) == 1

    daemon.wait_delivered(2)
    os.rename(daemon.log, daemon.log.with_name("alerts.log.2"))
    os.symlink("elsewhere", daemon.log)
    daemon.allow("alerts.log is a symbolic link|symlink|symbolic")
    process.send_signal(signal.SIGUSR1)
    wires.add("a", 3, "Alpha")
    wait_for(lambda: "its alerts wait" in daemon.stderr, "the refusal of a symlink")
    daemon.log.unlink()
    process.send_signal(signal.SIGUSR1)
    assert [alert.link[-2:] for alert in daemon.wait_alerts(1)] == ["a3"]
    assert not (daemon.state / "elsewhere").exists()


SLIPS = [
    ("[fed a]\n", 1, 2, "'feed'"), ("[Feed a]\n", 1, 2, "'feed'"), ("[default]\n", 1, 2, "'defaults'"),
    ("[feed a]\nurl = http://a/\nintervall = 1h\n", 3, 1, "'interval'"), ("[feedwatch]\nstatedir = /x\n", 2, 1, "'state_dir'"),
    ("[rule r]\nmatch = x\nurgency = critcal\n", 3, 11, "'critical'"), ("[rule r]\nmatch = x\nalert = dekstop\n", 3, 9, "'desktop'"),
    ("[rule r]\nmatch = @cubba\n", 2, 9, "@cuba"), ("[rule r]\nmatch = x\nfeeds = grnma\n", 3, 9, "granma"),
    ("[sink x]\ntype = webhok\n", 2, 8, "'webhook'"), ("[sink log]\nformat = jsn\n", 2, 10, "'json'"),
    ("[rule r]\nmatch = titel:x\n", 2, 9, "title"),
]


@pytest.mark.parametrize("text, line, column, meant", SLIPS)
def test_what_was_meant(daemon, text, line, column, meant):
    """A slip is told with file, line and column, and with the nearest name."""
    daemon.configure(ini({"feed granma": {"url": "https://granma.example/"}, "list cuba": {"any": "Cuba"},
                          "rule used": {"match": "@cuba"}}))
    fragment(daemon, "slip.conf", {})
    (daemon.config_path.parent / "conf.d/slip.conf").write_text(text)
    result = daemon.command("check")
    assert result.returncode == 78
    first = result.stderr.splitlines()[0]
    assert re.search(rf"conf\.d/slip\.conf:{line}:{column}: error: ", first), result.stderr
    assert f"did you mean {meant}?" in first


def test_check_print_gathers_all_files(wires, daemon):
    daemon.configure(wires.config("a", r="alpha"))
    fragment(daemon, "more.conf", {"feed b": {"url": "https://me:secret@b.example/feed", "interval": "2h"},
                                   "rule s": {"match": "beta", "alert": "desktop"}})
    daemon.config_path.chmod(0o600)
    (daemon.config_path.parent / "conf.d/more.conf").chmod(0o600)
    result = daemon.command("check", "--print")
    assert (result.returncode, result.stderr) == (0, "")
    headers = re.findall(r"^\[(.*)\]$", result.stdout, re.M)
    assert headers == ["feedwatch", "feed a", "feed b", "rule r", "rule s", "sink log", "sink desktop"] \
        or headers == ["feedwatch", "feed a", "feed b", "rule r", "rule s", "sink desktop", "sink log"]
    b = result.stdout.partition("[feed b]\n")[2].partition("\n[")[0]
    assert "url = https://***@b.example/feed\n" in b and "secret" not in result.stdout
    assert "interval = 2h\n" in b and "timeout = 1m\n" in b  # given, and a default
    assert "max_size = 16M\n" in b and "allow_private = yes\n" in b  # a default, and from [defaults]
