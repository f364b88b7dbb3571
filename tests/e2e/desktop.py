"""desktop - a desktop of the test's own: a session bus, a screen (Xvfb), dunst, or a scripted notification server.

Nothing of it reaches the real desktop, and the bus starts no service by itself. `wire` is what went over the bus, taken down
by a monitor: every Notify and what was answered. `history` is what dunst itself says it has shown.
"""
import base64, json, os, shutil, signal, socket, subprocess, sys, tempfile
from dataclasses import dataclass
from pathlib import Path
from feedwatchd import wait_for

BUS = """<busconfig><type>session</type><listen>{address}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>"""
# A time-out for each urgency, so that the history tells which one dunst has understood; a format for our desktop entry.
DUNSTRC = """[global]
idle_threshold = 0
history_length = 1000
icon_path = {icons}
markup = full
format = "%s|%b"
[urgency_low]
timeout = 1001
[urgency_normal]
timeout = 1002
[urgency_critical]
timeout = 1003
[entry]
desktop_entry = feedwatch
format = "feedwatch:%s|%b"
"""
TIMEOUTS = {1001: "low", 1002: "normal", 1003: "critical"}
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==")


@dataclass(frozen=True)
class Popup:
    app: str
    replaces: int
    icon: str
    summary: str
    body: str
    actions: list
    hints: dict
    id: int       # None: was not answered


@dataclass(frozen=True)
class Entry:
    """One line of dunst's history."""
    summary: str
    body: str
    message: str  # as it was laid out, with Pango's markup
    category: str
    urgency: str
    icon: str
    id: int


class Process:
    """A child that can be stopped, continued and killed."""
    def __init__(self, command, environment=None, **more):
        self.process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, text=True, **more)

    def send(self, number):
        self.process.send_signal(number)

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        if self.process.stdout:
            self.process.stdout.close()

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()


