#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# ./dev down: stops what ./dev up started. The data stays for the next time.
set -euo pipefail

. "$VIADUCT_ROOT/tools/dev/common.sh"
. "$VIADUCT_ROOT/tools/dev/process.sh"
. "$VIADUCT_ROOT/tools/dev/programs.sh"

if [ ! -d "$programs_state" ]; then
    say "nothing was started here"
    exit
fi
programs_stop
"$VIADUCT_ROOT/tools/dev/servers.sh" stop "$programs_stack"
say "stopped; the data stays in $programs_state for the next ./dev up"
