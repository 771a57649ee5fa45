# SPDX-License-Identifier: Apache-2.0
"""./dev bench request: one request through the real programs, beside a tuned evhttp hello
and nginx that proxies to it, all measured in the same run.

Gateway and services, hello and nginx are on one core; the load, Redis and PostgreSQL on the
other; the hop is a unix socket, Kafka is halted, cores do not sleep. Logs and metrics are on,
the token is checked, the user's limit is counted in Redis. Runs are short and many, as the moods
of a machine change within seconds. c=1 is measured once more with cores that sleep."""
import sys

from measure import (BIN, Awake, Processes, Report, free_port, interleaved, listens, ratio_of, say,
                     table, wait_until)
from stack import LoadAlone, Stack

QUICK = "--quick" in sys.argv
ROUNDS, SECONDS = (3, 1) if QUICK else (11, 1)

NGINX = """
worker_processes 1;
daemon off;
pid {dir}/nginx.pid;
error_log {dir}/nginx.err;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {dir}/body;  proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fastcgi;   uwsgi_temp_path {dir}/uwsgi;  scgi_temp_path {dir}/scgi;
  keepalive_requests 1000000000;
  upstream hello {{ server 127.0.0.1:{hello}; keepalive 256; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://hello; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""

SETTINGS = {
    "VIADUCT_LOOPS": "1",
    "VIADUCT_LIMIT_IP": "0",
    "VIADUCT_MAX_CONNECTIONS_PER_IP": "0",
    "VIADUCT_LIMIT_USER": "1000000000",
    "VIADUCT_ACCESS_TOKEN_S": "3600",
    "VIADUCT_USERS_CACHE_MS": "600000",
}


def start_references(processes):
    hello, nginx = free_port(), free_port()
    hello_pid = processes.start("hello", [BIN / "bench-hello", hello])
    conf = processes.path / "nginx.conf"
    conf.write_text(NGINX.format(dir=processes.path, hello=hello, port=nginx))
    nginx_pid = processes.start("nginx", ["nginx", "-e", processes.path / "nginx.err", "-c", conf])
    for port in (hello, nginx):
        wait_until(lambda port=port: listens(port), f"port {port} is open")
    return [
        {"name": "nginx", "base": f"http://127.0.0.1:{nginx}", "requests": ["GET /"],
         "processes": {"nginx": nginx_pid, "hello": hello_pid}},
        {"name": "hello", "base": f"http://127.0.0.1:{hello}", "requests": ["GET /"],
         "processes": {"hello": hello_pid}},
    ]


def product_targets(stack):
    user, token, _ = stack.user_with_order()
    common = {"base": stack.api, "headers": [f"Authorization: Bearer {token}"]}
    redis, postgres = stack.server_pid("redis"), stack.server_pid("postgres")
    return [
        {**common, "name": "memory", "requests": [f"GET /v1/users/{user}"],
         "processes": {"gateway": stack.pid["gateway"], "users": stack.pid["users"], "redis": redis}},
        {**common, "name": "postgresql", "requests": [f"GET /v1/orders/{order}" for order in stack.orders_among_many(user, 256)],
         "processes": {"gateway": stack.pid["gateway"], "orders": stack.pid["orders"], "redis": redis,
                       "postgres": postgres}},
    ]


TITLES = {
    "hello": "tuned evhttp hello",
    "nginx": "nginx proxying to hello",
    "memory": "GET /v1/users/{id}, from memory",
    "postgresql": "GET /v1/orders/{id}, PostgreSQL",
}


def core_us(r):
    """CPU per request of what runs on the servers' core: at full load the rate is its inverse,
    also when the machine has other work to do."""
    return sum(c["cpu_us"] for name, c in r["costs"].items() if name not in ("redis", "postgres"))


def show(runs, targets, clients, note=""):
    print(f"\nc={clients}{note}, median of {ROUNDS} interleaved runs")
    rows = []
    for t in targets:
        r = runs[t["name"]]
        costs = "; ".join(f"{name} {c['cpu_us']:.1f} ({c['switches']:.2f})"
                          for name, c in r["costs"].items())
        rows.append((TITLES[t["name"]], f"{r['rps']:.0f}", f"{ratio_of(runs, t['name'], 'hello'):.2f}",
                     f"{core_us(runs['hello']) / core_us(r):.2f}",
                     f"{r['p50']:.0f}", f"{r['p99']:.0f}", r["bad"], costs))
    table(("", "rps", "/hello", "by CPU", "p50 us", "p99 us", "bad", "CPU us (context switches) per request"), rows)


def record(report, runs, targets, clients, note=""):
    for t in targets:
        name, r = t["name"], runs[t["name"]]
        hello = runs["hello"]
        tag = f"request.{name}.c{clients}{note}"
        report.figure(f"{tag}.rps", r["rps"], "1/s", hello["rps"], ratio_of(runs, name, "hello"))
        report.figure(f"{tag}.core_cpu", core_us(r), "us", core_us(hello), core_us(hello) / core_us(r))
        for p in ("p50", "p99"):
            report.figure(f"{tag}.{p}", r[p], "us", hello[p], r[p] / max(hello[p], 1))
        for process, c in r["costs"].items():
            report.figure(f"{tag}.{process}.cpu", c["cpu_us"], "us")
            report.figure(f"{tag}.{process}.switches", c["switches"], "1")


def judge(report, by_clients):
    one, many, most = by_clients[1], by_clients[64], by_clients[256]
    cpu = many["memory"]["costs"]["gateway"]["cpu_us"] - many["hello"]["costs"]["hello"]["cpu_us"]
    report.figure("request.gateway_above_hello.cpu", cpu, "us")
    report.goal("from memory / hello, c=64", ratio_of(many, "memory", "hello"), 0.75, True)
    report.goal("from memory / nginx proxy, c=64", ratio_of(many, "memory", "nginx"), 1.5, True)
    report.goal("through PostgreSQL / hello, c=64", ratio_of(many, "postgresql", "hello"), 0.60, True)
    report.goal("gateway CPU above hello, c=64", cpu, 5, False, "us")
    report.goal("c=1 p50", one["memory"]["p50"], 120, False, "us")
    report.goal("c=1 p99", one["memory"]["p99"], 250, False, "us")
    report.goal("c=64 p99", many["memory"]["p99"] / 1000, 2, False, "ms")
    report.goal("c=256 p99", most["memory"]["p99"] / 1000, 8, False, "ms")


def main():
    report = Report("request")
    with Processes() as processes, Stack(processes, SETTINGS, hop="ipc") as stack:
        for name in ("users", "orders", "jobs", "gateway"):
            stack.start(name)
        targets = start_references(processes) + product_targets(stack)
        load, by_clients = LoadAlone(stack), {}
        interleaved(load, targets, 64, 1, 1) # warm
        with Awake():
            for clients in (64, 1, 256):
                say(f"c={clients}")
                stack.redis("FLUSHALL", "ASYNC")
                by_clients[clients] = interleaved(load, targets, clients, SECONDS, ROUNDS)
                show(by_clients[clients], targets, clients)
                record(report, by_clients[clients], targets, clients)
        asleep = interleaved(load, targets, 1, SECONDS, ROUNDS)
        show(asleep, targets, 1, ", cores that sleep")
        record(report, asleep, targets, 1, ".asleep")
        judge(report, by_clients)
        report.end()


main()
