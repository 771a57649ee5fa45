#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# ./dev compose [--keep] [CHECK...]: builds the images of compose.yaml, starts the stack in a Docker engine
# of its own, and uses it as people would: README.md's tour, the end-to-end tests, scaling and
# restarts under load. Ends by itself and leaves nothing; --keep keeps the engine's images, so
# that the next time is quicker. CHECK is one of the names below; all of them when left out;
# or `reproducible`: nothing is started, all images are built twice from nothing, and compared.
set -Eeuo pipefail # E: the ERR trap holds in functions too

. "$VIADUCT_ROOT/tools/dev/common.sh"
. "$VIADUCT_ROOT/tools/dev/process.sh"
. "$VIADUCT_ROOT/tools/dev/userland.sh"
. "$VIADUCT_ROOT/tools/dev/engine.sh"
. "$VIADUCT_ROOT/tools/dev/compose-checks.sh"

keep=no
doing=preparation
begun=$SECONDS
built=(gateway users orders jobs)
checks=(images ready tour e2e scaling rollouts memory)

main() {
    local check
    if [ "${1:-}" = --keep ]; then
        keep=yes
        shift
    fi
    for check in "$@"; do
        [[ " ${checks[*]} reproducible " == *" $check "* ]] ||
            die "usage: ./dev compose [--keep] [CHECK...], of: ${checks[*]}; or reproducible, alone"
    done
    [ $# = 0 ] || checks=("$@")
    engine_make
    mkdir -p "$engine_state"
    exec 8>"$VIADUCT_DEV/compose.lock"
    flock -n 8 || die "another ./dev compose is running in this clone; wait for it to end"
    engine_run=$(mktemp -d /tmp/viaduct-compose.XXXXXX) # short: sockets' paths have a limit
    trap leave EXIT
    trap 'explain $? "$BASH_COMMAND"' ERR
    trap 'exit 130' INT TERM

    settings
    if [ "${checks[*]}" = reproducible ]; then
        build_twice
        return
    fi
    in_userland build_preset dev e2e_api
    build_images
    say "starting an engine with a network of its own"
    engine_start run
    up
    for doing in "${checks[@]}"; do "check_$doing"; done
    say "./dev compose: ${checks[*]}: all well, after $((SECONDS - begun)) s"
}

settings() {
    VIADUCT_BASE=viaduct-base:trixie
    VIADUCT_KAFKA_JARS=$(in_userland kafka_jars "$VIADUCT_DEV/maven.log")
    VIADUCT_DOCS=$(in_userland docs_folder "$VIADUCT_DEV/docs.log")
    VIADUCT_APT_CONF=$VIADUCT_DEV/apt.conf
    VIADUCT_COMPOSE_STATE=$engine_state
    export VIADUCT_BASE VIADUCT_KAFKA_JARS VIADUCT_DOCS VIADUCT_APT_CONF VIADUCT_COMPOSE_STATE
    export PUBLISH=127.0.0.1:8080-8089 LIMIT_IP=0 LIMIT_USER=0 LIMIT_SIGN_IN=0 MAX_CONNECTIONS_PER_IP=0
    mkdir -p "$engine_state/results"
    rm -rf "$engine_state/mail"
    mkdir -p "$engine_state/mail"
    chmod 777 "$engine_state/mail" "$engine_state/results" # the containers' users are none of ours
}

# in_userland FUNCTION ARGUMENT...: of build.sh, kafka.sh and docs.sh
in_userland() {
    # shellcheck disable=SC2016 # expanded there
    "$VIADUCT_ROOT/dev" run bash -c 'set -euo pipefail
        for file in common build kafka docs; do . "$VIADUCT_ROOT/tools/dev/$file.sh"; done
        "$@"' bash "$@"
}

compose() {
    engine_docker compose --env-file /dev/null --progress quiet -f compose.yaml -f deploy/docker/compose.offline.yaml \
        -f deploy/docker/compose.test.yaml --profile demo "$@"
}

# build_images [SERVICE...]: of compose.yaml, all when left out
build_images() {
    local start=$SECONDS log=$VIADUCT_DEV/compose-build.log
    need_space "$engine_state" 6000 "building the images"
    say "building the images (log: $log)"
    engine_start build
    engine_docker image inspect $VIADUCT_BASE >/dev/null 2>&1 ||
        engine_docker import "$(engine_base)" $VIADUCT_BASE >/dev/null
    COMPOSE_PARALLEL_LIMIT=1 compose --progress plain build "$@" >"$log" 2>&1 ||
        { tail -n 20 "$log" >&2; die "the images could not be built; the whole log is $log"; }
    engine_stop
    say "built the images in $((SECONDS - start)) s"
}

# Of each image the digests of its layers, and the image's own: with its configuration.
image_digests() {
    local image
    for image in "${built[@]}"; do
        engine_docker image inspect -f "$image {{.Id}}{{range .RootFS.Layers}}
$image layer {{.}}{{end}}" "viaduct/$image"
    done
}

build_twice() {
    local turn
    doing=reproducible
    for turn in first second; do
        engine_start build
        engine_docker builder prune -af >/dev/null
        engine_stop
        build_images gateway users orders jobs-api
        engine_start build
        image_digests >"$engine_state/$turn"
        engine_stop
    done
    cat "$engine_state/second"
    diff "$engine_state/first" "$engine_state/second" >&2 || die "two builds of the same sources differ"
    say "./dev compose: two builds from nothing have the same bytes, after $((SECONDS - begun)) s"
}

up() {
    local start
    start=$(date +%s%3N)
    compose up -d --no-build >"$VIADUCT_DEV/compose-up.log" 2>&1 ||
        { tail -n 20 "$VIADUCT_DEV/compose-up.log" >&2; die "the stack did not start; the log is $VIADUCT_DEV/compose-up.log"; }
    wait_healthy gateway
    cold_up_ms=$(($(date +%s%3N) - start))
    say "cold compose up: ready after $cold_up_ms ms"
}

# Waits until each container of a service is healthy.
wait_healthy() {
    local id tries
    for id in $(compose ps -q "$1"); do
        tries=0
        until [ "$(engine_docker inspect -f '{{.State.Health.Status}}' "$id")" = healthy ]; do
            tries=$((tries + 1))
            [ $tries -lt 300 ] || die "$1 did not get healthy: $(engine_docker logs --tail 5 "$id" 2>&1)"
            sleep 0.2
        done
    done
}

# explain RC COMMAND: what ended the run, when no check said it.
explain() {
    [ "$BASHPID" = $$ ] || return 0 # a substitution that failed: the command that uses it knows
    say "${BASH_SOURCE[1]##*/} line ${BASH_LINENO[0]}: ended with $1: $2"
}

leave() {
    local rc=$?
    trap '' INT TERM
    if process_running "$engine_state"; then
        [ $rc = 0 ] || compose logs --no-color >"$VIADUCT_DEV/compose-stack.log" 2>&1 || true
        say "stopping the stack and the engine"
        compose --profile load down -v --remove-orphans --timeout 30 >/dev/null 2>&1 || true
        engine_stop
    fi
    rm -rf "$engine_run"
    [ $keep = yes ] || rm -rf "$engine_state"
    [ $rc = 0 ] || say "./dev compose failed in: $doing; the programs' logs: $VIADUCT_DEV/compose-stack.log"
    exit $rc
}

main "$@"
