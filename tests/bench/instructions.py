# SPDX-License-Identifier: Apache-2.0
"""How many instructions a request takes, by callgrind: the gate against slow growth.

GET /v1/users/{id} with a token and a limit in Redis, one request at a time, through the real
gateway and users service under valgrind, preset dev; and `refusal`: what the gateway takes to say 503
to GET /v1/orders/{id}, as no replica of orders takes calls. What starting up and the measurement cost
is taken out: N requests are counted, then 2N, and the difference is divided by N. What timers did
meanwhile, more on a busy machine, only adds: so the least of three counts is taken of each. libc is told to use its plainest string functions, so that every x86-64
processor runs the same instructions.

CTest runs this as `instructions`: it fails when a program takes over 5 % more than
tests/bench/instructions.json says. After a change that is worth it (or a gain, to keep it):

    ./dev bench instructions --record
"""
import http.client
import json
import os
import pathlib
import re
import subprocess
import sys
import time

from measure import ROOT, Processes, Report, free_port, say, table, wait_until
from stack import PROGRAMS, is_ready, servers

BASELINE = pathlib.Path(__file__).with_name("instructions.json")
BIN = pathlib.Path(os.environ.get("VIADUCT_BIN", ROOT / "build/dev/bin"))
TOLERANCE = 1.05
WARM, N, COUNTS, ROUNDS = 100, 100, 3, 6
PROCESSES = ("users", "gateway")
MEASURED = ("users", "gateway", "refusal")
PLAIN_LIBC = "glibc.cpu.hwcaps=" + ",".join(
    f"-{f}" for f in ("AVX2", "AVX", "BMI1", "BMI2", "ERMS", "FSRM", "SSE4_2", "SSE4_1", "SSSE3", "MOVBE"))


def server_settings():
    """Those of ./dev test, or of servers that end with this."""
    if "VIADUCT_USERS_PG" in os.environ:
        return {k: v for k, v in os.environ.items() if k.startswith("VIADUCT_")}, False
    servers("wipe")
    servers("start")
    lines = (ROOT / ".dev/state/bench/env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines), True


def psql(uri, statement):
    subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", uri, "-c", statement], check=True,
                   stdout=subprocess.DEVNULL)


