"""A reload of many rules is done beside the loop: nothing is missed, and the last configuration wins."""
import os, signal
from feeds import item, rss
from feedwatchd import ini, wait_for
from httpd import Httpd, Reply

SCALE = ("--time-scale", "600")
RULES = 3000


def test_reloads_in_a_row_lose_nothing_and_end_with_the_last(daemon):
    items = [item("0", "Omega begins", link="https://news.example/0")]
    with Httpd() as server:
        server.on("/a", lambda _: Reply(200, rss(items)))

        def configure(n, word):
            many = {f"rule r{i}": {"match": f"(quux{i} OR corge{i}) AND grault{i}*"} for i in range(n)}
            sections = {"defaults": {"interval": "10m", "allow_private": "yes", "initial": "all"},
                              "feed a": {"url": server.url("/a")}, **many,
                              "rule always": {"match": "omega"}, "rule last": {"match": word}}
            text = daemon.config_path.with_suffix(".new")  # in one step: a reload may be reading it
            text.write_text(ini(sections))
            os.replace(text, daemon.config_path)

        configure(10, "alpha")
        process = daemon.start(*SCALE)
        daemon.wait_alerts(1)
        for round in range(1, 6):
            configure(RULES + round, f"word{round}")
            process.send_signal(signal.SIGHUP)
            items.insert(0, item(str(round), f"Omega {round}", link=f"https://news.example/{round}"))
        wait_for(lambda: f"configuration reloaded: 1 feed, {RULES + 5 + 2} rules" in daemon.stderr, "the last configuration")
        items.insert(0, item("6", "Word5 at last, word4 not", link="https://news.example/6"))
        daemon.wait_alerts(7)
        told = sorted((a.rule, a.link[-1]) for a in daemon.alerts())
        assert told == [("always", str(i)) for i in range(6)] + [("last", "6")]
        daemon.stop(process)
