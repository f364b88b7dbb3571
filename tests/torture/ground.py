"""ground - publishers and a receiver for every sink, all real, on which one daemon after the other is tortured.

Each feed's items alert to the log, a webhook, a command and the journal; POPUPS of them to the desktop too (dunst). A home is
one daemon's life: it is killed, started again, and then judged by what every receiver got.

    ground = Ground(folder, feeds=4, items=5, popups=3)
    home = ground.home()
    home.run(("--once",), fault=("write:3", "kill"))
    home.record()                         # what was answered by now, as the database says, may not come again
    home.finish()                         # runs until nothing waits
    wrong = home.verdict()                # None, or a sentence
"""
import email, email.policy, gzip, hashlib, json, os, re, shutil, signal, socket, sqlite3, struct, subprocess, threading, time, traceback, uuid
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from desktop import Desktop
from feeds import atom, item, rss
from feedwatchd import BUILD, Daemon, parse_log, wait_for
from httpd import Httpd, Reply
from nginx import Nginx
from smtpd import Smtpd
from test_sink_mqtt import Broker

FAULT = BUILD / "torture/fault.so"
SINKS = ("log", "webhook", "command", "journal", "mail", "mqtt", "feed", "desktop")
ULID = re.compile("[0-9A-HJKMNP-TV-Z]{26}")


def entry_id(number):
    """As an entry of the feed sink's file is named for an alert."""
    made = bytearray(hashlib.sha1(b"alert\0" + number.encode()).digest()[:16])
    return str(uuid.UUID(bytes=bytes(made), version=5))


class DurableBroker(Broker):
    """One that keeps for its subscriber what comes before that is back."""

    def __init__(self, folder):
        super().__init__(folder)
        self.config += f"persistence true\npersistence_location {folder}/\nqueue_qos0_messages true\nuser root\n"

    def _subscribe(self):
        command = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(self.port), "-i", "torture", "-c", "-q", "1", "-t", "#", "-F", "%t %p"]
        with open(self.got, "ab") as out:
            self.subscriber = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        for _ in range(50):
            subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.port), "-t", "test", "-m", "hello"], capture_output=True)
            if b"hello" in self.got.read_bytes():
                return True
            if self.subscriber.poll() is not None:
                return False
            time.sleep(0.05)
        return False


class Journal:
    """A stand-in for systemd-journald's socket, to which the daemon is led by fault.so."""

    def __init__(self, path):
        self.path, self.ids, self.received, self.pause = path, [], 0, threading.Event()
        self.pause.set()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        self.socket.bind(str(path))
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while self.pause.wait():
            try:
                data, ancillary, _, _ = self.socket.recvmsg(1 << 18, socket.CMSG_SPACE(4))
            except OSError:
                return
            for level, kind, payload in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    [fd] = struct.unpack("i", payload[:4])
                    with open(fd, "rb") as file:
                        data = os.pread(file.fileno(), 1 << 20, 0)
            if data == b"sync":
                self.received += 1
            found = re.search(rb"^FEEDWATCH_ID=([0-9A-Z]{26})$", data, re.M)
            if found:
                self.ids.append(found[1].decode())

    def settle(self):
        """Everything that was sent before has been taken down."""
        before = self.received
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"sync", str(self.path))
        wait_for(lambda: self.received > before, "the journal")

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Wire:
    """The popups that a server has shown since the last look, read from the bus monitor as it grows."""

    def __init__(self, desktop):
        self.path, self.at, self.calls = desktop.folder / "monitor1", 0, {}

    def read(self):
        """Lists (application's bus name, id that the server gave, replaced id, summary, body)."""
        shown = []
        with open(self.path, "rb") as file:
            file.seek(self.at)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self.at += len(line)
                self._take(json.loads(line), shown)
        return shown

    def _take(self, message, shown):
        if message.get("member") == "Notify" and message["type"] == "method_call":
            self.calls[message["sender"], message["cookie"]] = message["payload"]["data"]
        elif message["type"] == "method_return":
            call = self.calls.pop((message["destination"], message["reply_cookie"]), None)
            if call:
                shown.append((message["destination"], message["payload"]["data"][0], call[1], call[3], call[4]))


def titles_told(popup):
    """The headlines that a popup shows, also one that tells of many."""
    _, _, _, summary, body = popup
    many = re.fullmatch(r"\d+ new: (.*)", summary)
    return [many[1], *body.split("\n")] if many else [summary]


