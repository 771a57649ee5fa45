# SPDX-License-Identifier: Apache-2.0
"""./dev bench edge: the HTTP front alone. What its filter costs and decodes (filter_bench), a
server of kit/http beside a tuned evhttp, then a real gateway with nothing behind it: 10,000 idle
connections, much at once, full handshakes beside nginx with the same certificate, and TLS beside plain, there
(without a goal: OpenSSL is a quarter of what so little costs) and through the whole product.

Servers are on one core, the load on the other. Requests are OPTIONS /v1/orders: the whole
pipeline up to the call. CPU per request says the same as the rate of a full core, and says it
also on a machine that has other work; goals are judged by it where it is named."""
import os
import re
import resource
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

from pathlib import Path

from measure import (BIN, LOAD_CORE, Cost, Load, Processes, Report, children, free_port, interleaved, listens,
                     ratio_of, rss_mb, say, table, wait_until)
from stack import Stack

QUICK = "--quick" in sys.argv
ROUNDS, SECONDS = (1, 2) if QUICK else (5, 3)
IDLE = 1000 if QUICK else 10000
PAUSE_MS = 20 # of 64 clients: some 3,000 requests a second
# system calls of x86-64 and arm64: epoll_wait, epoll_pwait, futex, clock_nanosleep, poll, ppoll
WAITING = {"232", "281", "22", "202", "98", "230", "115", "7", "271", "73"}
BURST = 1000 # within the backlog
CLIENTS = 4 # that make handshakes
OPTIONS = ["OPTIONS /v1/orders"]
GREETING = b"OPTIONS /v1/orders HTTP/1.1\r\nHost: a\r\n\r\n"

NGINX = """
worker_processes 1;
daemon off;
pid {dir}/nginx.pid;
error_log {dir}/nginx.err crit;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {dir}/body;  proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fastcgi;   uwsgi_temp_path {dir}/uwsgi;  scgi_temp_path {dir}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {dir}/cert.pem;  ssl_certificate_key {dir}/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    location / {{ return 204; }}
  }}
}}
"""


# ---- the filter alone ----

def filter_alone(report):
    command = ["taskset", "-c", "0", BIN / "filter_bench"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    got = {name: float(value) for name, value, _ in (line.split() for line in out.splitlines())}
    table(("filter and decoder, alone", ""), [(n, f"{v:.0f}") for n, v in got.items()])
    for name in ("small", "browser"):
        on, off = got[f"filter.{name}.on"], got[f"filter.{name}.off"]
        report.figure(f"edge.filter.{name}", on, "ns", off, on / off)
        report.goal(f"filter, {name} head, on - off", (on - off) / 1000, 1, False, "us")
    for name in (n for n in got if n.startswith("decoder.")):
        report.figure(f"edge.{name}", got[name], "MB/s", 500, got[name] / 500)
    report.goal("decoder, large head", got["decoder.head.large"], 500, True, "MB/s")
    report.goal("decoder, chunks of 1 KiB", got["decoder.chunks.1024"], 500, True, "MB/s")


def front_alone(report, processes, load):
    """With the filter and without, in servers that do nothing else."""
    targets = []
    for name, program in (("front", "bench-front"), ("hello", "bench-hello")):
        port = free_port()
        pid = processes.start(name, [BIN / program, port])
        wait_until(lambda port=port: listens(port), f"{program} listens")
        targets.append({"name": name, "base": f"http://127.0.0.1:{port}", "requests": ["GET /"],
                        "processes": {name: pid}})
    runs = interleaved(load, targets, 64, SECONDS, ROUNDS)
    above = [f["costs"]["front"]["cpu_us"] - h["costs"]["hello"]["cpu_us"]
             for f, h in zip(runs["front/all"], runs["hello/all"])]
    cpu = {n: runs[n]["costs"][n]["cpu_us"] for n in ("front", "hello")}
    report.figure("edge.front.cpu", cpu["front"], "us", cpu["hello"], cpu["front"] / cpu["hello"])
    report.figure("edge.front.rps", runs["front"]["rps"], "1/s", runs["hello"]["rps"], ratio_of(runs, "front", "hello"))
    report.goal("kit/http above tuned evhttp, CPU", statistics.median(above), 1, False, "us")
    for t in targets:
        processes.stop(t["processes"][t["name"]])


# ---- a gateway ----

def make_certificate(path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "9", "-subj", "/CN=localhost", "-keyout", path / "key.pem", "-out", path / "cert.pem"],
                   check=True, capture_output=True)


