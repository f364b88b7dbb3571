"""Two hundred feed histories: what publishers do to the identity of their items. Each story is told once, none twice.

A history is some versions of one document. All histories play at once against one daemon, a pass of --once for each
version (so each version also meets a restart). Which story an alert tells is read from its title or link."""
import random, re
from collections import Counter
from datetime import datetime, timedelta, timezone
import pytest
from feeds import atom, rss
from httpd import Reply
from stage import Play, Stage

VERSIONS = 6
WINDOW = 8
NOON = datetime.now(timezone.utc).replace(hour=12, minute=0, second=0, microsecond=0)


class History:
    """One feed: stories come in front, the window slides. A kind of history changes how items are written down."""

    def __init__(self, kind, number):
        self.kind, self.number = kind, number
        self.random = random.Random(f"{kind} {number}")
        self.site = f"site{number}.example"
        self.published, self.window = 0, []
        self.versions = [self.version(n) for n in range(VERSIONS)]

    def version(self, n):
        for _ in range(self.random.randint(3, WINDOW) if n == 0 else self.random.randint(0, 3)):
            self.window.insert(0, self.published)
            self.published += 1
        self.window = self.window[:WINDOW]
        stories = [self.story(s) for s in self.window]
        return KINDS[self.kind](self, n, stories)

    def story(self, s):
        """As an honest publisher writes it, the same each time."""
        return {"id": f"http://{self.site}/?p={s}", "link": f"http://{self.site}/2026/story-{s}", "title": f"Alpha N{s} of {self.site}",
                "text": f"Report number {s}, as it came in.", "date": NOON - timedelta(hours=200 - s)}

    def noise(self):
        return f"{self.random.getrandbits(48):x}"

    def told(self, alerts):
        """The stories that these alerts tell."""
        return Counter(int(re.search(r"\bN(\d+)|story-(\d+)", a.title + " " + a.link).group(1)
                           or re.search(r"story-(\d+)", a.link).group(1)) for a in alerts)


KINDS = {}


def kind(function):
    KINDS[function.__name__.replace("_", "-")] = function
    return function


def change(stories, **fields):
    """A copy with fields replaced; a function gets the story, None takes the field away."""
    return [{**s, **{name: value(s) if callable(value) else value for name, value in fields.items()}} for s in stories]


@kind
def plain(_, __, stories):
    return rss(stories)


@kind
def plain_atom(_, __, stories):
    return atom(stories)


@kind
def new_guid_same_link(history, n, stories):
    """A new system that numbers anew, halfway."""
    return rss(change(stories, id=lambda s: f"{s['id']}&v={n // 3}"))


@kind
def new_guid_each_time(history, _, stories):
    return rss(change(stories, id=lambda s: history.noise()))


@kind
def new_guid_and_link_each_time(history, _, stories):
    """Session numbers everywhere. What is left is title, text and date."""
    return rss(change(stories, id=lambda s: history.noise(), link=lambda s: f"{s['link']}?session={history.noise()}"))


@kind
def http_to_https(_, n, stories):
    secure = (lambda text: text.replace("http:", "https:")) if n >= 3 else (lambda text: text)
    return rss(change(stories, id=lambda s: secure(s["id"]), link=lambda s: secure(s["link"])))


@kind
def new_host(history, n, stories):
    host = history.site if n < 3 else f"www.new-{history.site}"
    return rss(change(stories, id=lambda s: s["id"].replace(history.site, host), link=lambda s: s["link"].replace(history.site, host)))


@kind
def tracking(history, _, stories):
    return rss(change(stories, id=None, link=lambda s: f"{s['link']}?utm_source={history.noise()}&fbclid={history.noise()}#top"))


@kind
def reordered(history, _, stories):
    return rss(history.random.sample(stories, len(stories)))


@kind
def edited(history, _, stories):
    return rss(change(stories, text=lambda s: f"{s['text']} Updated: {history.noise()}.",
                      title=lambda s: s["title"] + history.random.choice(["", " (updated)", ", officials say"])))


@kind
def edited_without_guid(history, _, stories):
    return rss(change(stories, id=None, title=lambda s: f"{s['title']} {history.random.choice(['', '- live', '- corrected'])}"))


@kind
def leaves_and_returns(history, n, stories):
    """Some items are missing now and then; the first version is whole, so that each was seen."""
    hidden = 0 if n == 0 else history.random.randint(0, len(stories) // 2)
    shown = stories if n in (0, VERSIONS - 1) else history.random.sample(stories, len(stories) - hidden)
    return rss(shown + [history.story(s) for s in range(min(history.window), 0, -1)][:2] if n == VERSIONS - 1 else shown)


@kind
def one_guid_for_all(history, _, stories):
    return rss(change(stories, id=f"http://{history.site}/"))


@kind
def one_link_for_all(history, _, stories):
    return rss(change(stories, link=f"http://{history.site}/"))


@kind
def one_title_for_all(_, __, stories):
    """Ids and links tell them apart."""
    return rss(change(stories, title="Alpha bulletin"))


@kind
def dates_bumped(_, n, stories):
    return rss(change(stories, date=NOON + timedelta(minutes=n)))


@kind
def dates_gone(_, n, stories):
    return rss(change(stories, date=lambda s: s["date"] if n % 2 else None))


@kind
def no_guid_no_link(_, __, stories):
    return rss(change(stories, id=None, link=None))


@kind
def rss_to_atom(_, n, stories):
    """Another program with ids of its own; the links stay."""
    return rss(stories) if n < 3 else atom(change(stories, id=lambda s: "urn:uuid:" + s["id"][-6:]))


@kind
def emptied(_, n, stories):
    """Once in a while there is nothing in it."""
    return rss([] if n in (2, 4) else stories)


HISTORIES = [History(name, number) for number, name in enumerate(list(KINDS) * 10)]


@pytest.fixture(scope="module")
def alerts(tmp_path_factory):
    plays = {}
    for history in HISTORIES:
        # What each version is called shows in the alert, so that they can be told apart.
        title = f"h{history.number}"
        bodies = [re.sub(rb"<title>Test \w+</title>", f"<title>{title}</title>".encode(), v, count=1) for v in history.versions]
        plays[title] = Play(*(Reply(200, body) for body in bodies))
    with Stage(tmp_path_factory.mktemp("identity"), plays) as stage:
        stage.passes(VERSIONS)
        assert all(len(stage.requests(name)) == VERSIONS for name in plays)
        by_feed = {}
        for alert in stage.daemon.alerts():
            by_feed.setdefault(alert.feed, []).append(alert)
        yield by_feed


def doubled_and_missed(history, alerts):
    told = history.told(alerts.get(f"h{history.number}", []))
    return sum(n - 1 for n in told.values()), [s for s in range(history.published) if s not in told]


@pytest.mark.parametrize("name", KINDS)
def test_each_story_is_told_once(alerts, name):
    wrong = {h.number: doubled_and_missed(h, alerts) for h in HISTORIES if h.kind == name}
    assert wrong and all(result == (0, []) for result in wrong.values()), {k: v for k, v in wrong.items() if v != (0, [])}


def test_two_hundred_histories_in_numbers(alerts, capsys):
    results = [doubled_and_missed(h, alerts) for h in HISTORIES]
    stories, doubled, missed = sum(h.published for h in HISTORIES), sum(d for d, _ in results), sum(len(m) for _, m in results)
    with capsys.disabled():
        print(f"\nidentity: {len(HISTORIES)} histories, {stories} stories, {doubled} doubled, {missed} missed")
    assert (len(HISTORIES), doubled, missed) == (200, 0, 0)
