# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: processes on a core, the load, what a process cost, the table."""
import json
import os
import pathlib
import random
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "build/release/bin"
SERVER_CORE, LOAD_CORE = 0, 1

def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def free_port():
    """Below the range that outgoing connections take their ports from."""
    while True:
        port = random.randint(20000, 31999)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_until(holds, what, seconds=30):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            sys.exit(f"bench: {what} within {seconds} s: no")
        time.sleep(0.005)


class Awake:
    """with Awake(): cores that have nothing to do wait without sleeping (PM QoS of the kernel, as
    latency tests use it), so that no figure is what a machine takes to wake one: 40 us and more in
    a virtual one."""

    def __enter__(self):
        try:
            self.latency = os.open("/dev/cpu_dma_latency", os.O_WRONLY)
            os.write(self.latency, struct.pack("i", 0))
        except OSError as e:
            self.latency = None
            say(f"cores may sleep, and waking them is measured too ({e})")

    def __exit__(self, *_):
        if self.latency is not None:
            os.close(self.latency)


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Processes:
    """Started on a core, and ended with the benchmark however that ends."""

    def __init__(self):
        self.all = []
        self.folder = tempfile.TemporaryDirectory(prefix="viaduct-bench-")
        self.path = pathlib.Path(self.folder.name)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for p in reversed(self.all):
            p.terminate()
        for p in reversed(self.all):
            try:
                p.wait(15)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        self.folder.cleanup()

    def start(self, name, command, core=SERVER_CORE, env=None):
        log = open(self.path / f"{name}.log", "wb")
        pin = ["taskset", "-c", str(core)] if core is not None else []
        p = subprocess.Popen(pin + [str(c) for c in command], stdout=log, stderr=log,
                             stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})})
        self.all.append(p)
        return p.pid

    def stop(self, pid):
        p = next(p for p in self.all if p.pid == pid)
        self.all.remove(p)
        p.terminate()
        p.wait(15)

    def log(self, name):
        return self.path / f"{name}.log"


# ---- what a process cost ----

class Cost:
    """CPU time in us and context switches of a process and of those it has forked."""

    def __init__(self, pids):
        self.us = self.switches = 0
        for pid in pids:
            for task in pathlib.Path(f"/proc/{pid}/task").glob("*"):
                self.us += int((task / "schedstat").read_text().split()[0]) / 1000
                for line in (task / "status").read_text().splitlines():
                    if "ctxt_switches" in line:
                        self.switches += int(line.split()[1])

    def since(self, before, requests):
        n = max(requests, 1)
        return {"cpu_us": (self.us - before.us) / n,
                "switches": (self.switches - before.switches) / n}


def children(pid):
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += children(int(child))
    return found


def rss_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


# ---- load ----

class Load:
    """tests/bench/load.c on a core. Requests are "METHOD PATH [JSON]", made in turn."""

    def __init__(self, core=LOAD_CORE):
        self.pin = ["taskset", "-c", str(core)] if core is not None else []

    def run(self, base, requests, clients, seconds, headers=(), pause_ms=0):
        url = urllib.parse.urlsplit(base)
        command = self.pin + [BIN / "bench-load", url.port, clients, seconds, pause_ms, "".join(f"{h}\r\n" for h in headers)]
        env = {**os.environ, **({"VIADUCT_BENCH_TLS": "1"} if url.scheme == "https" else {})}
        done = subprocess.run([str(c) for c in command] + list(requests), capture_output=True, text=True,
                              timeout=seconds + 30, check=False, env=env)
        if done.returncode:
            sys.exit(f"bench: no load on {base}: {done.stderr}")
        r = json.loads(done.stdout)
        r["rps"] = r["requests"] * 1e6 / max(r["us"], 1)
        return r


def measure(load, target, clients, seconds):
    """One run: the load's figures, and what each process of the target spent per request."""
    pids = {name: children(pid) for name, pid in target["processes"].items()}
    before = {name: Cost(p) for name, p in pids.items()}
    r = load.run(target["base"], target["requests"], clients, seconds, target.get("headers", ()))
    r["costs"] = {name: Cost(p).since(before[name], r["requests"]) for name, p in pids.items()}
    if r["bad"]:
        say(f"{target['name']}: {r['bad']} of {r['requests']} answers were bad")
    return r


def median_run(runs):
    """The median of each figure, over the runs."""
    mid = {k: statistics.median(r[k] for r in runs) for k in ("rps", "p50", "p99")}
    mid["bad"] = sum(r["bad"] for r in runs)
    mid["costs"] = {name: {k: statistics.median(r["costs"][name][k] for r in runs)
                           for k in ("cpu_us", "switches")}
                    for name in runs[0]["costs"]}
    return mid


def interleaved(load, targets, clients, seconds, rounds):
    """Every target once per round, so that all see the same moods of the machine."""
    runs = {t["name"]: [] for t in targets}
    for _ in range(rounds):
        for t in targets:
            runs[t["name"]].append(measure(load, t, clients, seconds))
    for t in targets:
        runs[t["name"] + "/all"] = runs[t["name"]]
        runs[t["name"]] = median_run(runs[t["name"]])
    return runs


def ratio_of(runs, name, reference, figure="rps"):
    """The median of the ratios within each round."""
    pairs = zip(runs[name + "/all"], runs[reference + "/all"])
    return statistics.median(a[figure] / b[figure] for a, b in pairs)


# ---- report ----

class Report:
    """Rows for people on stdout, lines of JSON in build/bench/NAME.json."""

    def __init__(self, name):
        self.path = ROOT / "build/bench" / f"{name}.json"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.lines, self.goals = [], []

    def figure(self, name, value, unit, reference=None, ratio=None):
        self.lines.append({"name": name, "value": round(value, 3), "unit": unit,
                           "reference": None if reference is None else round(reference, 3),
                           "ratio": None if ratio is None else round(ratio, 3)})

    def goal(self, text, value, bound, at_least, unit=""):
        good = value >= bound if at_least else value <= bound
        sign = ">=" if at_least else "<="
        self.goals.append((text, f"{value:.2f} {unit}".strip(), f"{sign} {bound:g} {unit}".strip(),
                           "met" if good else "NOT MET"))

    def end(self):
        if self.goals:
            print()
            table(("goal", "measured", "wanted", ""), self.goals)
        self.path.write_text("".join(json.dumps(l) + "\n" for l in self.lines))
        say(f"{len(self.lines)} figures in {self.path.relative_to(ROOT)}")


def table(head, rows):
    rows = [[str(c) for c in r] for r in [head, *rows]]
    widths = [max(len(r[i]) for r in rows) for i in range(len(head))]
    for i, r in enumerate(rows):
        cells = [r[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(r[1:], widths[1:])]
        print("  ".join(cells).rstrip())
        if i == 0:
            print("  ".join("-" * w for w in widths))
    sys.stdout.flush()
