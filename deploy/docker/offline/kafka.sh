#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The entry point of the Kafka image, with what compose.yaml uses of the official one: settings
# from KAFKA_SOME_NAME (some.name), CLUSTER_ID, KAFKA_HEAP_OPTS.
set -euo pipefail

settings=/tmp/server.properties
env | sed -n '/^KAFKA_HEAP_OPTS=/d; s/^KAFKA_//p' | while IFS='=' read -r name value; do
    name=${name,,}
    echo "${name//_/.}=$value"
done >$settings
# little memory, few threads
printf '%s\n' log.cleaner.dedupe.buffer.size=2097152 log.index.size.max.bytes=1048576 \
    log.segment.bytes=16777216 num.network.threads=2 num.io.threads=2 >>$settings

# shellcheck disable=SC2206 # words
java=(java ${KAFKA_HEAP_OPTS:--Xmx256m} -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto
    -Dlog4j.configuration=file:/etc/kafka/log4j.properties -cp '/opt/kafka/*')
if [ ! -e /var/lib/kafka/data/meta.properties ]; then
    "${java[@]}" kafka.tools.StorageTool format -t "$CLUSTER_ID" -c $settings --ignore-formatted
fi
exec "${java[@]}" kafka.Kafka $settings
