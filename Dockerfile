# One image for every Python process; which one it is, the command says: `services.user`,
# `lib.db.migrations up --db user`, `observability.nginx_exporter --log …`.
ARG PYTHON_IMAGE=python:3.12.11-slim-bookworm
ARG NGINX_IMAGE=nginx:1.28.0-alpine

FROM ${PYTHON_IMAGE} AS packages
# For sites without an index: --no-index --find-links /src/wheels
ARG PIP_OPTIONS=""
WORKDIR /src
COPY requirements.lock deploy/docker/runtime_requirements.py deploy/docker/wheel[s] ./wheels/
RUN python -m venv /opt/venv \
 && python wheels/runtime_requirements.py wheels/requirements.lock > runtime.lock \
 && /opt/venv/bin/pip install --no-cache-dir --no-compile --require-hashes ${PIP_OPTIONS} -r runtime.lock \
 && /opt/venv/bin/pip uninstall --yes --quiet pip

FROM ${PYTHON_IMAGE} AS service
RUN groupadd --gid 10001 app && useradd --uid 10001 --gid app --no-create-home --shell /usr/sbin/nologin app
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 INTERNAL_PORT=9000 ENVIRONMENT=production LOG_FORMAT=json
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY lib lib
COPY services services
COPY observability/__init__.py observability/__init__.py
COPY observability/nginx_exporter observability/nginx_exporter
COPY migrations migrations
COPY api/swagger api/swagger
# A volume that is mounted here for the first time gets its owner: ours, and the gateway's for the exporter of its log.
RUN mkdir -p /var/lib/files /state && chown 10001:10001 /var/lib/files && chown 101:101 /state
USER 10001:10001
EXPOSE 9000
HEALTHCHECK --interval=10s --timeout=10s --start-period=120s --retries=5 \
  CMD ["python", "-I", "-S", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['INTERNAL_PORT']}/readyz\", timeout=2)"]
ENTRYPOINT ["python", "-m"]
CMD ["services.user"]

FROM ${NGINX_IMAGE} AS gateway
COPY deploy/docker/gateway/nginx.conf deploy/docker/gateway/docs.conf /etc/nginx/
COPY deploy/docker/gateway/start.sh nginx/rotate.sh /
COPY nginx/docs /srv/docs
COPY nginx/pages /srv/pages
COPY api/swagger /srv/specs
COPY --from=packages /opt/venv/lib/python3*/site-packages/aiohttp_apispec/static /srv/assets
RUN mkdir -p /var/lib/gateway && chown 101:101 /var/lib/gateway
VOLUME /var/lib/gateway
USER 101:101
EXPOSE 8080
# Finish what was begun; `nginx` ends at once at the usual signal.
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/healthz"]
CMD ["sh", "/start.sh"]
