#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# An OpenAPI linter (redocly, its recommended rules) over /openapi.json: no error, no warning.
set -euo pipefail

. "$VIADUCT_ROOT/tools/dev/edge-tools.sh"
edge_tools

export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
curl -sSf -o "$VIADUCT_EDGE_OUT/openapi.json" "$VIADUCT_EDGE_HTTP/openapi.json"
cd "$VIADUCT_EDGE_OUT"
node_tool redocly lint openapi.json
node_tool redocly lint openapi.json --format json >findings.json 2>lint.log
jq -e '.totals.errors == 0 and .totals.warnings == 0' findings.json
