#!/usr/bin/env bash
# Rolls every task definition of this folder out: registers it, migrates its database as a one-off task, updates
# the service and waits. Where one does not become stable, the services that were updated go back.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")"
: "${CLUSTER:?}" "${SERVICE_IMAGE:?}" "${AWS_REGION:?}" "${EXECUTION_ROLE_ARN:?}" "${TASK_ROLE_PREFIX:?}" "${SECRETS_ARN:?}"
: "${GATEWAY_IMAGE:?}" "${PUBLIC_URL:?}" "${VPC_CIDR:?}" "${LOAD_BALANCER_CIDRS:?}" "${SMTP_HOST:?}" "${MAIL_FROM:?}" "${S3_BUCKET:?}"
: "${SUBNETS:?}" "${SECURITY_GROUPS:?}"
network="awsvpcConfiguration={subnets=[$SUBNETS],securityGroups=[$SECURITY_GROUPS],assignPublicIp=DISABLED}"
# What else may be set, from the environment or, in CI, from SETTINGS: JSON of names and values. One that is not set is empty: none.
mapfile -t settings < settings.txt
for name in "${settings[@]}"; do
    value=${!name:-}
    [[ -n $value || -z ${SETTINGS:-} ]] || value=$(jq -r --arg name "$name" '.[$name] // ""' <<< "$SETTINGS")
    [[ $value != *[\"\\]* ]] || { echo "$name: quotes and backslashes cannot be in a task definition" >&2; exit 2; }
    export "$name=$value"
done
filled_in=$(mktemp -d)
trap 'rm -rf "$filled_in"' EXIT
declare -A before=() after=() migration=()

fail() { echo "$*" >&2; return 1; }

register() { # name, or migrate/name → the ARN of the new revision
    mkdir -p "$filled_in/migrate"
    # shellcheck disable=SC2016 # the names are envsubst's to replace
    envsubst '$SERVICE_IMAGE $GATEWAY_IMAGE $AWS_REGION $EXECUTION_ROLE_ARN $TASK_ROLE_PREFIX $SECRETS_ARN
        $PUBLIC_URL $VPC_CIDR $LOAD_BALANCER_CIDRS '"$(printf '$%s ' "${settings[@]}")" < "$1.json" > "$filled_in/$1.json"
    aws ecs register-task-definition --cli-input-json "file://$filled_in/$1.json" \
        --query taskDefinition.taskDefinitionArn --output text
}

migrate() { # name revision
    local task code why
    task=$(aws ecs run-task --cluster "$CLUSTER" --task-definition "$2" --launch-type FARGATE \
        --network-configuration "$network" --query 'tasks[0].taskArn' --output text)
    [[ $task == arn:* ]] || fail "the migration of $1 was given no task to run in"
    aws ecs wait tasks-stopped --cluster "$CLUSTER" --tasks "$task" || fail "the migration of $1 still runs: $task"
    code=$(aws ecs describe-tasks --cluster "$CLUSTER" --tasks "$task" --query 'tasks[0].containers[0].exitCode' --output text)
    [[ $code == 0 ]] && return
    why=$(aws ecs describe-tasks --cluster "$CLUSTER" --tasks "$task" --query 'tasks[0].stoppedReason' --output text)
    fail "the migration of $1 ended with $code: $why"
}

running() { # name → the revision that the service has now
    local revision
    revision=$(aws ecs describe-services --cluster "$CLUSTER" --services "$1" --query 'services[0].taskDefinition' --output text)
    if [[ $revision == arn:* ]]; then echo "$revision"; else fail "the cluster $CLUSTER has no service $1"; fi
}

update() { # name revision
    aws ecs update-service --cluster "$CLUSTER" --service "$1" --task-definition "$2" > /dev/null
}

stable() { aws ecs wait services-stable --cluster "$CLUSTER" --services "$@"; }

roll_back() {
    trap - TERM INT
    echo "the new version did not become stable" >&2
    local name kept=0
    for name in "${!before[@]}"; do
        echo "$name goes back to ${before[$name]}" >&2
        # One that cannot go back must not keep the others.
        update "$name" "${before[$name]}" || { echo "$name could not go back" >&2; kept=1; }
    done
    if ((kept == 0)) && stable "${!before[@]}"; then echo "the version before runs again" >&2; fi
    exit 1
}

names=()
for file in *.json; do names+=("${file%.json}"); done
for name in "${names[@]}"; do
    after[$name]=$(register "$name")
    # As the owner of its database, whom the service does not know.
    if [[ -e migrate/$name.json ]]; then migration[$name]=$(register "migrate/$name"); fi
done
# What there is to go back to, before anything is changed.
declare -A now=()
for name in "${names[@]}"; do now[$name]=$(running "$name"); done
# Every migration first: it must suit the running version too, so nothing is taken back if it fails.
for name in "${names[@]}"; do
    if [[ -e migrate/$name.json ]]; then migrate "$name" "${migration[$name]}"; fi
done
trap roll_back TERM INT
for name in "${names[@]}"; do
    before[$name]=${now[$name]}
    update "$name" "${after[$name]}" || roll_back
done
stable "${names[@]}" || roll_back
# A service that goes back by itself (its circuit breaker) is stable, too: on the version before.
for name in "${names[@]}"; do
    has=$(running "$name") || roll_back
    [[ $has == "${after[$name]}" ]] || { echo "$name went back to $has by itself" >&2; roll_back; }
done
echo "rolled out: ${names[*]}"
