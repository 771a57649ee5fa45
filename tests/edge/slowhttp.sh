#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# slowhttptest, four ways with 2,000 connections each, while others are served as before
# (slowhttp.py).
set -euo pipefail

ulimit -n "$(ulimit -H -n)"
gateway=$(cat "$VIADUCT_EDGE_PID")
cd "$VIADUCT_EDGE_OUT"
exec "$VIADUCT_ROOT/tests/edge/slowhttp.py" "$VIADUCT_EDGE_HTTP" "$gateway" "$@"
