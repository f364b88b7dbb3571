"""Popups: each match is shown once on whatever notification server there is, and delays nothing else."""
import json, random, re, signal, sqlite3, time
from xml.sax.saxutils import escape, unescape
import pytest
from feeds import atom, item, rss
from feedwatchd import wait_for
from httpd import Httpd, Reply

# One hour of the daemon is six seconds; a feed is polled about once a second.
SCALE = ("--time-scale", "600")
DAY_MS = 24 * 3600 * 1000


class Wire:
    """A publisher whose feed is what `items` holds, the latest first."""
    def __init__(self, server, build=rss):
        self.items, self.build, self.server = [], build, server
        server.on("/wire", lambda _: Reply(200, self.build(self.items, title="Test Wire")))

    def add(self, *items):
        self.items = [*items, *self.items]

    @property
    def n_polls(self):
        return len(self.server.requests("/wire"))


@pytest.fixture
def server():
    with Httpd() as httpd:
        yield httpd


@pytest.fixture
def wire(server):
    return Wire(server)


def configure(daemon, server, alert="desktop", **rules):
    rules = rules or {"alpha": {"match": "alpha"}}
    daemon.configure({"defaults": {"interval": "10m", "allow_private": "yes", "initial": "all"},
                      "feed wire": {"url": server.url("/wire")},
                      **{f"rule {name}": {"alert": alert, **settings} for name, settings in rules.items()}})


def deliveries(daemon, sink="desktop"):
    """The state of each alert's delivery to the sink, the oldest alert first."""
    lines = daemon.feedwatch("alerts", "--json").splitlines()
    return [json.loads(line)["deliveries"].get(sink) for line in lines]


def wait_done(daemon, count, timeout_s=20):
    wait_for(lambda: deliveries(daemon).count("done") >= count, f"{count} deliveries done", timeout_s)


def told(popups):
    """The items ("Alpha 12" is number 12) that have a popup of their own, and how many more the digests count in all.

    What belongs together has one tag, also on a server that came after another: a digest begins with the popup of its first.
    """
    last = {popup.hints["x-dunst-stack-tag"]: popup for popup in popups}
    digests = {tag: int(popup.summary.split()[0]) for tag, popup in last.items() if re.match(r"\d+ new: ", popup.summary)}
    singles = [int(re.search(r"Alpha (\d+)", popup.summary).group(1)) for popup in popups
               if popup.hints["x-dunst-stack-tag"] not in digests]
    return singles, sum(digests.values())


def alphas(first, last):
    return [item(n, f"Alpha {n}") for n in range(last, first - 1, -1)]


def test_a_popup_names_all_rules_of_its_item(desktop, server, wire, daemon):
    desktop.start_bus()
    desktop.start_dunst()
    wire.add(item(1, "Minister & guests from Moscow in Havana", "They talked about oil."))
    configure(daemon, server, cuba={"match": "Havana"}, russia={"match": "Moscow", "urgency": "critical"})
    daemon.once()
    (entry,) = desktop.history
    assert entry.summary == "Minister & guests from Moscow in Havana"
    assert entry.body == "Test Wire · cuba, russia\nHavana; Moscow\nThey talked about oil."
    assert (entry.category, entry.urgency) == ("x-feedwatch.alert", "critical")
    assert entry.icon == str(desktop.folder / "icons/feedwatch.png")
    assert entry.message == f"feedwatch:Minister &amp; guests from Moscow in Havana|{entry.body}"
    (popup,) = desktop.wire
    assert (popup.app, popup.replaces, popup.icon, popup.id) == ("feedwatch", 0, "feedwatch", entry.id)
    assert popup.actions == ["default", "Open", "open", "Open link"]
    assert popup.hints["urgency"] == 2
    assert (popup.hints["desktop-entry"], popup.hints["category"]) == ("feedwatch", "x-feedwatch.alert")
    assert deliveries(daemon) == ["done", "done"]


@pytest.mark.parametrize("urgency, number", [("low", 0), ("normal", 1), (None, 1)])
def test_the_urgency_is_the_rules(desktop, server, wire, daemon, urgency, number):
    desktop.start_bus()
    desktop.start_dunst()
    wire.add(item(1, "Alpha"))
    configure(daemon, server, alpha={"match": "alpha", **({"urgency": urgency} if urgency else {})})
    daemon.once()
    assert [entry.urgency for entry in desktop.history] == [urgency or "normal"]
    assert desktop.wire[0].hints["urgency"] == number