def start_gateway(processes):
    port = {name: free_port() for name in ("plain", "tls", "admin")}
    nowhere = f"127.0.0.1:{free_port()}"
    path = processes.path
    env = {"VIADUCT_GATEWAY_LISTEN": f"127.0.0.1:{port['plain']}",
           "VIADUCT_GATEWAY_TLS_LISTEN": f"127.0.0.1:{port['tls']}",
           "VIADUCT_TLS_CERTIFICATES": f"{path}/cert.pem:{path}/key.pem",
           "VIADUCT_ADMIN_LISTEN": f"127.0.0.1:{port['admin']}", "VIADUCT_LOOPS": "1",
           "VIADUCT_LIMIT_IP": "0", "VIADUCT_MAX_CONNECTIONS": "20000", "VIADUCT_MAX_CONNECTIONS_PER_IP": "0",
           "VIADUCT_IDLE_MS": "3600000", "VIADUCT_REDIS": f"redis://{nowhere}",
           "VIADUCT_USERS_UPSTREAM": f"tcp://{nowhere}", "VIADUCT_ORDERS_UPSTREAM": f"tcp://{nowhere}",
           "VIADUCT_JOBS_UPSTREAM": f"tcp://{nowhere}"}
    pid = processes.start("gateway", [BIN / "viaduct-gateway"], env=env)
    for name in ("plain", "tls"):
        wait_until(lambda name=name: listens(port[name]), "the gateway listens")
    time.sleep(3) # it gives back what starting took
    return pid, port


class Idle:
    """Clients that have made one request and stay."""

    def __init__(self, port, n, context=None):
        self.clients = []
        for _ in range(n):
            c = socket.create_connection(("127.0.0.1", port))
            if context:
                c = context.wrap_socket(c)
            c.sendall(GREETING)
            c.recv(4096)
            self.clients.append(c)

    def close(self):
        for c in self.clients:
            c.close()


def memory(report, name, pid, port, n, context=None):
    before = rss_mb(pid)
    idle = Idle(port, n, context)
    time.sleep(1)
    each = (rss_mb(pid) - before) * 1024 / n
    report.figure(f"edge.idle.{name}.rss", each, "KiB", 10, each / 10)
    say(f"{n} idle {name} connections: {each:.2f} KiB each, from {before:.1f} MiB")
    return idle, each


