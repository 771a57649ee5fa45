#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# ./dev bench [NAME [--quick]]: builds preset release and runs a benchmark of tests/bench, or
# all of them: request, hop, faults, edge, idle and instructions drive real programs, the others are NAME_bench.c alone.
# Figures go to build/bench/NAME.json, a line of JSON each.
set -euo pipefail

. "$VIADUCT_ROOT/tools/dev/common.sh"
. "$VIADUCT_ROOT/tools/dev/build.sh"

bench=$VIADUCT_ROOT/tests/bench
drivers=(request hop faults edge idle instructions)
mapfile -t alone < <(find "$bench" -name '*_bench.c' -exec basename {} _bench.c \; | sort)
names=("${drivers[@]}" "${alone[@]}")
if [ $# -gt 0 ]; then
    [[ " ${names[*]} " == *" $1 "* ]] || die "usage: ./dev bench [NAME [--quick]], one of: ${names[*]}"
    names=("$1")
    shift
fi

mkdir -p "$VIADUCT_DEV" "$VIADUCT_ROOT/build/bench"
exec 8>"$VIADUCT_DEV/bench.lock"
flock -n 8 || die "another ./dev bench is running in this clone; wait for it to end"
if [[ " ${names[*]} " == *" instructions "* ]]; then build_preset dev all; fi
build_preset release all bench-hello bench-hop bench-front bench-load "${alone[@]/%/_bench}"
for name in "${names[@]}"; do
    say "benchmark $name"
    if [ -e "$bench/$name.py" ]; then
        PYTHONDONTWRITEBYTECODE=1 python3 "$bench/$name.py" "$@"
    else
        (cd "$VIADUCT_ROOT" && "build/release/bin/${name}_bench")
    fi
done