def test_a_click_opens_the_link(desktop, server, wire, daemon):
    desktop.start_bus()
    desktop.start_dunst()
    wire.add(item(1, "Alpha", link="https://news.example/a b?q='$(id)'&x=\"1\";`true`"))
    configure(daemon, server)
    daemon.start()
    wait_done(daemon, 1)
    desktop.dunstctl("action")
    wait_for(lambda: desktop.opened, "the link to be opened")
    assert desktop.opened == ["1", "https://news.example/a%20b?q='$(id)'&x=%221%22;%60true%60"]


@pytest.mark.parametrize("key", ["default", "open"])
def test_both_actions_open_the_link(desktop, server, wire, daemon, key):
    desktop.start_bus()
    desktop.start_scripted("gnome")
    wire.add(item(1, "Alpha"))
    configure(daemon, server)
    daemon.start()
    wait_done(daemon, 1)
    desktop.server.tell(f"click {desktop.shown[0].id} {key}")
    wait_for(lambda: desktop.opened, "the link to be opened")
    assert desktop.opened == ["1", "https://news.example/1"]



# Relative ones ("-option", "|cmd") are resolved against the feed and become web links like any other.
NO_WEB_LINKS = ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "smb://host/share",
                "https://good@evil.example/", "ftp://news.example/"]


@pytest.mark.parametrize("links", [NO_WEB_LINKS[:3], NO_WEB_LINKS[3:]])
def test_s17_only_web_links_are_opened(desktop, server, wire, daemon, links):
    """They have no action, and a server that invokes one all the same opens nothing."""
    desktop.start_bus()
    desktop.start_scripted("kde")
    wire.add(item(4, "Alpha 4", link="-option"), *(item(n, f"Alpha {n}", link=link) for n, link in enumerate(links, 1)))
    configure(daemon, server)
    daemon.start()
    wait_done(daemon, 4)
    popups = {re.search(r"Alpha (\d+)", popup.summary).group(1): popup for popup in desktop.shown}
    for number in "1234":
        assert bool(popups[number].actions) == (number == "4")
        desktop.server.tell(f"click {popups[number].id} default")
    wait_for(lambda: desktop.opened, "the last link to be opened")
    assert desktop.opened == ["1", server.url("/-option")]


MARKUP_TITLE = '<b>Alpha</b> &amp; <a href="file:///etc/passwd">x</a>'
MARKUP_TEXT = "Text <img src={url}> &lt; 1 < 2 & 3"


@pytest.mark.parametrize("habit", ["dunst", "kde", "bare"])
@pytest.mark.parametrize("build", [rss, atom])
def test_s16_markup_is_shown_as_text(desktop, server, daemon, build, habit):
    """What the format's own rendering leaves is text, escaped only for a server that reads markup."""
    desktop.start_bus()
    if habit == "dunst":
        desktop.start_dunst()
    else:
        desktop.start_scripted(habit)
    wire = Wire(server, build)
    text = MARKUP_TEXT.format(url=server.url("/pixel"))
    as_html = escape(text)  # RSS, and Atom's content here, are HTML; Atom's title here is plain text
    wire.add(item(1, (MARKUP_TITLE if build == atom else escape(MARKUP_TITLE)) + "\u202e e\u200bnd\u0085\u2028\u2066", as_html))
    configure(daemon, server)
    daemon.once()
    (popup,) = desktop.shown
    assert popup.summary == MARKUP_TITLE + " end"
    body = f"Test Wire · alpha\nAlpha\n{text}"
    assert popup.body == (body if habit == "bare" else escape(body))
    assert bool(popup.actions) == (habit != "bare")
    if habit == "dunst":
        (entry,) = desktop.history
        assert (entry.summary, entry.body) == (popup.summary, popup.body)
        assert unescape(entry.message, {"&quot;": '"'}) == f"feedwatch:{popup.summary}|{body}"
    assert not server.requests("/pixel")


def test_a_flood_is_three_popups_and_one_digest(desktop, server, wire, daemon):
    desktop.start_bus()
    desktop.start_dunst()
    wire.add(*alphas(1, 12))
    configure(daemon, server)
    daemon.start(*SCALE)
    wait_done(daemon, 12)
    wire.add(*alphas(13, 15))
    wait_done(daemon, 15)
    first, second, third, digest, *updates = desktop.shown
    assert not any(re.match(r"\d+ new: ", popup.summary) for popup in (first, second, third))
    assert re.match(r"9 new: Alpha \d+$", digest.summary) and digest.body.count("\n") == 4
    assert updates and all((update.replaces, update.id) == (digest.id, digest.id) for update in updates)
    assert told(desktop.shown)[1] == 12
    history = desktop.history
    assert len(history) == 4 and history[-1].summary.startswith("12 new: ")


