# SPDX-License-Identifier: Apache-2.0
"""A rig under load in which runs are killed, again and again: what the suites about kill and resume share.

KILL_WORKERS=6 is the most worlds at once (3 a core); fewer while the machine is busy. KILL_ONLY=canary-v3 is one
scenario."""
import collections
import csv
import itertools
import json
import os
import queue
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RIG = os.path.join(ROOT, "test/rig/rig.sh")
CORES = len(os.sched_getaffinity(0))
WORKERS = int(os.environ.get("KILL_WORKERS", 3 * CORES))
ONLY = os.environ.get("KILL_ONLY", "")
LIMIT = 90  # seconds for one process
SCENARIOS = [(s, v) for s in ("rolling", "canary", "blue-green") for v in ("v2", "v3")
             if not ONLY or ONLY == f"{s}-{v}"]
VERDICTS = {"v2": 0, "v3": 2}  # v3 fails every second request
KINDS = {"rolling": "rolling", "canary": "slots", "blue-green": "slots"}
KILLED = (-9, 137)


def fast_folder():
    """Where fsync costs nothing: a killed process is not a lost disk. None: the usual place."""
    folder = "/dev/shm"
    try:
        room = os.statvfs(folder)
        if room.f_bavail * room.f_frsize < 256 << 20 or room.f_flag & os.ST_NOEXEC or not os.access(folder, os.W_OK):
            return None
    except OSError:
        return None
    return folder


def bash(script, *args):
    return subprocess.run(["bash", "-c", '. "$1"; shift; ' + script, "rig", RIG, *args], capture_output=True, text=True,
                          timeout=120)


