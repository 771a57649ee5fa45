# SPDX-License-Identifier: Apache-2.0
"""How many instructions a request takes, by callgrind: the gate against slow growth.

GET /v1/users/{id} with a token and a limit in Redis, one request at a time, through the real
gateway and users service under valgrind, preset dev; `orders`: what that service takes for GET
/v1/orders/{id}, read from PostgreSQL; and `refusal`: what the gateway takes to say 503
to GET /v1/jobs/{id}, as no replica of jobs takes calls. What starting up and the measurement cost
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
SERVICES = ("users", "orders")
PROCESSES = (*SERVICES, "gateway")
MEASURED = (*PROCESSES, "refusal")
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
    """Services and gateway under callgrind, with databases of their own."""

    def __init__(self, processes, settings):
        self.processes = processes
        self.database = f"instructions_{os.getpid()}"
        self.admin_uri = {name: settings[f"VIADUCT_{name.upper()}_PG"] for name in SERVICES}
        nowhere = f"tcp://127.0.0.1:{free_port()}" # jobs is not needed
        self.api = f"127.0.0.1:{free_port()}"
        self.env = {**settings, "VIADUCT_JOBS_UPSTREAM": nowhere, "VIADUCT_GATEWAY_LISTEN": self.api,
                    "VIADUCT_LOOPS": "1", "VIADUCT_LIMIT_IP": "0", "VIADUCT_LIMIT_SIGN_IN": "0",
                    "VIADUCT_MAX_CONNECTIONS_PER_IP": "0",
                    "VIADUCT_LIMIT_USER": "1000000", "VIADUCT_REDIS_TIMEOUT_MS": "5000", "VIADUCT_USERS_CACHE_MS": "600000",
                    "VIADUCT_ACCESS_TOKEN_S": "3600", "GLIBC_TUNABLES": PLAIN_LIBC}
        for name, uri in self.admin_uri.items():
            hop, variable = f"tcp://127.0.0.1:{free_port()}", f"VIADUCT_{name.upper()}"
            self.env |= {f"{variable}_PG": re.sub(r"/[^/]*$", f"/{self.database}_{name}", uri),
                         f"{variable}_LISTEN": hop, f"{variable}_UPSTREAM": hop}
        self.pid = {}

    def __enter__(self):
        for name, uri in self.admin_uri.items():
            psql(uri, f"CREATE DATABASE {self.database}_{name}")
            for command in ("migrate", "seed"):
                subprocess.run([BIN / PROGRAMS[name][0], command], check=True, stdout=subprocess.DEVNULL,
                               env={**os.environ, **self.env})
        for name in PROCESSES:
            self.start(name)
        host, port = self.api.split(":")
        self.connection = http.client.HTTPConnection(host, int(port), timeout=60)
        return self

    def __exit__(self, *_):
        for pid in self.pid.values():
            self.processes.stop(pid)
        for name, uri in self.admin_uri.items():
            psql(uri, f"DROP DATABASE IF EXISTS {self.database}_{name} WITH (FORCE)")

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
        self.user = self.call("GET", "/v1/users/me", None, self.headers)["id"]

    def place_order(self):
        product = self.call("GET", "/v1/products?limit=1", None, self.headers)["items"][0]["id"]
        order = json.dumps({"items": [{"product_id": product, "quantity": 1}]})
        self.order = self.call("POST", "/v1/orders", order,
                               {**self.headers, "Content-Type": "application/json"}, 201)["id"]

    def requests(self, n):
        for _ in range(n):
            self.call("GET", f"/v1/users/{self.user}", None, self.headers)

    def orders(self, n):
        for _ in range(n):
            self.call("GET", f"/v1/orders/{self.order}", None, self.headers)

    def refusals(self, n):
        for _ in range(n):
            self.call("GET", f"/v1/jobs/{self.user}", None, self.headers, 503)

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
        counted.place_order()
        for ask in (counted.requests, counted.orders, counted.refusals):
            ask(WARM)
        most = {name: n * TOLERANCE for name, n in json.loads(BASELINE.read_text()).items()}
        of_user = counted.per_request(counted.requests, {name: most[name] for name in ("users", "gateway")})
        of_order = counted.per_request(counted.orders, {"orders": most["orders"]})
        refused = counted.per_request(counted.refusals, {"gateway": most["refusal"]})
        return {"users": of_user["users"], "orders": of_order["orders"], "gateway": of_user["gateway"],
                "refusal": refused["gateway"]}


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
