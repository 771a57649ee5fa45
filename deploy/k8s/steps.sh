# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# The steps of rollout and bluegreen/switch. They use $namespace, and $work, a folder.

say() { printf '%s\n' "rollout: $*" >&2; }

die() {
    say "$*"
    exit 1
}

kube() { kubectl --namespace "${namespace:?}" "$@"; }

# A line for each Deployment: its name and revision. None at the first rollout.
revisions() {
    kube get deployments -l viaduct/step=run -o 'jsonpath={range .items[*]}{.metadata.name} {.metadata.annotations.deployment\.kubernetes\.io/revision}{"\n"}{end}' 2>/dev/null || true
}

# Jobs cannot be changed, only made again.
migrate() { # FILE
    kube delete jobs -l viaduct/step=migrate --ignore-not-found --wait >/dev/null
    kubectl apply -f "$1" -l viaduct/step=migrate >/dev/null
    kube wait jobs -l viaduct/step=migrate --for=condition=complete --timeout=300s >/dev/null && return
    kube logs -l app.kubernetes.io/name=migrate --tail=20 >&2 || true
    die "a migration failed; no program was touched"
}

# progressDeadlineSeconds makes `rollout status` fail when a Deployment gets nowhere.
wait_rolled_out() { # LABELS
    local one
    for one in $(kube get deployments -l "$1" -o name); do
        kube rollout status "$one" --timeout=600s >/dev/null || { say "$one did not roll out"; return 1; }
    done
}

undo() { # FILE of revisions
    local name revision
    [ -s "$1" ] || die "this was the first rollout: there is nothing to go back to"
    while read -r name revision; do
        [ "$(revisions | awk -v name="$name" '$1 == name { print $2 }')" = "$revision" ] ||
            kube rollout undo "deployment/$name" --to-revision="$revision" >/dev/null
    done <"$1"
    wait_rolled_out viaduct/step=run || die "going back failed too; look at: kubectl -n $namespace get pods"
    say "back at the revisions from before"
}

# Through a pod of the gateway: a read that reaches orders and its database, the keys of users,
# and a refusal.
smoke() { # SERVICE
    local port rc=0
    kube port-forward "service/$1" :80 --address 127.0.0.1 >"${work:?}/forward" 2>&1 &
    local forward=$!
    for _ in $(seq 100); do
        port=$(sed -n 's/^Forwarding from 127.0.0.1:\([0-9]*\).*/\1/p' "$work/forward")
        [ -z "$port" ] || break
        sleep 0.1
    done
    expect 200 "${port:-0}" '/v1/products?limit=1' && expect 200 "${port:-0}" /.well-known/jwks.json &&
        expect 401 "${port:-0}" /v1/users/me || rc=1
    kill "$forward" 2>/dev/null || true
    return $rc
}

expect() { # STATUS PORT PATH
    local got
    got=$(curl -sS -o /dev/null -m 10 --retry 2 -w '%{http_code}' "http://127.0.0.1:$2$3" || true)
    [ "$got" = "$1" ] || { say "smoke test: $3 answers '$got', not $1"; return 1; }
}

# For overlay dev: the key that signs access tokens, made once.
signing_key() {
    kube get secret viaduct-users-keys >/dev/null 2>&1 && return
    (umask 077 && openssl genpkey -algorithm ed25519 -out "$work/dev.pem")
    kube create secret generic viaduct-users-keys --from-file="$work/dev.pem" >/dev/null
}