class World:
    """One rig under load; reset() brings it back to v1 without starting it anew."""

    def __init__(self, kind, tool):
        self.kind, self.tool = kind, tool
        self.dir = tempfile.mkdtemp(prefix="kill.", dir=fast_folder())
        shape = "rolling" if kind == "rolling" else "slots=blue,green"
        script = ('for v in v1 v2; do mkdir -p "$1/versions"; rig_version "$1" $v -linger 10ms; done; '
                  'rig_start "$1" "$2" && rig_version "$1" v3 -linger 10ms -fail-ratio 0.5 && '
                  'rig_deploy_yaml "$1" interval=100ms steps="50:300ms 100:300ms" watch=300ms min_requests=5 '
                  'baseline=100ms error_window=10s drop=off && '
                  'sed -i "s|^  command:|  command:\\n    timeouts: { settle: 1s }|" "$1/deploy.yaml" && '
                  'rig_load_start "$1" 120')
        started = bash(script, self.dir, shape)
        if started.returncode:
            self.close()
            raise RuntimeError(started.stdout + started.stderr)
        with open(self.path("instances"), encoding="utf-8") as f:
            self.instances = [line.split() for line in f if line.strip()]

    def path(self, name):
        return os.path.join(self.dir, name)

    def close(self):
        bash('rig_load_stop "$1"; rig_stop "$1"', self.dir)
        shutil.rmtree(self.dir, ignore_errors=True)

    def start(self, strategy, version, **more):
        """The tool at work; its output goes to the file `out`."""
        env = {k: v for k, v in os.environ.items() if k not in ("GITHUB_ACTIONS", "GITLAB_CI", "CI")}
        env.update(more)
        with open(self.path("out"), "a", encoding="utf-8") as out:
            return subprocess.Popen([self.tool, "run", strategy, version], cwd=self.dir, env=env,
                                    stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)

    def run(self, strategy, version, **more):
        with self.start(strategy, version, **more) as process:
            try:
                return process.wait(LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                raise

    def output(self):
        with open(self.path("out"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def is_stable(self, slot):
        return slot in ("blue", "-")

    def reset(self):
        """Leaves no trace of a run; only what is away from v1 is touched."""
        state, orders = self.up(), []
        for name, slot, *_ in self.instances:
            if self.is_stable(slot) and state.get(name) != "v1":
                orders.append(["ops/start", name, "v1"])
            elif not self.is_stable(slot) and os.path.exists(self.path(f"run/{name}.pid")):
                orders.append(["ops/stop", name])
        for order in [subprocess.Popen(words, cwd=self.dir, stdout=subprocess.DEVNULL) for words in orders]:
            order.wait(LIMIT)
        self.admin(";".join(f"set server shop/{server} state ready;set server shop/{server} weight {weight}"
                            for _, _, server, _, weight in self.instances))
        until = time.monotonic() + 20
        while any(self.up().get(n) != "v1" for n, s, *_ in self.instances if self.is_stable(s)):
            if time.monotonic() > until:
                raise RuntimeError(f"no v1: {self.up()}")
            time.sleep(0.02)
        for folder in (".deploy", "docs"):
            shutil.rmtree(self.path(folder), ignore_errors=True)
        for file in ("effects.log", "out"):
            open(self.path(file), "w", encoding="utf-8").close()
        os.truncate(self.path("run/load.bin"), 0)  # a hole from here on

    def admin(self, commands):
        with socket.socket(socket.AF_UNIX) as talk:
            talk.settimeout(20)
            talk.connect(self.path("admin.sock"))
            talk.sendall(commands.encode() + b"\n")
            answer = b""
            while some := talk.recv(65536):
                answer += some
        return answer.decode()

    def up(self):
        versions = {}
        for name, _, _, port, _ in self.instances:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=5) as answer:
                    versions[name] = json.load(answer)["version"]
            except (OSError, ValueError):
                continue
        return versions

    def shares(self):
        rows = csv.DictReader(self.admin("show stat shop 4 -1").lstrip("# ").splitlines())
        weights = {r["svname"]: float(r["weight"]) * (r["status"].split()[0] in ("UP", "no", "OPEN")) for r in rows}
        whole = sum(weights.values()) or 1
        return {k: round(v / whole, 2) for k, v in weights.items()}

    def effects(self):
        with open(self.path("effects.log"), encoding="utf-8") as f:
            return collections.Counter(line.strip() for line in f if line.strip())

    def journal(self):
        with open(self.path(".deploy/state.json"), encoding="utf-8") as f:
            return json.load(f)

    def snapshot(self, code):
        run = self.journal()
        with open(self.path(".deploy/report.md"), encoding="utf-8") as f:
            report = f.read()
        with open(self.path(".deploy/history.jsonl"), encoding="utf-8") as f:
            history = [line["status"] for line in map(json.loads, f)]
        return {"exit": code, "history": history, "up": self.up(), "shares": self.shares(), "effects": self.effects(),
                "status": run["status"], "trigger": (run.get("trigger"), run.get("trigger_id")),
                "steps": [(s["step"]["id"], s["status"]) for s in run["steps"]],
                "report": told(report)}


def told(report):
    """What the report says, without times, counts and identities."""
    keep = []
    for line in report.splitlines():
        if re.match(r"(#|\*\*|\| \*\*Version|\| (Security|Reliability|Test|Approval|[A-Z][a-z ]+ Tests) |"
                    r"- (Rollback (Trigger|Strategy|Success)|Smoke Tests|SLO breaches|Instances))", line):
            keep.append(re.sub(r"\(?[0-9][0-9.,:TZ%-]*\)?( ms| s| requests)?", "N", line))
    return [re.sub(r"N/N|error-rate: .*", "", line) for line in keep]


def difference(want, got):
    return "\n".join(f"{k}: wanted {want[k]}\n{k}: got    {got[k]}" for k in want if want[k] != got[k])


class Tap:
    def __init__(self):
        self.lock, self.count, self.failed = threading.Lock(), 0, 0

    def say(self, good, name, why=""):
        with self.lock:
            self.count += 1
            self.failed += not good
            print(("ok" if good else "not ok"), self.count, "-", name, flush=True)
            for line in why.splitlines()[-60:]:
                print("#", line, flush=True)

    def end(self):
        print(f"1..{self.count}", flush=True)
        return 1 if self.failed else 0


class Workers:
    """Work that needs a world: as many at once as the machine has time for, most of which is waiting."""

    def __init__(self, tool, tap):
        self.tool, self.tap = tool, tap
        self.work = {"slots": queue.PriorityQueue(), "rolling": queue.PriorityQueue()}
        self.added = itertools.count()
        self.threads = {"slots": [], "rolling": []}

    def add(self, strategy, task, order=0):
        """task(world) says itself what came of it; the least order is done first."""
        self.work[KINDS[strategy]].put((order, next(self.added), task))

    def drain(self, kind):
        world = None
        while True:
            try:
                task = self.work[kind].get_nowait()[2]
            except queue.Empty:
                break
            try:
                world = world or World(kind, self.tool)
                task(world)
            except (RuntimeError, subprocess.SubprocessError, OSError, ValueError, KeyError) as problem:
                self.tap.say(False, f"{kind}: a world that works", f"{type(problem).__name__}: {problem}")
                if world:
                    world.close()
                world = None
        if world:
            world.close()

    def living(self, kind):
        return sum(thread.is_alive() for thread in self.threads[kind])

    def hire(self):
        """One more for what would take longest; False where all work is in hands."""
        def wait(kind):
            return self.work[kind].qsize() / (self.living(kind) + 1)
        kind = max(self.work, key=wait)
        if self.work[kind].empty():
            return False
        thread = threading.Thread(target=self.drain, args=(kind,))
        self.threads[kind].append(thread)
        thread.start()
        return True

    def run(self):
        """Until all is done. Begins with a world a core, and adds one whenever the machine idles."""
        busy = Busy()
        while True:
            living = sum(self.living(kind) for kind in self.work)
            wanted = living < min(CORES, WORKERS) or (living < WORKERS and busy.idle() > 0.25)
            if not (wanted and self.hire()) and living == 0:
                return
            time.sleep(0.1)


class Busy:
    """How much of the last two seconds the cores had nothing to do; 0 until then."""

    def __init__(self):
        self.at, self.last = time.monotonic(), self.read()

    @staticmethod
    def read():
        with open("/proc/stat", encoding="utf-8") as f:
            numbers = [int(n) for n in f.readline().split()[1:9]]
        return numbers[3], sum(numbers)

    def idle(self):
        if time.monotonic() < self.at + 2:
            return 0
        now, last = self.read(), self.last
        self.at, self.last = time.monotonic(), now
        return (now[0] - last[0]) / max(1, now[1] - last[1])
