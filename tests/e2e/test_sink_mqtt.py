"""The mqtt sink against mosquitto: topics, payloads, a login, and a broker that is down and comes back."""
import pytest
from broker import Broker
from feeds import item, rss
from feedwatchd import wait_for
from httpd import Reply
from sinks import configure, document, server, sink_state  # noqa: F401 (a fixture)
from smtpd import free_port


@pytest.fixture
def broker(tmp_path):
    folder = tmp_path / "broker"
    folder.mkdir()
    folder.chmod(0o755)
    made = Broker(folder)
    yield made
    made.stop()


def mqtt(broker, **settings):
    return {"mqtt": {"url": f"mqtt://127.0.0.1:{broker.port}", "topic": "news/{rule}", **settings}}


def test_each_alert_is_published_in_order(daemon, server, broker):
    broker.start()
    configure(daemon, server, mqtt(broker), [Reply(200, document(*range(20)))])
    daemon.once()
    wait_for(lambda: len(broker.messages) >= 20, "twenty messages")
    assert {topic for topic, _ in broker.messages} == {"news/cuba"}
    alerts = daemon.alerts()
    assert [alert["id"] for _, alert in broker.messages] == [alert.id for alert in alerts]
    assert broker.messages[0][1]["title"] == alerts[0].title and broker.messages[0][1]["matched"][0]["text"] == "Cuba"
    assert sink_state(daemon, "mqtt")["done"] == 20


def test_hostile_text_makes_no_topic(daemon, server, broker):
    broker.start()
    title = "Cuba/+/#/$SYS %2F?x#y Россия"
    configure(daemon, server, mqtt(broker, topic="a b/{title}/{link}/%"), [Reply(200, rss([item(1, title, link="https://h/x")]))])
    daemon.once()
    wait_for(lambda: "Cuba" in broker.got.read_text(), "a message")
    [topic] = [line.split(" {")[0] for line in broker.got.read_text().splitlines() if not line.startswith("test ")]
    assert topic == "a b/Cuba_____$SYS %2F?x_y Россия/https:__h_x/%"


def test_down_and_back_all_arrives_in_order(daemon, server, broker):
    broker.start()
    port = free_port()
    daemon.allow("sink mqtt: no connection")
    configure(daemon, server, mqtt(broker, url=f"mqtt://127.0.0.1:{port}"), [Reply(200, document(*range(70)))])
    process = daemon.start("--time-scale", "200")
    daemon.wait_alerts(70)
    wait_for(lambda: "no connection" in (sink_state(daemon, "mqtt")["last_error"] or ""), "that it is down")
    broker.open_door(port)
    wait_for(lambda: sink_state(daemon, "mqtt")["waiting"] == 0, "nothing waits", 60)
    wait_for(lambda: len(broker.messages) >= 70, "seventy messages")
    daemon.stop(process)
    assert [alert["id"] for _, alert in broker.messages] == [alert.id for alert in daemon.alerts()]
    assert sink_state(daemon, "mqtt")["last_error"] is None


def test_a_login(daemon, server, broker, tmp_path):
    broker.require("me", "pass:word")
    broker.start()
    secret = tmp_path / "secret"
    secret.write_text("me:mistaken")
    secret.chmod(0o600)
    daemon.allow("sink mqtt: ")
    configure(daemon, server, mqtt(broker, credentials=secret))
    process = daemon.start("--time-scale", "600")
    wait_for(lambda: sink_state(daemon, "mqtt")["last_error"], "that it is refused")
    assert not broker.messages
    secret.write_text("me:pass:word")
    wait_for(lambda: len(broker.messages) == 3, "the alerts")
    daemon.stop(process)
    assert "mistaken" not in daemon.stderr and "pass:word" not in daemon.stderr


@pytest.mark.parametrize("settings, words", [
    ({"url": "mqtts://h", "topic": "t"}, "MQTT is spoken without TLS only"),
    ({"url": "mqtt://h/t", "topic": "t"}, "the topic is a setting"),
    ({"url": "mqtt://h", "topic": "a/#"}, "'#' is for subscribers"),
    ({"url": "mqtt://h", "topic": "{rul}"}, "did you mean {rule}?")])
def test_wrong_settings_are_told(daemon, settings, words):
    daemon.configure("[feed a]\nurl = http://a/\n[rule r]\nmatch = cuba\n[sink mqtt]\n"
                     + "".join(f"{key} = {value}\n" for key, value in settings.items()))
    told = daemon.command("check")
    assert told.returncode == 78 and words in told.stderr
