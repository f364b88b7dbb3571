"""The life of an item, from a real server to the alert log: each match is told once, whatever happens between."""
import json, os, re, signal, socket
from datetime import datetime, timedelta, timezone
import pytest
from feeds import atom, item, rss
from feedwatchd import wait_for
from nginx import address

# One hour of the daemon is six seconds, and a feed with FAST is polled about once a second.
SCALE = ("--time-scale", "600")
FAST = {"interval": "10m", "allow_private": "yes", "initial": "all"}
ALL = {"allow_private": "yes", "initial": "all"}
FAILING = r"feedwatchd: warning: feed \S+: "


def watch(nginx, defaults=ALL, feeds=("a.rss",), **rules):
    """A configuration: one feed a host for each document, one rule for each keyword."""
    sections = {"defaults": defaults}
    for host, path in enumerate(feeds, 1):
        sections[f"feed {path.partition('.')[0]}"] = {"url": nginx.url(path, host)}
    return {**sections, **{f"rule {name}": {"match": query} for name, query in rules.items()}}


def told(daemon, log=None):
    return [(a.rule, a.link.rpartition("/")[2]) for a in daemon.alerts(log)]


def test_a_second_poll_is_conditional_and_silent(nginx, daemon):
    nginx.publish("a.rss", rss([item(1, "Alpha wins"), item(2, "Beta loses")]))
    daemon.configure(watch(nginx, alpha="alpha"))
    daemon.once()
    before = daemon.log.read_bytes()
    assert told(daemon) == [("alpha", "1")]
    daemon.once()
    first, second = nginx.requests("a.rss")
    assert (first["status"], first["if_none_match"]) == (200, None)
    assert (second["status"], second["if_none_match"]) == (304, first["etag"])
    assert daemon.log.read_bytes() == before
    for request in (first, second):
        assert request["method"] == "GET"
        assert request["cookie"] is request["referer"] is request["range"] is None
        assert re.match(r"feedwatch/\d", request["user_agent"])


def test_a_line_says_what_matched_where(nginx, daemon):
    nginx.publish("a.rss", rss([item(1, "Minister from Moscow received in Havana")], title="Morning Post"))
    config = watch(nginx, cuba="@russia AND @cuba")
    daemon.configure({**config, "list russia": {"any": "Moscow, Kremlin"}, "list cuba": {"any": "Havana"}})
    before = datetime.now(timezone.utc).replace(microsecond=0)
    daemon.once()
    (alert,) = daemon.alerts()
    assert (alert.rule, alert.title) == ("cuba", "Minister from Moscow received in Havana")
    assert (alert.feed, alert.link) == ("Morning Post", "https://news.example/1")
    assert alert.matched == "russia: Moscow; cuba: Havana"
    assert before <= datetime.fromisoformat(alert.time) <= datetime.now(timezone.utc)


def test_an_added_item_gives_one_line_for_each_matching_rule(nginx, daemon):
    old = [item(1, "Alpha and beta"), item(2, "Nothing")]
    nginx.publish("a.rss", rss(old))
    daemon.configure(watch(nginx, alpha="alpha", beta="beta", gamma="gamma"))
    daemon.once()
    nginx.publish("a.rss", rss([item(3, "Beta with gamma and gamma"), *old]))
    daemon.once()
    assert told(daemon) == [("alpha", "1"), ("beta", "1"), ("beta", "3"), ("gamma", "3")]


@pytest.mark.parametrize("build", [rss, atom])
def test_an_edited_item_alerts_only_for_what_it_gains(nginx, daemon, build):
    def publish(first, second, third):
        nginx.publish("a.xml", build([item(1, "One", first), item(2, "Two", second), item(3, "Three", third)]))
    daemon.configure(watch(nginx, feeds=("a.xml",), alpha="alpha", beta="beta"))
    publish("plain", "plain", "alpha")
    daemon.once()
    assert told(daemon) == [("alpha", "3")]
    publish("plain", "plain, but longer", "alpha")         # no term: nothing
    daemon.once()
    assert told(daemon) == [("alpha", "3")]
    publish("now with alpha", "plain, but longer", "alpha")  # gains a term
    daemon.once()
    assert told(daemon) == [("alpha", "3"), ("alpha", "1")]
    publish("now with more alpha", "plain, but longer", "alpha, alpha")  # alerted before
    daemon.once()
    publish("plain", "plain, but longer", "plain")
    daemon.once()
    publish("alpha", "plain, but longer", "alpha")         # lost and regained: known by its alert
    daemon.once()
    assert told(daemon) == [("alpha", "3"), ("alpha", "1")]
    publish("alpha", "plain, but longer", "alpha and beta")  # only the rule it gains
    daemon.once()
    assert told(daemon) == [("alpha", "3"), ("alpha", "1"), ("beta", "3")]


