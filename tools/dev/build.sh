# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0

# build_preset PRESET [TARGET...]: configures and builds, all by default. A terminal sees it
# all, the log has it anyway.
build_preset() {
    local preset=$1 log=$VIADUCT_DEV/build-$1.log start=$SECONDS
    shift
    mkdir -p "$VIADUCT_DEV"
    need_space "$VIADUCT_ROOT" 1000 "a build"
    say "building preset $preset (log: $log)"
    if ! build_steps "$preset" "${@:-all}" 2>&1 </dev/null | build_show "$log"; then
        [ -t 2 ] || grep -E -A 3 'error|Error|FAILED' "$log" | head -n 60 >&2
        if grep -qi 'no space left' "$log"; then die "the build stopped: the disk is full"; fi
        die "the build of preset $preset failed; the whole log is $log"
    fi
    say "built preset $preset in $((SECONDS - start)) s"
}

build_steps() { cmake --preset "$1" && cmake --build --preset "$1" --target "${@:2}"; }

build_show() { if [ -t 2 ]; then tee "$1" >&2; else cat >"$1"; fi; }
