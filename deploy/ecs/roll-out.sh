#!/usr/bin/env bash
# Rolls every task definition of this folder out: registers it, migrates its database as a one-off task, updates
# the service and waits. Where one does not become stable, the services that were updated go back.
set -euo pipefail
cd "$(dirname "$0")"
: "${CLUSTER:?}" "${SERVICE_IMAGE:?}" "${AWS_REGION:?}" "${EXECUTION_ROLE_ARN:?}" "${TASK_ROLE_ARN:?}" "${SECRETS_ARN:?}"
: "${GATEWAY_IMAGE:?}" "${PUBLIC_URL:?}" "${VPC_CIDR:?}" "${SMTP_HOST:?}" "${MAIL_FROM:?}" "${S3_BUCKET:?}"
: "${SUBNETS:?}" "${SECURITY_GROUPS:?}"
network="awsvpcConfiguration={subnets=[$SUBNETS],securityGroups=[$SECURITY_GROUPS],assignPublicIp=DISABLED}"
declare -A before=() after=()

register() { # name → the ARN of the new revision
    # shellcheck disable=SC2016 # the names are envsubst's to replace
    envsubst '$SERVICE_IMAGE $GATEWAY_IMAGE $AWS_REGION $EXECUTION_ROLE_ARN $TASK_ROLE_ARN $SECRETS_ARN
        $PUBLIC_URL $VPC_CIDR $SMTP_HOST $MAIL_FROM $S3_BUCKET' < "$1.json" > "/tmp/$1.json"
    aws ecs register-task-definition --cli-input-json "file:///tmp/$1.json" \
        --query taskDefinition.taskDefinitionArn --output text
}

migrate() { # name revision
    local task code
    task=$(aws ecs run-task --cluster "$CLUSTER" --task-definition "$2" --launch-type FARGATE \
        --network-configuration "$network" --query 'tasks[0].taskArn' --output text --overrides \
        "{\"containerOverrides\":[{\"name\":\"$1\",\"command\":[\"lib.db.migrations\",\"up\",\"--db\",\"$1\"]}]}")
    aws ecs wait tasks-stopped --cluster "$CLUSTER" --tasks "$task"
    code=$(aws ecs describe-tasks --cluster "$CLUSTER" --tasks "$task" --query 'tasks[0].containers[0].exitCode' --output text)
    [[ $code == 0 ]] || { echo "the migration of $1 ended with $code" >&2; return 1; }
}

roll_back() {
    for name in "${!before[@]}"; do
        echo "$name goes back to ${before[$name]}" >&2
        aws ecs update-service --cluster "$CLUSTER" --service "$name" --task-definition "${before[$name]}" > /dev/null
    done
}

names=()
for file in *.json; do names+=("${file%.json}"); done
for name in "${names[@]}"; do after[$name]=$(register "$name"); done
# Every migration first: it must suit the running version too, so nothing is taken back if it fails.
for name in "${names[@]}"; do
    if [[ -d ../../migrations/$name ]]; then migrate "$name" "${after[$name]}"; fi
done
trap 'roll_back' ERR
for name in "${names[@]}"; do
    before[$name]=$(aws ecs describe-services --cluster "$CLUSTER" --services "$name" --query 'services[0].taskDefinition' --output text)
    aws ecs update-service --cluster "$CLUSTER" --service "$name" --task-definition "${after[$name]}" > /dev/null
done
aws ecs wait services-stable --cluster "$CLUSTER" --services "${names[@]}"
echo "rolled out: ${names[*]}"
