"""island - a network of one machine, which the test can cut off: a network namespace with nothing but its loopback.

    with Island(folder, {"one.test": 1}) as island:     # one.test is 127.0.1.1, by /etc/hosts
        daemon.wrapper = island.enter                    # what is started so lives there
        island.say({"on": "/feed", "replies": […]})      # httpd.py runs there, in its form as a program
        island.url("one.test", "/feed")
        island.link(True)                                # a default route, or none
        island.cut(True)                                 # hosts 127.0.1.0/24 are unreachable, routes or not

Needs unshare, nsenter and ip; Island.works() says whether they may be used here.
"""
import json, os, subprocess, sys
from pathlib import Path

HTTPD = Path(__file__).with_name("httpd.py")


class Island:
    def __init__(self, folder, names):
        self.names = names
        hosts = folder / "hosts"
        hosts.write_text("127.0.0.1 localhost\n" + "".join(f"127.0.1.{n} {name}\n" for name, n in names.items()))
        self.holder = subprocess.Popen(
            ["unshare", "-rnm", "sh", "-c", f"ip link set lo up && mount --bind '{hosts}' /etc/hosts && echo up && exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout.readline() == "up\n"
        self.enter = ("nsenter", "-t", str(self.holder.pid), "-U", "-n", "-m", "--preserve-credentials", f"--wd={os.getcwd()}")
        self.httpd = subprocess.Popen([*self.enter, sys.executable, str(HTTPD), "--hosts", str(max(names.values(), default=0))],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = json.loads(self.httpd.stdout.readline())["port"]

    @staticmethod
    def works():
        try:
            return subprocess.run(["unshare", "-rnm", "ip", "link", "set", "lo", "up"], capture_output=True).returncode == 0
        except FileNotFoundError:
            return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in (self.httpd, self.holder):
            process.stdin.close()
            process.wait(10)
            process.stdout.close()

    def say(self, order):
        self.httpd.stdin.write(json.dumps(order) + "\n")
        self.httpd.stdin.flush()
        return json.loads(self.httpd.stdout.readline())

    def requests(self, path):
        answer = self.say({"requests": path})
        return answer if isinstance(answer, list) else answer["requests"]

    def url(self, name, path):
        return f"http://{name}:{self.port}{path}"

    def _ip(self, *words):
        subprocess.run([*self.enter, "ip", *words], check=True, capture_output=True)

    def link(self, is_there):
        self._ip("route", "add" if is_there else "del", "default", "dev", "lo")

    def cut(self, is_cut):
        self._ip("route", "add" if is_cut else "del", "unreachable", "127.0.1.0/24", "table", "local")
