# SPDX-License-Identifier: Apache-2.0
"""Every VIADUCT_* setting and viaduct_* metric that a file for people or machines names exists.
Yields sentences."""
import re

from . import programs

ROOT = programs.ROOT
SETTING = re.compile(r"\bVIADUCT_[A-Z0-9_]+\b(?!\*)")
METRIC = re.compile(r"\bviaduct_[a-z0-9_]+\b(?![./*])")
# Names that look like metrics and are something else.
DATABASES = {"viaduct_users", "viaduct_orders"}
ALWAYS = ("README.md", "ARCHITECTURE.md", "SECURITY.md", "docs", "deploy/k8s", "deploy/docker", "deploy/grafana", "compose.yaml", ".env.example")
KINDS = {".md", ".yaml", ".yml", ".json", ".env", ".sh", ""}


def files():
    for place in ALWAYS:
        path = ROOT / place
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (f for f in found if f.is_file() and f.suffix in KINDS)


def tools_settings():
    """What ./dev and the build read: documents may name these too."""
    places = [ROOT / "dev", *(ROOT / "tools").rglob("*"), *(ROOT / "cmake").rglob("*"), *(ROOT / "tests").rglob("*.sh")]
    text = "\n".join(f.read_text(errors="replace") for f in places if f.is_file() and f.suffix in {"", ".sh", ".cmake"})
    return set(SETTING.findall(text))


def check():
    settings = {name for p in programs.PROGRAMS for name in programs.defaults(p)}
    of_tools, metrics = tools_settings(), programs.metrics() | DATABASES
    for file in files():
        text, where = file.read_text(errors="replace"), file.relative_to(ROOT)
        for name in sorted(set(SETTING.findall(text)) - settings - of_tools):
            yield f"{where}: no program has the setting {name}"
        for name in sorted(set(METRIC.findall(text)) - metrics):
            yield f"{where}: no program has the metric {name}"
