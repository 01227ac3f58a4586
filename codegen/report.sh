#!/usr/bin/env bash
# What the action does: annotations to standard output, SARIF and a report in Markdown into $FOLDER.
# CONFIG is the configuration, AGAINST (optional) the git reference that runs now.
set -uo pipefail
: "${CONFIG:?}" "${FOLDER:?}" "${GITHUB_OUTPUT:?}"
sarif=$FOLDER/aiosqlc.sarif report=$FOLDER/aiosqlc.md
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0

fenced() { # a fence longer than any in the text: what a stranger wrote stays text
    printf '\n~~~~~~~~~~text\n'
    sed 's/^~\{10,\}//' "$1"
    printf '~~~~~~~~~~\n'
}

aiosqlc check --no-color -f "$CONFIG" >"$log" 2>&1 || status=$?
{
    printf '## aiosqlc\n\n'
    if [[ $status -eq 0 ]]; then
        printf 'The generated code is what the queries make.\n'
    else
        printf 'The generated code is **not** what the queries make, or they do not compile.\n'
        fenced "$log"
    fi
} >"$report"

# Advice annotates and does not fail: it has rules that a team may see otherwise.
aiosqlc vet --plans --format github -f "$CONFIG" || true
aiosqlc vet --plans --format sarif -f "$CONFIG" >"$sarif" 2>/dev/null || true
aiosqlc vet --plans --no-color -f "$CONFIG" >"$log" 2>&1 || true
if [[ -s $log ]]; then
    {
        printf '\n### Advice, query plans included\n'
        fenced "$log"
    } >>"$report"
fi

if [[ -n ${AGAINST:-} ]]; then
    aiosqlc verify --no-color --against "$AGAINST" -f "$CONFIG" >"$log" 2>&1 || true
    {
        printf '\n### Order of code and migrations, against %s\n' "$AGAINST"
        fenced "$log"
    } >>"$report"
fi

if [[ $status -ne 0 ]]; then
    printf '::error title=aiosqlc::the generated code is not what the queries make: run aiosqlc generate\n'
fi
{
    printf 'sarif=%s\n' "$sarif"
    printf 'report=%s\n' "$report"
} >>"$GITHUB_OUTPUT"
exit "$status"
