"""Deployment files: they match the existing services, and what they name exists."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from cryptography import x509

from codegen.tests.documents import read_yaml, read_yaml_all
from devstack.settings import CALLERS, ROOT, service_names
from devstack.testing.components import program
from tools.rendered import deployment

COMPOSE = read_yaml(ROOT / "docker-compose.yml")
PARTS = COMPOSE["services"]
GIVEN = deployment()  # what the templates give, by path
SCRIPTS = sorted(
    path
    for folder in ("deploy", "nginx", "observability")
    for path in (ROOT / folder).rglob("*.sh")
    if "secrets" not in path.parts
)


@pytest.mark.parametrize("name", PARTS)
def test_an_image_has_a_version_and_every_part_has_limits(name):
    image = PARTS[name]["image"]
    assert re.search(r":[^/}]*\d|:local\}?$", image), image
    assert "latest" not in image
    assert set(PARTS[name]["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert set(PARTS[name]["logging"]["options"]) == {"max-size", "max-file", "tag"}


# Who needs a privilege after all; the file says why.
PRIVILEGED = {"elk-certificates"}
# What is not ours and writes into its own folders.
WRITING = {name for name, part in PARTS.items() if part["profiles"] == ["elk"]}


@pytest.mark.parametrize("name", PARTS)
def test_a_part_has_no_privilege_and_writes_only_where_it_is_given_room(name):
    part = PARTS[name]
    assert part["cap_drop"] == ["ALL"]
    assert part["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in part
    assert ("cap_add" in part) is (name in PRIVILEGED)
    assert part["read_only"] is (name not in WRITING)
    # What a folder in memory holds counts against the part's own limit.
    assert all("size=" in place for place in part["tmpfs"] if place.startswith("/tmp"))


@pytest.mark.parametrize("name", PARTS)
def test_no_part_reaches_docker(name):
    """Access to Docker's socket equals root, even in a read-only folder."""
    places = [place.split(":")[0] for place in PARTS[name].get("volumes", ())]
    held = [place.rstrip("/") + "/" for place in places if place.startswith("/")]
    for socket in ("/run/docker.sock", "/var/run/docker.sock"):
        assert not [place for place in held if f"{socket}/".startswith(place)]


@pytest.mark.parametrize(
    "group", ["/docker/{}", "/system.slice/docker-{}.scope", "/a.slice/b.slice/docker-{}.scope"]
)
def test_a_container_is_named_by_its_short_id(group):
    rules = read_yaml(ROOT / "observability" / "prometheus" / "prometheus.yml")
    (rule,) = rules["scrape_configs"][0]["metric_relabel_configs"]
    found = re.fullmatch(rule["regex"], group.format("0123456789ab" + "c" * 52))
    assert found is not None
    assert found[1] == "0123456789ab"


def test_only_prometheus_reaches_who_looks_into_every_container():
    reach = {name for name, part in PARTS.items() if "watching" in part["networks"]}
    assert reach == {"cadvisor", "prometheus"}
    assert PARTS["cadvisor"]["networks"] == ["watching"]
    assert COMPOSE["networks"]["watching"] == {"internal": True}


def test_each_task_on_ecs_has_a_role_of_its_own():
    """An attacker of one task does not get another task's access, such as to the pictures."""
    folder = ROOT / "deploy" / "ecs"
    tasks = [json.loads(path.read_text()) for path in folder.glob("**/*.json")]
    assert len(tasks) > len(service_names())
    roles = {task["family"]: task["taskRoleArn"] for task in tasks if "taskRoleArn" in task}
    assert len(set(roles.values())) == len(roles)
    for family, role in roles.items():
        assert role == f"${{TASK_ROLE_PREFIX}}{family.removeprefix('marketplace-')}"
    # A migration is a database's: it may nothing at all.
    assert roles.keys() == {f"marketplace-{name}" for name in (*service_names(), "gateway")}


