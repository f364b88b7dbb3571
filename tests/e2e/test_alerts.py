"""feedwatch alerts: filters, following, JSON, and what a terminal gets."""
import json, os, pty, re, select, subprocess, time
import pytest
from feeds import item, rss
from feedwatchd import BUILD, UNCLEAN, wait_for
from httpd import Reply
from sinks import configure, document, server, sink_state  # noqa: F401 (a fixture)

SGR = r"\x1b\[[0-9;]*m"
OSC8 = r"\x1b\]8;(?:id=[0-9A-Z]{26})?;[!-~]*\x1b\\"


class Terminal:
    """A command whose standard output is a terminal."""

    def __init__(self, daemon, *arguments, **environment):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen([str(BUILD / "feedwatch"), "-c", str(daemon.config_path), *arguments], stdout=slave,
                                        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                        env={**daemon.environment, "TERM": "xterm-256color", **environment})
        os.close(slave)
        self.output = b""

    def read(self, until=None, timeout_s=20):
        """All of it, or until the text is there."""
        deadline = time.monotonic() + timeout_s
        while until is None or until not in self.text:
            assert time.monotonic() < deadline, f"not within {timeout_s} s: {until!r} in {self.text!r}"
            if not select.select([self.master], [], [], 0.1)[0]:
                continue
            try:
                self.output += os.read(self.master, 65536)
            except OSError:  # the other end is closed
                break
        return self.text

    @property
    def text(self):
        return self.output.decode(errors="surrogateescape").replace("\r\n", "\n")

    def end(self):
        self.process.terminate()
        self.process.wait(10)
        os.close(self.master)


@pytest.fixture
def terminal(daemon):
    made = []

    def make(*arguments, **environment):
        made.append(Terminal(daemon, *arguments, **environment))
        return made[-1]
    yield make
    for one in made:
        one.end()


def titles(text):
    return re.findall(r"\] (.*?) \| ", text)


def test_a_terminal_gets_colours_found_words_and_links(daemon, server, terminal):
    configure(daemon, server, {}, [Reply(200, rss([item(1, "Oil for Cuba | again", "x", link="https://h.example/a?b=1&c=2")]))],
              urgency="critical")
    daemon.once()
    text = terminal("alerts").read()
    [alert] = daemon.alerts()
    assert f"\x1b]8;id={alert.id};https://h.example/a?b=1&c=2\x1b\\Oil for \x1b[1;33mCuba\x1b[0m ¦ again\x1b]8;;\x1b\\" in text
    assert "\x1b[1;31m[cuba]" in text
    assert re.sub(f"{SGR}|{OSC8}", "", text) == daemon.log.read_text()


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour_means_no_escape_at_all(daemon, server, terminal, environment):
    configure(daemon, server, {}, [Reply(200, document(1))])
    daemon.once()
    assert terminal("alerts", **environment).read() == daemon.log.read_text() == daemon.feedwatch("alerts")


def test_s13_no_feed_reaches_a_terminal(daemon, server, terminal):
    """Every way to smuggle an escape: raw, as a reference, as C1, in a title, a link, an author, a match."""
    smuggled = ["&#27;[31m", "&#x9b;31m", "&#157;52;c;eA==&#7;", "\u009b31m", "\u009d8;;x\u009c", "&amp;#27;]8;;https://evil/&amp;#27;\\",
                "\u202e\u2028x", "\u200bCu\u200bba", "]8;;https://evil/", "\\033[31m", "&lt;b&gt;"]
    entries = "".join(f"<item><guid>{n}</guid><title>Cuba {s} Cuba{s}</title><link>https://h/{n}?{s.replace(' ', '')}</link>"
                      f"<author>{s}</author><description>{s} Cuba</description></item>" for n, s in enumerate(smuggled))
    configure(daemon, server, {}, [Reply(200, f"<rss version='2.0'><channel><title>T{smuggled[0]}</title>{entries}</channel></rss>")])
    daemon.once()
    assert len(daemon.alerts()) == len(smuggled)
    text = terminal("alerts").read()
    rest = re.sub(f"{SGR}|{OSC8}", "", text)
    assert "\x1b" not in rest and not UNCLEAN.search(rest.replace("\n", ""))
    assert rest == daemon.log.read_text()
    for uri in re.findall(r"\x1b\]8;id=[0-9A-Z]{26};([^\x1b]*)\x1b\\", text):
        assert re.fullmatch(r"https://h/[!-~]*", uri)
    assert all(line.count("\x1b]8;") in (0, 2) for line in text.splitlines())