def test_an_edit_says_what_is_new(nginx, daemon):
    def publish(title, text):
        nginx.publish("a.rss", rss([item(1, title, text)]))
    daemon.configure(watch(nginx, feeds=("a.rss",), both="alpha AND beta", never="alpha NOT gamma"))
    publish("Gamma and Beta", "Alpha.")
    daemon.once()
    publish("Beta", "Gamma, alpha and delta")
    daemon.once()
    [first] = daemon.alerts()  # of a feed that is new and all matched: no edit
    assert first.rule == "both" and first.matched == "Alpha; Beta"
    daemon.configure(watch(nginx, feeds=("a.rss",), both="alpha AND beta", never="alpha NOT gamma", more="epsil* AND alpha"))
    publish("Beta", "Epsilon, gamma and alpha")
    daemon.once()
    publish("Beta", "Epsilon and alpha")
    daemon.once()
    edits = daemon.alerts()[1:]
    assert [(a.rule, a.matched) for a in edits] == [("more", "edited; Epsilon (new); alpha"), ("never", "edited; alpha")]
    alerts = [json.loads(line) for line in daemon.feedwatch("alerts", "--json").splitlines()]
    assert [{e["text"]: e.get("new") for e in a["matched"]} for a in alerts] == \
        [{"Alpha": None, "Beta": None}, {"Epsilon": True, "alpha": False}, {"alpha": False}]


def test_a_feed_that_vanishes_and_returns_tells_nothing_twice(nginx, daemon):
    items = [item(n, f"Alpha {n}") for n in range(3)]
    nginx.publish("a.rss", rss(items))
    nginx.publish("b.rss", rss([]))
    daemon.configure(watch(nginx, feeds=("a.rss", "b.rss"), alpha="alpha"))
    daemon.once()
    nginx.remove("a.rss")
    daemon.allow(FAILING + ".*404")
    daemon.once()
    daemon.once()
    assert "404" in daemon.stderr
    nginx.publish("a.rss", rss([item(9, "Alpha is back"), *items]))
    daemon.once()
    assert sorted(told(daemon)) == [("alpha", n) for n in ("0", "1", "2", "9")]


def test_items_that_leave_the_window_and_return_are_known(nginx, daemon):
    items = [item(n, f"Alpha {n}") for n in range(6)]
    daemon.configure(watch(nginx, alpha="alpha"))
    for window in (items[:3], items[3:], items[:3], items):
        nginx.publish("a.rss", rss(window))
        daemon.once()
    assert sorted(t for t in told(daemon) if t[0] != "!gap") == [("alpha", str(n)) for n in range(6)]


def test_an_item_that_was_only_moved_is_known(nginx, daemon):
    nginx.publish("a.rss", rss([item(1, "Alpha")]))
    daemon.configure(watch(nginx, alpha="alpha"))
    daemon.once()
    for moved in (item(1, "Alpha", id="urn:test:other"), item(2, "Alpha", link="http://news.example/1?utm_source=x#top"),
                  item(2, "Alpha", link="https://news.example/elsewhere")):
        nginx.publish("a.rss", rss([moved, item(moved["title"], "Filler")]))
        daemon.once()
    assert told(daemon) == [("alpha", "1")]


NOW = datetime.now(timezone.utc).replace(microsecond=0)
DATED = [item(n, f"Alpha {n}", date=None if hours is None else NOW - timedelta(hours=hours))
         for n, hours in enumerate([1, 5, 23, 30, None, 200])]


