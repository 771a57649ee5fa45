# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0

# kafka_jars LOG: prints the folder of the broker's jars; Maven fetches them once into the cache.
kafka_jars() {
    local log=$1 pom=$VIADUCT_ROOT/deploy/dev/kafka/pom.xml jars
    jars=$VIADUCT_CACHE/kafka-$(sha256sum "$pom" | cut -c 1-12)
    if [ ! -d "$jars" ]; then
        need_space "$VIADUCT_CACHE" 300 "Kafka"
        say "fetching Kafka with Maven, once, into $jars"
        rm -rf "$jars.part"
        mvn -B -q -f "$pom" -Dmaven.repo.local="$jars.part/repository" \
            dependency:copy-dependencies -DoutputDirectory="$jars.part/jars" >"$log" 2>&1 ||
            { tail -n 5 "$log" >&2; die "Maven could not fetch Kafka; is there a network? (log: $log)"; }
        mv "$jars.part/jars" "$jars"
        rm -rf "$jars.part"
    fi
    echo "$jars"
}
