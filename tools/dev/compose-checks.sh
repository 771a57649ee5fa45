# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What ./dev compose checks of the running stack. Each check ends the run when it fails.
# engine_state and the rest are compose.sh's and engine.sh's.
# shellcheck disable=SC2154

programs=(gateway users orders jobs-api worker)

# The first container of a service. sed reads all: who writes to a pipe that nobody reads any more
# ends, and a pipeline with it, without a word.
first_of() { compose ps -q "$1" | sed -n 1p; }

# In the network behind, of the first container of a service
address_of() { address "$(first_of "$1")"; }
address() { engine_docker inspect -f '{{(index .NetworkSettings.Networks "viaduct_back").IPAddress}}' "$1"; }

api_url() { echo "http://$(compose port gateway 8080)"; }

check_images() {
    local image base size user
    base=$(engine_docker image inspect -f '{{.Size}}' "$VIADUCT_BASE")
    for image in gateway users orders jobs; do
        read -r size user < <(engine_docker image inspect -f '{{.Size}} {{.Config.User}}' "viaduct/$image")
        printf 'image %-8s %6d kB above the base, runs as %s\n' $image $(((size - base) / 1000)) "$user"
        [ $((size - base)) -lt 60000000 ] || die "the image $image has more than 60 MB above the base"
        [[ $user == 10001:* ]] || die "the image $image runs as '$user'"
    done
}

# From the start of the container to the first health check that succeeded.
check_ready() {
    local name id started ready
    for name in "${programs[@]}"; do
        id=$(compose ps -q "$name")
        started=$(date -d "$(engine_docker inspect -f '{{.State.StartedAt}}' "$id")" +%s%3N)
        ready=$(engine_docker logs --timestamps "$id" 2>&1 | awk '/"svc.ready"/ && !seen { print $1; seen = 1 }')
        printf 'ready %-8s %5d ms after its container started\n' "$name" $(($(date -d "$ready" +%s%3N) - started))
    done
}

# README.md's block, with this stack's address and mails.
check_tour() {
    local tour=$VIADUCT_DEV/compose-tour.sh log=$VIADUCT_DEV/compose-tour.log
    say "the tour of README.md"
    {
        echo 'set -euo pipefail'
        awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' "$VIADUCT_ROOT/README.md" |
            sed "s#http://127.0.0.1:8080#$(api_url)#; s#\.dev/state/up/smtp/mail#$engine_state/mail#g"
    } >"$tour"
    engine_net timeout 120 bash "$tour" >"$log" 2>&1 || { tail -n 20 "$log" >&2; die "the tour failed (log: $log)"; }
    [ "$(grep -c '^Subject:' "$log")" -ge 2 ] || die "the tour's mails are missing (log: $log)"
    engine_net curl -fsS "http://$(compose port mail 8025)/" | grep 'mails<table>' >/dev/null || die "the mail page does not answer"
}

check_e2e() {
    local log=$VIADUCT_DEV/compose-e2e.log
    say "the end-to-end tests (log: $log)"
    compose cp users:/var/lib/viaduct/keys "$engine_state/" >/dev/null 2>&1
    # one case holds a row of the database, one looks for a key in it
    engine_net env VIADUCT_E2E_URL="$(api_url)" \
        VIADUCT_ORDERS_PG="postgresql://viaduct_orders:orders-demo@$(address_of postgres)/viaduct_orders" \
        VIADUCT_USERS_PG="postgresql://viaduct_users:users-demo@$(address_of postgres)/viaduct_users" \
        VIADUCT_E2E_DIR="$engine_state/results" VIADUCT_TEST_MAILDIR="$engine_state/mail" \
        VIADUCT_USERS_KEYS="$engine_state/keys" \
        "$VIADUCT_ROOT/build/dev/tests/e2e_api" --color=never --jobs=2 --timeout=120 >"$log" 2>&1 ||
        { grep -v '^\[----\] *$' "$log" | tail -n 30 >&2; die "the end-to-end tests failed (log: $log)"; }
    grep -o 'Tested: .*' "$log"
    ! grep -q 'Tested: 0 ' "$log" || die "no end-to-end test ran"
    "$VIADUCT_ROOT/dev" run tests/e2e/check_openapi.py "$engine_state/results" >>"$log" 2>&1 || die "the OpenAPI document disagrees (log: $log)"
}

