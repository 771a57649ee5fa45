#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# ./dev up [-d]: builds, starts private servers, migrates, seeds demo data, starts everything.
set -euo pipefail

. "$VIADUCT_ROOT/tools/dev/common.sh"
. "$VIADUCT_ROOT/tools/dev/process.sh"
. "$VIADUCT_ROOT/tools/dev/build.sh"
. "$VIADUCT_ROOT/tools/dev/programs.sh"
. "$VIADUCT_ROOT/tools/dev/docs.sh"

main() {
    local detach=no
    case ${1:-} in
    '') ;;
    -d) detach=yes ;;
    *) die "usage: ./dev up [-d]" ;;
    esac

    if programs_running; then
        die "it is already running (./dev status); stop it first with ./dev down"
    fi
    check_ports
    trap stop_all EXIT # until all is ready, and in the foreground to the end
    trap 'exit 130' INT TERM

    build_preset "$programs_preset"
    start_servers
    migrate_and_seed
    programs_certificate
    programs_page
    say "starting viaduct"
    start_programs
    summary

    if [ $detach = yes ]; then
        trap - EXIT
    else
        say "Ctrl-C stops it all"
        watch_programs
    fi
}

check_ports() {
    local name address
    for name in "${programs[@]}"; do
        for address in "$(program_listens "$name")" "$(program_admin "$name")"; do
            [ "$address" = - ] || check_port "$name" "${address##*:}"
        done
        [ "$name" != gateway ] || check_port gateway "${VIADUCT_GATEWAY_TLS_LISTEN##*:}"
    done
}

check_port() {
    local name=$1 port=$2 holder advice
    port_is_free "$port" && return
    holder=$(ss -Hltnp "sport = :$port" | grep -o 'users:.*' | head -n 1 || true)
    case $port in
    "${VIADUCT_GATEWAY_LISTEN##*:}") advice="VIADUCT_GATEWAY_LISTEN=127.0.0.1:8081 ./dev up" ;;
    "${VIADUCT_GATEWAY_TLS_LISTEN##*:}") advice="VIADUCT_GATEWAY_TLS_LISTEN=127.0.0.1:8444 ./dev up" ;;
    9???) advice="VIADUCT_ADMIN_PORTS=9200 ./dev up" ;;
    *) advice="VIADUCT_${name^^}_LISTEN=tcp://127.0.0.1:$((port + 100)) ./dev up" ;;
    esac
    die "port $port, which $name needs, is in use${holder:+ by $holder}; stop that program, or choose another port, for example: $advice"
}

start_servers() {
    local start=$SECONDS
    say "starting PostgreSQL, Redis, Kafka and the SMTP sink under $programs_state"
    "$VIADUCT_ROOT/tools/dev/servers.sh" start "$programs_stack"
    say "servers are ready after $((SECONDS - start)) s"
    programs_environment
}

migrate_and_seed() {
    local service
    say "migrating the databases and adding demo data"
    for service in users orders jobs; do run_once "$service" migrate; done
    for service in users orders; do run_once "$service" seed; done
}

run_once() {
    local log=$programs_state/$2-$1.log
    "$programs_bin/viaduct-$1" "$2" >"$log" 2>&1 && return
    tail -n 5 "$log" >&2
    die "viaduct-$1 $2 failed; its log is $log"
}

start_programs() {
    local name
    for name in "${programs[@]}"; do program_start "$name"; done
    programs_wait_ready
}

# Without a network there is no page the first time, and all else works.
programs_page() {
    VIADUCT_DOCS_DIR=$(docs_folder "$VIADUCT_DEV/docs.log") || VIADUCT_DOCS_DIR=
    export VIADUCT_DOCS_DIR
}

summary() {
    echo
    echo "Viaduct is ready: http://${VIADUCT_GATEWAY_LISTEN/0.0.0.0/127.0.0.1}"
    echo "                  https://${VIADUCT_GATEWAY_TLS_LISTEN/127.0.0.1/localhost} (curl --cacert .dev/tls/localhost.crt)"
    [ -z "$VIADUCT_DOCS_DIR" ] || echo "                  the API for people: http://${VIADUCT_GATEWAY_LISTEN/0.0.0.0/127.0.0.1}/docs"
    echo
    programs_status
    "$VIADUCT_ROOT/tools/dev/servers.sh" status "$programs_stack"
    echo
    echo "accounts      admin@example.com / admin-password, alice@example.com / alice-password,"
    echo "              bob@example.com / bob-password"
    echo "mail goes to  $VIADUCT_TEST_MAILDIR/new"
    echo "logs          ./dev logs NAME, any of the names above"
    echo
}

# A process that ends is told of once; the others go on.
watch_programs() {
    local name gone=' '
    while :; do
        sleep 1
        for name in "${programs[@]}"; do
            [[ $gone == *" $name "* ]] && continue
            process_running "$programs_state/$name" && continue
            gone+="$name "
            say "$name has stopped; its log: ./dev logs $name"
        done
    done
}

stop_all() {
    local rc=$?
    trap '' INT TERM
    say "stopping"
    programs_stop
    if [ -d "$programs_state" ]; then "$VIADUCT_ROOT/tools/dev/servers.sh" stop "$programs_stack"; fi
    exit $rc
}

main "$@"
