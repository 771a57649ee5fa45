#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: gateway_memory.py [CONNECTIONS]

What a gateway takes with so many clients (5000): none, all open, and all with a request of a
kind under way at once, read only when all are sent. No service is there, so calls are
answered 503. With the settings of deploy/k8s/base/gateway.yaml. Uses the release build."""
import os
import resource
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

PROGRAM = Path(__file__).resolve().parent.parent.parent / "build/release/bin/viaduct-gateway"
NOWHERE = "tcp://127.0.0.1:1"
REQUESTS = {
    "a call each": b"GET /v1/products HTTP/1.1\r\nHost: x\r\n\r\n",
    "/openapi.json each": b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n",
}
UNFINISHED = b"POST /v1/users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start(api, admin):
    env = {
        "VIADUCT_GATEWAY_LISTEN": f"127.0.0.1:{api}", "VIADUCT_ADMIN_LISTEN": f"127.0.0.1:{admin}",
        "VIADUCT_LOOPS": "2", "VIADUCT_MAX_CONNECTIONS": "3000", "VIADUCT_LIMIT_IP": "0",
        "VIADUCT_MAX_CONNECTIONS_PER_IP": "0",
        "VIADUCT_REDIS": "redis://127.0.0.1:1", "VIADUCT_USERS_UPSTREAM": NOWHERE,
        "VIADUCT_ORDERS_UPSTREAM": NOWHERE, "VIADUCT_JOBS_UPSTREAM": NOWHERE,
    }  # fmt: skip
    gateway = subprocess.Popen([PROGRAM], env=os.environ | env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        try:
            return gateway if urllib.request.urlopen(f"http://127.0.0.1:{admin}/readyz").status == 200 else None
        except OSError:
            if gateway.poll() is not None:
                sys.exit("the gateway did not start")
            time.sleep(0.1)


def show(gateway, what):
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{gateway.pid}/status").read_text().splitlines())
    print(f"{what:24} {int(lines['VmRSS'].split()[0]) / 1024:7.1f} MiB")


def read_reply(client):
    head, _, body = client.recv(65536).partition(b"\r\n\r\n")
    left = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]) - len(body)
    while left > 0:
        left -= len(client.recv(65536))


def measure(gateway, api, n):
    show(gateway, "at rest")
    clients = [socket.create_connection(("127.0.0.1", api), timeout=30) for _ in range(n)]
    show(gateway, f"{n} open")
    for what, request in REQUESTS.items():
        for client in clients:
            client.sendall(request)
        for client in clients:
            read_reply(client)
        show(gateway, what)
    for client in clients:
        client.sendall(UNFINISHED % (257, b" " * 256))
    time.sleep(1)
    show(gateway, "256 bytes of a body each")


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    resource.setrlimit(resource.RLIMIT_NOFILE, (2 * n + 100, max(2 * n + 100, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    api, admin = free_port(), free_port()
    gateway = start(api, admin)
    try:
        measure(gateway, api, n)
    finally:
        gateway.kill()


main()