class First:
    """Gateway and load run before whatever else the machine has to do (SCHED_RR): each time that takes a
    core it keeps it for 3 ms, a slice of the scheduler's, and ten of those in a second are its p99."""

    def __init__(self, load, pid):
        self.load, self.pid, self.pin = load, pid, load.pin

    def schedule(self, policy, priority):
        command = ["chrt", "--all-tasks", policy, "--pid", priority, str(self.pid)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def __enter__(self):
        if self.schedule("--rr", "1"):
            self.load.pin = ["chrt", "--rr", "1", *self.pin]
        else:
            say("no right to SCHED_RR: what else runs is measured too")

    def __exit__(self, *_):
        self.schedule("--other", "0")
        self.load.pin = self.pin


class Others:
    """Whose p99 is compared: those who pause, so that it is not that of a queue for the core,
    and those who do not."""

    def __init__(self, load, pid, port):
        self.load, self.base = load, f"http://127.0.0.1:{port}"
        self.first = First(load, pid)
        self.p99 = {}

    def measure(self, name, how, clients, pause_ms):
        for _ in range(SECONDS):
            r = self.load.run(self.base, OPTIONS, clients, 1, pause_ms=pause_ms)
            self.p99.setdefault(name, {}).setdefault(how, []).append(r["p99"])

    def run(self, how):
        self.measure("paced, as others run", how, 64, PAUSE_MS)
        self.measure("full, as others run", how, 16, 0)
        with self.first:
            self.measure("paced", how, 64, PAUSE_MS)

    def ratio(self, report, name):
        """Of medians: a window in which the machine was elsewhere decides nothing."""
        runs = self.p99[name]
        mid = {how: statistics.median(p) for how, p in runs.items()}
        for how, p in runs.items():
            say(f"p99 of {name}, {how} idle connections, us: {', '.join(f'{x:.0f}' for x in sorted(p))}")
        report.figure(f"edge.idle.p99.{name.replace(', ', '.').replace(' ', '_')}", mid["with"], "us", mid["without"], mid["with"] / mid["without"])
        return mid["with"] / mid["without"]


def idle_connections(report, load, pid, port):
    others, each = Others(load, pid, port["plain"]), []
    load.run(others.base, OPTIONS, 16, 1)
    for _ in range(ROUNDS):
        others.run("without")
        idle, kib = memory(report, "plain", pid, port["plain"], IDLE)
        others.run("with")
        idle.close()
        each.append(kib)
        time.sleep(1)
    others.run("without")
    report.goal(f"RSS of each of {IDLE} idle connections", each[0], 10, False, "KiB")
    report.goal("p99 of others with them / without", others.ratio(report, "paced"), 1.1, False)
    for name in ("paced, as others run", "full, as others run"):
        say(f"the same, {name}: {others.ratio(report, name):.2f}")
    context = ssl._create_unverified_context()
    memory(report, "tls", pid, port["tls"], IDLE // 4, context)[0].close()


def metric(admin, name):
    with urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics") as r:
        lines = r.read().decode().splitlines()
    return sum(float(l.split()[-1]) for l in lines if l.startswith(name))


def served(admin):
    """Requests so far."""
    return metric(admin, "viaduct_http_request_duration_seconds_count")


# ---- much at once ----

def say_hello(context, client):
    """Half of a handshake; its other half is the server's affair."""
    client = context.wrap_socket(client, do_handshake_on_connect=False)
    client.setblocking(False)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return client


class Stopped:
    """The process stands still, its threads being between two turns, so what is done meanwhile comes at once."""

    def __init__(self, pid):
        self.pid = pid

    def stands(self):
        os.kill(self.pid, signal.SIGSTOP)
        time.sleep(0.01)
        calls = {(t / "syscall").read_text().split()[0] for t in Path(f"/proc/{self.pid}/task").iterdir()}
        if calls <= WAITING:
            return True
        os.kill(self.pid, signal.SIGCONT)
        time.sleep(0.05)
        return False

    def __enter__(self):
        wait_until(self.stands, "all threads wait for events")

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGCONT)
        time.sleep(1)


def bursts(report, pid, port):
    """How long turns get, by what the gateway computes itself."""
    longest = 'viaduct_loop_longest_own_turn_seconds{loop="0"}'
    context = ssl._create_unverified_context()
    rows = []

    def done(what):
        rows.append((what, metric(port["admin"], longest) * 1000))

    with Stopped(pid):
        clients = [socket.create_connection(("127.0.0.1", port["plain"])) for _ in range(BURST)]
    done(f"{BURST} connect")
    with Stopped(pid):
        for c in clients:
            c.sendall(GREETING)
    done("and ask")
    with Stopped(pid):
        for c in clients:
            c.close()
    done("and go")
    with Stopped(pid):
        clients = [say_hello(context, socket.create_connection(("127.0.0.1", port["tls"]))) for _ in range(BURST)]
    done(f"{BURST} say hello over TLS")
    with Stopped(pid):
        for c in clients:
            c.close()
    done("and go")
    idle = Idle(port["plain"], IDLE)
    done(f"{IDLE} connect and ask")
    idle.close()
    time.sleep(1)
    done("and go")
    table(("at once", "longest turn so far, ms"), [(what, f"{ms:.1f}") for what, ms in rows])
    report.goal("longest turn, much at once", max(ms for _, ms in rows), 5, False, "ms")


# ---- TLS ----


def steady(load, target, scheme):
    """Rate and CPU once all connections are there: handshakes are another figure."""
    pid, admin = target["pid"], target["admin"]
    run = threading.Thread(target=load.run, kwargs={
        "base": f"{scheme}://127.0.0.1:{target[scheme]}", "requests": target["requests"], "clients": 64,
        "seconds": SECONDS + 2, "headers": target.get("headers", ())})
    run.start()
    time.sleep(1)
    n, cost, start = served(admin), Cost([pid]), time.monotonic()
    time.sleep(SECONDS)
    n, seconds = served(admin) - n, time.monotonic() - start
    cpu = Cost([pid]).since(cost, n)["cpu_us"]
    run.join()
    return {"rps": n / seconds, "cpu_us": cpu}


def tls_beside_plain(report, load, target):
    runs = {"http": [], "https": []}
    for _ in range(ROUNDS):
        for scheme in runs:
            runs[scheme].append(steady(load, target, scheme))
    mid = {n: {k: statistics.median(r[k] for r in runs[n]) for k in ("rps", "cpu_us")} for n in runs}
    rps = statistics.median(t["rps"] / p["rps"] for p, t in zip(runs["http"], runs["https"]))
    by_cpu = statistics.median(p["cpu_us"] / t["cpu_us"] for p, t in zip(runs["http"], runs["https"]))
    name = target["name"]
    table((f"{name}, c=64", "rps", "CPU us"), [(n, f"{m['rps']:.0f}", f"{m['cpu_us']:.1f}") for n, m in mid.items()])
    report.figure(f"edge.tls.{name}.rps", mid["https"]["rps"], "1/s", mid["http"]["rps"], rps)
    report.figure(f"edge.tls.{name}.cpu", mid["https"]["cpu_us"], "us", mid["http"]["cpu_us"], by_cpu)
    return rps, by_cpu


def tls_of_requests(report, load, processes):
    """A whole request: token, limit in Redis, hop."""
    port = free_port()
    settings = {"VIADUCT_LOOPS": "1", "VIADUCT_LIMIT_IP": "0", "VIADUCT_MAX_CONNECTIONS_PER_IP": "0",
                "VIADUCT_LIMIT_USER": "1000000000", "VIADUCT_ACCESS_TOKEN_S": "3600",
                "VIADUCT_USERS_CACHE_MS": "600000", "VIADUCT_GATEWAY_TLS_LISTEN": f"127.0.0.1:{port}",
                "VIADUCT_TLS_CERTIFICATES": f"{processes.path}/cert.pem:{processes.path}/key.pem"}
    with Stack(processes, settings) as stack:
        for name in ("users", "orders", "jobs", "gateway"):
            stack.start(name)
        user, token, _ = stack.user_with_order()
        rps, by_cpu = tls_beside_plain(report, load, {
            "name": "request", "pid": stack.pid["gateway"], "admin": stack.admin["gateway"],
            "http": stack.api.rsplit(":", 1)[1], "https": port, "requests": [f"GET /v1/users/{user}"],
            "headers": [f"Authorization: Bearer {token}"]})
    report.goal("TLS keep-alive throughput / plain", rps, 0.75, True)
    report.goal("the same by the gateway's CPU", by_cpu, 0.75, True)


# ---- handshakes ----

def handshakes(pid, port):
    command = ["taskset", "-c", str(LOAD_CORE), "openssl", "s_time", "-connect", f"127.0.0.1:{port}", "-new",
               "-time", str(SECONDS)]
    before, start = Cost(children(pid)), time.monotonic()
    clients = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
               for _ in range(CLIENTS)]
    out = [c.communicate()[0] for c in clients]
    seconds = time.monotonic() - start
    n = sum(int(re.search(r"(\d+) connections in \d+ real seconds", o).group(1)) for o in out)
    return {"rate": n / seconds, "cpu_us": Cost(children(pid)).since(before, n)["cpu_us"]}


