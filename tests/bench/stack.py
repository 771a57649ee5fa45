# SPDX-License-Identifier: Apache-2.0
"""The product as it is run: release programs on private servers of their own (an instance
called `bench` of tools/dev/servers.sh), the servers on the load's core."""
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request

from measure import (BIN, LOAD_CORE, ROOT, SERVER_CORE, Load, free_port, rss_mb, say,
                     wait_until)

PROGRAMS = {
    "gateway": ["viaduct-gateway"],
    "users": ["viaduct-users"],
    "orders": ["viaduct-orders"],
    "jobs": ["viaduct-jobs", "--role", "api"],
    "worker": ["viaduct-jobs", "--role", "worker"],
}
LISTENERS = ("gateway", "users", "orders", "jobs")


def servers(action):
    subprocess.run([ROOT / "tools/dev/servers.sh", action, "bench"], check=True,
                   stdout=subprocess.DEVNULL)


def is_ready(port):
    """A bare request: this runs every few milliseconds beside what it measures."""
    with socket.socket() as s:
        s.settimeout(2)
        try:
            s.connect(("127.0.0.1", port))
            s.sendall(b"GET /readyz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
            return s.recv(64).startswith(b"HTTP/1.1 200")
        except OSError:
            return False


class Stack:
    """with Stack(processes, ...) as s: everything runs; afterwards nothing is left. The hop is "tcp" or
    "ipc"."""

    def __init__(self, processes, settings=None, hop="tcp"):
        self.processes, self.hop = processes, hop
        self.settings = settings or {}
        self.pid, self.ready_ms = {}, {}
        self.admin = {name: free_port() for name in PROGRAMS}

    def __enter__(self):
        say("starting PostgreSQL, Redis, Kafka and the mail sink")
        servers("wipe")
        servers("start")
        self.state = ROOT / ".dev/state/bench"
        self.env = dict(line.split("=", 1) for line in (self.state / "env").read_text().splitlines())
        self.env.update(self.settings)
        for name in LISTENERS:
            address = self.address(name)
            self.env[f"VIADUCT_{name.upper()}_LISTEN"] = address
            self.env[f"VIADUCT_{name.upper()}_UPSTREAM"] = address
        self.api = "http://" + self.env["VIADUCT_GATEWAY_LISTEN"]
        self.move_servers()
        for service in ("users", "orders", "jobs"):
            self.once(service, "migrate")
        for service in ("users", "orders"):
            self.once(service, "seed")
        return self

    def __exit__(self, *_):
        servers("wipe")

    def address(self, name):
        if name != "gateway" and self.hop == "ipc":
            return f"ipc://{self.processes.path}/{name}.sock"
        return ("" if name == "gateway" else "tcp://") + f"127.0.0.1:{free_port()}"

    def once(self, service, command):
        subprocess.run([BIN / f"viaduct-{service}", command], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, **self.env})

    def server_pid(self, name):
        return int((self.state / name / "pid").read_text())

    def move_servers(self):
        """PostgreSQL's sessions inherit its core."""
        for name in ("postgres", "redis", "kafka", "smtp"):
            subprocess.run(["taskset", "-a", "-c", "-p", str(LOAD_CORE), str(self.server_pid(name))],
                           check=True, stdout=subprocess.DEVNULL)

    def start(self, name, core=SERVER_CORE, **settings):
        """Returns when the program is ready; how long that took is in ready_ms."""
        command = PROGRAMS[name]
        env = {**self.env, **settings, "VIADUCT_ADMIN_LISTEN": f"127.0.0.1:{self.admin[name]}"}
        began = time.monotonic()
        self.pid[name] = self.processes.start(name, [BIN / command[0], *command[1:]], core, env)
        wait_until(lambda: is_ready(self.admin[name]), f"{name} is ready")
        self.ready_ms[name] = (time.monotonic() - began) * 1000

    def stop(self, name):
        self.processes.stop(self.pid.pop(name))

    def call(self, method, path, body=None, token=None):
        headers = {"content-type": "application/json"} if body is not None else {}
        if token:
            headers["authorization"] = "Bearer " + token
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.api + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=20) as r:
            return json.loads(r.read() or b"null")

    def metrics(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin[name]}/metrics", timeout=5) as r:
            lines = r.read().decode().splitlines()
        return {k: float(v) for k, v in (l.rsplit(" ", 1) for l in lines if l and l[0] != "#")}

    def rss_mb(self, name):
        return rss_mb(self.pid[name])

    def login(self, email, password):
        return self.call("POST", "/v1/auth/login", {"email": email, "password": password})["access_token"]

    def user_with_order(self):
        """A user, a token, and the id of an order of hers."""
        token = self.login("alice@example.com", "alice-password")
        user = self.call("GET", "/v1/users/me", token=token)["id"]
        product = self.call("GET", "/v1/products?limit=1&sort=price")["items"][0]["id"]
        order = self.call("POST", "/v1/orders", {"items": [{"product_id": product, "quantity": 1}]},
                          token)["id"]
        return user, token, order

    def orders_among_many(self, user, n):
        """The ids of n orders of hers, any of 10,000: a table is not one row."""
        done = subprocess.run(["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", self.env["VIADUCT_ORDERS_PG"]], input=f"""
            INSERT INTO orders (id, user_id, status, currency, total, items)
            SELECT gen_random_uuid(), '{user}', 'pending', 'EUR', p.price, ARRAY[(p.id, p.sku, p.name, 1, p.price)::order_item]
            FROM generate_series(1, 10000), (SELECT * FROM products ORDER BY id LIMIT 1) p;
            INSERT INTO order_items (order_id, position, product_id, sku, name, quantity, unit_price)
            SELECT o.id, 1, i.* FROM orders o CROSS JOIN unnest(o.items) i ON CONFLICT DO NOTHING;
            VACUUM ANALYZE orders, order_items;
            SELECT id FROM orders ORDER BY random() LIMIT {n};""", check=True, capture_output=True, text=True)
        return done.stdout.split()

    def redis(self, *command):
        port = (self.state / "redis/port").read_text().strip()
        subprocess.run(["redis-cli", "-h", "127.0.0.1", "-p", port, *command], check=True,
                       stdout=subprocess.DEVNULL)


class LoadAlone(Load):
    """While it runs, Kafka is halted: no request waits for it, and its JVM takes a tenth of the
    load's core in turns of milliseconds."""

    PAUSE_S = 0.3 # for Kafka to catch up

    def __init__(self, stack):
        super().__init__()
        self.kafka = stack.server_pid("kafka")

    def run(self, *args, **named):
        os.kill(self.kafka, signal.SIGSTOP)
        try:
            return super().run(*args, **named)
        finally:
            os.kill(self.kafka, signal.SIGCONT)
            time.sleep(self.PAUSE_S)
