#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# hop_certificates.sh FOLDER: a CA, and a certificate of its own for each program of the stack
# (docs/hop-tls.md), good for a day.
set -euo pipefail

rm -rf "$1"
mkdir -p "$1"
cd "$1"
new=(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 1)
"${new[@]}" -keyout ca.key -out ca.pem -subj /CN=hop 2>openssl.log
for name in gateway users orders jobs worker; do
    "${new[@]}" -CA ca.pem -CAkey ca.key -keyout "$name.key" -out "$name.pem" -subj "/CN=$name" \
        -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=CA:FALSE 2>>openssl.log
done