@pytest.mark.parametrize("name", PARTS)
def test_what_a_part_waits_for_and_mounts_exists(name):
    part = PARTS[name]
    assert set(part.get("depends_on", ())) <= set(PARTS)
    assert set(part["profiles"]) <= {"core", "monitoring", "elk", "lgtm", "docs"}
    for mount in part.get("volumes", ()):
        source = mount.split(":")[0]
        if source.startswith("./") and "secrets" not in source:
            assert (ROOT / source).exists(), source
        elif not source.startswith(("/", "./")):
            assert source in COMPOSE["volumes"]
    mounted = {one if isinstance(one, str) else one["source"] for one in part.get("secrets", ())}
    assert mounted <= set(COMPOSE["secrets"])


@pytest.mark.parametrize("name", service_names())
def test_a_service_starts_after_its_migrations(name):
    part = PARTS[name]
    assert part["command"] == [f"services.{name}"]
    if f"migrate-{name}" in PARTS:
        waits = part["depends_on"][f"migrate-{name}"]["condition"]
        assert waits == "service_completed_successfully"


def test_containers_are_replaced_after_every_migration_has_succeeded():
    """Compose alone would remove the old containers first."""
    steps = subprocess.run(
        ["make", "-n", "docker-up"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    (migrate,) = (step for step in steps if "migrate-$db" in step)
    jobs = {f"migrate-{name}" for name in migrate.split("in ")[1].split(";")[0].split()}
    assert jobs == {name for name in PARTS if name.startswith("migrate-")}
    assert steps.index(migrate) < [" up " in step for step in steps].index(True)


def test_no_port_is_published_twice_or_to_the_world():
    published = [port for part in PARTS.values() for port in part.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert len({port.split(":-")[1] for port in published}) == len(published)


@pytest.mark.parametrize("name", service_names())
def test_the_health_of_a_service_is_published_and_not_its_api(name):
    (port,) = PARTS[name]["ports"]
    inside = port.rpartition(":")[2]
    assert inside == re.search(r"INTERNAL_PORT=(\d+)", (ROOT / "Dockerfile").read_text())[1]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_parses_and_stops_at_the_first_error(script):
    subprocess.run(["bash", "-n", script], check=True)
    text = script.read_text()
    # Only bash ends a pipe at its first failure.
    assert ("set -eu\n" if text.startswith("#!/bin/sh\n") else "set -euo pipefail") in text
    found = subprocess.run(
        [program("shellcheck"), "--severity=warning", script],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout


def test_secrets_are_made_once_and_only_for_their_owner(tmp_path):
    script = shutil.copy(ROOT / "deploy/docker/secrets.sh", tmp_path)
    folder = tmp_path / "secrets"
    subprocess.run(["bash", script, "order", "product", "user"], check=True, capture_output=True)
    first = {path.name: path.read_text() for path in folder.iterdir()}
    subprocess.run(["bash", script, "order", "product", "user"], check=True, capture_output=True)
    assert {path.name: path.read_text() for path in folder.iterdir()} == first
    named = {f for part in PARTS.values() for f in part.get("env_file", ())}
    made = {*first, *(f"{part}{name}.env" for name in service_names() for part in ("", "migrate-"))}
    assert {Path(file).name for file in named} <= made
    assert set(COMPOSE["secrets"]) <= set(first)
    assert folder.stat().st_mode & 0o077 == 0
    clients = first["user.env"].split("USER_SERVICE_CLIENTS=")[1].strip()
    secret = first["order_client_password"].strip().encode()
    assert clients == f"order:sha256:{hashlib.sha256(secret).hexdigest()}"
    # Who calls nobody in its own name has no secret that could be stolen.
    signs_in = {name for name, text in first.items() if "AUTH_CLIENT_SECRET" in text}
    assert signs_in == {f"{name}.env" for name in CALLERS}
    passwords = [text for name, text in first.items() if name.endswith("_password")]
    assert len(set(passwords)) == len(passwords) >= 7


@pytest.fixture
def secrets(tmp_path) -> Callable[..., str]:
    """Run the script in its own folder; return its output."""
    script = shutil.copy(ROOT / "deploy/docker/secrets.sh", tmp_path)

    def run(*names: str) -> str:
        made = subprocess.run(["bash", script, *names], capture_output=True, text=True, check=False)
        return f"{made.returncode}: {made.stdout}{made.stderr}"

    return run


def test_a_certificate_is_for_a_year_and_renewed_near_its_end_with_the_same_key(secrets, tmp_path):
    secrets("product")
    folder = tmp_path / "secrets"
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    ends = x509.load_pem_x509_certificate(first["mariadb_certificate"]).not_valid_after_utc
    assert timedelta(days=364) < ends - datetime.now(UTC) <= timedelta(days=365)
    shorten = """openssl req -new -key mariadb_key -subj /CN=mariadb | openssl x509 -req -days 59 \\
        -CA database_ca -CAkey database_ca_key -out mariadb_certificate"""
    subprocess.run(["sh", "-c", shorten], cwd=folder, check=True, capture_output=True)
    assert "docker compose restart mariadb\n" in secrets("product")
    changed = [path.name for path in folder.iterdir() if path.read_bytes() != first[path.name]]
    assert changed == ["mariadb_certificate"]
    verify = ["openssl", "verify", "-CAfile", "database_ca", "mariadb_certificate"]
    subprocess.run(verify, cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("gone", "made"),
    [
        ({"mariadb_key"}, {"mariadb_key", "mariadb_certificate"}),
        ({"database_ca_key"}, {"database_ca_key", "database_ca", "mariadb_certificate",
                               "postgres_certificate"}),
        ({"database_ca"}, {"database_ca"}),
    ],
    ids=["of a server", "of the authority", "not even one"],
)  # fmt: skip
def test_a_certificate_is_made_anew_for_another_key(secrets, tmp_path, gone, made):
    secrets("product")
    folder = tmp_path / "secrets"
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name in gone:
        (folder / name).unlink()
    assert secrets("product").startswith("0:")
    changed = {path.name for path in folder.iterdir() if path.read_bytes() != first[path.name]}
    assert changed == made
    for server in ("postgres", "mariadb"):
        verify = ["openssl", "verify", "-CAfile", "database_ca", f"{server}_certificate"]
        subprocess.run(verify, cwd=folder, check=True, capture_output=True)


def test_an_authority_near_its_end_is_renewed_and_what_it_signed_stays_good(secrets, tmp_path):
    secrets("product")
    folder = tmp_path / "secrets"
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    shorten = """openssl req -new -x509 -days 400 -key database_ca_key -out database_ca \\
        -subj "/CN=databases of marketplace" -addext keyUsage=critical,keyCertSign"""
    subprocess.run(["sh", "-c", shorten], cwd=folder, check=True, capture_output=True)
    assert secrets("product").startswith("0:")
    assert "Not After : " in subprocess.run(
        ["openssl", "x509", "-in", "database_ca", "-noout", "-text", "-checkend", "200000000"],
        cwd=folder, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert (folder / "postgres_certificate").read_bytes() == first["postgres_certificate"]
    verify = ["openssl", "verify", "-CAfile", "database_ca", "postgres_certificate"]
    subprocess.run(verify, cwd=folder, check=True, capture_output=True)


def test_secrets_for_no_database_are_refused_in_a_sentence(secrets, tmp_path):
    assert secrets() == (
        "2: secrets.sh: name the databases: deploy/docker/secrets.sh $(ls migrations)\n"
    )
    assert not (tmp_path / "secrets").exists()


def test_no_secret_is_in_a_deployment_file():
    text = "\n".join(path.read_text() for path in GIVEN)
    assert not re.search(
        r"(?i)(password|secret|token)[\"']?\s*[:=]\s*[\"']?[a-z0-9]{8,}[\"']?$", text, re.MULTILINE
    )


def test_what_an_image_is_made_of_is_let_into_its_build():
    copied = re.findall(
        r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )
    let_in = [
        Path(line[1:]) for line in (ROOT / ".dockerignore").read_text().split() if line[0] == "!"
    ]
    for source in " ".join(copied).replace("[s]", "s").split():
        assert any(Path(source).is_relative_to(path) for path in let_in), source
        assert (ROOT / source).exists() or source.endswith("wheels")


def test_prometheus_finds_every_service_in_its_container():
    groups = json.loads((ROOT / "deploy/docker/prometheus/targets/compose.json").read_text())
    assert {g["labels"]["job"] for g in groups if g["labels"]["kind"] == "service"} == set(
        service_names()
    )


KUBERNETES = ROOT / "deploy" / "kubernetes"


@pytest.mark.parametrize("name", service_names())
def test_a_service_on_kubernetes_is_probed_limited_and_unprivileged(name):
    found = {part["kind"]: part for part in read_yaml_all(KUBERNETES / f"base/{name}.yaml") if part}
    assert {"Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler"} <= set(found)
    pod = found["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    authority = next(volume for volume in pod["volumes"] if volume["name"] == "authorities")
    assert authority["secret"]["optional"] is True
    mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert f"`{mounted['authorities']}/database_ca`" in (ROOT / "docs/deployment.md").read_text()
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert "memory" in container["resources"]["limits"]
    named = {port["name"] for port in container["ports"]}
    assert {port["targetPort"] for port in found["Service"]["spec"]["ports"]} <= named


def test_grpc_is_called_by_a_name_that_leads_to_every_pod():
    parts = [p for p in read_yaml_all(KUBERNETES / "base/point.yaml") if p]
    headless = next(p for p in parts if p["metadata"]["name"] == "point-grpc")
    assert headless["spec"]["clusterIP"] == "None"
    platform = [p for p in read_yaml_all(KUBERNETES / "base/platform.yaml") if p]
    address = next(p for p in platform if p["kind"] == "ConfigMap")["data"]["POINT_GRPC_ADDRESS"]
    (port,) = headless["spec"]["ports"]
    assert address == f"point-grpc:{port['port']}"


def test_the_ingress_has_a_class_and_lets_the_gateway_refuse_what_is_too_large():
    parts = [p for p in read_yaml_all(KUBERNETES / "base/platform.yaml") if p]
    ingress = next(p for p in parts if p["kind"] == "Ingress")
    policy = next(
        p for p in parts if p["kind"] == "NetworkPolicy" and p["metadata"]["name"] == "gateway"
    )
    namespace = policy["spec"]["ingress"][0]["from"][0]["namespaceSelector"]["matchLabels"]
    assert (
        namespace["kubernetes.io/metadata.name"] == f"ingress-{ingress['spec']['ingressClassName']}"
    )
    annotations = ingress["metadata"]["annotations"]
    allowed = int(annotations["nginx.ingress.kubernetes.io/proxy-body-size"].removesuffix("m"))
    conf = (ROOT / "deploy/docker/gateway/nginx.conf").read_text()
    limits = [int(each) for each in re.findall(r"client_max_body_size (\d+)m;", conf)]
    assert limits
    assert allowed > max(limits)


def _watched() -> dict[str, tuple[str, str]]:
    """Return every scraped pod: its job, kind and port, as relabelling reads its annotations."""
    config = read_yaml(KUBERNETES / "prometheus.yml")["scrape_configs"][0]
    read = {
        step["target_label"]: step["source_labels"][-1].removeprefix(
            "__meta_kubernetes_pod_annotation_"
        )
        for step in config["relabel_configs"]
        if "target_label" in step
    }
    found = {}
    for file in (KUBERNETES / "base").glob("*.yaml"):
        for part in read_yaml_all(file):
            if part and part["kind"] == "Deployment":
                template = part["spec"]["template"]
                plain = {
                    re.sub(r"\W", "_", k): v for k, v in template["metadata"]["annotations"].items()
                }
                ports = {
                    str(p["containerPort"])
                    for c in template["spec"]["containers"]
                    for p in c["ports"]
                }
                assert plain[read["__address__"]] in ports
                found[plain[read["job"]]] = plain[read["kind"]], plain[read["__address__"]]
    return found


def test_pods_on_kubernetes_have_the_jobs_and_kinds_that_compose_has():
    groups = json.loads((ROOT / "deploy/docker/prometheus/targets/compose.json").read_text())
    compose = {
        g["labels"]["job"]: (g["labels"]["kind"], g["targets"][0].rpartition(":")[2])
        for g in groups
    }
    watched = _watched()
    assert set(watched) == {*service_names(), "nginx-exporter"}
    assert watched.items() <= compose.items()


def test_the_scrape_configuration_of_kubernetes_is_valid(tmp_path):
    """The test omits the discovery itself, which Debian's Prometheus does not include."""
    config = yaml.safe_load((KUBERNETES / "prometheus.yml").read_text())
    assert config["scrape_configs"][0].pop("kubernetes_sd_configs")[0]["role"] == "pod"
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    checked = subprocess.run(
        [program("promtool"), "check", "config", tmp_path / "prometheus.yml"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("place", ["kubernetes", "ecs"])
def test_the_log_s_exporter_reads_the_file_that_the_gateway_beside_it_writes(place):
    if place == "kubernetes":
        parts = [p for p in read_yaml_all(KUBERNETES / "base/platform.yaml") if p]
        pod = next(p for p in parts if p["kind"] == "Deployment")["spec"]["template"]["spec"]
        gateway, exporter = pod["containers"]
        environ = {entry["name"]: entry.get("value") for entry in gateway["env"]}
        command, mounts = (
            exporter["args"],
            [{m["name"]: m["mountPath"] for m in c["volumeMounts"]} for c in (gateway, exporter)],
        )
    else:
        task = json.loads((ROOT / "deploy/ecs/gateway.json").read_text())
        gateway, exporter = task["containerDefinitions"]
        environ = {entry["name"]: entry["value"] for entry in gateway["environment"]}
        command, mounts = (
            exporter["command"],
            [
                {m["sourceVolume"]: m["containerPath"] for m in c["mountPoints"]}
                for c in (gateway, exporter)
            ],
        )
    conf = (ROOT / "deploy/docker/gateway/nginx.conf").read_text()
    log = re.search(r'access_log "(\S+)" json;', conf)[1]
    assert environ["GATEWAY_LOG"] == "both"
    assert command[command.index("--log") + 1] == log
    assert mounts[0]["run"] == mounts[1]["run"] == str(Path(log).parent)
    status = urlsplit(command[command.index("--status-url") + 1])
    assert f"listen {status.port};" in conf
    assert [mounts[1]["state"]] == [str(Path(command[command.index("--state") + 1]).parent)]


def test_logstash_s_heap_leaves_half_of_its_limit():
    part = PARTS["logstash"]
    heap = int(re.search(r"-Xmx(\d+)m", part["environment"]["LS_JAVA_OPTS"])[1])
    assert part["deploy"]["resources"]["limits"]["memory"] == "1G"
    assert heap <= 512


def test_what_a_part_depends_on_is_followed_when_it_is_replaced():
    """NGINX resolves names when it starts, so it would not find a service at a new address."""
    assert PARTS["gateway"]["depends_on"]
    for name in ("gateway", *service_names()):
        for other, how in PARTS[name]["depends_on"].items():
            assert other.startswith("migrate-") or how["restart"] is True, (name, other)


@pytest.mark.parametrize("folder", ["base", "overlays/staging", "overlays/production"])
def test_every_resource_of_a_kustomization_exists(folder):
    at = KUBERNETES / folder
    named = read_yaml(at / "kustomization.yaml")["resources"]
    assert [name for name in named if not (at / name).exists()] == []


@pytest.mark.parametrize("name", service_names())
def test_a_task_of_ecs_holds_no_secret_only_where_to_get_it(name):
    (container,) = json.loads((ROOT / f"deploy/ecs/{name}.json").read_text())[
        "containerDefinitions"
    ]
    plain = {variable["name"] for variable in container["environment"]}
    kept = {secret["name"]: secret["valueFrom"] for secret in container["secrets"]}
    assert f"{name.upper()}_DATABASE_URL" in kept
    assert not plain & set(kept)
    assert all(place.startswith("${SECRETS_ARN}:") for place in kept.values())


@pytest.mark.parametrize("name", ["ci", "cd", "fuzz"])
def test_a_workflow_asks_for_the_least_and_ends_by_itself(name):
    flow = read_yaml(ROOT / f".github/workflows/{name}.yml")
    assert flow["permissions"] == {"contents": "read"}
    for job in flow["jobs"].values():
        assert "timeout-minutes" in job or job["uses"].startswith("./.github/workflows/")
        for step in job.get("steps", ()):
            if "uses" in step:  # a tag may be moved, a commit may not
                assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"])
            script = step.get("run", "").split()
            assert (
                not script
                or not script[0].startswith((".ci/", "deploy/"))
                or (ROOT / script[0]).exists()
            )
