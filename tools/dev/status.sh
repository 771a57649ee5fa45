#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# ./dev status: what ./dev up runs, and where.
set -euo pipefail

. "$VIADUCT_ROOT/tools/dev/common.sh"
. "$VIADUCT_ROOT/tools/dev/process.sh"
. "$VIADUCT_ROOT/tools/dev/programs.sh"

programs_status
"$VIADUCT_ROOT/tools/dev/servers.sh" status "$programs_stack"
