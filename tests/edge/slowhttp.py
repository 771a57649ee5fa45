#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: slowhttp.py API GATEWAY-PID [ATTACK...]   (see slowhttp.sh)

Each attack of slowhttptest holds 2,000 connections. While it lasts, the 99th percentile of
ordinary requests stays within 1.5 times what it is just before and after (medians of several
windows; a millisecond more is never held against it, the machine's own scheduling is as large),
every one of them is answered, and the gateway's memory stays below what compose.yaml gives it."""
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

CONNECTIONS, RATE, LASTS_S = 2000, 500, 26
WINDOWS, WINDOW_S, TRIES = 5, 2, 3
MEMORY_KIB, KERNEL_KIB = 64 << 10, 1 << 20
COMMON = ["-c", str(CONNECTIONS), "-r", str(RATE), "-l", str(LASTS_S), "-p", "15", "-i", "3"]
ATTACKS = {
    "slow headers": ["-H", "-x", "24", "-t", "GET", "-u", "/v1/products"],
    "slow body": ["-B", "-x", "10", "-t", "POST", "-s", "8192", "-f", "application/json", "-u", "/v1/auth/login"],
    "slow read": ["-X", "-w", "512", "-y", "1024", "-n", "5", "-z", "32", "-k", "3", "-u", "/docs/swagger-ui-bundle.js"],
    "range": ["-R", "-a", "1", "-b", "1500", "-t", "GET", "-u", "/openapi.json"],
}
UNITS = {"us": 1e-3, "ms": 1, "s": 1e3}


def p99_ms(api):
    """Of ordinary requests, in a window; fails when one of them fails."""
    script = Path(__file__).with_suffix(".lua")
    out = subprocess.run(
        ["wrk", "-t1", "-c10", f"-d{WINDOW_S}", "--latency", "--timeout", "10s", "-s", script, f"{api}/v1/products?limit=1"],
        capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        sys.exit(f"ordinary requests failed:\n{out}")
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", out).groups()
    return float(number) * UNITS[unit]


def memory_kib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


def kernel_kib():
    """What the kernel holds for TCP, of both sides."""
    return 4 * int(re.search(r"TCP:.* mem (\d+)", Path("/proc/net/sockstat").read_text())[1])


def connections(port):
    """Held by the gateway at the moment."""
    out = subprocess.run(["ss", "-Htn", "state", "established", f"sport = :{port}"], capture_output=True, text=True, check=True)
    return out.stdout.count("\n")


def attack(api, pid, options):
    """p99 of each window while it lasts; the most memory, the kernel's too, the most connections. Who attacks
    has a machine of their own: here the attack gets what the rest leaves of this one."""
    options = [f"{api}{o}" if o.startswith("/") else o for o in options]
    with open("slowhttptest.log", "a") as log:
        slow = subprocess.Popen(["nice", "-n", "19", "slowhttptest", *COMMON, *options], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    windows, memory, kernel, held = [], 0, 0, 0
    try:
        time.sleep(CONNECTIONS / RATE + 1)
        for _ in range(WINDOWS):
            windows.append(p99_ms(api))
            memory = max(memory, memory_kib(pid))
            kernel = max(kernel, kernel_kib())
            held = max(held, connections(api.rsplit(":", 1)[1]))
    finally:
        slow.terminate()
        slow.wait()
    return windows, memory, kernel, held


def judge(api, pid, name):
    """None, or what is wrong."""
    calm = [p99_ms(api) for _ in range(3)]
    during, memory, kernel, held = attack(api, pid, ATTACKS[name])
    calm += [p99_ms(api) for _ in range(2)]
    before, now = statistics.median(calm), statistics.median(during)
    print(f"{name:13} p99 {before:.2f} ms alone, {now:.2f} ms under it ({now / before:.2f} x); "
          f"{held} connections at most, gateway {memory >> 10} MiB, kernel {kernel >> 10} MiB", flush=True)
    if memory > MEMORY_KIB or kernel > KERNEL_KIB:
        return f"{name}: the gateway takes {memory} KiB, the kernel {kernel} KiB for its connections"
    if now > max(1.5 * before, before + 1):
        return f"{name}: others wait for it"
    return None


def main(api, pid, names):
    failed = False
    for name in names or ATTACKS:
        wrong = None
        for _ in range(TRIES):  # a busy machine disturbs either side; the gateway would fail each time
            wrong = judge(api, pid, name)
            if not wrong or "KiB" in wrong:
                break
        if wrong:
            print(wrong)
            failed = True
    return failed


sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
