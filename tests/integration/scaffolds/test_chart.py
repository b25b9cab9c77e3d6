"""Helm itself lints and renders the chart, and Kubernetes' own schemas accept every object that comes out."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from shared.domain.project import Stack
from shared.projects.scaffold import LAYERS

helm = pytest.importorskip("helm_python", reason="helm-python-sdk has no wheel for this platform")

each_stack = pytest.mark.parametrize("stack", LAYERS)
ENVIRONMENTS = ("staging", "production")
VERSIONS = ("1.28", kubernetes_validate.latest_version())
"""Kubernetes versions held against: the oldest that clouds still sell, and the newest that is known."""

KINDS = {"Deployment", "Service", "ServiceAccount", "HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget"}


def values(chart: Path, environment: str) -> dict[str, Any]:
    """What scripts/deploy.sh hands Helm: the environment's file, and the image of the pipeline."""
    given: dict[str, Any] = yaml.safe_load((chart / f"values-{environment}.yaml").read_text(encoding="utf-8"))
    return given | {"image": {"repository": "registry.example.com/order-desk", "tag": "0a1b2c"}}


def rendered(chart: Path, given: dict[str, Any]) -> list[dict[str, Any]]:
    with helm.Chart.load(str(chart)) as loaded:
        files = loaded.render(given, name="order-desk", namespace="order-desk-staging")
    return [
        document
        for name, text in sorted(files.items())
        if name.endswith(".yaml")
        for document in yaml.safe_load_all(text)
        if document
    ]


def one(objects: list[dict[str, Any]], kind: str) -> Any:
    (found,) = (found for found in objects if found["kind"] == kind)
    return found


def pods(objects: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from (found["spec"]["template"] for found in objects if found["kind"] in {"Deployment", "Job"})


@each_stack
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_helm_finds_nothing_to_mend(generate: Callable[..., Path], environment: str, stack: Stack) -> None:
    chart = generate(stack=stack) / "deploy/chart"
    report = helm.lint(str(chart), values(chart, environment), strict=True, namespace="order-desk")
    assert report["errors"] == []
    # Helm only recommends an icon, which is for charts in a catalogue.
    assert [entry for entry in report["messages"] if "icon is recommended" not in entry["error"]] == []
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: order-desk\n", encoding="utf-8")
    assert any("version" in entry["error"] for entry in helm.lint(str(chart), {}, strict=True)["messages"])


@each_stack
@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_schemas_accept_every_object(
    generate: Callable[..., Path], version: str, environment: str, stack: Stack
) -> None:
    chart = generate(stack=stack) / "deploy/chart"
    objects = rendered(chart, values(chart, environment))
    assert {found["kind"] for found in objects} == KINDS | ({"Job"} if stack is Stack.DJANGO else set())
    for found in objects:
        kubernetes_validate.validate(found, version, strict=True)
    broken = copy.deepcopy(one(objects, "Deployment"))
    broken["spec"]["template"]["spec"]["surprise"] = True
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, version, strict=True)


@each_stack
def test_every_switch_of_the_values_gives_objects_kubernetes_accepts(
    generate: Callable[..., Path], stack: Stack
) -> None:
    chart = generate(stack=stack) / "deploy/chart"
    objects = rendered(
        chart,
        {
            "autoscaling": {"enabled": False},
            "networkPolicy": {"enabled": False},
            "replicaCount": 3,
            "imagePullSecrets": [{"name": "registry"}],
            "env": {"APP_NUMBER": 1, "APP_SWITCH": True, "APP_TEXT": 'a: "b" # c'},
            "envFromSecrets": ["order-desk", "more"],
        },
    )
    assert {found["kind"] for found in objects}.isdisjoint({"HorizontalPodAutoscaler", "NetworkPolicy"})
    for found in objects:
        kubernetes_validate.validate(found, VERSIONS[0], strict=True)
    deployment = one(objects, "Deployment")
    assert deployment["spec"]["replicas"] == 3
    for pod in pods(objects):
        (container,) = pod["spec"]["containers"]
        given = {entry["name"]: entry["value"] for entry in container["env"]}
        assert {"APP_NUMBER": "1", "APP_SWITCH": "true", "APP_TEXT": 'a: "b" # c'}.items() <= given.items()
        assert [source["secretRef"]["name"] for source in container["envFrom"]] == ["order-desk", "more"]
        assert pod["spec"]["imagePullSecrets"] == [{"name": "registry"}]


@each_stack
def test_pods_hold_no_more_rights_than_they_need(generate: Callable[..., Path], stack: Stack) -> None:
    chart = generate(stack=stack) / "deploy/chart"
    found = list(pods(rendered(chart, values(chart, "production"))))
    assert len(found) == (2 if stack is Stack.DJANGO else 1)
    for pod in found:
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = spec["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["image"] == "registry.example.com/order-desk:0a1b2c"
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert "memory" in container["resources"]["limits"]


@each_stack
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_objects_fit_each_other(generate: Callable[..., Path], environment: str, stack: Stack) -> None:
    chart = generate(stack=stack) / "deploy/chart"
    objects = rendered(chart, values(chart, environment))
    deployment, service = one(objects, "Deployment"), one(objects, "Service")
    pod = deployment["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    (port,) = container["ports"]
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert service["spec"]["ports"][0]["targetPort"] == port["name"]
    assert one(objects, "PodDisruptionBudget")["spec"]["selector"] == deployment["spec"]["selector"]
    assert one(objects, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert pod["spec"]["serviceAccountName"] == one(objects, "ServiceAccount")["metadata"]["name"]
    assert {probe: container[probe]["httpGet"]["path"] for probe in container if probe.endswith("Probe")} == {
        "startupProbe": "/healthz",
        "livenessProbe": "/healthz",
        "readinessProbe": "/readyz",
    }
    given = {entry["name"]: entry["value"] for entry in container["env"]}
    assert given["APP_ENVIRONMENT"] == environment
    assert given["APP_PORT"] == str(port["containerPort"])
    if stack is Stack.DJANGO:
        job = one(objects, "Job")
        assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
        # The service would send a migration traffic if it bore the app's labels.
        assert not service["spec"]["selector"].items() <= job["spec"]["template"]["metadata"]["labels"].items()


@each_stack
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"containerPort": 80}, "/containerPort"),
        ({"image": {"tag": "latest"}}, "/image/tag"),
        ({"surprise": 1}, "surprise"),
        ({"env": {"lower": "x"}}, "propertyName .lower."),
        ({"autoscaling": {"minReplicas": 0}}, "/autoscaling/minReplicas"),
    ],
)
def test_helm_refuses_values_the_charts_own_schema_forbids(
    generate: Callable[..., Path], stack: Stack, wrong: dict[str, Any], said: str
) -> None:
    chart = generate(stack=stack) / "deploy/chart"
    schema = json.loads((chart / "values.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    with pytest.raises(helm.HelmValuesError, match=said):
        rendered(chart, wrong)
