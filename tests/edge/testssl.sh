#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# testssl.sh against the TLS port: no finding above LOW. That the certificate is one of our own
# making is known.
set -euo pipefail

target=${VIADUCT_EDGE_HTTPS#https://}
testssl --quiet --color 0 --warnings off --ip 127.0.0.1 --add-ca "$VIADUCT_EDGE_CA" \
    --severity MEDIUM --jsonfile "$VIADUCT_EDGE_OUT/findings.json" --overwrite "$target" || true
jq -e 'length' "$VIADUCT_EDGE_OUT/findings.json" >/dev/null
known='^(cert_trust|cert_chain_of_trust|cert_crlDistributionPoints|cert_revocation|DNS_CAArecord|OCSP_stapling|cert_expirationStatus|cert_validityPeriod|cert_extlifeSpan)'
jq -r --arg known "$known" '.[] | select((.severity | IN("MEDIUM", "HIGH", "CRITICAL", "FATAL")) and (.id | test($known) | not))
    | "\(.severity) \(.id): \(.finding)"' "$VIADUCT_EDGE_OUT/findings.json" | tee "$VIADUCT_EDGE_OUT/above-low"
[ ! -s "$VIADUCT_EDGE_OUT/above-low" ]