@pytest.mark.parametrize("initial, expected", [
    ("none", []), ("all", ["0", "1", "2", "3", "4", "5"]), ("last 2", ["0", "1"]), ("last 100", ["0", "1", "2", "3", "4", "5"]),
    ("24h", ["0", "1", "2"]), ("2d", ["0", "1", "2", "3"])])
def test_a_new_feed_is_taken_in_as_initial_says(nginx, daemon, initial, expected):
    nginx.publish("a.rss", rss(DATED))
    daemon.configure(watch(nginx, {"allow_private": "yes", "initial": initial}, alpha="alpha"))
    daemon.once()
    assert sorted(n for _, n in told(daemon)) == expected
    nginx.publish("a.rss", rss([item(50, "Alpha undated", date=None), item(51, "Alpha old", date=NOW - timedelta(days=900)),
                                *DATED]))
    daemon.once()  # from now on every item that was not seen counts, whatever its date
    assert sorted(n for _, n in told(daemon)) == sorted([*expected, "50", "51"])


def test_a_new_feed_beside_known_ones_is_baselined_alone(nginx, daemon):
    nginx.publish("a.rss", rss([item(1, "Alpha in a")]))
    nginx.publish("b.rss", rss([item(2, "Alpha in b")]))
    quiet = {"allow_private": "yes", "initial": "none"}
    daemon.configure(watch(nginx, quiet, alpha="alpha"))
    daemon.once()
    nginx.publish("a.rss", rss([item(1, "Alpha in a"), item(3, "Alpha new in a")]))
    daemon.configure(watch(nginx, quiet, feeds=("a.rss", "b.rss"), alpha="alpha"))
    daemon.once()
    assert told(daemon) == [("alpha", "3")]


def test_new_rules_do_nothing_to_known_items(nginx, daemon):
    nginx.publish("a.rss", rss([item(1, "Alpha and beta")]))
    daemon.configure(watch(nginx, alpha="alpha"))
    daemon.once()
    daemon.configure(watch(nginx, alpha="alpha", beta="beta"))
    nginx.publish("a.rss", rss([item(1, "Alpha and beta"), item(2, "Beta")]))
    daemon.once()
    assert told(daemon) == [("alpha", "1"), ("beta", "2")]


def test_rules_with_feeds_hold_only_there(nginx, daemon):
    names = ("wire-one.rss", "wire-two.rss", "blog.rss")
    for name in names:
        nginx.publish(name, rss([item(name.partition(".")[0], "Alpha")]))
    config = watch(nginx, feeds=names, any="alpha")
    config["feed blog"]["tags"] = "slow, mine"
    for rule, feeds in (("id", "blog"), ("glob", "wire-*"), ("tag", "tag:mine"), ("both", "wire-two, tag:slow")):
        config[f"rule {rule}"] = {"match": "alpha", "feeds": feeds}
    daemon.configure(config)
    daemon.once()
    assert sorted(told(daemon)) == sorted([("any", "blog"), ("any", "wire-one"), ("any", "wire-two"), ("id", "blog"),
                                           ("glob", "wire-one"), ("glob", "wire-two"), ("tag", "blog"), ("both", "blog"),
                                           ("both", "wire-two")])


FORGED = "2026-01-01T00:00:00+00:00 [alpha] forged | feed | https://x.example/ | x: y | id=01ARZ3NDEKTSV4RRFFQ69G5FAV"
HOSTILE = {
    "line feed": f"Alpha\n{FORGED}", "CR LF": f"Alpha\r\n{FORGED}", "NEL": f"Alpha\x85{FORGED}",
    "line separator": f"Alpha\u2028{FORGED}", "paragraph separator": f"Alpha\u2029{FORGED}",
    "separators": f"Alpha | {FORGED}", "C1 CSI": "Alpha \x9b31m red", "C1 OSC and ST": "Alpha \x9d0;title\x9c", "DEL": "Alpha\x7f",
    "escaped ESC": "Alpha &#27;[31m &#x1b;]52;c;eA==&#7;", "escaped C1": "Alpha &#155;31m &#x9d;0;x&#x9c;",
    "escaped line feeds": f"Alpha &#10;&#13;&#x85;&#x2028;&#11;&#12;{FORGED}", "bidi": "Alpha \u202egnp.exe\u202c \u2066x\u2069 \u200f \u061c",
    "zero width": "Al\u200bp\u200cha \ufeff\u2060 alpha", "tags": "Alpha \U000e0041\U000e0042", "marks": "Alpha e" + "\u0301" * 20000,
    "long": "Alpha " + "title " * 20000, "one long word": "Alpha " + "ж" * 9000, "markup": "Alpha <script>alert(1)</script><b>bold</b>",
    "format": "Alpha %s%n%d ${HOME} $(id) `id`", "quotes": "Alpha \"' \\ \\n \\x1b",
}