# ---- under load ----

load_start() {
    engine_docker rm -f viaduct-load >/dev/null 2>&1 || true
    compose --profile load run -d --no-deps --name viaduct-load load run http://gateway:8080 >/dev/null 2>&1 || die "the load client did not start"
    local tries=0
    until engine_docker logs viaduct-load 2>&1 | grep 'under load' >/dev/null; do
        tries=$((tries + 1))
        [ $tries -lt 150 ] || die "the load client did not start: $(engine_docker logs viaduct-load 2>&1 | tail -n 5)"
        sleep 0.2
    done
}

load_stop_and_verify() {
    engine_docker stop -t 60 viaduct-load >/dev/null
    engine_docker logs viaduct-load 2>&1 | grep -v 'under load' || true
    compose --profile load run --rm --no-deps load verify http://gateway:8080 || die "requests failed, or work was lost, in: $1"
}

scale() { compose up -d --no-build --no-deps --no-recreate --scale "$1=$2" "$1" >/dev/null 2>&1 && wait_healthy "$1"; }

check_scaling() {
    say "orders to three replicas and back, under load"
    load_start
    sleep 3
    scale orders 3
    sleep 8 # for the hop to find them, and to share the work
    check_balance orders 9102
    scale orders 1
    sleep 5
    load_stop_and_verify "scaling orders"
}

# Each replica served calls, none more than twice the average.
check_balance() {
    local id ip served all=0 most=0 n=0
    for id in $(compose ps -q "$1"); do
        ip=$(address "$id")
        served=$(served_by "$ip:$2")
        sleep 2
        served=$(($(served_by "$ip:$2") - served))
        echo "balance: $1 at $ip served $served calls in 2 s"
        [ "$served" -gt 0 ] || die "$1 at $ip gets no calls"
        all=$((all + served)) n=$((n + 1)) most=$((served > most ? served : most))
    done
    [ $((most * n)) -le $((all * 2)) ] || die "the replicas of $1 are not balanced"
}

served_by() { engine_net curl -fsS "http://$1/metrics" | awk '/^viaduct_hop_served_total/ { n += $NF } END { printf "%d\n", n }'; }

# Two replicas of each, every container restarted once, one after the other.
check_rollouts() {
    local name id
    say "restarting every container under load, two replicas of each program"
    for name in "${programs[@]}"; do scale "$name" 2; done
    sleep 4
    load_start
    sleep 3
    for name in "${programs[@]}"; do
        say "restarting $name"
        for id in $(compose ps -q "$name"); do
            engine_docker restart "$id" >/dev/null
            wait_healthy "$name"
            sleep "$rollout_pause_s"
        done
    done
    sleep 2
    load_stop_and_verify "restarts"
}

# As minReadySeconds does in a cluster: until the callers have found the new replica.
rollout_pause_s=4

# ---- memory ----

# The gateway's limit is 64 MiB (compose.yaml); it keeps 5,000 connections that ask.
check_memory() {
    local id said='' used holder log=$VIADUCT_DEV/compose-connections.log
    say "5000 connections to one gateway"
    id=$(first_of gateway)
    coproc HOLD { engine_net timeout 120 tests/compose/connections.py "$(address "$id")" 8080 5000 2>"$log"; }
    holder=$HOLD_PID
    read -r -t 120 said <&"${HOLD[0]}" || true
    [ "$said" = held ] || { tail -n 3 "$log" >&2; die "the gateway did not keep 5000 connections (log: $log)"; }
    used=$(engine_docker stats --no-stream --format '{{.MemUsage}}' "$id")
    kill "$holder" 2>/dev/null || true
    wait "$holder" 2>/dev/null || true
    [ "$(engine_docker inspect -f '{{.State.OOMKilled}} {{.RestartCount}}' "$id")" = 'false 0' ] || die "the gateway ran out of memory"
    echo "gateway with 5000 connections: $used"
}