def handshakes_beside_nginx(report, processes, pid, port):
    theirs = free_port()
    conf = processes.path / "nginx.conf"
    conf.write_text(NGINX.format(dir=processes.path, port=theirs))
    nginx = processes.start("nginx", ["nginx", "-e", processes.path / "nginx.err", "-c", conf])
    wait_until(lambda: listens(theirs), "nginx listens")
    runs = {"gateway": [], "nginx": []}
    for _ in range(ROUNDS):
        runs["gateway"].append(handshakes(pid, port["tls"]))
        runs["nginx"].append(handshakes(nginx, theirs))
    mid = {n: {k: statistics.median(r[k] for r in runs[n]) for k in ("rate", "cpu_us")} for n in runs}
    ratio = {k: statistics.median(a[k] / b[k] for a, b in zip(runs["gateway"], runs["nginx"]))
             for k in ("rate", "cpu_us")}
    table((f"full handshakes, {CLIENTS} clients", "1/s", "CPU us"),
          [(n, f"{mid[n]['rate']:.0f}", f"{mid[n]['cpu_us']:.0f}") for n in runs])
    report.figure("edge.handshakes.rate", mid["gateway"]["rate"], "1/s", mid["nginx"]["rate"], ratio["rate"])
    report.figure("edge.handshakes.cpu", mid["gateway"]["cpu_us"], "us", mid["nginx"]["cpu_us"], 1 / ratio["cpu_us"])
    report.goal("full handshakes / nginx", ratio["rate"], 0.9, True)
    report.goal("the same by CPU", 1 / ratio["cpu_us"], 0.9, True)


def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    report = Report("edge")
    filter_alone(report)
    with Processes() as processes:
        load = Load()
        front_alone(report, processes, load)
        make_certificate(processes.path)
        pid, port = start_gateway(processes)
        idle_connections(report, load, pid, port)
        processes.stop(pid)
        pid, port = start_gateway(processes) # whose longest turn is that of what follows
        with First(load, pid):
            bursts(report, pid, port)
        tls_beside_plain(report, load, {"name": "front", "pid": pid, "admin": port["admin"], "http": port["plain"],
                                        "https": port["tls"], "requests": OPTIONS})
        handshakes_beside_nginx(report, processes, pid, port)
        processes.stop(pid)
        tls_of_requests(report, load, processes)
        report.end()


main()
