# SPDX-License-Identifier: Apache-2.0
"""./dev bench hop: the hop alone, over kit/rpc and over a plain unix socket, in the same run.

In front of both a tuned evhttp, behind both a service that gives back what it gets; front and
service on one core, the load on the other. hello is the front without a hop."""
import sys

from measure import (BIN, Load, Processes, Report, free_port, interleaved, listens, ratio_of, table,
                     wait_until)

QUICK = "--quick" in sys.argv
ROUNDS, SECONDS, SHORT = (1, 2, 1) if QUICK else (5, 3, 2)

TITLES = {
    "hello": "tuned evhttp hello, no hop",
    "plain": "the same over a plain unix socket",
    "rpc-ipc": "kit/rpc, ipc://",
    "rpc-tcp": "kit/rpc, tcp://",
    "rpc-nng": "kit/rpc, a REP socket of NNG in the service",
}


def start_pair(processes, name, kind, address, at=None):
    port = free_port()
    service = processes.start(f"{name}-service", [BIN / "bench-hop", "service", kind, at or address])
    if kind == "plain":
        wait_until(lambda: (processes.path / "plain.sock").exists(), "the service listens")
    front = processes.start(f"{name}-front", [BIN / "bench-hop", "front", kind, address, port])
    wait_until(lambda: listens(port), f"{name} is up")
    return {"name": name, "base": f"http://127.0.0.1:{port}", "requests": ["GET /"],
            "processes": {"front": front, "service": service}}


def start_all(processes):
    hello, nng = free_port(), f"127.0.0.1:{free_port()}"
    pid = processes.start("hello", [BIN / "bench-hello", hello])
    wait_until(lambda: listens(hello), "hello is up")
    return [
        {"name": "hello", "base": f"http://127.0.0.1:{hello}", "requests": ["GET /"],
         "processes": {"front": pid}},
        start_pair(processes, "plain", "plain", processes.path / "plain.sock"),
        start_pair(processes, "rpc-ipc", "rpc", f"ipc://{processes.path}/rpc.sock"),
        start_pair(processes, "rpc-tcp", "rpc", f"tcp://127.0.0.1:{free_port()}"),
        start_pair(processes, "rpc-nng", "rpc", f"tcp://{nng}", f"tcp4://{nng}"),
    ]


def show(runs, targets, clients):
    print(f"\nc={clients}, median of {ROUNDS} interleaved runs")
    rows = []
    for t in targets:
        r = runs[t["name"]]
        costs = "; ".join(f"{n} {c['cpu_us']:.1f} ({c['switches']:.2f})" for n, c in r["costs"].items())
        rows.append((TITLES[t["name"]], f"{r['rps']:.0f}", f"{ratio_of(runs, t['name'], 'plain'):.2f}",
                     f"{r['p50']:.0f}", f"{r['p99']:.0f}", r["bad"], costs))
    table(("", "rps", "/plain", "p50 us", "p99 us", "bad", "CPU us (context switches) per request"), rows)


def record(report, runs, targets, clients):
    for t in targets:
        name, r = t["name"], runs[t["name"]]
        tag = f"hop.{name}.c{clients}"
        report.figure(f"{tag}.rps", r["rps"], "1/s", runs["plain"]["rps"], ratio_of(runs, name, "plain"))
        for p in ("p50", "p99"):
            report.figure(f"{tag}.{p}", r[p], "us", runs["plain"][p], r[p] / max(runs["plain"][p], 1))
        for process, c in r["costs"].items():
            report.figure(f"{tag}.{process}.cpu", c["cpu_us"], "us")
            report.figure(f"{tag}.{process}.switches", c["switches"], "1")


def main():
    report = Report("hop")
    with Processes() as processes:
        targets, load = start_all(processes), Load()
        interleaved(load, targets, 64, 1, 1) # warm
        for clients, seconds in ((64, SECONDS), (1, SHORT), (256, SHORT)):
            runs = interleaved(load, targets, clients, seconds, ROUNDS)
            show(runs, targets, clients)
            record(report, runs, targets, clients)
            if clients == 64:
                best = max(ratio_of(runs, n, "plain") for n in ("rpc-ipc", "rpc-tcp"))
                report.goal("kit/rpc / plain socket, c=64", best, 0.87, True)
        report.end()


main()