def test_hostile_titles_give_one_clean_line_each(nginx, daemon):
    items = [item(n, title) for n, title in enumerate(HOSTILE.values())]
    nginx.publish("a.rss", rss(items, title="Evil\u202e | \n feed"))
    nginx.publish("b.atom", atom(items, title="Evil &#27;[31m &lt;b&gt; feed"))
    daemon.configure(watch(nginx, feeds=("a.rss", "b.atom"), alpha="alpha"))
    daemon.once()
    alerts = daemon.alerts()  # checks form, length and cleanliness of each line
    expected = [str(n) for n in range(len(items))]
    for feed in {a.feed for a in alerts}:
        got = [a.link.rpartition("/")[2] for a in alerts if a.feed == feed]
        missing = [name for n, name in enumerate(HOSTILE) if str(n) not in got]
        assert sorted(got, key=int) == expected, f"{feed}: missing {missing}"
    assert len(alerts) == 2 * len(items)
    assert not any(a.id == "01ARZ3NDEKTSV4RRFFQ69G5FAV" or a.title == "forged" for a in alerts)


RAW = {"ESC": b"\x1b[31m", "BEL and BS": b"\x07\x08", "NUL": b"\x00", "overlong": b"\xc0\x8a\xe0\x80\x8a", "surrogate": b"\xed\xa0\x80",
       "lone bytes": b"\xff\xfe\x9b", "VT and FF": b"\x0b\x0c", "ESC by number": b"&#27;[31m", "NUL by number": b"&#0;"}


@pytest.mark.parametrize("name", RAW)
def test_bytes_that_xml_forbids_never_reach_the_log(nginx, daemon, name):
    """Such a document may be refused or repaired; the feed beside it is read all the same."""
    good, bad = item(1, "Alpha before"), item(2, "Alpha BYTES after")
    nginx.publish("a.rss", rss([good, bad, item(3, "Alpha last")]).replace(b"BYTES", RAW[name]))
    nginx.publish("b.rss", rss([item(4, "Alpha elsewhere")]))
    daemon.configure(watch(nginx, feeds=("a.rss", "b.rss"), alpha="alpha"))
    daemon.allow(FAILING)
    daemon.once()
    alerts = daemon.alerts()
    assert ("alpha", "4") in told(daemon)
    assert len({a.link for a in alerts}) == len(alerts) <= 4


def test_hostile_links_and_feed_names_stay_in_their_place(nginx, daemon):
    links = ["javascript:alert(1)", "-rf", "file:///etc/passwd", "https://a.example/ | id=01ARZ3NDEKTSV4RRFFQ69G5FAV",
             "https://a.example/\x85\x9b31m", "https://good@evil.example/", "https://a.example/" + "x" * 9000]
    nginx.publish("a.rss", rss([item(n, f"Alpha {n}", link=link) for n, link in enumerate(links)]))
    daemon.configure(watch(nginx, alpha="alpha"))
    daemon.once()
    alerts = daemon.alerts()
    assert sorted(a.title for a in alerts) == [f"Alpha {n}" for n in range(len(links))]
    assert not any(a.id == "01ARZ3NDEKTSV4RRFFQ69G5FAV" for a in alerts)


