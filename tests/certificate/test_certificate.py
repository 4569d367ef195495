"""Certificates: whatever was decided, the lone checker confirms it; and nothing half-written is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from common import SPECS, Capture
from hypothesis import given
from strategies import Question, questions
from trained import NAMES

from supercheck import checker, verify
from supercheck.api.check import check_certificate
from supercheck.base.errors import InputError
from supercheck.certificate import proofs as lines, trees as growing
from supercheck.certificate.core_form import handed
from supercheck.certificate.writer import certified, write
from supercheck.claims.claims import claims_digest, pose
from supercheck.claims.evidence import Verdict
from supercheck.claims.result import Result
from supercheck.cli import app as cli
from supercheck.decide.limits import Limits
from supercheck.decide.portfolio import decide
from supercheck.network.formats.load import load
from supercheck.network.formats.tensors import LayerNames
from supercheck.spec.cases import Shapes
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import gate
from supercheck.spec.read import read_spec
from supercheck.spec.readout import Readout
from supercheck.spec.spec import Spec
from supercheck.spec.syntax import parse

EVERY = sorted([*(SPECS / "proved").glob("*.toml"), *(SPECS / "refuted").glob("*.toml")])
DECIDED = [file for file in EVERY if read_spec(file).arithmetic == "real"]  # the format does not cover float32


def name(file: Path) -> str:
    return f"{file.parent.name}/{file.stem}"


def confirmed(result: Result, folder: Path, limits: Limits = Limits()) -> checker.Outcome:
    """Write the certificate of a result and let the checker read it."""
    file = folder / "proof.cert"
    assert write(result, file, limits) is not None
    return checker.check([str(file)], *handed(result.claims))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


def settled(question: Question) -> Result:
    return decide(question.claims)


@given(questions())
def test_the_checker_confirms_whatever_was_decided(folder: Path, question: Question) -> None:
    result = settled(question)
    expected = {Verdict.PROVED: "accepted", Verdict.REFUTED: "refutation"}[result.verdict]
    assert confirmed(result, folder).status == expected


@pytest.mark.parametrize("kinds", [{".b"}, {"a", "b", "g"}])
def test_it_confirms_proofs_without_evaluation_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch, kinds: set[str]
) -> None:
    for constant in ("BRIEF", "AFFORDABLE", "SMALL", "ALONE"):
        monkeypatch.setattr(lines, constant, 0)
    monkeypatch.setattr(growing, "FEW", 0)
    if ".b" not in kinds:  # trees alone
        monkeypatch.setattr(lines, "_bounded", lambda *_: iter(()))
    met = set[str]()

    @given(questions())
    def confirm(question: Question) -> None:
        result = settled(question)
        outcome = confirmed(result, folder)
        if result.verdict is Verdict.PROVED:
            written = (folder / "proof.cert").read_text()
            assert outcome.status == ("unchecked" if " z\n" in written else "accepted")
            met.update(written.split())

    confirm()
    for stem in ("trained_and8", "trained_xor"):  # of which some outputs need a tree, whatever was drawn above
        assert confirmed(decide(pose(load(SPECS / "proved" / f"{stem}.onnx"), spec(stem))), folder).status == "accepted"
        met.update((folder / "proof.cert").read_text().split())
    assert kinds <= met


def test_what_evaluation_decided_starts_no_other_engine_to_be_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "BRIEF", 0)
    monkeypatch.delattr(lines, "_bounded")
    result = decide(pose(load(SPECS / "proved" / "trained_and8.onnx"), spec("trained_and8")))
    assert {output.engine for output in result.outputs} == {"enumerate"}
    assert confirmed(result, folder).status == "accepted"
    assert (folder / "proof.cert").read_text().splitlines()[4:] == ["0-27 e", "end 1"]


def test_what_is_beyond_the_budgets_is_a_solvers_word(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for constant in ("BRIEF", "AFFORDABLE", "SMALL", "ALONE"):
        monkeypatch.setattr(lines, constant, 0)
    monkeypatch.setattr(growing, "FEW", 0)
    result = decide(pose(load(SPECS / "proved" / "trained_and8.onnx"), spec("trained_and8")))
    outcome = confirmed(result, folder, Limits(nodes=1))
    assert outcome.status == "unchecked"
    found = certified(result, folder / "word.cert", Limits(nodes=1), require=True)
    assert found.verdict is Verdict.UNKNOWN
    assert "a solver's word" in str(found.reason)
    trusting = checker.check([str(folder / "word.cert")], *handed(result.claims), accept_solver=True)
    assert trusting.status == "accepted"


def spec(stem: str) -> Spec:
    return read_spec(SPECS / "proved" / f"{stem}.toml")


@given(questions())
def test_digests_are_those_of_the_checker(folder: Path, question: Question) -> None:
    claims = question.claims
    file = folder / "head.cert"
    file.write_text(
        f"supercheck-certificate 1\nnetwork {claims.network.digest}\nclaims {claims_digest(claims)}\nproved\nend 0\n"
    )
    outcome = checker.check([str(file)], *handed(claims))
    assert outcome.status == "rejected"
    assert "digest" not in outcome.reason


@pytest.mark.parametrize("file", DECIDED, ids=name)
def test_the_corpus_is_confirmed_by_the_command(file: Path, tmp_path: Path, capsys: Capture) -> None:
    certificate = tmp_path / "proof.cert"
    options = ["--spec", str(file), "--format", "json", "--certificate", str(certificate)]
    code = cli.main(["verify", *options])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["certificate"]["file"] == str(certificate)
    network = found["network"]["file"]
    assert cli.main(["check", str(certificate), network, "--spec", str(file)]) == code
    said = capsys.readouterr().out
    assert said.startswith("REFUTED, confirmed" if code else "PROVED")
    alone = [certificate.with_name(f"proof.cert.{kind}") for kind in ("network.json", "claims")]
    files = [core if core.exists() else stored for core, stored in zip(alone, (network, file), strict=True)]
    command = [sys.executable, "-I", "-S", str(Path(checker.__file__).parent), str(certificate), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr


@pytest.mark.parametrize("other", ["gate_or", "gate_nor"])
def test_a_proof_of_another_question_is_rejected(other: str, tmp_path: Path, capsys: Capture) -> None:
    certificate, file = tmp_path / "proof.cert", SPECS / "proved" / "gate_nand.toml"
    assert cli.main(["verify", "--spec", str(file), "--certificate", str(certificate)]) == 0
    network = str(SPECS / "proved" / "gates.safetensors")
    capsys.readouterr()
    assert cli.main(["check", str(certificate), network, "--spec", str(file.with_stem(other))]) == 1
    assert capsys.readouterr().out.startswith("rejected")


def test_the_same_bytes_with_any_number_of_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BRIEF", 0)
    monkeypatch.setattr(lines, "AFFORDABLE", 0)
    result = decide(pose(load(SPECS / "proved" / "trained_and8.onnx"), spec("trained_and8")))
    written = []
    for workers in (1, 3):
        write(result, tmp_path / "proof.cert", Limits(workers=workers))
        written.append((tmp_path / "proof.cert").read_bytes())
    assert written[0] == written[1]


def test_float32_has_no_certificate_yet(tmp_path: Path) -> None:
    certificate = tmp_path / "proof.cert"
    float32 = SPECS / "proved" / "trained_and8_float32.toml"
    found = verify(None, float32, certificate=certificate, require_certificate=True)
    assert found.certificate is None
    assert found.verdict is Verdict.UNKNOWN
    assert "float32" in str(found.reason)
    assert not certificate.exists()


def test_a_certificate_that_is_required_has_to_go_somewhere(capsys: Capture) -> None:
    assert cli.main(["verify", "--spec", str(DECIDED[0]), "--require-certificate"]) == 2
    assert "--certificate FILE" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["absent/proof.cert", "folder", "/dev/full"])
def test_a_place_that_cannot_be_written_is_an_input_error(place: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "folder").mkdir()
    options = ["--spec", str(SPECS / "proved" / "gate_or.toml"), "--certificate", str(tmp_path / place)]
    assert cli.main(["verify", *options]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert Path("/dev/full").is_char_device()


def in_a_process(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-B", "-c", code, *map(str, arguments)]  # Python would cut its byte code short, too
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


FULL = """
import resource, signal, sys
from supercheck.cli import app as cli
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
sys.exit(cli.main(["verify", "--spec", sys.argv[1], "--certificate", sys.argv[2]]))
"""


def test_a_full_disk_leaves_the_old_certificate_and_no_half_of_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "proof.cert").write_text("old\n")
    running = in_a_process(FULL, SPECS / "proved" / "gate_or.toml", tmp_path / "proof.cert")
    out, error = running.communicate()
    assert (running.returncode, out) == (2, "")
    assert error.count("\n") == 1
    assert os.listdir(tmp_path) == ["proof.cert"]
    assert (tmp_path / "proof.cert").read_text() == "old\n"


SLOW = """
import sys, time
from supercheck.cli import app as cli
from supercheck.certificate import proofs as lines
ranges = lines._ranges
def slow(proofs):
    yield from ranges(proofs)
    print("half", file=sys.stderr, flush=True)
    time.sleep(60)
