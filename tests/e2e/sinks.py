"""sinks - what the tests of sinks share: a publisher whose items all match one rule, told to the sinks under test."""
import json
import pytest
from feeds import item, rss
from httpd import Httpd, Reply


@pytest.fixture
def server():
    with Httpd() as made:
        yield made


def document(*numbers, title="Cuba {}"):
    return rss([item(n, title.format(n), "A text.") for n in numbers])


def configure(daemon, server, sinks, feed=None, **rule):
    server.on("/feed", *(feed or [Reply(200, document(1, 2, 3))]))
    daemon.configure({"feedwatch": {"host_spacing": 0}, "defaults": {"allow_private": "yes", "initial": "all"},
                      "feed wire": {"url": server.url("/feed")},
                      "rule cuba": {"match": "cuba", "alert": ", ".join(["log", *sinks]), **rule},
                      **{f"sink {name}": settings for name, settings in sinks.items()}})


def sink_state(daemon, name):
    said = daemon.feedwatch("status", "--json")  # nothing while there is no database yet
    sinks = json.loads(said)["sinks"] if said else []
    return next((s for s in sinks if s["id"] == name), {"waiting": None, "done": None, "failed": None, "last_error": None})
