#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# ./dev fuzz NAME [SECONDS]: builds the fuzzers in preset fuzz and runs one. What it learns
# stays in .dev/fuzz/NAME; an input that fails is written there as crash-*. It begins with
# what is kept in tests/fuzz/PART/corpus/NAME, and with the words of tests/fuzz/PART/*.dict.
set -euo pipefail

. "$VIADUCT_ROOT/tools/dev/common.sh"
. "$VIADUCT_ROOT/tools/dev/build.sh"

mapfile -t names < <(find "$VIADUCT_ROOT/tests/fuzz" -name '*.c' -exec basename {} .c \; | sort)
[[ $# -gt 0 && " ${names[*]} " == *" $1 "* ]] || die "usage: ./dev fuzz NAME [SECONDS], one of: ${names[*]}"

build_preset fuzz "$1"
mkdir -p "$VIADUCT_DEV/fuzz/$1/corpus"
cd "$VIADUCT_DEV/fuzz/$1"
part=$(dirname "$(find "$VIADUCT_ROOT/tests/fuzz" -name "$1.c")")
kept=()
for extra in "$part"/*.dict; do [ ! -e "$extra" ] || kept+=("-dict=$extra"); done
[ ! -d "$part/corpus/$1" ] || kept+=("$part/corpus/$1")
exec "$VIADUCT_ROOT/build/fuzz/fuzz/$1" -max_total_time="${2:-60}" -print_final_stats=1 corpus "${kept[@]}"
