#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# ./dev bench [NAME]: builds tests/bench/NAME_bench.c in preset release and runs it; all of
# them without a name.
set -euo pipefail

. "$VIADUCT_ROOT/tools/dev/common.sh"
. "$VIADUCT_ROOT/tools/dev/build.sh"

mapfile -t names < <(find "$VIADUCT_ROOT/tests/bench" -name '*_bench.c' -exec basename {} _bench.c \; | sort)
if [ $# -gt 0 ]; then
    [[ " ${names[*]} " == *" $1 "* ]] || die "usage: ./dev bench [NAME], one of: ${names[*]}"
    names=("$1")
fi

build_preset release "${names[@]/%/_bench}"
for name in "${names[@]}"; do
    say "benchmark $name"
    "$VIADUCT_ROOT/build/release/bin/${name}_bench"
done
