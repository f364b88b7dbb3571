"""broker - mosquitto, and one subscriber to everything.

    broker = Broker(folder)
    broker.require("me", "secret")          # a login, before the start
    broker.start()
    broker.messages                         # (topic, alert) of what the subscriber got, in order
    broker.open_door(port)                  # lets through from another port, on which nobody listened before
    broker.stop()
"""
import asyncio, json, subprocess, threading, time
from feedwatchd import wait_for
from smtpd import free_port


class Broker:
    """On a port of its own."""

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
        self.subscriber = subprocess.Popen(["mosquitto_sub", "-h", "127.0.0.1", "-p", str(self.port), *self.login, "-t", "#", "-F", "%t %p"],
                                           stdout=out, stderr=subprocess.DEVNULL)
        for _ in range(50):
            subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.port), *self.login, "-t", "test", "-m", "hello"], capture_output=True)
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