class Ground:
    def __init__(self, folder, feeds=4, items=5, popups=3, connections=32):
        self.folder, self.feeds, self.items, self.popups = folder, feeds, items, popups
        folder.mkdir(parents=True)
        self.n_homes, self.homes = 0, []
        self.connections = connections
        self.nginx = Nginx(folder / "nginx", hosts=feeds)
        self.hooks = Httpd(hosts=0)
        self.hooks.fallback = Reply(200)
        self.desktop = Desktop()
        self.journal = Journal(self.desktop.folder / "journal")
        (folder / "broker").mkdir()
        self.broker = DurableBroker(folder / "broker")
        self.broker.start()
        self.broker_at = 0
        self.smtpd = Smtpd().__enter__()
        self.desktop.start_bus()
        self.desktop.start_dunst()
        self.wire = Wire(self.desktop)
        self.publish(items)

    def stop(self):
        for home in self.homes:
            home.reap()
        self.nginx.stop()
        self.hooks.stop()
        self.journal.stop()
        self.smtpd.stop()
        self.broker.stop()
        self.desktop.__exit__()

    def publish(self, items, first=0, muted=0, title="Test Wire"):
        """The first `popups` of feed 1 are for the desktop too. Those before `first` have left the lists, and the first `muted`
        of each feed do not say yet what the rules look for."""
        text = "What the correspondents wrote. " * 8
        self.items = items
        self.titles, self.popup_titles = [], []
        for f in range(1, self.feeds + 1):
            names = [f"{'Omega' if f == 1 and n < self.popups else 'Alpha'} {f}-{n}" for n in range(items)]
            made = [item(f"{f}-{n}", f"Unnamed {f}-{n}" if n < muted else name, text) for n, name in enumerate(names) if n >= first]
            self.nginx.publish(f"{f}.xml", (atom if f % 2 else rss)(made, title))
            self.titles += names[muted:]
            self.popup_titles += [name for name in names[muted:] if name.startswith("Omega")]

    def forget(self):
        self.hooks.forget()
        self.journal.settle()
        self.journal.ids.clear()
        self.smtpd.raw.clear()
        self.wire.read()
        self.settle_broker()
        self.broker_at = self.broker.got.stat().st_size

    def settle_broker(self):
        """Everything that was published before has been taken down."""
        word = f"settled {time.monotonic_ns()}"
        subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.broker.port), "-t", "test", "-m", word], check=True)
        wait_for(lambda: word.encode() in self.broker.got.read_bytes(), "the broker")

    def home(self):
        """A fresh daemon. What the receivers got before is forgotten: one home at a time."""
        self.n_homes += 1
        if self.n_homes % 8 == 0:  # hundreds of popups on one screen make dunst slower than a daemon waits
            self.desktop.dunstctl("close-all")
        self.forget()
        self.homes.append(Home(self, self.folder / f"home{self.n_homes}"))
        return self.homes[-1]