class Counted:
    """Users and gateway under callgrind, with a database of their own."""

    def __init__(self, processes, settings):
        self.processes = processes
        self.database = f"instructions_{os.getpid()}"
        self.admin_uri = settings["VIADUCT_USERS_PG"]
        hop, api = f"tcp://127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        nowhere = f"tcp://127.0.0.1:{free_port()}" # the other services are not needed
        self.api = api
        self.env = {**settings, "VIADUCT_USERS_PG": re.sub(r"/[^/]*$", f"/{self.database}", self.admin_uri),
                    "VIADUCT_USERS_LISTEN": hop, "VIADUCT_USERS_UPSTREAM": hop,
                    "VIADUCT_ORDERS_UPSTREAM": nowhere, "VIADUCT_JOBS_UPSTREAM": nowhere,
                    "VIADUCT_GATEWAY_LISTEN": api, "VIADUCT_LOOPS": "1", "VIADUCT_LIMIT_IP": "0", "VIADUCT_LIMIT_SIGN_IN": "0",
                    "VIADUCT_MAX_CONNECTIONS_PER_IP": "0",
                    "VIADUCT_LIMIT_USER": "1000000", "VIADUCT_REDIS_TIMEOUT_MS": "5000", "VIADUCT_USERS_CACHE_MS": "600000",
                    "VIADUCT_ACCESS_TOKEN_S": "3600", "GLIBC_TUNABLES": PLAIN_LIBC}
        self.pid = {}

    def __enter__(self):
        psql(self.admin_uri, f"CREATE DATABASE {self.database}")
        for command in ("migrate", "seed"):
            subprocess.run([BIN / "viaduct-users", command], check=True, stdout=subprocess.DEVNULL,
                           env={**os.environ, **self.env})
        for name in PROCESSES:
            self.start(name)
        host, port = self.api.split(":")
        self.connection = http.client.HTTPConnection(host, int(port), timeout=60)
        return self

    def __exit__(self, *_):
        for pid in self.pid.values():
            self.processes.stop(pid)
        psql(self.admin_uri, f"DROP DATABASE IF EXISTS {self.database} WITH (FORCE)")

    def start(self, name):
        admin = free_port()
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={self.processes.path}/{name}.count",
                   BIN / PROGRAMS[name][0]]
        self.pid[name] = self.processes.start(name, command, None,
                                              {**self.env, "VIADUCT_ADMIN_LISTEN": f"127.0.0.1:{admin}"})
        wait_until(lambda: is_ready(admin), f"{name} is ready", 60)

    def call(self, method, path, body=None, headers=None, status=200):
        self.connection.request(method, path, body, headers or {})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != status:
            sys.exit(f"instructions: {method} {path}: {answer.status} {text[:300]}")
        return json.loads(text)

    def login(self):
        login = json.dumps({"email": "alice@example.com", "password": "alice-password"})
        self.connection.request("POST", "/v1/auth/login", login, {"Content-Type": "application/json"})
        return json.loads(self.connection.getresponse().read())

    def sign_in(self):
        """Again when it was late: a password takes seconds under valgrind, and may take five."""
        for _ in range(12):
            answer = self.login()
            if answer.get("status") != 504:
                break
        if "access_token" not in answer:
            sys.exit(f"instructions: no sign-in: {answer}")
        self.headers = {"Authorization": "Bearer " + answer["access_token"]}
        self.path = "/v1/users/" + self.call("GET", "/v1/users/me", None, self.headers)["id"]

    def requests(self, n):
        for _ in range(n):
            self.call("GET", self.path, None, self.headers)

    def refusals(self, n):
        for _ in range(n):
            self.call("GET", self.path.replace("users", "orders"), None, self.headers, 503)

    def count(self, ask, n):
        """Instructions of each program while n requests were made."""
        for name in PROCESSES:
            self.tell(name, "zero")
        ask(n)
        return {name: self.dumped(name) for name in PROCESSES}

    def per_request(self, ask, most):
        """Counted on while a program is above its most: both of the least come nearer to what is true."""
        once, twice = [], []
        for _ in range(ROUNDS):
            once += [self.count(ask, N) for _ in range(COUNTS)]
            twice += [self.count(ask, 2 * N) for _ in range(COUNTS)]
            found = {name: round((min(c[name] for c in twice) - min(c[name] for c in once)) / N) for name in PROCESSES}
            if all(found[name] <= most[name] for name in most):
                break
        return found

    def tell(self, name, what):
        subprocess.run(["vgdb", f"--pid={self.pid[name]}", "--wait=20", what], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def dumped(self, name):
        before = set(self.processes.path.glob(f"{name}.count.*"))
        self.tell(name, "dump")
        new = (set(self.processes.path.glob(f"{name}.count.*")) - before).pop()
        end = time.monotonic() + 10
        while time.monotonic() < end:
            total = re.search(r"^(?:summary|totals): (\d+)", new.read_text(errors="replace"), re.M)
            if total:
                return int(total[1])
            time.sleep(0.01)
        sys.exit(f"instructions: {new} has no total")


def measure_all(settings):
    with Processes() as processes, Counted(processes, settings) as counted:
        counted.sign_in()
        counted.requests(WARM)
        counted.refusals(WARM)
        most = {name: n * TOLERANCE for name, n in json.loads(BASELINE.read_text()).items()}
        refusal = most.pop("refusal")
        return {**counted.per_request(counted.requests, most),
                "refusal": counted.per_request(counted.refusals, {"gateway": refusal})["gateway"]}


def judge(found):
    baseline = json.loads(BASELINE.read_text())
    report, bad = Report("instructions"), []
    rows = []
    for name in MEASURED:
        ratio = found[name] / baseline[name]
        report.figure(f"instructions.{name}", found[name], "instructions", baseline[name], ratio)
        verdict = "ok" if ratio <= TOLERANCE else "TOO MANY"
        if ratio < 2 - TOLERANCE:
            verdict = "fewer: keep it with ./dev bench instructions --record"
        rows.append((name, found[name], baseline[name], f"{ratio:.3f}", verdict))
        if ratio > TOLERANCE:
            bad.append(name)
    table(("", "instructions a request", "recorded", "ratio", ""), rows)
    report.end()
    return 1 if bad else 0


def main():
    settings, ours = server_settings()
    try:
        found = measure_all(settings)
    finally:
        if ours:
            servers("wipe")
    if "--record" in sys.argv:
        BASELINE.write_text(json.dumps(found, indent=2) + "\n")
        say(f"recorded in {BASELINE.relative_to(ROOT)}: {found}")
        return 0
    return judge(found)


sys.exit(main())