lines._ranges, lines.BRIEF, lines.AFFORDABLE = slow, 0, 0
sys.argv = ["supercheck", "verify", "--spec", sys.argv[1], "--certificate", sys.argv[2]]
cli.run()
"""


@pytest.mark.parametrize(
    ("number", "code", "left"), [(signal.SIGTERM, 3, 0), (signal.SIGINT, 3, 0), (signal.SIGKILL, -9, 1)]
)
def test_a_run_that_is_ended_while_it_writes_leaves_no_half_certificate(
    tmp_path: Path, number: signal.Signals, code: int, left: int
) -> None:
    running = in_a_process(SLOW, SPECS / "proved" / "one_per_pair.toml", tmp_path / "proof.cert")
    assert running.stderr is not None
    while "half" not in running.stderr.readline():
        assert running.poll() is None
    time.sleep(0.1)
    running.send_signal(number)
    running.communicate(timeout=30)
    assert running.returncode == code
    assert not (tmp_path / "proof.cert").exists()
    assert len(os.listdir(tmp_path)) == left  # what SIGKILL leaves is called .proof.cert....part


@pytest.mark.parametrize("network", NAMES)
def test_trained_networks_have_certificates_at_every_k_where_they_are_right(
    shared: Path, network: str, folder: Path
) -> None:
    known = json.loads((shared / "networks" / "truth.json").read_text())[network]
    kind = {"perm": "copy"}.get(known["kind"], known["kind"])
    formulas = tuple(gate(kind, [part] if isinstance(part, int) else part) for part in known["defs"])
    loaded = load(shared / "networks" / f"{network}.safetensors")
    accepted = 0
    for k, facts in known["truth"].items():
        for readout, wrong in (
            (Readout("threshold", spec("trained_and8").readout.at), facts["wrong_outputs"]),
            (Readout("separable"), len(formulas) - facts["separable_outputs"]),
        ):
            result = decide(pose(loaded, Spec(KSparse(known["features"], int(k)), formulas, readout)))
            assert (result.verdict is Verdict.PROVED) == (wrong == 0)
            outcome = confirmed(result, folder)
            assert outcome.status == ("refutation" if wrong else "accepted"), outcome
            accepted += not wrong
    assert accepted


@pytest.mark.parametrize(
    ("k", "readout"), [(2, Readout("threshold", spec("trained_and8").readout.at)), (3, Readout("separable"))]
)
def test_the_published_network_has_certificates(shared: Path, folder: Path, k: int, readout: Readout) -> None:
    file = shared / "third-party" / "codeword_100f_50n_L4_100000steps.safetensors"
    network = load(file, (LayerNames("W_in"), LayerNames("W_out", relu=False)))
    copies = tuple(gate("copy", [j]) for j in range(100))
    result = decide(pose(network, Spec(KSparse(100, k), copies, readout)))
    assert result.verdict is Verdict.PROVED
    assert confirmed(result, folder).status == "accepted"


@pytest.mark.parametrize("verdict", ["refuted 14 0 1 2 4", "refuted 0"])
def test_a_refutation_proves_nothing_more(tmp_path: Path, verdict: str) -> None:
    """Regression: lines after a refutation were checked with a room of -1, at no cost and without an end."""
    claims = pose(load(SPECS / "refuted" / "trained_and8_k4.safetensors"), spec("trained_and8").at_most(4))
    own, asked = handed(claims)
    file = tmp_path / "more.cert"
    head = f"supercheck-certificate 1\nnetwork {own.digest}\nclaims {asked.digest}\n{verdict}\n"
    file.write_text(f"{head}0-27 e\nend 1\n")
    assert checker.check([str(file)], own, asked).status == "rejected"
    file.write_text(f"{head}end 0\n")
    assert checker.check([str(file)], *handed(claims)).status == ("refutation" if "14" in verdict else "rejected")


def test_the_outcome_as_json(tmp_path: Path, capsys: Capture) -> None:
    certificate, file = tmp_path / "proof.cert", SPECS / "proved" / "one_per_pair.toml"
    assert cli.main(["verify", "--spec", str(file), "--certificate", str(certificate)]) == 0
    capsys.readouterr()
    options = [str(certificate), str(file.with_suffix(".npz")), "--spec", str(file), "--format", "json"]
    assert cli.main(["check", *options]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["supercheck", "status", "reason", "assumptions", "seconds"]
    assert found["status"] == "accepted"


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    file = SPECS / "proved" / "one_per_pair.toml"
    with pytest.raises(InputError, match="readable"):
        check_certificate([tmp_path / "absent"], file.with_suffix(".npz"), file)


@pytest.mark.parametrize("formula", ["x0 | (x1 & 0)", "x0 & (x1 | 1)", "x0 ^ x1 ^ x1"])
def test_no_whole_proof_is_written_of_a_function_that_lost_features(formula: str) -> None:
    """The checker branches on the features that are written; a bound found without them may not close there."""
    shapes = Shapes.among([parse(formula), parse("x0 | x1"), parse("~~x0")])
    assert shapes.reduced == {0}