class Home(Daemon):
    def __init__(self, ground, folder):
        super().__init__(folder)
        self.ground = ground
        self.seen_popups, self.records = [], []
        self.command_log = folder / "commands"
        program = folder / "program"
        program.write_text(f'#!/bin/sh\necho "$FEEDWATCH_ID" >>{self.command_log}\n')
        program.chmod(0o755)
        self.extra_environment.update({"DBUS_SESSION_BUS_ADDRESS": ground.desktop.address, "LD_PRELOAD": str(FAULT),
                                       "FAULT_JOURNAL": str(ground.journal.path)})
        self.sections = {
            "feedwatch": {"max_connections": ground.connections, "host_spacing": 0},
            "defaults": {"initial": "all", "allow_private": "yes", "interval": "10m", "timeout": "20s"},
            **{f"feed f{f}": {"url": ground.nginx.url(f"{f}.xml", f)} for f in range(1, ground.feeds + 1)},
            "rule alpha": {"match": "alpha"}, "rule omega": {"match": "omega"},
            "sink webhook": {"url": ground.hooks.url("/hook")}, "sink command": {"argv": program},
            "sink journal": {"type": "journal"},
            "sink mail": {"to": "ann@example.org", "server": ground.smtpd.url()},
            "sink mqtt": {"url": f"mqtt://127.0.0.1:{ground.broker.port}", "topic": "news/{rule}"}, "sink feed": {"entries": 10000}}
        self.database = self.state / "feedwatch.db"
        self.only(*SINKS)

    def only(self, *sinks):
        """Alerts go to these alone, and these alone are judged; the desktop's stay with the omegas."""
        self.sinks = sinks
        self.sections["rule omega"]["alert"] = ", ".join(sinks)
        self.sections["rule alpha"]["alert"] = ", ".join(s for s in sinks if s != "desktop")
        self.configure({name: settings for name, settings in self.sections.items()
                        if not name.startswith("sink ") or name.removeprefix("sink ") in sinks})

    # --- its life ---

    def begin(self, *arguments, fault=None, **more):
        """fault: (FAULT_AT, FAULT_DO). more: FAULT_… by their lower-case rest."""
        added = {f"FAULT_{name.upper()}": str(value) for name, value in more.items()}
        if fault:
            added.update({"FAULT_AT": fault[0], "FAULT_DO": str(fault[1])})
        kept = dict(self.extra_environment)
        self.extra_environment.update(added)
        try:
            return self.start(*arguments)
        finally:
            self.extra_environment = kept

    def run(self, *arguments, timeout_s=60, **more):
        """Until its end by itself; the exit code, negative where a signal ended it."""
        process = self.begin(*arguments, **more)
        try:
            return process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"still runs after {timeout_s} s; stderr:\n{self.stderr}") from None

    def kill_when(self, is_time, *arguments):
        """True where it was killed, false where it was over before."""
        start = time.monotonic()
        process = self.begin("--once", *arguments)
        while process.poll() is None:
            if is_time(time.monotonic() - start):
                process.kill()
                return process.wait() == -signal.SIGKILL
            time.sleep(0.0005)
        return False

    def finish(self, *arguments):
        code = self.run("--once", *arguments)
        assert code == 0, f"exit {code}; stderr:\n{self.stderr}"

    def remove(self):
        shutil.rmtree(self.home)

    # --- what is known of it ---

    def copy_database(self):
        """The log first: what a daemon that ends puts from it into the file meanwhile is in both copies then, not in neither."""
        copy = self.home / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for suffix in "-wal", "":
            with suppress(FileNotFoundError):
                shutil.copy(f"{self.database}{suffix}", copy)
        return copy

    def query(self, sql, *arguments):
        """On a copy, so that nothing of it is touched; [] where there is no database that can be read."""
        copy = self.copy_database()
        try:
            with closing(sqlite3.connect(copy / self.database.name)) as database:
                return database.execute(sql, arguments).fetchall()
        except sqlite3.Error:
            return []

    def record(self):
        """What was answered by now, as the database says, may not come again: the verdict looks for it."""
        arrived = {sink: Counter(got()) for sink, got in self.receivers().items()}
        done = {sink: set() for sink in SINKS}
        for sink, number in self.query("SELECT sink, a.id FROM delivery d JOIN alert a ON a.seq = d.alert WHERE d.state <> 0"):
            done[sink].add(number)
        self.records.append((done, arrived))

    def waiting(self):
        return self.number("SELECT count(*) FROM delivery WHERE state = 0")

    def number(self, sql):
        """-1: there is no database yet."""
        rows = self.query(sql)
        return rows[0][0] if rows else -1

    def log_paths(self):
        return sorted(self.state.glob("alerts.log*"))

    def log_bytes(self):
        return self.log.stat().st_size if self.log.exists() else 0

    def commands(self):
        return self.command_log.read_text().split() if self.command_log.exists() else []

    def webhooks(self):
        """Those that were answered well, or whose answer nobody waited for."""
        return [json.loads(r.body)["id"] for r in self.ground.hooks.requests("/hook") if r.body and r.status in (200, None)]

    def mails(self):
        """The ids in each message; one of many alerts lists them."""
        messages = [email.message_from_bytes(raw, policy=email.policy.default) for _, _, raw in self.ground.smtpd.raw]
        return [number for message in messages for number in set(ULID.findall(message.get_content()))]

    def published(self):
        self.ground.settle_broker()
        lines = self.ground.broker.got.read_bytes()[self.ground.broker_at:].decode().splitlines()
        return [json.loads(line.partition(" ")[2])["id"] for line in lines if not line.startswith("test ")]

    def feed_ids(self, ids):
        path = self.state / "alerts.xml"
        entries = re.findall("<id>urn:uuid:([0-9a-f-]{36})", path.read_text()) if path.exists() else []
        names = {entry_id(number): number for number in ids}
        return [names[entry] for entry in reversed(entries) if entry in names]  # the newest comes first

    def popups(self):
        self.seen_popups += self.ground.wire.read()
        return self.seen_popups

    def rotate(self):
        if self.log.exists():
            self.log.rename(self.log.with_name(f"alerts.log.{len(self.log_paths())}"))

    def uncompress(self):
        for path in self.state.glob("alerts.log*.gz"):
            path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
            path.unlink()

    # --- the judge ---

    def verdict(self, deaths=1, repeats=None):
        """None, or what is wrong with what the receivers got. repeats: a Counter that is added to, by sink."""
        try:
            alerts = [alert for path in self.log_paths() for alert in parse_log(path)]
            self.check_stderr()
        except AssertionError as wrong:
            return str(wrong)
        titles = Counter(a.title for a in alerts if a.rule[0] not in "!=")  # not of feeds' health
        wrong = [f"log: lost {t}" for t in self.ground.titles if t not in titles]
        wrong += [f"log: {n} times {t}" for t, n in titles.items() if n > 1]
        wrong += self._others({a.id for a in alerts}, deaths, Counter() if repeats is None else repeats)
        wrong += self._desktop(deaths, Counter() if repeats is None else repeats)
        return f"{len(wrong)} wrong: " + "; ".join(wrong[:6]) if wrong else None

    def receivers(self):
        """{sink: a function that lists the ids that its receiver got}; of sinks that only ever add."""
        self.ground.journal.settle()
        every = {"webhook": self.webhooks, "command": self.commands, "journal": lambda: self.ground.journal.ids,
                 "mail": self.mails, "mqtt": self.published}
        return {sink: got for sink, got in every.items() if sink in self.sinks}

    def _others(self, ids, deaths, repeats):
        wrong = []
        receivers = self.receivers()
        if "feed" in self.sinks:
            receivers["feed"] = lambda: self.feed_ids(ids)
        for sink, got in receivers.items():
            counts = Counter(got())
            wrong += [f"{sink}: lost {i}" for i in ids - set(counts)]
            wrong += [f"{sink}: unknown {i}" for i in set(counts) - ids]
            again = {i for i, n in counts.items() if n > 1}
            repeats[sink] += sum(counts[i] - 1 for i in again)
            wrong += [f"{sink}: {i} came again, though its answer was recorded" for done, arrived in self.records if sink in arrived
                      for i in again & done[sink] if counts[i] > arrived[sink][i]]
            wrong += [f"{sink}: {counts[i]} times {i}" for i in again if counts[i] > 1 + deaths]
        return wrong

    def _desktop(self, deaths, repeats):
        if "desktop" not in self.sinks:
            return []
        said, number_of = [], {}  # what each popup says in the end; a server that is started anew counts anew
        for popup in self.popups():
            sender, number, replaces = popup[:3]
            if not replaces or (sender, replaces) not in number_of:
                said.append([])
                number_of[sender, number] = len(said) - 1
            said[number_of[sender, number]] = titles_told(popup)
        counts = Counter(title for titles in said for title in titles)
        repeats["desktop"] += sum(n - 1 for n in counts.values())
        return [f"desktop: lost {t}" for t in self.ground.popup_titles if t not in counts] + \
            [f"desktop: {n} times {t}" for t, n in counts.items() if n > 1 + deaths]


def in_parallel(grounds, jobs, trial):
    """Each ground works off its share of the jobs. Gives the results in the order of the jobs: what the trial says, or which job
    it was that broke it."""
    results, lock, left = {}, threading.Lock(), list(enumerate(jobs))[::-1]

    def work(ground):
        while True:
            with lock:
                if not left:
                    return
                index, job = left.pop()
            try:
                result = trial(ground, job)
            except Exception as failure:
                where = "" if isinstance(failure, AssertionError) else "".join(traceback.format_exception(failure)[-3:])
                result = f"{job}: {failure} {where}(see {ground.homes[-1].home if ground.homes else ground.folder})"
            with lock:
                results[index] = result
    threads = [threading.Thread(target=work, args=(ground,)) for ground in grounds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[n] for n in range(len(jobs))]