def test_gnome_keeps_three(desktop, server, wire, daemon):
    """It closes the oldest popup; the digest stays the one that is updated, and a link in the last can be opened."""
    desktop.start_bus()
    desktop.start_scripted("gnome")
    wire.add(*alphas(1, 5))
    configure(daemon, server)
    daemon.start(*SCALE)
    wait_done(daemon, 5)
    wire.add(*alphas(6, 8))
    wait_done(daemon, 8)
    shown = desktop.shown
    assert {popup.id for popup in shown} == {1, 2, 3, 4}
    assert shown[-1].summary.startswith("5 new: ") and not shown[-1].actions
    (number,), _ = told(shown[2:3])
    desktop.server.tell("click 3 default")
    wait_for(lambda: desktop.opened, "the link to be opened")
    assert desktop.opened == ["1", f"https://news.example/{number}"]


def test_kde_refuses_a_repeat_within_a_second(desktop, server, wire, daemon):
    """Two items with the same texts: the second is refused at first, and shown after all."""
    desktop.start_bus()
    desktop.start_scripted("kde")
    wire.add(item(1, "Alpha"), item(2, "Alpha"))
    configure(daemon, server)
    daemon.once()
    assert len(desktop.wire) > 2 and len(desktop.shown) == 2
    assert {popup.summary for popup in desktop.shown} == {"Alpha"}
    assert deliveries(daemon) == ["done", "done"]


def test_dunst_that_hangs_delays_nothing(desktop, server, wire, daemon):
    """It is stopped for longer than a call on the bus lasts: polls and log lines go on, and no popup is lost or doubled."""
    desktop.start_bus()
    desktop.start_dunst()
    wire.add(item(1, "Alpha 1"))
    configure(daemon, server, alert="desktop, log")
    daemon.start(*SCALE)
    wait_done(daemon, 1)
    desktop.server.send(signal.SIGSTOP)
    start, count = time.monotonic(), 1
    while time.monotonic() < start + 28:
        count += 1
        wire.add(item(count, f"Alpha {count}"))
        daemon.wait_alerts(count, timeout_s=15)
    assert deliveries(daemon).count("done") == 1 and len(desktop.shown) == 1
    times = [request.at for request in server.requests("/wire") if request.at > start]
    assert max(b - a for a, b in zip(times, times[1:])) < 15
    desktop.server.send(signal.SIGCONT)
    wait_done(daemon, count)
    singles, digested = told(desktop.shown)
    assert len(singles) == len(set(singles)) and len(singles) + digested == count


def test_dunst_that_comes_later_gets_what_waited(desktop, server, wire, daemon):
    desktop.start_bus()
    wire.add(item(1, "Alpha 1"))
    configure(daemon, server, alert="desktop, log")
    daemon.start(*SCALE)
    daemon.wait_alerts(1)
    wire.add(item(2, "Alpha 2"))
    daemon.wait_alerts(2)
    n_polls = wire.n_polls
    wait_for(lambda: wire.n_polls >= n_polls + 2, "more than ten scaled minutes")
    assert deliveries(daemon) == ["waiting", "waiting"] and "there is no notification server" in daemon.stderr
    desktop.start_dunst()
    wait_done(daemon, 2)
    assert sorted(entry.summary for entry in desktop.history) == ["Alpha 1", "Alpha 2"]


def test_a_session_bus_that_comes_later(desktop, server, wire, daemon):
    """The user logs in long after the daemon has started."""
    wire.add(item(1, "Alpha 1"))
    configure(daemon, server, alert="desktop, log")
    daemon.start()
    wait_for(lambda: "there is no session bus" in daemon.stderr, "the sink to be off")
    desktop.start_bus()
    desktop.start_dunst()
    wait_done(daemon, 1)


@pytest.mark.parametrize("has_server", [True, False])
def test_a_session_that_ends_and_begins_again(desktop, server, wire, daemon, has_server):
    desktop.start_bus()
    if has_server:
        desktop.start_dunst()
    wire.add(item(1, "Alpha 1"))
    configure(daemon, server, alert="desktop, log")
    daemon.start(*SCALE)
    daemon.wait_alerts(1)
    if has_server:
        wait_done(daemon, 1)
    desktop.stop_server()
    desktop.stop_bus()
    wire.add(item(2, "Alpha 2"))
    daemon.wait_alerts(2)
    desktop.start_bus()
    desktop.start_dunst()
    wait_done(daemon, 2)
    assert [entry.summary for entry in desktop.history] == ["Alpha 2"] if has_server else ["Alpha 1", "Alpha 2"]


