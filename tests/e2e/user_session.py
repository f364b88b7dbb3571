"""user_session - a real systemd user manager with a session bus, and commands inside it.

tests/tools/with-user-systemd brings it up; it needs root, and a machine that lets it. Where that cannot be, Unavailable
says why.

    with UserSession(tmp_path) as session:
        session.systemctl("start", "feedwatchd").code       # .out, .err
        session.home                                         # the user's, also seen from outside
"""
import json, os, subprocess
from collections import namedtuple
from pathlib import Path

TOOL = Path(__file__).resolve().parents[1] / "tools/with-user-systemd"
START_S = 60
Result = namedtuple("Result", "code out err")
# Runs inside, as the user: one command a line in, one result a line out; {"spawn": true} does not wait.
INSIDE = """
import json, os, subprocess, sys
print(json.dumps([os.environ["HOME"], os.environ["XDG_RUNTIME_DIR"]]), flush=True)
for line in sys.stdin:
    argv = json.loads(line)
    if argv[0] == "&":
        log = open(os.environ["HOME"] + "/spawned.log", "ab")
        subprocess.Popen(argv[1:], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        result = [0, "", ""]
    else:
        try:
            done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=100)
            result = [done.returncode, done.stdout, done.stderr]
        except (OSError, subprocess.TimeoutExpired) as error:
            result = [-1, "", str(error)]
    print(json.dumps(result), flush=True)
"""


class Unavailable(Exception):
    pass


class UserSession:
    def __init__(self, folder):
        self.stderr_path = folder / "user-session.stderr"
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
        with open(self.stderr_path, "wb") as stderr:
            self.process = subprocess.Popen([str(TOOL), "/usr/bin/python3", "-c", INSIDE], env=environment, text=True,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr)
        first = self.process.stdout.readline()
        if not first:
            code = self.process.wait(START_S)
            reason = self.stderr_path.read_text(errors="replace").strip().splitlines()
            said = next((line for line in reason if line.startswith("with-user-systemd: ")), reason[-1] if reason else "")
            # unshare(1) and mount(8) say it in their own words where the machine does not let it.
            if code == 77 or said.startswith(("unshare: ", "mount: ")):
                raise Unavailable(said)
            raise RuntimeError(f"{TOOL.name} exited with {code}: {said}")
        self.home, self.runtime = map(Path, json.loads(first))
        probe = self.run("systemd-run", "--user", "--wait", "-q", "-p", "PrivateUsers=yes", "-p", "ProtectSystem=strict", "true")
        if probe.code:
            self.close()
            raise Unavailable(f"a user's service cannot be sandboxed here: {probe.err.strip() or probe.code}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def _ask(self, argv):
        self.process.stdin.write(json.dumps([str(word) for word in argv]) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"the session is over: {self.stderr_path.read_text(errors='replace')}"
        return Result(*json.loads(answer))

    def run(self, *argv):
        return self._ask(argv)

    def spawn(self, *argv):
        """In the background, until the session ends."""
        self._ask(["&", *argv])

    def systemctl(self, *argv):
        return self.run("systemctl", "--user", *argv)

    def show(self, unit):
        """All properties of a unit."""
        return dict(line.split("=", 1) for line in self.systemctl("show", unit).out.splitlines() if "=" in line)

    def own(self, path):
        """Makes what root wrote the user's."""
        owner = self.home.stat()
        for each in (path, *path.rglob("*")):
            os.chown(each, owner.st_uid, owner.st_gid, follow_symlinks=False)

    def manager_log(self):
        return self.run("cat", f"{self.runtime}/manager.log").out