def test_following_on_a_terminal_and_in_a_pipe(daemon, server, terminal):
    configure(daemon, server, {}, [Reply(200, document(1)), Reply(200, document(1, 2)), Reply(200, document(1, 2, 3))])
    daemon.once()
    shown = terminal("alerts", "-f")
    shown.read("id=")
    piped = subprocess.Popen([str(BUILD / "feedwatch"), "-c", str(daemon.config_path), "alerts", "-f", "--json"],
                             env=daemon.environment, stdout=subprocess.PIPE, text=True)
    try:
        assert json.loads(piped.stdout.readline())["title"] == "Cuba 1"
        daemon.once()
        daemon.once()
        assert [json.loads(piped.stdout.readline())["title"] for _ in range(2)] == ["Cuba 2", "Cuba 3"]
        wait_for(lambda: shown.read("3\x1b]8;;"), "the third")
        assert re.sub(f"{SGR}|{OSC8}", "", shown.text) == daemon.log.read_text()
        piped.stdout.close()  # whoever follows it is gone
        server.on("/feed", Reply(200, document(*range(1, 6))))
        daemon.once()
        assert piped.wait(20) == 1
    finally:
        piped.kill()
        piped.wait()


def test_filters(daemon, server):
    configure(daemon, server, {}, [Reply(200, document(1, 2, 3))])
    server.on("/other", Reply(200, rss([item(7, "Cuba and oil"), item(8, "Oil alone")])))
    daemon.config_path.write_text(daemon.config_path.read_text() + f"\n[feed other]\nurl = {server.url('/other')}\n"
                                  "[rule oil]\nmatch = oil\nalert = log\n")
    daemon.once()
    process = daemon.start()
    wait_for(lambda: daemon.command("test-alert", "log").returncode == 0, "a test alert")
    daemon.stop(process)

    def ask(*arguments):
        return sorted(titles(daemon.feedwatch("alerts", *arguments)))
    assert ask("--rule", "oil") == ["Cuba and oil", "Oil alone"]
    assert ask("--feed", "other", "--rule", "cuba") == ["Cuba and oil"]
    assert ask("--feed", "wire") == ["Cuba 1", "Cuba 2", "Cuba 3"]
    assert len(ask("--kind", "alert")) == 6 and ask("--kind", "test")[0].startswith("A test alert")
    everything = daemon.feedwatch("alerts").splitlines(keepends=True)
    assert daemon.feedwatch("alerts", "-n", "2") == "".join(everything[-2:])
    assert daemon.feedwatch("alerts", "-n", "1", "--rule", "oil") == [line for line in everything if "[oil]" in line][-1]
    assert daemon.feedwatch("alerts", "-n", "100") == "".join(everything)
    assert ask("--since", "1h") == ask() and ask("--since", "2999-01-01") == []
    for wrong in ("-n", "-1"), ("-n", "0"), ("--since", "soon"), ("extra",):
        assert daemon.command("alerts", *wrong).returncode == 2


def test_json_has_what_the_contract_says(daemon, server):
    configure(daemon, server, {"command": {"argv": "/bin/true"}}, [Reply(200, document(1))])
    daemon.once()
    [line] = daemon.feedwatch("alerts", "--json").splitlines()
    alert = json.loads(line)
    assert {"id", "time", "kind", "rule", "urgency", "feed", "title", "link", "published", "first_seen", "matched", "story",
            "deliveries"} <= set(alert)
    assert alert["deliveries"] == {"command": "done", "log": "done"} and alert["story"] is None
    assert alert["matched"][0] == {"term": "cuba", "list": None, "field": "title", "index": 0, "start": 0, "end": 4, "text": "Cuba"}
