#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# ./dev test [unit|integration|e2e|asan|tsan|lint|manifests|edge|all]: builds what is needed, runs it,
# and ends with CTest's summary and a total. Real servers are started for the tests that need them.
set -euo pipefail

. "$VIADUCT_ROOT/tools/dev/common.sh"
. "$VIADUCT_ROOT/tools/dev/build.sh"

results=$VIADUCT_DEV/results # a JUnit file of each run
passed=0 failed=0

main() {
    local what=${1:-all}
    [ "$what" != edge ] || exec "$VIADUCT_ROOT/tools/dev/test-edge.sh" "${@:2}"
    case $what in
    unit | integration | e2e | asan | tsan | lint | manifests | all) ;;
    *) die "usage: ./dev test [unit|integration|e2e|asan|tsan|lint|manifests|all]" ;;
    esac
    mkdir -p "$results"
    exec 8>"$VIADUCT_DEV/test.lock"
    flock -n 8 || die "another ./dev test is running in this clone; wait for it to end"
    trap servers_gone EXIT
    trap 'exit 130' INT TERM

    "test_$what"
    echo "$passed passed, $failed failed"
    [ $failed = 0 ]
}

# What runs where. The labels are those of cmake/tests.cmake. With no argument every test runs
# once at least: units in dev and asan, servers and stacks in asan, which sees more, and what is
# slow or measures in dev; then what is quick of ./dev test edge, on the build that is there.
test_unit() { run_tests dev '^unit$'; }
test_integration() { run_tests dev '^integration$'; }
test_e2e() { run_tests dev '^e2e$'; }
test_asan() { run_tests asan . '^slow$'; }
test_tsan() { run_tests tsan '^tsan$'; }
test_lint() { run_script "$VIADUCT_ROOT/tools/lint"; }
test_manifests() { run_script "$VIADUCT_ROOT/tools/dev/manifests.sh"; } # not in all: it wants a network

test_all() {
    test_lint
    run_tests dev '^(unit|slow)$'
    test_asan
    test_tsan
    servers_gone
    test_edge_quick
}

# What others wrote, as clients meet the API: it wants npm and PyPI once. The browser is not
# here: beside other load it takes minutes.
test_edge_quick() {
    if ! edge_tools_there; then
        say "LEFT OUT: ./dev test edge openapi-lint jose client, as its tools could not be fetched"
        return
    fi
    VIADUCT_STACK_PRESET=dev run_script "$VIADUCT_ROOT/tools/dev/test-edge.sh" openapi-lint jose client
}

edge_tools_there() { bash -ec '. "$VIADUCT_ROOT/tools/dev/edge-tools.sh" && edge_tools'; }

# run_tests PRESET LABELS [LABELS LEFT OUT]. Most tests wait most of the time: two a core.
run_tests() {
    local preset=$1 labels=$2 without=${3:-^$} build=$VIADUCT_ROOT/build/$1 rc=0
    build_preset "$preset"
    if needs_servers "$build" "$labels"; then servers_fresh; fi
    say "running the tests of preset $preset (log: $build/Testing/Temporary/LastTest.log)"
    rm -f "$results/$preset.xml"
    ctest --test-dir "$build" -L "$labels" -LE "$without" -j $(($(nproc) * 2)) --output-on-failure --no-tests=error \
        --output-junit "$results/$preset.xml" </dev/null || rc=$?
    count_tests "$results/$preset.xml" $rc
}

needs_servers() { # BUILD LABELS
    local labels
    labels=$(ctest --test-dir "$1" -N -L "$2" --print-labels)
    grep -qE '^ +(integration|e2e)$' <<<"$labels"
}

count_tests() { # JUNIT-FILE CTEST-EXIT-CODE
    local all bad
    all=$(junit_number tests "$1")
    bad=$(junit_number failures "$1")
    [ "$2" = 0 ] || [ "$bad" != 0 ] || bad=1 # a test that could not even run
    passed=$((passed + all - bad)) failed=$((failed + bad))
}

junit_number() { (grep -oE "\b$1=\"[0-9]+\"" "$2" || echo 0) | head -n 1 | tr -dc 0-9; }

run_script() {
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
}

servers_fresh() {
    say "starting fresh PostgreSQL, Redis, Kafka and SMTP sink for the tests"
    servers_of_tests wipe
    "$VIADUCT_ROOT/tools/dev/servers.sh" start test
    set -a
    # shellcheck source=/dev/null # written by servers.sh
    . "$VIADUCT_DEV/state/test/env"
    set +a
}

servers_gone() { servers_of_tests stop; }

# Tests may have instances of their own, called test-SOMETHING.
servers_of_tests() {
    local state
    for state in "$VIADUCT_DEV"/state/test*/; do
        [ ! -d "$state" ] || "$VIADUCT_ROOT/tools/dev/servers.sh" "$1" "$(basename "$state")"
    done
}

main "$@"
