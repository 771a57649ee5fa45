# SPDX-License-Identifier: Apache-2.0
"""What the programs say about themselves: their settings by --help and --print-config, and
what stands in their tables. Nothing here repeats a default."""
import atexit
import os
import re
import subprocess
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = ("gateway", "users", "orders", "jobs")
OPTION = re.compile(r"^  (VIADUCT_\w+) +(.*?)(?: \[([^\[\]]*)\])?$", re.M)
# What a program must have to start; of no meaning for --print-config and --check.
REQUIRED = {
    "VIADUCT_USERS_PG": "postgresql://u:p@postgres/u",
    "VIADUCT_ORDERS_PG": "postgresql://u:p@postgres/u",
    "VIADUCT_JOBS_PG": "postgresql://u:p@postgres/u",
    "VIADUCT_CURSOR_KEY": "0" * 32,
    "VIADUCT_USERS_KEYS": "/nowhere",
}


TLS = {"VIADUCT_HOP_TLS_CERT": "cert.pem", "VIADUCT_HOP_TLS_KEY": "key.pem", "VIADUCT_HOP_TLS_CA": "cert.pem"}


@cache
def certificate():
    """A folder with a certificate that is its own CA, until we end."""
    made = tempfile.TemporaryDirectory()
    atexit.register(made.cleanup)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=viaduct", "-keyout", "key.pem", "-out", "cert.pem"],
                   cwd=made.name, check=True, capture_output=True)  # fmt: skip
    return made.name


def with_files(env):
    """The same settings, where files of a cluster's Secret are files that are here."""
    return env | {name: f"{certificate()}/{file}" for name, file in TLS.items() if env.get(name)}


def folder():
    """Where the programs are: VIADUCT_BIN, or the newest build."""
    if os.environ.get("VIADUCT_BIN"):
        return Path(os.environ["VIADUCT_BIN"])
    built = [ROOT / "build" / preset / "bin" for preset in ("release", "dev")]
    built = [path for path in built if (path / "viaduct-gateway").exists()]
    if not built:
        raise SystemExit("no programs: build them first (./dev run cmake --preset release, ...)")
    return max(built, key=lambda path: (path / "viaduct-gateway").stat().st_mtime)


def run(program, *arguments, env=None):
    """The finished process; its settings are `env` and nothing of ours."""
    command = [str(folder() / f"viaduct-{program}"), "--env", "/dev/null", *arguments]
    return subprocess.run(command, env=env or {}, capture_output=True, text=True, check=False, timeout=60)


@cache
def defaults(program):
    """{setting: default} by --help; "required" and None are defaults too."""
    found = {name: default for name, _, default in OPTION.findall(run(program, "--help").stdout)}
    if not found:
        raise SystemExit(f"viaduct-{program} --help names no settings")
    return found


def settings(program, env):
    """{setting: value} as the program understands `env`; what it has no setting for is left out."""
    known = defaults(program)
    given = {name: REQUIRED[name] for name in known if name in REQUIRED}
    given |= {name: value for name, value in with_files(env).items() if name in known}
    out = run(program, "--print-config", env=given)
    if out.returncode:
        raise SystemExit(out.stderr.strip())
    return dict(line.split("=", 1) for line in out.stdout.splitlines())


def port(program, setting):
    """The port of an address that a program listens at by default."""
    return int(defaults(program)[setting].rsplit(":", 1)[1])


def source(path):
    return (ROOT / path).read_text()


def constant(path, name):
    """A number from an enum or table row of a source file."""
    found = re.search(rf"\b{name}\b\s*=\s*(\d+)", source(path))
    if not found:
        raise SystemExit(f"{path} has no {name}")
    return int(found.group(1))


@cache
def sources():
    """All text of the programs' own source."""
    folders = ("kit", "gateway", "services", "proto")
    files = [f for folder in folders for f in sorted((ROOT / folder).rglob("*.[ch]"))]
    return "\n".join(f.read_text() for f in files)


@cache
def metrics():
    """Names as they are scraped."""
    names = set(re.findall(r'"(viaduct_[a-z0-9_]+)"', sources()))
    times = set(re.findall(r'metrics_histogram\(\s*"(viaduct_[a-z0-9_]+)"', sources()))
    times |= {name for name in names if name.endswith("_duration_seconds")}
    return names | {name + end for name in times for end in ("_bucket", "_sum", "_count")}


def partitions():
    """{topic: partitions that the programs make}."""
    jobs = re.findall(r'"(viaduct\.jobs\.\w+)"', source("services/jobs/rules/policy.c"))
    events = re.findall(r'EVENTS_TOPIC\s+"([\w.]+)"', sources())
    per_job = constant("services/jobs/run/worker.c", "PARTITIONS")
    return dict.fromkeys(jobs, per_job) | dict.fromkeys(events, constant("services/jobs/relay/intake.c", "PARTITIONS"))


def loops(program, config):
    """The event loops of a process; a gateway that is not told takes one per core."""
    told = int(config["VIADUCT_LOOPS"])
    if told:
        return told
    main = "gateway/main.c" if program == "gateway" else f"services/{program}/main.c"
    return constant(main, "default_loops") or os.cpu_count()
