# SPDX-License-Identifier: Apache-2.0
"""What a deployment takes: connections, partitions, memory. The settings come from the
programs; the bytes below are measured (docs/performance.md)."""
import math
from dataclasses import dataclass

from . import programs

MIB = 1 << 20
REST_BYTES = {"gateway": 10 * MIB, "users": 24 * MIB, "orders": 24 * MIB, "jobs": 24 * MIB, "worker": 32 * MIB}
CONNECTION_BYTES = 8 << 10  # of a client at the gateway, with a small request under way
HASH_BYTES = 19 * MIB  # of one password hash, said in --help too
OUTBOX_CONNECTIONS = {"users": 1, "orders": 1}  # the relay's, in the first loop
SURGE = 0.25  # maxSurge of the Deployments
DATABASES = {"users": "VIADUCT_USERS_PG_CONNECTIONS", "orders": "VIADUCT_ORDERS_PG_CONNECTIONS",
             "jobs": "VIADUCT_JOBS_PG_CONNECTIONS", "worker": "VIADUCT_JOBS_PG_CONNECTIONS"}  # fmt: skip


@dataclass
class Part:
    """One Deployment: what each of its processes takes."""

    name: str
    replicas: int
    loops: int
    connections: int  # to PostgreSQL
    bytes: int

    @property
    def at_most(self):  # in a rollout: those that come, and as many that drain still
        return min(2 * self.replicas, self.replicas + 2 * math.ceil(self.replicas * SURGE))


def part(name, replicas, env):
    program = "jobs" if name == "worker" else name
    config = programs.settings(program, env)
    loops = programs.loops(program, config)
    pool = loops * int(config[DATABASES[name]]) + OUTBOX_CONNECTIONS.get(name, 0) if name in DATABASES else 0
    return Part(name, replicas, loops, pool, memory(name, loops, config))


def memory(name, loops, config):
    need = REST_BYTES[name]
    if name == "gateway":
        need += loops * int(config["VIADUCT_MAX_CONNECTIONS"]) * CONNECTION_BYTES + int(config["VIADUCT_BODY_BUDGET_BYTES"])
    if name == "users":
        need += int(config["VIADUCT_HASH_THREADS"]) * HASH_BYTES
    if name in ("users", "orders"):
        need += loops * int(config[f"VIADUCT_{name.upper()}_CACHE_BYTES"])
    return need
