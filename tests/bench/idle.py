# SPDX-License-Identifier: Apache-2.0
"""./dev bench idle: how soon each program is ready once its servers are up, what it takes at
rest, and the longest turns of its loops while all kinds of calls come in.

A turn's own time is what it computed and what blocked it, without what it waited for a processor
(kit/loop/loop.h): the figure that counts. The longest callback of long turns is told by the logs, "loop.long_turn"."""
import json
import statistics
import sys
import threading
import time
import urllib.error

from measure import Load, Processes, Report, say, table
from stack import Stack

QUICK = "--quick" in sys.argv
STARTS, SETTLE_S, LOAD_S = (1, 3, 5) if QUICK else (3, 4, 15)
READY_MS = 100
RSS_MB = {"gateway": 10, "users": 16, "orders": 16, "jobs": 16, "worker": 16}
SETTINGS = {"VIADUCT_LIMIT_IP": "0", "VIADUCT_MAX_CONNECTIONS_PER_IP": "0", "VIADUCT_LIMIT_USER": "1000000000",
            "VIADUCT_LIMIT_SIGN_IN": "0", "VIADUCT_ACCESS_TOKEN_S": "3600"}
ORDER = ["users", "orders", "jobs", "worker", "gateway"]


def start_all(stack):
    for name in ORDER:
        stack.start(name, core=None)


def start_times(stack):
    """Each program again, with all others up."""
    times = {name: [stack.ready_ms[name]] for name in ORDER}
    for _ in range(STARTS - 1):
        for name in ORDER:
            stack.stop(name)
            stack.start(name, core=None)
            times[name].append(stack.ready_ms[name])
    return {name: statistics.median(t) for name, t in times.items()}


def sign_ins(stack, end, counts):
    """Registrations, logins and refreshes: passwords, mails, jobs."""
    n = 0
    while time.monotonic() < end:
        n += 1
        email = f"idle-{n}@example.com"
        try:
            stack.call("POST", "/v1/users", {"email": email, "name": "Idle", "password": "a long password"})
            token = stack.call("POST", "/v1/auth/login", {"email": email, "password": "a long password"})
            stack.call("POST", "/v1/auth/refresh", {"refresh_token": token["refresh_token"]})
            counts["signed in"] += 1
        except (urllib.error.URLError, OSError) as e:
            counts["failed"] += 1
            counts["why"] = str(e)


def reports(stack, end, admin, counts):
    while time.monotonic() < end:
        day = time.strftime("%Y-%m-%d", time.gmtime())
        body = {"from": f"{day}T00:00:00Z", "to": f"{day}T23:59:59Z"}
        try:
            stack.call("POST", "/v1/reports", body, admin)
            counts["reports"] += 1
        except (urllib.error.URLError, OSError) as e:
            counts["failed"] += 1
            counts["why"] = str(e)
        time.sleep(1)


def mixed_load(stack, processes):
    user, token, order = stack.user_with_order()
    admin = stack.login("admin@example.com", "admin-password")
    product = stack.call("GET", "/v1/products?limit=1&sort=-price")["items"][0]["id"]
    counts = {"signed in": 0, "reports": 0, "failed": 0, "why": ""}
    end = time.monotonic() + LOAD_S
    threads = [threading.Thread(target=sign_ins, args=(stack, end, counts)),
               threading.Thread(target=reports, args=(stack, end, admin, counts))]
    for t in threads:
        t.start()
    new_order = json.dumps({"items": [{"product_id": product, "quantity": 1}]})
    requests = [f"GET /v1/users/{user}", "GET /v1/users/me", "GET /v1/products",
                f"GET /v1/products/{product}", f"GET /v1/orders/{order}", "GET /v1/orders",
                f"GET /v1/users/{user}/overview", "GET /v1/jobs", f"POST /v1/orders {new_order}",
                f"GET /v1/users/{user}", "GET /v1/nothing-here", "GET /openapi.json"]
    r = Load(core=None).run(stack.api, requests, 32, LOAD_S,
                                       [f"Authorization: Bearer {token}"])
    for t in threads:
        t.join()
    say(f"{r['requests']} requests over 12 routes (one is a 404, and orders run out of stock), "
        f"{counts['signed in']} registrations with sign-in, {counts['reports']} reports, "
        f"{counts['failed']} of these failed {counts['why']}")


def of_loops(metrics, name):
    """The admin port's loop serves no calls."""
    return [v for k, v in metrics.items() if k.startswith(name + "{") and "admin" not in k]


def long_turns(processes):
    """What the programs say of turns whose own time was over 5 ms, since they were ready."""
    rows = []
    for name in ORDER:
        ready = False
        for line in processes.log(name).read_text(errors="replace").splitlines():
            ready = ready or '"svc.ready"' in line
            if ready and '"loop.long_turn"' in line:
                t = json.loads(line)
                rows.append((name, *(f"{t[k] / 1000:.1f}" for k in ("computed_us", "blocked_us", "queued_us")),
                             t["longest"], f"{t['longest_us'] / 1000:.1f}"))
    return rows


def main():
    report = Report("idle")
    rows = []
    with Processes() as processes, Stack(processes, SETTINGS) as stack:
        start_all(stack)
        ready = start_times(stack)
        time.sleep(SETTLE_S)
        rss = {name: stack.rss_mb(name) for name in ORDER}
        say("a mixed load")
        mixed_load(stack, processes)
        after = {name: stack.rss_mb(name) for name in ORDER}
        for name in ORDER:
            m = stack.metrics(name)
            longest = max(of_loops(m, "viaduct_loop_longest_turn_seconds")) * 1000
            own = max(of_loops(m, "viaduct_loop_longest_own_turn_seconds")) * 1000
            over = sum(of_loops(m, "viaduct_loop_turns_over_5ms_total"))
            own_over = sum(of_loops(m, "viaduct_loop_own_turns_over_5ms_total"))
            turns = sum(of_loops(m, "viaduct_loop_turns_total"))
            rows.append((name, f"{ready[name]:.0f}", f"{rss[name]:.1f}", f"{after[name]:.1f}",
                         f"{turns:.0f}", f"{longest:.1f}", f"{over:.0f}", f"{own:.1f}", f"{own_over:.0f}"))
            report.figure(f"idle.{name}.ready", ready[name], "ms", READY_MS, ready[name] / READY_MS)
            report.figure(f"idle.{name}.rss", rss[name], "MB", RSS_MB[name], rss[name] / RSS_MB[name])
            report.figure(f"idle.{name}.rss_after_load", after[name], "MB")
            report.figure(f"idle.{name}.longest_turn", longest, "ms")
            report.figure(f"idle.{name}.longest_own_turn", own, "ms", 5, own / 5)
            report.figure(f"idle.{name}.turns_over_5ms", over, "1")
            report.figure(f"idle.{name}.own_turns_over_5ms", own_over, "1")
            report.goal(f"{name} ready", ready[name], READY_MS, False, "ms")
            report.goal(f"{name} at rest", rss[name], RSS_MB[name], False, "MB")
            report.goal(f"{name} longest turn, own time", own, 5, False, "ms")
        table(("program", "ready ms", "idle MB", "after load MB", "turns", "longest turn ms",
               "turns over 5 ms", "own time ms", "own over 5 ms"), rows)
        slow = long_turns(processes)
        if slow:
            say("turns of over 5 ms of their own, as far as logged (one a second)")
            table(("program", "computed ms", "blocked ms", "queued ms", "longest callback", "ms"), slow)
        report.end()


main()
