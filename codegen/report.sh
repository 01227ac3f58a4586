#!/usr/bin/env bash
# What the action does: annotations to standard output, SARIF and a report in Markdown into $FOLDER,
# and the report into the summary of the job. CONFIG is the configuration, AGAINST (optional) the git
# reference that runs now: with it, the report and the annotations are those of `aiosqlc review`.
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
        printf '\n<details><summary>Output of aiosqlc check</summary>\n'
        fenced "$log"
        printf '\n</details>\n'
    fi
} >"$report"

# Advice annotates and does not fail: it has rules that a team may see otherwise.
if [[ -n ${AGAINST:-} ]]; then
    comment=$(mktemp)
    aiosqlc review --base "$AGAINST" -f "$CONFIG" --format github \
        --output markdown="$comment" --output sarif="$sarif" 2>"$log" || true
    {
        printf '\n'
        if [[ -s $comment ]]; then cat "$comment"; else fenced "$log"; fi
    } >>"$report"
    rm -f "$comment"
else
    aiosqlc vet --plans --format github -f "$CONFIG" || true
    aiosqlc vet --plans --format sarif -f "$CONFIG" >"$sarif" 2>/dev/null || true
    aiosqlc vet --plans --no-color -f "$CONFIG" >"$log" 2>&1 || true
    if [[ -s $log ]]; then
        {
            printf '\n### Advice, query plans included\n'
            fenced "$log"
        } >>"$report"
    fi
fi

if [[ $status -ne 0 ]]; then
    printf '::error title=aiosqlc::the generated code is not what the queries make: run aiosqlc generate\n'
fi
[[ -z ${GITHUB_STEP_SUMMARY:-} ]] || cat "$report" >>"$GITHUB_STEP_SUMMARY"
{
    printf 'sarif=%s\n' "$sarif"
    printf 'report=%s\n' "$report"
} >>"$GITHUB_OUTPUT"
exit "$status"
