#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Load on a running stack, of a client that forgives nothing: a request is sent once, and
every answer but the expected one, every broken connection, is a failure.

usage: load.py run URL      until SIGTERM; then writes what it saw to /results/load.json
       load.py verify URL   looks for every order that was acknowledged, its mail, every report

Connections are kept. The name in URL is resolved for each new one, and the addresses are
tried in turn, as clients of several replicas do; what was refused before anything was sent
is no request.
"""
import http.client
import json
import os
import random
import re
import select
import signal
import socket
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
RESULTS = "/results/load.json"
WORKERS = 16
# Of a worker, between requests: the machine has other things to do. Some pause for so long that
# their connection is idle when its gateway is told to go, and in use before it has gone.
PAUSE_S = 0.02
LONG_PAUSE_S = 1.5
LONG_PAUSES = 4

stop = threading.Event()


class Failure(Exception):
    pass


class Client:
    def __init__(self, url):
        self.host, self.port = urlsplit(url).hostname, urlsplit(url).port or 80
        self.conn = None

    def connect(self):
        """Up to ten seconds: a client waits for its service rather than giving up."""
        deadline = time.monotonic() + 10
        while True:
            found = socket.getaddrinfo(self.host, self.port, socket.AF_INET, socket.SOCK_STREAM)
            random.shuffle(found)
            for *_, address in found:
                conn = http.client.HTTPConnection(*address, timeout=15)
                try:
                    conn.connect()
                    return conn
                except OSError:
                    conn.close()
            if time.monotonic() > deadline:
                raise Failure("nothing listens")
            time.sleep(0.05)

    def usable(self):
        """A kept connection that the server has closed is readable."""
        return self.conn and self.conn.sock and not select.select([self.conn.sock], [], [], 0)[0]

    def call(self, method, path, token=None, body=None, **headers):
        if not self.usable():
            if self.conn:
                self.conn.close()
            self.conn = self.connect()
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            headers["authorization"] = f"Bearer {token}"
        if body is not None:
            headers["content-type"] = "application/json"
            body = json.dumps(body)
        try:
            self.conn.request(method, path, body, headers)
            answer = self.conn.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as e:
            self.conn.close()
            self.conn = None
            raise Failure(f"{method} {path}: {e!r}") from e
        return answer.status, text

    def want(self, status, method, path, *args, **kw):
        seen, text = self.call(method, path, *args, **kw)
        if seen != status:
            raise Failure(f"{method} {path}: {seen} {text[:300]!r}")
        return json.loads(text) if text and text[:1] in b"{[" else text


def login(client, email, password):
    return client.want(200, "POST", "/v1/auth/login", body={"email": email, "password": password})["access_token"]


class Worker(threading.Thread):
    def __init__(self, url, token, admin, product, pause_s):
        super().__init__()
        self.pause_s = pause_s
        self.client = Client(url)
        self.token, self.admin, self.product = token, admin, product
        self.requests, self.failures, self.orders, self.reports = 0, [], [], []
        self.slowest_ms = 0

    def run(self):
        while not stop.is_set():
            began = time.monotonic()
            self.requests += 1
            try:
                random.choices(
                    [self.read_product, self.read_orders, self.read_me, self.order, self.order_with_key, self.report],
                    [40, 15, 15, 15, 14, 1],
                )[0]()
            except Failure as e:
                self.failures.append(f"{time.strftime('%X')} {e}")
            self.slowest_ms = max(self.slowest_ms, int((time.monotonic() - began) * 1000))
            time.sleep(self.pause_s)

    def read_product(self):
        self.client.want(200, "GET", f"/v1/products/{self.product}")

    def read_orders(self):
        self.client.want(200, "GET", "/v1/orders?limit=5", self.token)

    def read_me(self):
        self.client.want(200, "GET", "/v1/users/me", self.token)

    def order(self, **headers):
        body = {"items": [{"product_id": self.product, "quantity": 1}]}
        self.orders.append(self.client.want(201, "POST", "/v1/orders", self.token, body, **headers)["id"])

    def order_with_key(self):
        self.order(idempotency_key=str(uuid.uuid4()))

    def report(self):
        body = {"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"}
        self.reports.append(self.client.want(202, "POST", "/v1/reports", self.admin, body)["id"])


def prepare(url):
    """A member, an administrator, and a product that does not run out."""
    client = Client(url)
    email = f"load-{uuid.uuid4()}@example.com"
    client.want(201, "POST", "/v1/users", body={"email": email, "name": "Load", "password": "a long password"})
    admin = login(client, "admin@example.com", "admin-password")
    sku = {"sku": str(uuid.uuid4()), "name": "Thing", "price": 100, "currency": "EUR", "stock": 1000000}
    product = client.want(201, "POST", "/v1/products", admin, sku)["id"]
    return email, login(client, email, "a long password"), admin, product


def run(url):
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    email, token, admin, product = prepare(url)
    pauses = [LONG_PAUSE_S] * LONG_PAUSES + [PAUSE_S] * (WORKERS - LONG_PAUSES)
    workers = [Worker(url, token, admin, product, pause_s) for pause_s in pauses]
    for w in workers:
        w.start()
    print("under load", flush=True)
    while not stop.wait(1):
        pass
    for w in workers:
        w.join()
    seen = {
        "email": email,
        "requests": sum(w.requests for w in workers),
        "failures": sorted(f for w in workers for f in w.failures),
        "slowest_ms": max(w.slowest_ms for w in workers),
        "orders": [o for w in workers for o in w.orders],
        "reports": [r for w in workers for r in w.reports],
    }
    with open(RESULTS, "w", encoding="utf-8") as out:
        json.dump(seen, out)


class Mails:
    """The ids that mails name; each is read once."""

    def __init__(self):
        self.read, self.ids = set(), set()

    def look(self):
        for entry in os.scandir("/mail/new"):
            if entry.name not in self.read:
                self.read.add(entry.name)
                with open(entry.path, encoding="utf-8", errors="replace") as mail:
                    self.ids.update(UUID.findall(mail.read()))
        return self.ids


def wait_for(what, missing):
    """missing() gives what is not there yet; five minutes at most."""
    deadline = time.monotonic() + 300
    while left := missing():
        if time.monotonic() > deadline:
            sys.exit(f"{len(left)} {what}, the first: {left[0]}")
        time.sleep(1)


def verify(url):
    with open(RESULTS, encoding="utf-8") as file:
        seen = json.load(file)
    client = Client(url)
    admin = login(client, "admin@example.com", "admin-password")
    token = login(client, seen["email"], "a long password")

    def read(orders):
        reader = Client(url)
        for order in orders:
            reader.want(200, "GET", f"/v1/orders/{order}", token)

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(read, [seen["orders"][n::WORKERS] for n in range(WORKERS)]))

    mails = Mails()

    def unmailed():
        named = mails.look()
        return [o for o in seen["orders"] if o not in named]

    def unfinished():
        return [r for r in seen["reports"] if client.want(200, "GET", f"/v1/jobs/{r}", admin)["state"] != "succeeded"]

    wait_for("orders without a mail", unmailed)
    wait_for("reports not finished", unfinished)
    print(
        f"{seen['requests']} requests, {len(seen['failures'])} failed (slowest {seen['slowest_ms']} ms); "
        f"{len(seen['orders'])} orders and {len(seen['reports'])} reports, none lost"
    )
    for failure in seen["failures"][:20]:
        print(f"failed: {failure}")
    sys.exit(1 if seen["failures"] or not seen["orders"] else 0)


{"run": run, "verify": verify}[sys.argv[1]](sys.argv[2])
