"""What makes an item new: 200 histories of feeds, each with habits of publishers, against the real daemon.

A history knows which items there really are, and what the publisher does to them from version to version: guids and links
change, http becomes https, items leave and return, are edited, reordered, dated anew; all guids change at once. Every real
item must alert once: 0 missed, 0 doubled.
"""
import collections, random, re
from datetime import datetime, timedelta, timezone
import pytest
from feeds import atom, rss
from httpd import Reply
from stage import Play, Stage

HISTORIES, VERSIONS, WINDOW = 200, 7, 8
SEED = 20261124
TODAY = datetime.now(timezone.utc).replace(hour=12, minute=0, second=0, microsecond=0)
WORDS = "harbour minister tanker embassy ballot verdict ceasefire drought convoy summit refinery pipeline archive orchard".split()


class Item:
    def __init__(self, number, style, dice):
        self.number, self.host, self.scheme = number, "news.example", "http"
        self.title = f"Alpha {number} {' '.join(dice.sample(WORDS, 4))}"
        self.text = f"Report {number}: {' '.join(dice.sample(WORDS, 6))}."
        self.date = TODAY - timedelta(minutes=5 * dice.randrange(60))
        self.query, self.link_path, self.guid_word = "", f"/story/{number}", f"tag:news.example,{number}"
        self.style = style

    def entry(self):
        link = f"{self.scheme}://{self.host}{self.link_path}{self.query}"
        guid = {"guid": self.guid_word, "both": self.guid_word, "url": f"{self.scheme}://{self.host}{self.link_path}",
                "shared": "tag:news.example,all"}.get(self.style)
        return {"title": self.title, "text": self.text, "date": self.date, "id": guid,
                "link": link if self.style in ("both", "link", "shared", "url") else None}


# --- what publishers do to what is there already ---

def reorder(items, dice):
    dice.shuffle(items)


def edit(items, dice):
    for item in dice.sample(items, min(3, len(items))):
        item.text += " Updated: " + " ".join(dice.sample(WORDS, 3)) + "."


def retitle(items, dice):
    for item in dice.sample(items, min(2, len(items))):
        item.title += " " + dice.choice(WORDS)


def secure(items, dice):
    for item in items:
        item.scheme = "https"


def track(items, dice):
    for item in items:
        item.query = f"?utm_source=rss&utm_campaign={dice.randrange(1000)}&fbclid=x{dice.randrange(1000)}#top"


def date_anew(items, dice):
    for item in items:
        item.date = TODAY + timedelta(minutes=dice.randrange(300))


def change_guids(items, dice):
    for item in dice.sample(items, min(2, len(items))):
        item.guid_word += f"-{dice.randrange(10000)}"


def change_links(items, dice):
    for item in dice.sample(items, min(2, len(items))):
        item.link_path += f"-{dice.randrange(10000)}"


def churn_guids(items, dice):
    for item in items:
        item.guid_word = f"urn:uuid:{dice.getrandbits(64):x}"


def move_host(items, dice):
    for item in items:
        item.host = "www.news.example"


COMMON = [reorder, edit]
HABITS = {"both": [*COMMON, retitle, secure, track, date_anew, change_guids, change_links, churn_guids],
          "guid": [*COMMON, retitle, date_anew], "link": [*COMMON, retitle, secure, track, date_anew],
          "url": [*COMMON, retitle, secure, track, date_anew, move_host], "shared": [*COMMON, retitle, secure, track, date_anew],
          "title": COMMON}


class History:
    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.style = self.dice.choice(list(HABITS))
        self.write = self.dice.choice([rss, atom]) if self.style in ("both", "url") else rss
        self.said, self.documents, self.shown = [], [], set()
        self.items, self.away = [], []
        self.next = 1
        for _ in range(VERSIONS):
            self.documents.append(self.step())

    def publish(self, count):
        for _ in range(count):
            self.items.insert(0, Item(self.next, self.style, self.dice))
            self.next += 1

    def step(self):
        habits = []
        if not self.documents:
            self.publish(self.dice.randint(3, WINDOW))
        else:
            habits = self.dice.sample(HABITS[self.style], self.dice.randint(0, 2))
            if change_guids in habits and change_links in habits:
                habits.remove(change_links)  # of one item, both at once: nobody could know it again
            self.items += self.away
            self.away = []
            for habit in habits:
                habit(self.items, self.dice)
            self.publish(self.dice.randint(0, 2))
            if self.dice.random() < 0.3 and len(self.items) > 3:
                self.away = self.dice.sample(self.items, 2)
                self.items = [i for i in self.items if i not in self.away]
        self.said.append([h.__name__ for h in habits] + [f"{len(self.away)} away"])
        shown = self.items[:WINDOW + 4]
        self.shown |= {i.number for i in shown}
        return self.write([i.entry() for i in shown])


@pytest.fixture(scope="module")
def histories(tmp_path_factory):
    made = {f"h{n}": History(SEED + n) for n in range(HISTORIES)}
    plays = {name: Play(*(Reply(200, d) for d in history.documents)) for name, history in made.items()}
    with Stage(tmp_path_factory.mktemp("identity"), plays) as stage:
        stage.passes(VERSIONS)
        alerts = collections.defaultdict(collections.Counter)
        for line in stage.daemon.feedwatch("alerts", "--json").splitlines():
            feed, number = re.search(r'"feed":"(\w+)"', line)[1], re.search(r'"title":"Alpha (\d+)', line)[1]
            alerts[feed][int(number)] += 1
        asked = {name: len(stage.requests(name)) for name in made}
    return made, alerts, asked


def test_every_version_was_seen(histories):
    made, _, asked = histories
    assert {name: count for name, count in asked.items() if count != VERSIONS} == {}


def test_no_item_is_missed_and_none_is_told_twice(histories):
    made, alerts, _ = histories
    faults = []
    for name, history in made.items():
        missed = sorted(history.shown - set(alerts[name]))
        doubled = sorted(n for n, count in alerts[name].items() if count > 1)
        if missed or doubled:
            faults.append(f"{name} ({history.style}): missed {missed}, doubled {doubled}; {history.said}")
    total = sum(len(h.shown) for h in made.values())
    styles = collections.Counter(h.style for h in made.values())
    print(f"{HISTORIES} histories ({dict(styles)}), {total} items: {len(faults)} with a fault")
    assert not faults, "\n".join(faults)
