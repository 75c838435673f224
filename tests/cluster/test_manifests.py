"""The files that start a cluster are what Ray's launcher and Kubernetes take, and hold no key.

Shapes only: nothing is started. The launcher's file goes through Ray's own checks; of KubeRay's there is what a
manifest needs so that the command in it finds its key, its questions and its volume.
"""

import importlib.util
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from routemark.commands import app

EXAMPLES = Path(__file__).parents[2] / "examples"
KUBE = ["kuberay.yaml", "kuberay-job.yaml"]


def documents(name: str) -> dict[str, Any]:
    """Give a file's objects by their kind."""
    return {one["kind"]: one for one in yaml.safe_load_all((EXAMPLES / name).read_text())}


def cluster_of(name: str) -> Any:
    found = documents(name)
    return found["RayCluster"]["spec"] if "RayCluster" in found else found["RayJob"]["spec"]["rayClusterSpec"]


def pods(name: str) -> list[Any]:
    spec = cluster_of(name)
    return [group["template"]["spec"] for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"])]


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")
def test_rays_launcher_takes_its_file() -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    config = prepare_config(yaml.safe_load((EXAMPLES / "ray-on-premises.yaml").read_text()))
    validate_config(config)
    assert config["max_workers"] == len(config["provider"]["worker_ips"])


@pytest.mark.parametrize("name", KUBE)
def test_every_pod_has_its_key_from_the_secret_and_what_it_mounts(name: str) -> None:
    for pod in pods(name):
        (container,) = pod["containers"]
        environ = {one["name"]: one for one in container["env"]}
        assert environ["OPENROUTER_API_KEY"]["valueFrom"]["secretKeyRef"] == {
            "name": "openrouter",
            "key": "key",
        }
        mounted = {one["name"] for one in container.get("volumeMounts", [])}
        assert mounted == {one["name"] for one in pod.get("volumes", [])}
        assert set(container["resources"]) == {"limits", "requests"}
    claims = {one.get("persistentVolumeClaim", {}).get("claimName") for one in pods(name)[0]["volumes"]}
    assert documents(name)["PersistentVolumeClaim"]["metadata"]["name"] in claims


@pytest.mark.parametrize("name", KUBE)
def test_ray_and_image_are_of_one_version_and_groups_can_grow(name: str) -> None:
    spec = cluster_of(name)
    assert all(pod["containers"][0]["image"].endswith(f":{spec['rayVersion']}") for pod in pods(name))
    for group in spec["workerGroupSpecs"]:
        assert 0 <= group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]


def test_the_jobs_command_is_one_that_the_command_line_takes() -> None:
    job = documents("kuberay-job.yaml")["RayJob"]["spec"]
    program, *arguments = shlex.split(job["entrypoint"])
    assert program == "routemark"
    command, bound, _ = app.parse_args(arguments, exit_on_error=False, print_error=False)
    assert command.__name__ == "run"
    assert bound.arguments


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_no_example_holds_a_key(path: Path) -> None:
    assert "sk-or-v1-" not in path.read_text()
