"""feedwatch why: what matched and where, or the first clause that failed."""
import json
import pytest
from feeds import item, rss

ITEMS = [item(1, "Minister from Moscow received in Havana", "Talks about sport and oil, then about oil"),
         item(2, "Nothing of note", "A quiet day")]
RULES = {
    "both": {"match": "@russia AND @cuba"},
    "missing": {"match": "moscow AND (venezuela OR caracas)"},
    "excluded": {"match": "moscow", "exclude": "sport"},
    "far": {"match": "moscow NEAR/1 havana"},
    "turned": {"match": "havana ONEAR/5 moscow"},
    "often": {"match": "ATLEAST/3 oil"},
    "field": {"match": "moscow AND title:oil"},
    "near-missing": {"match": "moscow NEAR/3 caracas*"},
    "site": {"match": "moscow site:elsewhere.example"},
    "scoped": {"match": "moscow", "feeds": "b"},
}
MISSES = {
    "missing": ("venezuela OR caracas", "none of these is there"),
    "excluded": ("NOT sport", '"sport" is there, in the summary'),
    "far": ("moscow NEAR/1 havana", "both are there, but not so close"),
    "turned": ("havana ONEAR/5 moscow", "both are there, but not in this order so close"),
    "often": ("ATLEAST/3 oil", "it is not there so often"),
    "field": ("title:oil", "it is not there"),
    "near-missing": ("caracas*", "it is not there"),
    "site": ("site:elsewhere.example", "it is not there"),
    "scoped": ("feeds", "the rule does not look at this feed"),
}


@pytest.fixture
def told(nginx, daemon):
    nginx.publish("a.rss", rss(ITEMS))
    nginx.publish("b.rss", rss([item(9, "Other", "Other")]))
    defaults = {"allow_private": "yes", "initial": "all"}
    daemon.configure({"defaults": defaults, "feed a": {"url": nginx.url("a.rss", 1)}, "feed b": {"url": nginx.url("b.rss", 2)},
                      "list russia": {"any": "Moscow, Kremlin"}, "list cuba": {"any": "Havana"},
                      **{f"rule {name}": rule for name, rule in RULES.items()}})
    daemon.once()
    return daemon


def why(daemon, *arguments, code=0):
    result = daemon.command("why", *arguments)
    assert result.returncode == code, result.stderr
    return result.stdout


def test_a_link_shows_every_rule(told):
    objects = [json.loads(line) for line in why(told, "--json", "https://news.example/1").splitlines()]
    (hit,) = [o for o in objects if o["holds"]]
    assert (hit["rule"], hit["feed"], hit["link"]) == ("both", "a", "https://news.example/1")
    assert [(m["list"], m["field"], m["text"]) for m in hit["matched"]] == [("russia", "title", "Moscow"), ("cuba", "title", "Havana")]
    assert {o["rule"]: (o["clause"], o["reason"]) for o in objects if not o["holds"]} == MISSES


def test_a_hit_is_shown_in_its_text(told):
    text = why(told, "https://news.example/1", "both")
    assert "both holds" in text
    assert "title: Minister from [Moscow] received in Havana    @russia" in text
    assert "title: Minister from Moscow received in [Havana]    @cuba" in text


def test_an_alert_is_explained_by_its_own_rule(told):
    (alert,) = told.alerts()
    assert alert.rule == "both"
    text = why(told, alert.id)
    assert "both holds" in text and "missing" not in text
    assert "missing does not hold\n  venezuela OR caracas: none of these is there" in why(told, alert.id, "missing", code=1)


def test_what_is_not_there_is_said(told):
    assert "@russia: none of these is there" in why(told, "https://news.example/2", "both", code=1)
    for arguments, text in ((("https://news.example/3",), "no item of the archive has the link"),
                            (("01ARZ3NDEKTSV4RRFFQ69G5FAV",), "there is no alert 01ARZ3NDEKTSV4RRFFQ69G5FAV")):
        result = told.command("why", *arguments)
        assert (result.returncode, result.stdout) == (1, "") and text in result.stderr
    result = told.command("why", "https://news.example/1", "nonesuch")
    assert result.returncode == 2 and "there is no rule nonesuch" in result.stderr
