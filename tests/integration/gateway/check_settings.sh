#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_settings.sh GATEWAY: what `--check` says of settings that would end it, or not protect it,
# when it starts. Each row: settings, and what must be said; the title is that of settings.
set -euo pipefail

gateway=$1 failed=0

check() { # WANTED SETTING...
    local wanted=$1 said rc=0
    said=$(env "${@:2}" "$gateway" --check 2>&1) || rc=$?
    [ $rc = 1 ] && [[ $said == *"Some settings are not acceptable"* ]] && [[ $said == *"$wanted"* ]] && return
    echo "${*:2}: rc $rc: $said"
    failed=1
}

"$gateway" --check
check 'VIADUCT_GATEWAY_LISTEN must be an address with a port' VIADUCT_GATEWAY_LISTEN=8080
check 'VIADUCT_GATEWAY_LISTEN must be an address with a port' VIADUCT_GATEWAY_LISTEN=127.0.0.1:65536
check 'VIADUCT_GATEWAY_LISTEN must be an address with a port' VIADUCT_GATEWAY_LISTEN=[::1:80
check 'VIADUCT_GATEWAY_TLS_LISTEN must be an address with a port' VIADUCT_GATEWAY_TLS_LISTEN=a:b
check "VIADUCT_USERS_UPSTREAM: 'http://a': it must begin with" VIADUCT_USERS_UPSTREAM=tcp://a:1,http://a
check 'VIADUCT_ORDERS_UPSTREAM: ' VIADUCT_ORDERS_UPSTREAM=tcp://a
check 'VIADUCT_JOBS_UPSTREAM: ' VIADUCT_JOBS_UPSTREAM=tcp://a:1,
check 'TLS needs a certificate' VIADUCT_GATEWAY_TLS_LISTEN=127.0.0.1:8443
check '/nowhere' VIADUCT_GATEWAY_TLS_LISTEN=127.0.0.1:8443 VIADUCT_TLS_CERTIFICATES=/nowhere:/nowhere
check 'VIADUCT_IP_ALLOW_ADMIN: "300.1.1.1"' VIADUCT_IP_ALLOW_ADMIN=300.1.1.1
check 'VIADUCT_TRUSTED_PROXIES: ' VIADUCT_TRUSTED_PROXIES=10.0.0.0/33
check 'VIADUCT_PROXY_FIELD is ' VIADUCT_PROXY_FIELD=x-real-ip
check 'VIADUCT_PROXY_PROTOCOL is for VIADUCT_TRUSTED_PROXIES' VIADUCT_PROXY_PROTOCOL=true
check 'VIADUCT_CORS_ORIGINS: "*"' 'VIADUCT_CORS_ORIGINS=*'
check 'VIADUCT_LIMIT_SIGN_IN must be a whole number' VIADUCT_LIMIT_SIGN_IN=some
check 'VIADUCT_DOCS_DIR: /nowhere' VIADUCT_DOCS_DIR=/nowhere
check 'VIADUCT_DRAIN_IDLE_MS must be less' VIADUCT_DRAIN_IDLE_MS=2000 VIADUCT_DRAIN_MS=1000
exit $failed
