"""The mqtt sink against mosquitto: topics, payloads, a login, and a broker that is down and comes back."""
import asyncio, json, subprocess, threading, time
import pytest
from feeds import item, rss
from feedwatchd import wait_for
from httpd import Reply
from sinks import configure, document, server, sink_state  # noqa: F401 (a fixture)
from smtpd import free_port


class Broker:
    """mosquitto on a port of its own, and one subscriber to everything."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.process = self.subscriber = None
        self.login = ()
        self.config = f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"

    def require(self, user, password):
        passwords = self.folder / "passwords"
        subprocess.run(["mosquitto_passwd", "-c", "-b", str(passwords), user, password], check=True, capture_output=True)
        self.login = ("-u", user, "-P", password)
        self.config = f"listener {self.port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\nuser root\n"

    def start(self):
        (self.folder / "mosquitto.conf").write_text(self.config)
        log = open(self.folder / "mosquitto.log", "ab")
        self.process = subprocess.Popen(["mosquitto", "-c", str(self.folder / "mosquitto.conf")], stdout=log, stderr=log)
        self.got = self.folder / f"got{time.monotonic_ns()}"
        wait_for(self._subscribe, "a broker that answers")

    def _subscribe(self):
        """The subscriber's own word, sent once it listens, says that it does."""
        out = open(self.got, "wb")
        self.subscriber = subprocess.Popen(["mosquitto_sub", "-p", str(self.port), *self.login, "-t", "#", "-F", "%t %p"],
                                           stdout=out, stderr=subprocess.DEVNULL)
        for _ in range(50):
            subprocess.run(["mosquitto_pub", "-p", str(self.port), *self.login, "-t", "test", "-m", "hello"], capture_output=True)
            if b"hello" in self.got.read_bytes():
                return True
            if self.subscriber.poll() is not None:
                return False
            time.sleep(0.05)
        return False

    def stop(self):
        for process in self.subscriber, self.process:
            if process:
                process.terminate()
                process.wait(10)
        self.process = self.subscriber = None

    def open_door(self, port):
        """Lets through to the broker on another port, from now on."""
        async def let_through(reader, writer):
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self.port)

            async def pump(source, target):
                while data := await source.read(65536):
                    target.write(data)
                    await target.drain()
                target.close()
            await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer), return_exceptions=True)

        async def serve():
            async with await asyncio.start_server(let_through, "127.0.0.1", port):
                await asyncio.Event().wait()
        threading.Thread(target=asyncio.run, args=(serve(),), daemon=True).start()

    @property
    def messages(self):
        """(topic, alert) in order."""
        lines = [line.split(" ", 1) for line in self.got.read_text().splitlines()]
        return [(topic, json.loads(payload)) for topic, payload in lines if topic != "test"]


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
