#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# ./dev fuzz NAME [SECONDS]: builds the fuzzers in preset fuzz and runs one. What it learns
# stays in .dev/fuzz/NAME; an input that fails is written there as crash-*.
set -euo pipefail

. "$VIADUCT_ROOT/tools/dev/common.sh"
. "$VIADUCT_ROOT/tools/dev/build.sh"

mapfile -t names < <(find "$VIADUCT_ROOT/tests/fuzz" -name '*.c' -exec basename {} .c \; | sort)
[[ $# -gt 0 && " ${names[*]} " == *" $1 "* ]] || die "usage: ./dev fuzz NAME [SECONDS], one of: ${names[*]}"

build_preset fuzz "$1"
mkdir -p "$VIADUCT_DEV/fuzz/$1/corpus"
cd "$VIADUCT_DEV/fuzz/$1"
exec "$VIADUCT_ROOT/build/fuzz/fuzz/$1" -max_total_time="${2:-60}" -print_final_stats=1 corpus
