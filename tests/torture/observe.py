"""observe - what a running daemon takes and how long its loop lets others wait, seen from outside."""
import os, re, socket, threading, time
from pathlib import Path


def memory_kb(process, field="RssAnon"):
    """A field of proc(5)'s status: RssAnon, VmRSS, VmHWM."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(rf"^{field}:\s+(\d+) kB", text, re.M)[1])


def descriptors(process):
    """(files, pipes and the like; sockets)"""
    folder, targets = Path(f"/proc/{process.pid}/fd"), []
    for name in os.listdir(folder):
        try:
            targets.append(os.readlink(folder / name))
        except OSError:
            pass
    sockets = sum(target.startswith("socket:") for target in targets)
    return len(targets) - sockets, sockets


def cpu_ms(process):
    """What the main thread has computed so far."""
    return int(Path(f"/proc/{process.pid}/task/{process.pid}/schedstat").read_text().split()[0]) / 1e6


class Probe:
    """Asks the main loop for an error over the control socket, again and again: how long the longest answer took.

    busy_ms is what the main thread computed during the slowest answer: on a machine that others use too, the time that the
    loop itself took.
    """

    def __init__(self, daemon, process):
        self.process, self.wait_ms, self.busy_ms, self.count = process, 0, 0, 0
        self.stopping = threading.Event()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(str(daemon.state / "control"))

    def __enter__(self):
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join(40)
        self.socket.close()

    def _run(self):
        while not self.stopping.wait(0.005):
            start, cpu = time.monotonic(), cpu_ms(self.process)
            self.socket.sendall(b'{"command": "nothing of that name"}\n')
            answer = b""
            while not answer.endswith(b"\n"):
                answer += self.socket.recv(4096)
            waited = (time.monotonic() - start) * 1000
            self.busy_ms = max(self.busy_ms, cpu_ms(self.process) - cpu)
            self.wait_ms = max(self.wait_ms, waited)
            self.count += 1
