# SPDX-License-Identifier: Apache-2.0
"""./dev bench faults: what clients notice of bad replicas, in ratios to the same run's normal.

Three replicas of the orders service behind proxies that delay or swallow; 64 clients read an
order, with a pause before each: without one the p99 is that of a queue for the core, which says
nothing about replicas. Each fault is measured after it is known (the first seconds of it are
shown apart). Then nobody answers, and then the limit is full: how quickly the 503 comes, and
what it costs the gateway with token check, per-user limit, logs and metrics on, of clients
without a pause."""
import socket
import sys
import threading
import time
import urllib.request

from measure import (BIN, LOAD_CORE, ROOT, SERVER_CORE, Cost, Load, Processes, Report, free_port, listens, say,
                     table, wait_until)
from stack import Stack, is_ready

QUICK = "--quick" in sys.argv
ROUNDS, SECONDS, LEARN = (3, 4, 2) if QUICK else (7, 6, 3)
PAUSE_MS = 100 # of 64 clients: some 600 requests a second, of which the core takes a tenth
REPLICAS, CLIENTS, DEADLINE_MS = 3, 64, 1500
FEW = 8 # for how long an answer takes: 64 without a pause wait for each other
SETTINGS = {
    "VIADUCT_LOOPS": "1",
    "VIADUCT_LIMIT_IP": "0",
    "VIADUCT_MAX_CONNECTIONS_PER_IP": "0",
    "VIADUCT_LIMIT_USER": "1000000000",
    "VIADUCT_ACCESS_TOKEN_S": "3600",
    "VIADUCT_WORK_MS": str(DEADLINE_MS),
}


class Replicas:
    """Of the orders service; the gateway knows them by their proxies."""

    def __init__(self, processes, stack):
        ports = [free_port() for _ in range(REPLICAS)]
        proxies = [free_port() for _ in range(REPLICAS)]
        control, self.admin = free_port(), [free_port() for _ in range(REPLICAS)]
        for i, port in enumerate(ports):
            env = {**stack.env, "VIADUCT_ORDERS_LISTEN": f"tcp://127.0.0.1:{port}",
                   "VIADUCT_ADMIN_LISTEN": f"127.0.0.1:{self.admin[i]}"}
            processes.start(f"orders{i}", [BIN / "viaduct-orders"], SERVER_CORE, env)
            wait_until(lambda i=i: is_ready(self.admin[i]), f"replica {i} is ready")
        processes.start("proxy", ["python3", ROOT / "tests/bench/faults_proxy.py", control,
                                  *(f"{p}:{to}" for p, to in zip(proxies, ports))], LOAD_CORE)
        wait_until(lambda: listens(control), "the proxies listen")
        self.control = socket.create_connection(("127.0.0.1", control))
        stack.env["VIADUCT_ORDERS_UPSTREAM"] = ",".join(f"tcp://127.0.0.1:{p}" for p in proxies)

    def order(self, index, what, value):
        self.control.sendall(f"{index} {what} {value}\n".encode())
        self.control.recv(16)

    def order_all(self, what, value):
        for i in range(REPLICAS):
            self.order(i, what, value)


