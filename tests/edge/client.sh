#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A client whose types openapi-typescript made of /openapi.json completes the tour of
# README.md (client.ts): it compiles under strict rules, and it runs.
set -euo pipefail

. "$VIADUCT_ROOT/tools/dev/edge-tools.sh"
edge_tools
node_folder "$VIADUCT_ROOT/tests/edge/client.ts"
cd "$VIADUCT_EDGE_OUT"
curl -sSf -o openapi.json "$VIADUCT_EDGE_HTTP/openapi.json"
echo '{"type":"module"}' >package.json
node_tool openapi-typescript openapi.json -o api.ts
node_tool tsc --noEmit --strict --skipLibCheck --target es2022 --module nodenext --lib es2022,dom,dom.iterable \
 --allowImportingTsExtensions client.ts
node client.ts "$VIADUCT_EDGE_HTTP"