class Desktop:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="feedwatch-desktop-"))  # short: a socket's path has 107 bytes
        self.address = f"unix:path={self.folder}/bus"
        self.environment = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": self.address}
        self.bus = self.monitor = self.screen = self.server = None
        self.opened_path = self.folder / "opened"
        self.n_monitors = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop_server()
        self.stop_bus()
        if self.screen:
            self.screen.kill()
        shutil.rmtree(self.folder)

    def start_bus(self):
        config = self.folder / "bus.conf"
        config.write_text(BUS.format(address=self.address))
        with open(self.folder / "bus.log", "ab") as log:
            self.bus = Process(["dbus-daemon", f"--config-file={config}", "--nofork"], stderr=log)
        wait_for(self._answers, "the bus")
        self.n_monitors += 1
        notes = self.folder / f"monitor{self.n_monitors}"
        with open(notes, "ab") as out, open(self.folder / "monitor.log", "wb") as log:
            self.monitor = Process(["busctl", f"--address={self.address}", "monitor", "--json=short"], stdout=out,
                                   stderr=log)
        wait_for(lambda: b"Monitoring" in (self.folder / "monitor.log").read_bytes(), "the bus monitor")

    def _answers(self):
        """Its socket has a name a moment before it listens."""
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.folder / "bus")) == 0

    def stop_bus(self):
        for process in (self.monitor, self.bus):
            if process:
                process.kill()
        (self.folder / "bus").unlink(missing_ok=True)
        self.monitor = self.bus = None

    def has_owner(self, name="org.freedesktop.Notifications"):
        result = subprocess.run(["busctl", f"--address={self.address}", "call", "org.freedesktop.DBus", "/",
                                 "org.freedesktop.DBus", "NameHasOwner", "s", name], capture_output=True, text=True)
        return result.stdout == "b true\n"

    def start_dunst(self, settings=DUNSTRC, icon=PIXEL, icon_name="feedwatch.png"):
        if not self.screen:
            self.start_screen()
        icons = self.folder / "icons"
        icons.mkdir(exist_ok=True)
        (icons / icon_name).write_bytes(icon)
        config = self.folder / "dunstrc"
        config.write_text(settings.format(icons=icons))
        with open(self.folder / "dunst.log", "ab") as log:
            self.server = Process(["dunst", "-conf", str(config)], self.environment, stdout=log, stderr=log)
        wait_for(self.has_owner, "dunst")

    def start_scripted(self, *arguments):
        """notification_server.py with these arguments."""
        program = Path(__file__).with_name("notification_server.py")
        self.server = Process([sys.executable, str(program), *arguments], self.environment)
        wait_for(self.has_owner, "the scripted server")

    def stop_server(self):
        if self.server:
            self.server.kill()
            self.server = None

    def start_screen(self, size="1280x800"):
        reader, writer = os.pipe()
        with open(self.folder / "screen.log", "wb") as log:
            self.screen = Process(["Xvfb", "-displayfd", str(writer), "-screen", "0", f"{size}x24", "-nolisten", "tcp"],
                                  pass_fds=[writer], stderr=log)
        os.close(writer)
        with os.fdopen(reader) as display:
            self.environment["DISPLAY"] = ":" + display.readline().strip()

    @property
    def messages(self):
        """What went over the bus so far: pairs of the bus's number and a message as busctl tells it."""
        for number in range(1, self.n_monitors + 1):
            for line in (self.folder / f"monitor{number}").read_text().splitlines(keepends=True):
                if line.endswith("\n"):  # else it is still being written
                    yield number, json.loads(line)

    @property
    def wire(self):
        """Every Notify so far, in order."""
        calls, answers = [], {}
        for number, message in self.messages:
            if message.get("member") == "Notify" and message["type"] == "method_call":
                calls.append((number, message))
            elif message["type"] == "method_return" and message["payload"]["type"] == "u":
                answers[number, message["destination"], message["reply_cookie"]] = message["payload"]["data"][0]
        return [_popup(message, answers.get((number, message["sender"], message["cookie"]))) for number, message in calls]

    @property
    def portal_calls(self):
        """The link and the options of each call of OpenURI."""
        calls = [message["payload"]["data"] for _, message in self.messages
                 if message.get("member") == "OpenURI" and message["type"] == "method_call"]
        return [(uri, {name: option["data"] for name, option in options.items()}) for _, uri, options in calls]

    @property
    def n_responses(self):
        """How many requests the portal has answered in the end."""
        return sum(message.get("member") == "Response" for _, message in self.messages)

    @property
    def shown(self):
        """Those that a server took, in order."""
        return [popup for popup in self.wire if popup.id is not None]

    def wait_shown(self, count, timeout_s=20):
        wait_for(lambda: len(self.shown) >= count, f"{count} popups", timeout_s)
        return self.shown

    def dunstctl(self, *arguments):
        return subprocess.run(["dunstctl", *arguments], env=self.environment, capture_output=True, text=True,
                              check=True, timeout=20).stdout

    @property
    def history(self):
        """What dunst shows now or has shown, the oldest first. Closes what is on the screen."""
        self.dunstctl("close-all")
        entries = json.loads(self.dunstctl("history"))["data"][0]
        plain = [{key: value["data"] for key, value in entry.items()} for entry in entries]
        return [Entry(e["summary"], e["body"], e["message"], e["category"], TIMEOUTS.get(e["timeout"] // 1000000),
                      e["icon_path"], e["id"]) for e in sorted(plain, key=lambda e: e["id"])]

    def make_opener(self, name="opener"):
        """A stand-in for a browser, which takes down its arguments. Its path."""
        path = self.folder / name
        path.write_text(f'#!/bin/sh\n{{ echo "$#"; printf "%s\\n" "$@"; }} >{self.opened_path}.new\n'
                        f'cat {self.opened_path}.new >>{self.opened_path}\n')
        path.chmod(0o755)
        return path

    @property
    def opened(self):
        """Every line that the stand-in wrote: a count of arguments, then these, for each call."""
        return self.opened_path.read_text().splitlines() if self.opened_path.exists() else []


def _popup(message, number):
    app, replaces, icon, summary, body, actions, hints, _ = message["payload"]["data"]
    return Popup(app, replaces, icon, summary, body, actions, {name: hint["data"] for name, hint in hints.items()}, number)
