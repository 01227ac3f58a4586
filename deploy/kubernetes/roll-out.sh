#!/usr/bin/env bash
# Rolls an overlay out with the images of a tag: migrates, waits, applies the rest and waits for every deployment.
# Where one does not become ready, all go back to the revision that they had.
# Usage: roll-out.sh staging|production TAG   (in the context that kubectl has)
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")"
if (($# != 2)) || [[ ! -d overlays/$1 ]]; then
    echo "usage: roll-out.sh OVERLAY TAG; overlays: $(cd overlays && echo *)" >&2
    exit 2
fi
if [[ ! $2 =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$ ]]; then echo "$2 is no tag of an image" >&2; exit 2; fi
seconds=${MIGRATION_SECONDS:-900}
migrations=app.kubernetes.io/component=migration
resources=$(kubectl kustomize "overlays/$1" | sed "s/set-by-the-pipeline/$2/")
namespace=$(sed -n 's/^  namespace: //p' <<< "$resources" | sort -u)
here() { kubectl --namespace "$namespace" "$@"; }
of() { sed -n "/^kind: $1\$/,/^---\$/s/^  name: //p" <<< "$resources"; } # the names of a kind

# A job that has run cannot be changed, only made anew.
here delete jobs --selector "$migrations" --ignore-not-found > /dev/null
here apply --selector "$migrations" --filename - <<< "$resources" > /dev/null
states='{range .items[*]}{.metadata.name}={.status.conditions[?(@.status=="True")].type}{"\n"}{end}'
until=$((SECONDS + seconds))
while :; do
    found=$(here get jobs --selector "$migrations" --output "jsonpath=$states")
    if failed=$(grep -E '=.*Failed' <<< "$found"); then
        echo "a migration failed, nothing was rolled out: ${failed%%=*}" >&2
        here logs "jobs/${failed%%=*}" --tail 20 >&2 || true
        exit 1
    fi
    grep -vqE '=.*Complete' <<< "$found" || break
    if ((SECONDS >= until)); then
        echo "migrations still run after $seconds seconds, nothing was rolled out: $(grep -vE '=.*Complete' <<< "$found" | tr '\n' ' ')" >&2
        exit 1
    fi
    sleep 2
done

declare -A before=()
for name in $(of Deployment); do
    before[$name]=$(here get deployment "$name" --ignore-not-found \
        --output 'jsonpath={.metadata.annotations.deployment\.kubernetes\.io/revision}')
done

roll_back() {
    echo "$1; all go back" >&2
    for name in "${!before[@]}"; do
        if [[ -z ${before[$name]} ]]; then echo "$name is new: it stays as it is" >&2; continue; fi
        # One that cannot go back must not keep the others.
        here rollout undo "deployment/$name" --to-revision "${before[$name]}" > /dev/null || echo "$name could not go back" >&2
    done
    exit 1
}

here apply --filename - <<< "$resources" > /dev/null || roll_back "not everything was accepted"
for name in "${!before[@]}"; do
    here rollout status "deployment/$name" --timeout 10m > /dev/null || roll_back "$name did not become ready"
done
echo "rolled out $2: $(of Deployment | tr '\n' ' ')"
