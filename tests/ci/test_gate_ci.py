"""What is shown for CI runs as shown: ci's workflow, the hook for pre-commit, the project's own specs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from common import ROOT

from supercheck.ci.suite import gate
from supercheck.network.formats.table import FORMATS

SHOWN = ROOT / "supercheck" / "ci" / "README.md"
(WORKFLOW,) = re.findall(r"^```yaml\n(.*?)^```$", SHOWN.read_text(), flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the project's specs, as a workflow or a hook finds them."""
    for folder in ("proved", "refuted"):
        shutil.copytree(ROOT / "specs" / folder, tmp_path / "specs" / folder)
    return tmp_path


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as CI would, with this environment's programs."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    words = ["bash", "-euo", "pipefail", "-c", command]
    return subprocess.run(
        words, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path}
    )


def test_the_workflow_runs_as_shown(checkout: Path) -> None:
    (job,) = yaml.safe_load(WORKFLOW)["jobs"].values()
    steps = [step["run"] for step in job["steps"] if "run" in step]
    assert steps[0] == "pip install ."  # which the README's first command does, too
    for command in steps[1:]:
        done = shell(command, checkout)
        assert (done.returncode, done.stderr) == (0, "")
    (upload,) = [step for step in job["steps"] if "upload-sarif" in step.get("uses", "")]
    assert (checkout / upload["with"]["sarif_file"]).is_file()
    assert upload["if"] == "always()", "also when the gate fails"
    assert job["steps"][2]["with"]["path"] == ".supercheck"
    assert (checkout / ".supercheck" / "cache.sqlite").is_file()


def test_the_hook_is_a_gate(checkout: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert {"id", "name", "entry", "language", "files"} <= set(hook)
    command = " ".join([hook["entry"], *hook["args"]])
    assert shell(command, checkout).returncode == 0
    spec = checkout / "specs" / "refuted" / "one_weight_mutant.toml"
    spec.write_text(spec.read_text().replace('"refuted"', '"proved"'))
    assert shell(command, checkout).returncode == 1
    for name in ("a.toml", "truth.csv", "net.onnx.data", *(f"b/c{suffix}" for suffix in FORMATS)):
        assert re.search(hook["files"], name)
    assert not re.search(hook["files"], "README.md")


def test_a_commit_here_is_held_to_steps_that_ci_has() -> None:
    (own,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    steps = {line.split("()")[0] for line in (ROOT / ".ci" / "run").read_text().splitlines() if "() {" in line}
    entries = {hook["entry"] for hook in own["hooks"]}
    assert entries == {"bash .ci/run lint", "bash .ci/run types"}
    assert {"lint", "types"} <= steps


def test_the_projects_own_specs_pass() -> None:
    folders = [path for path in (ROOT / "specs").iterdir() if path.is_dir() and path.name != "malformed"]
    found = gate(folders)
    assert [one.told for one in found.judgements if not one.passed] == []
    assert found.count(0) > 30
    assert "supercheck gate" in (ROOT / ".ci" / "run").read_text()