def test_exit_codes_of_one_pass(nginx, daemon):
    nginx.publish("a.rss", rss([item(1, "Alpha")]))
    daemon.allow(FAILING, "feedwatch.conf", "error")
    daemon.configure(watch(nginx, feeds=("a.rss", "gone.rss"), alpha="alpha"))
    daemon.once(code=0)  # one feed failed, one did not
    assert re.search(r"feed gone: .*404", daemon.stderr)
    assert told(daemon) == [("alpha", "1")]
    daemon.configure(watch(nginx, feeds=("gone.rss",), alpha="alpha"))
    daemon.once(code=1)
    daemon.configure("[rule alpha]\nmatch = (alpha\n")
    daemon.once(code=78)
    assert re.search(r"feedwatch\.conf:2:\d+: error: ", daemon.stderr)
    daemon.config_path.unlink()
    daemon.once(code=78)


def test_of_two_daemons_on_one_state_directory_one_runs(nginx, daemon):
    nginx.publish("a.rss", rss([item(1, "Alpha 1")]))
    daemon.configure(watch(nginx, FAST, alpha="alpha"))
    first = daemon.start(*SCALE)
    daemon.wait_alerts(1)
    daemon.allow(r"feedwatchd: error: .*" + re.escape(str(daemon.state)))
    daemon.once(code=75)
    second = daemon.start()
    assert second.wait(10) == 75
    assert first.poll() is None
    nginx.publish("a.rss", rss([item(1, "Alpha 1"), item(2, "Alpha 2")]))
    daemon.wait_alerts(2)
    assert told(daemon) == [("alpha", "1"), ("alpha", "2")]
    assert daemon.stop(first) == 0
    daemon.once()  # the lock went with its holder


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_term_ends_within_ten_seconds_also_while_a_server_is_silent(nginx, daemon, number):
    nginx.publish("a.rss", rss([item(1, "Alpha")]))
    with socket.create_server((address(9), 0)) as silent:
        config = watch(nginx, FAST, alpha="alpha")
        config["feed silent"] = {"url": f"http://{address(9)}:{silent.getsockname()[1]}/"}
        daemon.configure(config)
        process = daemon.start(*SCALE)
        silent.settimeout(20)
        connection, _ = silent.accept()  # the request is under way
        daemon.wait_alerts(1)
        assert daemon.stop(process, number, timeout_s=10) == 0
        connection.close()
    assert told(daemon) == [("alpha", "1")]


def test_term_after_the_commit_leaves_nothing_to_tell_again(nginx, daemon):
    nginx.publish("a.rss", rss([item(n, f"Alpha {n}") for n in range(300)]))
    daemon.configure(watch(nginx, FAST, alpha="alpha"))
    process = daemon.start(*SCALE)
    wait_for(lambda: nginx.requests("a.rss"), "the first request")
    assert daemon.stop(process) == 0
    daemon.once()
    assert sorted(told(daemon)) == sorted(("alpha", str(n)) for n in range(300))


def test_hup_swaps_a_right_configuration_and_refuses_a_wrong_one(nginx, daemon):
    def publish(*titles):
        nginx.publish("a.rss", rss([item(n, title) for n, title in enumerate(titles)]))
    publish("Alpha beta")
    nginx.publish("b.rss", rss([item("b", "Beta in b")]))
    right = watch(nginx, FAST, alpha="alpha")
    daemon.configure(right)
    process = daemon.start(*SCALE)
    daemon.wait_alerts(1)

    daemon.allow(r"feedwatch\.conf:\d+:\d+: error: ", "old one stays in force")
    daemon.configure({**right, "rule beta": {"match": "(beta"}, "rule other": {"match": "a AND"}})
    process.send_signal(signal.SIGHUP)
    wait_for(lambda: "old one stays in force" in daemon.stderr, "a complaint about the wrong configuration")
    assert len(re.findall(r"feedwatch\.conf:\d+:\d+: error: ", daemon.stderr)) >= 2  # all of them, in one run
    publish("Alpha beta", "Alpha beta again")
    daemon.wait_alerts(2)

    daemon.configure(watch(nginx, FAST, feeds=("a.rss", "b.rss"), beta="beta"))
    asked = len(nginx.requests("a.rss"))
    process.send_signal(signal.SIGHUP)
    daemon.wait_alerts(3)  # the new feed
    publish("Alpha beta", "Alpha beta again", "Alpha beta, a third time")
    daemon.wait_alerts(4)
    assert told(daemon) == [("alpha", "0"), ("alpha", "1"), ("beta", "b"), ("beta", "2")]
    later = nginx.requests("a.rss")[asked:]
    assert later and all(r["if_none_match"] for r in later), "validators survive a reload"
    assert daemon.stop(process) == 0