def test_dunst_that_is_killed_in_a_burst_loses_nothing(desktop, server, wire, daemon):
    desktop.start_bus()
    desktop.start_dunst()
    configure(daemon, server)
    daemon.start(*SCALE)
    dice = random.Random(7)
    for count in range(1, 41, 4):
        wire.add(*alphas(count, count + 3))
        time.sleep(dice.uniform(0, 0.7))  # at any moment of the poll and of the burst
        desktop.stop_server()
        time.sleep(dice.uniform(0, 0.3))
        desktop.start_dunst()
    wait_done(daemon, 40)
    singles, digested = told(desktop.shown)
    assert len(singles) == len(set(singles)) and len(singles) + digested == 40


def test_a_daemon_that_is_killed_repeats_at_most_once(desktop, server, wire, daemon):
    desktop.start_bus()
    desktop.start_scripted("gnome")
    configure(daemon, server)
    dice = random.Random(11)
    for count in range(1, 25, 3):
        process = daemon.start(*SCALE)
        wire.add(*alphas(count, count + 2))
        time.sleep(dice.uniform(0.1, 1.2))
        daemon.stop(process, signal.SIGKILL)
    daemon.start(*SCALE)
    wait_done(daemon, 24)
    mentions = [int(n) for popup in desktop.shown for n in re.findall(r"Alpha (\d+)", popup.summary + popup.body)]
    assert set(mentions) == set(range(1, 25))
    singles, _ = told(desktop.shown)
    assert all(singles.count(number) <= 2 for number in singles)


def test_a_restart_repeats_nothing(desktop, server, wire, daemon):
    desktop.start_bus()
    desktop.start_dunst()
    configure(daemon, server)
    for count in range(1, 5):
        wire.add(item(count, f"Alpha {count}"))
        daemon.once()
    assert [entry.summary for entry in desktop.history] == [f"Alpha {n}" for n in range(1, 5)]


def test_older_than_a_day_folds_into_one_digest(desktop, server, wire, daemon):
    wire.add(*alphas(1, 5))
    configure(daemon, server)
    daemon.once()  # no bus: they wait
    database = sqlite3.connect(daemon.state / "feedwatch.db")
    with database:
        assert database.execute("UPDATE alert SET time_ms = time_ms - ?", [DAY_MS + 60000]).rowcount == 5
    database.close()
    desktop.start_bus()
    desktop.start_dunst()
    wire.add(*alphas(6, 7))
    daemon.once()
    old, *today = desktop.history
    assert re.match(r"5 new: Alpha [1-5]$", old.summary)
    assert sorted(entry.summary for entry in today) == ["Alpha 6", "Alpha 7"]


@pytest.mark.parametrize("answer", ["0", "1", "2", "error"])
def test_the_portal_first_and_what_stands_in_for_it(desktop, server, wire, daemon, answer):
    """A portal that opened the link, or whose user declined, is the last word; one that failed is not."""
    desktop.start_bus()
    desktop.start_scripted("gnome", "--portal", answer)
    desktop.make_opener("xdg-open")
    del daemon.extra_environment["FEEDWATCH_OPENER"]
    daemon.extra_environment["PATH"] = f"{desktop.folder}:/usr/bin:/bin"
    wire.add(item(1, "Alpha 1"), item(2, "Alpha 2"))
    configure(daemon, server)
    daemon.start()
    wait_done(daemon, 2)
    desktop.server.tell("click 1 default")
    wait_for(lambda: desktop.portal_calls, "the portal to be asked")
    ((uri, options),) = desktop.portal_calls
    assert re.match(r"https://news.example/[12]$", uri) and options["activation_token"] == "token-of-the-click"
    if answer in ("2", "error"):
        wait_for(lambda: desktop.opened, "xdg-open")
        assert desktop.opened == ["1", uri]
    else:
        wait_for(lambda: desktop.n_responses, "the portal's response")
        desktop.server.tell("click 2 default")  # in order: the first response has been read by then
        wait_for(lambda: desktop.n_responses == 2, "the portal's second response")
        assert not desktop.opened