def metrics_of(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as r:
        lines = r.read().decode().splitlines()
    return {k: float(v) for k, v in (l.rsplit(" ", 1) for l in lines if l and l[0] != "#")}


class Bench:
    def __init__(self, processes, stack, replicas):
        self.load, self.stack, self.replicas = Load(), stack, replicas
        _, token, order = stack.user_with_order()
        self.path, self.headers = f"GET /v1/orders/{order}", [f"Authorization: Bearer {token}"]
        self.rows = []

    def run(self, seconds, clients=CLIENTS, pause_ms=0):
        gateway = [self.stack.pid["gateway"]]
        before = Cost(gateway)
        r = self.load.run(self.stack.api, [self.path], clients, seconds, self.headers, pause_ms)
        return {**r, **Cost(gateway).since(before, r["requests"])}

    def calm(self, seconds):
        return self.run(seconds, pause_ms=PAUSE_MS)

    def hello(self, pid, port):
        before = Cost([pid])
        r = self.load.run(f"http://127.0.0.1:{port}", ["GET /"], CLIENTS, SECONDS)
        return {**r, **Cost([pid]).since(before, r["requests"])}

    def served(self):
        return [sum(v for k, v in metrics_of(port).items() if k.startswith('viaduct_hop_served_total{method="orders.get"'))
                for port in self.replicas.admin]

    def share_of_bad(self, before):
        calls = [b - a for a, b in zip(before, self.served())]
        return calls[-1] / max(sum(calls), 1)

    def all_well(self):
        def up():
            m = self.stack.metrics("gateway")
            return (m.get('viaduct_hop_replicas{state="up",upstream="orders"}') == REPLICAS and
                    all(v == 0 for k, v in m.items() if k.startswith('viaduct_breaker_state{target="orders@')))
        wait_until(up, "all replicas are well", 60)

    def row(self, title, r, normal):
        self.rows.append((title, f"{r['rps']:.0f}", f"{r['p50'] / 1000:.2f}", f"{r['p99'] / 1000:.2f}",
                          f"{r['p99'] / normal['p99']:.2f}", f"{100 * r['bad'] / max(r['requests'], 1):.2f} %",
                          f"{r['cpu_us']:.1f}"))

    def one_bad(self, title, what, value, none):
        """Normal and bad in turns; of each the window with the median p99."""
        windows = {"normal": [], "first": [], "then": []}
        for _ in range(ROUNDS):
            self.all_well()
            self.run(1)
            windows["normal"].append(self.calm(SECONDS))
            self.replicas.order(REPLICAS - 1, what, value)
            windows["first"].append(self.calm(LEARN))
            before = self.served()
            windows["then"].append({**self.calm(SECONDS), "share": self.share_of_bad(before)})
            self.replicas.order(REPLICAS - 1, what, none)
            while self.wake(): # traffic is what closes breakers
                pass
        for name, found in windows.items():
            found.sort(key=lambda r: r["p99"])
            say(f"{title}, {name}: p99 in ms of each window: " + ", ".join(f"{r['p99'] / 1000:.1f}" for r in found))
        normal, first, then = (found[len(found) // 2] for found in windows.values())
        then["share"] = max(r["share"] for r in windows["then"])
        say(f"{title}: at most {100 * then['share']:.3f} % of a window's calls went there")
        self.row("normal", normal, normal)
        self.row(f"{title}, the first {LEARN} s", first, normal)
        self.row(f"{title}, then", then, normal)
        return then["p99"] / normal["p99"], then, normal

    def wake(self):
        self.run(1)
        try:
            self.all_well_now()
            return False
        except LookupError:
            return True

    def all_well_now(self):
        m = self.stack.metrics("gateway")
        if (m.get('viaduct_hop_replicas{state="up",upstream="orders"}') != REPLICAS or
                any(v for k, v in m.items() if k.startswith('viaduct_breaker_state{target="orders@'))):
            raise LookupError

    def nobody(self):
        """How long from the loss to the breakers, and what an answer takes then."""
        self.replicas.order_all("lose", 1)
        load = threading.Thread(target=self.run, args=(20,))
        began = time.monotonic()
        load.start()
        while not self.all_open() and time.monotonic() - began < 20:
            time.sleep(0.02)
        opened = time.monotonic() - began
        load.join()
        r, few = self.run(SECONDS), self.run(SECONDS, FEW)
        self.replicas.order_all("lose", 0)
        return opened, r, few

    def full(self):
        """One call at a time may be under way, and takes 200 ms."""
        self.stack.stop("gateway")
        self.replicas.order_all("delay", 200)
        self.stack.start("gateway", VIADUCT_HOP_IN_FLIGHT="1", VIADUCT_HOP_IN_FLIGHT_MIN="1")
        self.run(1)
        r, few = self.run(SECONDS), self.run(SECONDS, FEW)
        self.replicas.order_all("delay", 0)
        return r, few

    def all_open(self):
        m = self.stack.metrics("gateway")
        return sum(v > 0 for k, v in m.items() if k.startswith('viaduct_breaker_state{target="orders@')) == REPLICAS


def main():
    report = Report("faults")
    with Processes() as processes, Stack(processes, SETTINGS) as stack:
        for name in ("users", "jobs"):
            stack.start(name)
        replicas = Replicas(processes, stack)
        stack.start("gateway")
        bench = Bench(processes, stack, replicas)
        hello_port = free_port()
        hello_pid = processes.start("hello", [BIN / "bench-hello", hello_port])
        for tag, title, what, value, none in (("slow", "one of three 200 ms slower", "delay", 200, 0),
                                              ("silent", "one of three never answers", "lose", 1, 0)):
            say(title)
            ratio, after, normal = bench.one_bad(title, what, value, none)
            report.figure(f"faults.one_{tag}.p99", after["p99"], "us", normal["p99"], ratio)
            report.figure(f"faults.one_{tag}.bad", after["bad"] / max(after["requests"], 1), "1")
            report.figure(f"faults.one_{tag}.share", after["share"], "1")
            report.goal(f"{title}: p99 / normal", ratio, 1.3, False)
        say("nobody answers")
        opened, r, r_few = bench.nobody()
        bench.row("nobody answers", r, r)
        report.figure("faults.none.opened_within", opened, "s")
        report.goal("100 % loss: until the breakers are open", opened, 2 * DEADLINE_MS / 1000, False, "s")
        say("the limit is full")
        full, full_few = bench.full()
        bench.row("the limit is full", full, full)
        hello = bench.hello(hello_pid, hello_port)
        bench.row("tuned evhttp hello, for the CPU", hello, hello)
        for tag, title, seen, few in (("broken_circuit", "answer of a broken circuit", r, r_few),
                                      ("shed", "answer that sheds", full, full_few)):
            bench.row(f"{title}, {FEW} clients", few, few)
            report.figure(f"faults.{tag}.cpu", seen["cpu_us"], "us", hello["cpu_us"], seen["cpu_us"] / hello["cpu_us"])
            report.figure(f"faults.{tag}.p50", few["p50"], "us", 5000, few["p50"] / 5000)
            report.goal(f"{title}: gateway CPU", seen["cpu_us"], 15, False, "us")
            report.goal(f"{title}: median, {FEW} clients", few["p50"] / 1000, 5, False, "ms")
        print()
        table(("", "answers/s", "p50 ms", "p99 ms", "p99/normal", "not 200", "gateway CPU us"), bench.rows)
        report.end()


main()
