#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# ./dev test manifests: renders every overlay of deploy/k8s with kubectl, checks it against
# Kubernetes' own schemas (kubeconform), for good practice (kube-score) and against the
# programs (tools/check-deploy). Prints a line for each check; exits 1 if one failed.
#
# kubectl and Go are Debian's, unpacked in the cache folder and installed nowhere; kubeconform,
# kube-score and the schemas come through the Go module proxy, pinned here. Three minutes at
# first, seconds then.
set -euo pipefail

. "$VIADUCT_ROOT/tools/dev/common.sh"
. "$VIADUCT_ROOT/tools/dev/build.sh"

debs=(kubectl golang-1.24-go golang-1.24-src)
kubeconform=github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0
kube_score=github.com/zegl/kube-score/cmd/kube-score@v1.20.0
kubernetes=k8s.io/kubernetes@v1.34.2
keda=github.com/kedacore/keda/v2@v2.17.2
prometheus=github.com/prometheus-operator/prometheus-operator@v0.85.0

overlays=(overlays/dev overlays/staging overlays/prod bluegreen/blue bluegreen/green bluegreen/edge)
tools=$VIADUCT_CACHE/manifests-$(printf '%s\n' "${debs[@]}" "$kubeconform" "$kube_score" "$kubernetes" "$keda" "$prometheus" |
    cat - "$VIADUCT_ROOT/tools/deploy/schemas.py" | sha256sum | head -c 12)
rendered=$VIADUCT_DEV/manifests
failed=0

check() { # NAME COMMAND...
    local name=$1 out
    shift
    if out=$("$@" 2>&1); then
        echo "manifests: $name: ok"
    else
        printf '%s\n' "$out" "manifests: $name: FAILED"
        failed=1
    fi
}

# ---- tools ----

tools_make() {
    [ -e "$tools/ready" ] && return
    need_space "$VIADUCT_CACHE" 3000 "the tools for manifests"
    say "getting kubectl, Go, kubeconform, kube-score and schemas, once, into $tools (log: $VIADUCT_DEV/manifests.log)"
    rm -rf "$tools"
    mkdir -p "$tools/bin"
    if ! (tools_unpack && tools_build && tools_schemas) >"$VIADUCT_DEV/manifests.log" 2>&1; then
        tail -n 5 "$VIADUCT_DEV/manifests.log" >&2
        die "the tools for manifests could not be made (is there a network?); the whole log is $VIADUCT_DEV/manifests.log"
    fi
    rm -rf "$tools/go" "$tools/apt" "$tools/debian"
    touch "$tools/ready"
}

tools_unpack() {
    local apt=(-q -o "Dir::State::lists=$tools/apt/lists" -o "Dir::Cache=$tools/apt/cache" -o APT::Sandbox::User=root) deb
    mkdir -p "$tools/apt/lists/partial" "$tools/apt/cache/archives/partial" &&
        apt-get "${apt[@]}" update &&
        cd "$tools/apt" && apt-get "${apt[@]}" download "${debs[@]}" || return
    for deb in *.deb; do dpkg -x "$deb" "$tools/debian" || return; done
    cp "$tools/debian/usr/bin/kubectl" "$tools/bin/"
}

go_run() {
    GOROOT=$tools/debian/usr/lib/go-1.24 GOPATH=$tools/go GOBIN=$tools/bin GOCACHE=$tools/go/cache \
        GOFLAGS=-modcacherw GOTOOLCHAIN=local "$tools/debian/usr/lib/go-1.24/bin/go" "$@"
}

tools_build() { cd "$tools" && go_run install "$kubeconform" && go_run install "$kube_score"; }

tools_schemas() {
    local modules=$tools/go/pkg/mod module
    for module in "$kubernetes" "$keda" "$prometheus"; do go_run mod download "$module" || return; done
    "$VIADUCT_ROOT/tools/deploy/schemas.py" "$modules/$kubernetes/api/openapi-spec/swagger.json" "$tools/schemas" \
        "$modules/$keda/config/crd/bases/keda.sh_scaledobjects.yaml" \
        "$modules/$prometheus/example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml"
}

# ---- checks ----

overlay_file() { echo "$rendered/${1//\//-}.yaml"; }

render() { "$tools/bin/kubectl" kustomize "$VIADUCT_ROOT/deploy/k8s/$1" >"$(overlay_file "$1")"; }

schemas() { "$tools/bin/kubeconform" -strict -summary -schema-location "$tools/schemas/{{.ResourceKind}}{{.KindSuffix}}.json" "$@"; }

# No CPU limits: they would throttle loops whose number VIADUCT_LOOPS bounds already. In dev the
# images are those that were loaded into the cluster, and the stores are toys.
score() { # FILE
    local ignore=() options=(--ignore-container-cpu-limit) test
    if [[ $1 = *overlays-dev* ]]; then
        ignore=(container-image-pull-policy container-image-tag container-ephemeral-storage-request-and-limit
            container-security-context-user-group-id container-security-context-readonlyrootfilesystem
            statefulset-has-poddisruptionbudget)
    fi
    for test in "${ignore[@]}"; do options+=(--ignore-test "$test"); done
    "$tools/bin/kube-score" score "${options[@]}" -o ci "$1" | (grep -v -E '^\[(OK|SKIPPED)\]' || true)
    return "${PIPESTATUS[0]}"
}

mkdir -p "$rendered"
tools_make
build_preset release
for overlay in "${overlays[@]}"; do
    check "$overlay renders" render "$overlay"
    check "$overlay has the right fields" schemas "$(overlay_file "$overlay")"
    [ "$overlay" != bluegreen/edge ] || continue # what it leads to is in the colours
    check "$overlay is good practice" score "$(overlay_file "$overlay")"
    check "$overlay agrees with the programs" "$VIADUCT_ROOT/tools/check-deploy" "$(overlay_file "$overlay")"
done
exit $failed