@pytest.mark.parametrize("rotate", ["rename", "rename and USR1", "delete", "rename and create"])
def test_the_log_is_rotated_between_alerts(nginx, daemon, rotate):
    items = [item(0, "Alpha 0")]
    nginx.publish("a.rss", rss(items))
    daemon.configure(watch(nginx, FAST, alpha="alpha"))
    process = daemon.start(*SCALE)
    everything = []
    for turn in range(1, 4):
        everything += daemon.wait_alerts(1)
        if rotate == "delete":  # a line that is deleted before it counts as delivered is rightly written again
            daemon.wait_delivered(turn)
        old = daemon.log.with_name(f"alerts.log.{turn}")
        os.rename(daemon.log, old)
        if rotate == "delete":
            old.unlink()
        if rotate == "rename and create":
            os.close(os.open(daemon.log, os.O_CREAT | os.O_WRONLY, 0o600))
        if rotate == "rename and USR1":
            process.send_signal(signal.SIGUSR1)
        items.append(item(turn, f"Alpha {turn}"))
        nginx.publish("a.rss", rss(items))
    everything += daemon.wait_alerts(1)
    assert daemon.stop(process) == 0
    assert [a.link.rpartition("/")[2] for a in everything] == ["0", "1", "2", "3"]
    assert len({a.id for a in everything}) == 4
    if rotate != "delete":
        assert all(len(daemon.alerts(daemon.log.with_name(f"alerts.log.{n}"))) == 1 for n in (1, 2, 3))


def test_what_is_written_is_for_its_owner_alone(nginx, daemon):
    nginx.publish("a.rss", rss([item(1, "Alpha")]))
    daemon.configure(watch(nginx, alpha="alpha"))
    daemon.once()
    assert daemon.state.stat().st_mode & 0o777 == 0o700
    for path in daemon.state.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_feeds_on_one_host_are_asked_one_after_the_other(nginx, daemon):
    names = [f"f{n}.rss" for n in range(5)]
    config = {"defaults": ALL, "rule alpha": {"match": "alpha"}}
    for name in names:
        nginx.publish(name, rss([item(name, "Alpha")]))
        config[f"feed {name[:-4]}"] = {"url": nginx.url(name)}
    daemon.configure(config)
    daemon.once()
    times = [r["time"] for r in nginx.requests()]
    assert len(times) == 5 and len(daemon.alerts()) == 5
    assert all(b - a >= 0.95 for a, b in zip(times, times[1:])), times


def test_check_tries_the_rules_on_the_archive(daemon, nginx):
    nginx.publish("a.rss", rss([item(n, f"Havana {n}" if n % 2 else f"Cuba {n}") for n in range(300)]))
    daemon.configure({"defaults": {"allow_private": "yes", "initial": "all"}, "feed a": {"url": nginx.url("a.rss")},
                      "rule narrow": {"match": '"Cuba 12"'}, "rule none": {"match": "Caracas"},
                      "rule wide": {"match": "Havana"}})
    assert daemon.command("check").stderr == ""  # nothing was polled yet
    daemon.once()
    told = daemon.command("check")
    assert told.returncode == 0
    lines = daemon.config_path.read_text().splitlines()
    where = {name: lines.index(f"[rule {name}]") + 1 for name in ("none", "wide")}
    assert told.stderr.splitlines() == [
        f"{daemon.config_path}:{where['none']}:1: warning: the rule 'none' holds for none of the 300 items in the archive; "
        "`feedwatch why` says what fails for one of them",
        f"{daemon.config_path}:{where['wide']}:1: warning: the rule 'wide' holds for 150 of the 300 items in the archive, more "
        "than a quarter"]
