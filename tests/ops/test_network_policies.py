"""Connections on Kubernetes: the simulated policies match the programs."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from codegen.tests.documents import read_yaml_all
from devstack.settings import ROOT, Settings, service_names
from tools.rendered import INTERNAL_PORT, calls

BASE = ROOT / "deploy" / "kubernetes" / "base"
PARTS = [part for file in sorted(BASE.glob("[!k]*.yaml")) for part in read_yaml_all(file) if part]
POLICIES = [part["spec"] for part in PARTS if part["kind"] == "NetworkPolicy"]
# Every pod's labels by its name; beside them one of nobody's, and one that watches.
PODS: dict[str, dict[str, str]] = {
    part["metadata"]["name"]: part["spec"]["template"]["metadata"]["labels"]
    for part in PARTS
    if part["kind"] in {"Deployment", "Job"}
} | {"a stranger": {}, "prometheus": {}, "ingress": {}}
NAMESPACE = {"prometheus": "monitoring", "ingress": "ingress-nginx"}
SERVICES = {service.name: service for service in Settings.read({}).services}
# Whose settings say where another service is, and on which port: those call it.
CALLS = {
    (name, called, port)
    for name, service in SERVICES.items()
    for called, port in calls(service, Settings.read({}))
}
OPEN = {
    *(("gateway", service.name, service.port) for service in SERVICES.values() if service.public),
    *CALLS,
    *(("prometheus", name, INTERNAL_PORT) for name in SERVICES),
    # The way in for everybody. A pod that came by itself would be believed who it says it is.
    ("ingress", "gateway", 8080),
}


def chosen(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    return selector.get("matchLabels", {}).items() <= labels.items()


def lets(direction: str, pod: str, other: str, port: int) -> bool:
    """Apply Kubernetes' rule: a pod without a policy is open, else a policy must allow it."""
    own = [
        policy
        for policy in POLICIES
        if direction in policy["policyTypes"] and chosen(policy["podSelector"], PODS[pod])
    ]
    rules = [rule for policy in own for rule in policy.get(direction.lower(), ())]
    ends = "from" if direction == "Ingress" else "to"

    def matches(peer: dict[str, Any]) -> bool:
        if "namespaceSelector" in peer:
            space = {"kubernetes.io/metadata.name": NAMESPACE.get(other, "marketplace")}
            return chosen(peer["namespaceSelector"], space)
        return other not in NAMESPACE and chosen(peer["podSelector"], PODS[other])

    return not own or any(
        (ends not in rule or any(matches(peer) for peer in rule[ends]))
        and ("ports" not in rule or port in {each["port"] for each in rule["ports"]})
        for rule in rules
    )


def allowed(source: str, target: str, port: int) -> bool:
    return lets("Egress", source, target, port) and lets("Ingress", target, source, port)


def test_calls_follow_from_the_settings_of_services():
    """A service reads the address of each service that it calls, and the keys for tokens."""
    assert {(name, "user", SERVICES["user"].port) for name in SERVICES if name != "user"} <= CALLS
    assert ("user", "point", SERVICES["point"].grpc_port) in CALLS
    assert {called for name, called, _ in CALLS if name == "order"} == {
        "user", "product", "catalog",
    }  # fmt: skip


def test_parts_reach_whom_they_call_and_nobody_else():
    ports = {port for _, _, port in OPEN} | {22, 80, 8080, 9000}
    found = {
        (source, target, port)
        for source in PODS
        for target in (*SERVICES, "gateway")
        if source != target
        for port in ports
        if allowed(source, target, port)
    }
    assert found == OPEN


def test_only_pods_are_believed_about_the_addresses_of_clients():
    pods = ip_network("10.0.0.0/8")
    (settings,) = (part["data"] for part in PARTS if part["kind"] == "ConfigMap")
    for name in ("TRUSTED_PROXIES", "GATEWAY_TRUSTED_PROXIES"):
        assert all(ip_network(one).subnet_of(pods) for one in settings[name].split(","))


@pytest.mark.parametrize("name", service_names())
@pytest.mark.parametrize(
    ("port", "who"),
    [(5432, None), (3306, None), (6379, "services"), (26379, "services"), (4222, "services"),
     (587, "user"), (443, "user"), (22, "nobody"), (80, "nobody")],
)  # fmt: skip
def test_what_is_outside_is_reached_on_the_ports_that_are_needed(name, port, who):
    assert lets("Egress", name, "a stranger", port) is (who in {None, "services", name})
    assert lets("Egress", f"migrate-{name}", "a stranger", port) is (who is None)
    assert not lets("Egress", "gateway", "a stranger", port)


@pytest.mark.parametrize("name", [name for name in PODS if PODS[name]])
def test_a_pod_may_ask_for_names(name):
    asked = [
        rule
        for policy in POLICIES
        if "Egress" in policy["policyTypes"] and chosen(policy["podSelector"], PODS[name])
        for rule in policy.get("egress", ())
        if {"port": 53, "protocol": "UDP"} in rule["ports"]
    ]
    assert asked


@pytest.mark.parametrize(
    "part", [p for p in PARTS if p["kind"] == "Deployment"], ids=lambda p: p["metadata"]["name"]
)
def test_a_pod_has_time_to_end_and_its_number_is_the_autoscaler_s(part):
    from services.user.config import UserConfig

    pod = part["spec"]["template"]["spec"]
    pause = int(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    drain = UserConfig.model_fields["drain_seconds"].default
    assert pod["terminationGracePeriodSeconds"] > pause + drain
    assert "replicas" not in part["spec"]
    name = part["metadata"]["name"]
    of = {p["kind"]: p.get("spec") for p in PARTS if p["metadata"]["name"] == name}
    assert of["HorizontalPodAutoscaler"]["scaleTargetRef"]["name"] == name
    assert of["HorizontalPodAutoscaler"]["minReplicas"] >= 2
    assert of["PodDisruptionBudget"]["selector"]["matchLabels"].items() <= PODS[name].items()
