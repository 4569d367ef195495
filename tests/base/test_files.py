"""What supercheck writes and reads: never over what is not its own, never through a link, never quoted, hashed once."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest
from common import ROOT, Capture, run
from onnx import TensorProto, helper, numpy_helper
from writers import safetensors

import supercheck
from supercheck.base.errors import InputError, printable, unquoted
from supercheck.base.files import check_free, keep_apart
from supercheck.base.store import APPLICATION, CacheError, opened
from supercheck.claims import question as posing
from supercheck.cli import app as cli
from supercheck.network.formats.load import load

PROVED, REFUTED = ROOT / "specs" / "proved", ROOT / "specs" / "refuted"
SPEC = str(PROVED / "one_per_pair.toml")
SECRET = "s3cr3t-t0k3n"

pytestmark = pytest.mark.usefixtures("empty_folder")


# ---- what is written bears a mark, and only what bears it is replaced

WRITERS: dict[str, tuple[str, ...]] = {
    "a.cert": ("verify", "--spec", SPEC, "--certificate"),
    "a.zip": ("verify", "--spec", SPEC, "--reproducer"),
    "a.html": ("audit", "--spec", SPEC, "--no-verify", "--html"),
    "b.html": ("explore", "--spec", SPEC, "--html"),
    "a.svg": ("bounds", "gate2", "--features", "9", "--outputs", "9", "-k", "2", "--plot"),
    "a.png": ("audit", "--spec", SPEC, "--no-verify", "--heat-map"),
    "a.npz": ("build", "copy", "--features", "4", "-k", "2", "-o"),
    "a.safetensors": ("build", "copy", "--features", "4", "-k", "2", "-o"),
    "a.json": ("build", "copy", "--features", "4", "-k", "2", "-o"),
    "baseline": ("gate", SPEC, "-n", "--update-baseline", "--baseline"),
}
REPORTS = ("text", "json", "json-lines", "junit", "sarif", "github")
WRITERS |= {f"a.{name}": ("gate", SPEC, "-n", "--report", f"{name}:") for name in REPORTS if name != "json"}
WRITERS["report.json"] = ("gate", SPEC, "-n", "--report", "json:")


def written(name: str, *more: str) -> int:
    *words, last = WRITERS[name]
    return run(*words, *([f"{last}{name}"] if last.endswith(":") else [last, name]), *more)


@pytest.mark.parametrize("name", WRITERS)
def test_what_supercheck_wrote_is_replaced_and_nothing_else(name: str, capsys: Capture) -> None:
    assert written(name) == 0
    first = Path(name).read_bytes()
    assert written(name) == 0, "a file of the same kind that it wrote itself"
    Path(name).write_text("precious, hand-written\n")
    capsys.readouterr()
    assert written(name) == 2
    told = capsys.readouterr().err
    assert name in told
    assert told.count("\n") == 1
    assert name == "baseline" or "--force" in told
    assert Path(name).read_text() == "precious, hand-written\n"
    if name != "baseline":  # which is read first, and is none
        assert written(name, "--force") == 0
        assert len(Path(name).read_bytes()) == pytest.approx(len(first), abs=64)


@pytest.mark.parametrize("name", WRITERS)
def test_nothing_is_written_through_a_link(name: str, capsys: Capture) -> None:
    Path("target").write_text("precious")
    Path(name).symlink_to("target")
    assert written(name, "--force") == 2
    assert "a link" in capsys.readouterr().err or name == "baseline"
    assert Path("target").read_text() == "precious"
    assert Path(name).is_symlink()


def test_a_mark_of_another_kind_is_none(capsys: Capture) -> None:
    assert written("a.cert") == 0
    shutil.copy("a.cert", "a.html")
    assert written("a.html") == 2
    assert "a.html" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a.npz", "a.safetensors", "a.json"])
def test_marked_networks_are_read_by_every_reader(name: str) -> None:
    assert written(name) == 0
    assert run("verify", "--spec", "a.toml", "--certificate", "a.cert") == 0
    assert load(name).features == 4
    alone = [sys.executable, ROOT / "supercheck" / "checker", "a.cert", name, "a.toml"]
    assert subprocess.run(alone, capture_output=True, check=False).returncode == 0  # type: ignore[arg-type]
    if name == "a.npz":
        with np.load(name) as arrays:
            assert {key.split(".")[0] for key in arrays} == {"0", "2"} or set(arrays) <= {"0.weight", "0.bias"}


def test_the_refusal_comes_before_anything_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.cert.claims").write_text("precious")

    def decided(*_: object) -> None:
        raise AssertionError("nothing may be decided")

    monkeypatch.setattr("supercheck.api.verify.decide", decided)
    assert run("verify", "--spec", SPEC, "--certificate", "a.cert") == 2
    with pytest.raises(InputError):
        supercheck.verify(None, SPEC, certificate="a.cert")


# ---- trust/02: the certificate's side files


def test_a_certificate_never_takes_the_place_of_what_is_read(capsys: Capture) -> None:
    network = '{"0.weight": [["1/3", 0.1], [1, 1]], "0.bias": [0, 0], "2.weight": [[3, 0], [0, 1]], "2.bias": [0, 0]}'
    Path("proof.network.json").write_text(network)
    Path("proof.claims").write_text("precious")
    Path("t.csv").write_text("x0,x1,y0,y1\n0,0,0,0\n0,1,0,1\n1,0,1,1\n1,1,1,1\n")
    question("proof.network.json", 'table = "t.csv"', features=2)
    assert run("verify", "--spec", "spec.toml", "--certificate", "proof") == 2
    assert "proof.network.json" in capsys.readouterr().err
    assert run("verify", "--spec", "spec.toml", "--certificate", "proof", "--force") == 2, "not even by force"
    with pytest.raises(InputError, match=r"read|own"):
        supercheck.verify(None, "spec.toml", certificate="proof", force=True)
    assert Path("proof.network.json").read_text() == network
    assert Path("proof.claims").read_text() == "precious"


def test_a_second_name_of_an_input_is_that_input() -> None:
    Path("a").write_text("")
    os.link("a", "b")
    with pytest.raises(InputError, match="which is read"):
        keep_apart({"--html": Path("b")}, [Path("a")])


def question(network: str, outputs: str, features: int = 8) -> None:
    domain = f"domain = {{features = {features}, max_active = 2}}"
    readout = 'readout = {mode = "threshold", at = "1/2"}'
    Path("spec.toml").write_text(f'network = {{file = "{network}"}}\n{domain}\noutputs = {{{outputs}}}\n{readout}\n')


# ---- trust/03: links that came with a repository


def repository() -> None:
    for suffix in ("onnx", "toml"):
        shutil.copy(PROVED / f"trained_and8.{suffix}", ".")
    Path("victim").write_text("ssh-ed25519 AAAA\n")


@pytest.mark.parametrize("which", [".gitignore", "certificate", "certificates", "index", "journal"])
def test_gate_writes_nothing_through_a_committed_link(
    which: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository()
    victim, folder = Path("victim").absolute(), Path(".supercheck")
    for name, value in {"SMALL": -1, "WORTH": 0.0, "RATE": 1 << 60}.items():  # small questions have certificates, too
        monkeypatch.setattr(f"supercheck.ci.cache.{name}", value)
    assert run("gate", ".") == 0
    places = {
        ".gitignore": [folder / ".gitignore"],
        "certificate": [file for file in (folder / "cache.certificates").iterdir() if file.is_file()],
        "certificates": [folder / "cache.certificates"],
        "index": [folder / "cache.sqlite"],
        "journal": [folder / "cache.sqlite-journal"],
    }[which]
    if which.startswith("certificate"):
        (folder / "cache.sqlite").unlink()
    (Path("elsewhere")).mkdir()
    for place in places:
        if place.is_dir():
            shutil.rmtree(place)
        place.unlink(missing_ok=True)
        place.symlink_to("../elsewhere" if which == "certificates" else victim)
    capsys.readouterr()
    assert run("gate", ".") == 0
    told = capsys.readouterr()
    assert "link" in told.err
    assert told.err.startswith("supercheck: warning: ")
    assert victim.read_text() == "ssh-ed25519 AAAA\n"
    assert not list(Path("elsewhere").iterdir())


def test_a_cache_folder_that_is_a_link_is_left_alone(capsys: Capture) -> None:
    repository()
    Path(".gitignore").write_text("build/\n")
    Path(".supercheck").symlink_to(".")
    assert run("gate", ".") == 0
    assert "warning: no cache" in capsys.readouterr().err
    assert Path(".gitignore").read_text() == "build/\n"
    assert not Path("cache.sqlite").exists()


@pytest.mark.parametrize("kind", ["link", "foreign"])
def test_a_fault_is_not_saved_over_what_is_not_ours(
    kind: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    Path("victim").write_text("precious")
    fault = Path(cli.FAULT_FILE)
    fault.symlink_to("victim") if kind == "link" else shutil.copy("victim", fault)

    def broken(*_: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr("supercheck.claims.question.question", broken)
    monkeypatch.setattr("supercheck.api.verify.question", broken)
    assert run("verify", "--spec", SPEC) == 4
    assert "broken on purpose" in capsys.readouterr().err
    assert Path("victim").read_text() == fault.read_text() == "precious"


def journal_that_names(file: Path, database: Path) -> bytes:
    """A journal as one of a commit over several databases that was interrupted: SQLite deletes the file it names."""
    name = os.fsencode(file.absolute())
    figures = (0, 0, database.stat().st_size // 4096, 512, 4096)  # no pages to restore
    magic, head = bytes.fromhex("d9d505f920a163d7"), b"".join(n.to_bytes(4, "big") for n in figures)
    lock = (0x40000000 // 4096 + 1).to_bytes(4, "big")
    ends = lock + name + len(name).to_bytes(4, "big") + sum(name).to_bytes(4, "big")
    return (magic + head).ljust(512, b"\0") + ends + magic


def test_a_journal_that_names_another_file_is_not_played_back(tmp_path: Path) -> None:
    """SQLite deletes what such a journal names: shown on a database of nobody, and refused for ours."""
    victim, cache = Path("precious"), Path("cache.sqlite")
    for ours in (False, True):
        victim.write_text("precious")
        cache.unlink(missing_ok=True)
        with opened(cache, "kept (key TEXT)") as database:
            database.execute("INSERT INTO kept VALUES ('a')")
        Path("cache.sqlite-journal").write_bytes(journal_that_names(victim, cache))
        if ours:
            with pytest.raises(CacheError, match="names another file"), opened(cache, "kept (key TEXT)"):
                pass
            assert victim.exists()
        else:
            with sqlite3.connect(cache) as plain:
                plain.execute("SELECT * FROM kept").fetchall()
            assert not victim.exists()


@pytest.mark.parametrize(
    "made", ["CREATE VIEW kept AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT i AS key FROM n",
             "CREATE TABLE kept (key TEXT CHECK (length(hex(zeroblob(1000))) > 0))",
             "CREATE TABLE kept (key TEXT); CREATE INDEX heavy ON kept (hex(zeroblob(1000)))",
             "CREATE TABLE kept (key TEXT); CREATE TRIGGER t AFTER INSERT ON kept BEGIN DELETE FROM kept; END"],
)  # fmt: skip
def test_a_cache_laid_out_by_somebody_else_is_not_used(made: str) -> None:
    with sqlite3.connect("cache.sqlite") as database:
        database.execute(f"PRAGMA application_id = {APPLICATION}")
        database.executescript(made)
    with pytest.raises(CacheError), opened(Path("cache.sqlite"), "kept (key TEXT)"):
        pass


def test_a_cache_that_has_a_second_name_is_not_written() -> None:
    with opened(Path("cache.sqlite"), "kept (key TEXT)"):
        pass
    os.link("cache.sqlite", "another")
    with pytest.raises(CacheError, match="left alone"), opened(Path("cache.sqlite"), "kept (key TEXT)"):
        pass


# ---- trust/08: a spec written by hand


@pytest.mark.parametrize("verb", ["build", "prune", "init"])
def test_a_spec_written_by_hand_is_not_replaced_without_force(verb: str, capsys: Capture) -> None:
    words = {
        "build": ("build", "one-per-gate", "--features", "4", "--outputs", "3", "-k", "2", "-o", "n.npz"),
        "prune": ("prune", "--spec", SPEC, "-o", "n.npz", "--timeout", "2"),
        "init": ("init", "n.npz"),
    }[verb]
    if verb == "init":
        assert run("build", "copy", "--features", "4", "-k", "2", "-o", "n.npz") == 0
    Path("n.toml").write_text("# my hand-written spec\n")
    capsys.readouterr()
    assert run(*words) == 2
    told = capsys.readouterr().err
    assert "n.toml" in told
    assert "--force" in told
    assert Path("n.toml").read_text() == "# my hand-written spec\n"
    assert verb == "init" or not Path("n.npz").exists()
    assert run(*words, "--force") == 0
    assert Path("n.toml").read_text().startswith(("# Written by `supercheck ", "# Begun by supercheck "))


def test_init_never_replaces_the_network_itself() -> None:
    assert run("build", "copy", "--features", "4", "-k", "2", "-o", "n.npz") == 0
    before = Path("n.npz").read_bytes()
    assert run("init", "n.npz", "-o", "n.npz", "--force") == 2
    assert Path("n.npz").read_bytes() == before


def test_what_the_python_face_writes_needs_force_as_well() -> None:
    Path("n.toml").write_text("mine")
    with pytest.raises(InputError, match="force=True"):
        supercheck.build("copy", features=4, max_active=2, output="n.npz")
    supercheck.build("copy", features=4, max_active=2, output="n.npz", force=True)
    assert Path("n.toml").read_text() != "mine"


def test_a_folder_that_the_user_names_through_a_link_is_the_users_choice() -> None:
    Path("real").mkdir()
    Path("link").symlink_to("real")
    check_free(Path("link/a.html"), "page")
    assert run("build", "copy", "--features", "4", "-k", "2", "-o", "link/n.npz") == 0
    assert Path("real/n.npz").exists()


# ---- trust/06: nothing is quoted of a file that is not what it should be


def spread(kind: str) -> list[str]:
    """Write somebody's secret where a file of some kind is expected; the command that reads it."""
    shutil.copy(PROVED / "trained_and8.onnx", ".")
    Path("elsewhere").mkdir()
    text = {
        "table": f"TOKEN={SECRET}\n", "header": f"{SECRET},x\n", "list": f"{SECRET} 1\n", "spec": f"{SECRET}\n",
        "toml": f'token = "{SECRET}"\n', "keys": f'[{SECRET}]\n[{SECRET}]\n', "formulas": f"{SECRET}\n",
        "json": f'{{"auths": "{SECRET}"}}', "twice": f'{{"{SECRET}": 1, "{SECRET}": 2}}', "listed": f'["{SECRET}"]',
        "texts": f'{{"0.weight": ["{SECRET}"]}}', "baseline": f'{{"{SECRET}": 1}}', "npz": SECRET * 9,
        "safetensors": SECRET * 9, "onnx": SECRET * 9,
    }[kind]  # fmt: skip
    suffix = {"json": "json", "twice": "json", "listed": "json", "texts": "json"}.get(kind, kind)
    file = Path("../elsewhere" if kind == "outside" else "elsewhere", f"file.{suffix}")
    file.write_text(text)
    if kind in ("table", "header"):
        question("trained_and8.onnx", f'table = "{file}"')
    elif kind in ("npz", "safetensors", "onnx") or suffix == "json":
        question(str(file), 'gate = "and", over = "all-pairs"')
    commands = {
        "list": ["build", "one-per-gate", "--features", "4", "-k", "2", "-o", "n.npz", "--pairs", str(file)],
        "formulas": ["build", "circuit", "--features", "4", "-k", "2", "-o", "n.npz", "--formulas", str(file)],
        "baseline": ["gate", SPEC, "-n", "--baseline", str(file)],
    } | {key: ["verify", "--spec", str(file)] for key in ("spec", "toml", "keys")}
    return commands.get(kind, ["gate", "spec.toml", "-n"])


KINDS = ("table", "header", "list", "spec", "toml", "keys", "formulas", "json", "twice", "listed", "texts", "baseline")


@pytest.mark.parametrize("kind", [*KINDS, "npz", "safetensors", "onnx"])
def test_a_file_that_is_something_else_is_never_quoted(kind: str, capsys: Capture) -> None:
    assert run(*spread(kind)) == 2
    told = capsys.readouterr()
    assert SECRET not in told.out + told.err
    assert "expected" in told.out + told.err


def test_a_table_beside_its_spec_is_quoted_and_one_elsewhere_is_not(capsys: Capture) -> None:
    repository()
    Path("specs").mkdir()
    shutil.move("trained_and8.onnx", "specs")
    os.chdir("specs")
    for place, quoted in (("t.csv", True), ("../t.csv", False), ("link.csv", False)):
        Path("../t.csv" if place == "link.csv" else place).write_text("x0,x1,z0\n0,0,0\n")
        if place == "link.csv":
            Path(place).symlink_to("../t.csv")
        question("trained_and8.onnx", f'table = "{place}"')
        assert run("verify", "--spec", "spec.toml") == 2
        assert ("x0,x1,z0" in capsys.readouterr().err) == quoted


def test_a_library_is_quoted_up_to_where_it_quotes() -> None:
    assert unquoted(ValueError("Cannot parse header: 'secret'")) == "Cannot parse header"
    assert unquoted(ValueError("'secret' is wrong")) == "ValueError"


# ---- trust/10: names in logs

NASTY = "x\n::error file=README.md,line=1::PASSED\x1b[31m\u202e\u2028\x85.toml"
FORBIDDEN = "\x1b\u202e\u2028\x85"


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("where", ["file", "stdout"])
def test_a_name_stays_in_its_line_in_every_report(name: str, where: str, capsys: Capture) -> None:
    shutil.copy(REFUTED / "trained_and8_k4.safetensors", ".")
    spec = (REFUTED / "trained_and8_k4.toml").read_text().replace('verdict = "refuted"', 'verdict = "proved"')
    nasty = Path(f"{NASTY}.d")
    nasty.mkdir()
    shutil.copy("trained_and8_k4.safetensors", nasty)
    (nasty / "a.toml").write_text(spec)
    (nasty / "b.toml").write_text("nothing")
    words = ["--format", name] if where == "stdout" else ["--report", f"{name}:report"]
    assert run("gate", ".", "-n", *words) == 2
    told = capsys.readouterr()
    shown = Path("report").read_text() if where == "file" else told.out
    for text in (shown, told.out, told.err):
        assert not set(text) & set(FORBIDDEN)
        assert not [line for line in text.splitlines() if line.startswith("::error file=README")]


def test_messages_and_reports_of_one_network_are_escaped(capsys: Capture) -> None:
    name = "n\x1b[31m\n::error::x\u202e.npz"
    nasty = Path(name.replace("/", "_"))
    assert run("build", "copy", "--features", "4", "-k", "2", "-o", "n.npz") == 0
    shutil.copy("n.npz", nasty)
    for words in (("verify", nasty, "--spec", "n.toml"), ("audit", nasty, "--spec", "n.toml"), ("init", nasty)):
        capsys.readouterr()
        assert run(*words) == 0
        told = capsys.readouterr()
        assert not set(told.out + told.err) & {"\x1b", "\u202e"}
        assert not [line for line in told.out.splitlines() if line.startswith("::")]
    assert run("verify", "absent" + name, "--spec", "n.toml") == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_what_a_terminal_must_not_obey_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    from supercheck.cli import output as streams

    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    streams.show(lambda console: console.print("a\x1b[31mb\u202e", style="bold"), lambda: "")
    shown = capsys.readouterr().out
    assert "\\x1b[31mb\\u202e" in shown


def test_printable_says_everything_that_is_not_to_be_seen() -> None:
    assert printable("a\n\x1b\u2028\u202e\x85\udc80é") == "a\\n\\x1b\\u2028\\u202e\\x85\\udc80é"


# ---- trust/07: digests of what was parsed

AND = ("x0 & x1",)


def asked() -> supercheck.Spec:
    return supercheck.Spec(
        supercheck.KSparse(2, 2), tuple(map(supercheck.parse, AND)), supercheck.Readout("threshold", Fraction(1, 2))
    )


def test_the_digest_is_of_what_was_parsed_whatever_happens_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    right = {"0.weight": [[1, 1]], "0.bias": [-1], "2.weight": [[1]]}
    Path("net.json").write_text(json.dumps(right))
    digest, loaded = hashlib.sha256(Path("net.json").read_bytes()).hexdigest(), posing.loaded

    def swapping(*words: object) -> object:
        found = loaded(*words)  # type: ignore[arg-type]
        Path("net.json").write_text(json.dumps({**right, "2.weight": [[0]]}))
        return found

    monkeypatch.setattr(posing, "loaded", swapping)
    result = supercheck.verify("net.json", asked())
    assert (result.verdict.value, result.source.network_digest) == ("proved", digest)


def test_external_data_is_in_the_digest() -> None:
    digests = []
    for scale in (1, 0):
        for name in ("ext.bin", "ext.onnx"):
            Path(name).unlink(missing_ok=True)
        weights = {"W": [[1], [1]], "b": [-1], "V": [[scale]]}
        tensors = [numpy_helper.from_array(np.array(value, np.float32), key) for key, value in weights.items()]
        nodes = [
            helper.make_node("Gemm", ["x", "W", "b"], ["z"]),
            helper.make_node("Relu", ["z"], ["h"]),
            helper.make_node("MatMul", ["h", "V"], ["y"]),
        ]
        ends = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", n])] for name, n in (("x", 2), ("y", 1))]
        model = helper.make_model(helper.make_graph(nodes, "g", *ends, tensors))
        onnx.save_model(model, "ext.onnx", save_as_external_data=True, location="ext.bin", size_threshold=0)
        result = supercheck.verify("ext.onnx", asked())
        files = {Path(name).name: digest for name, digest in result.source.network_files}
        assert files == {name: hashlib.sha256(Path(name).read_bytes()).hexdigest() for name in ("ext.onnx", "ext.bin")}
        listed = "".join(f"{files[name]}  {name}\n" for name in ("ext.onnx", "ext.bin"))
        assert result.source.network_digest == hashlib.sha256(listed.encode()).hexdigest()
        digests.append((result.verdict.value, result.source.network_digest))
    assert [verdict for verdict, _ in digests] == ["proved", "refuted"]
    assert digests[0][1] != digests[1][1]


def test_the_files_that_a_spec_names_are_listed_with_their_digests(capsys: Capture) -> None:
    Path("n.json").write_text('{"0.weight": [[1, 0], [0, 1]]}')
    Path("t.csv").write_text("x0,x1,y0,y1\n0,0,0,0\n0,1,0,1\n1,0,1,0\n1,1,1,1\n")
    np.savez("c.npz", weight=np.eye(2))
    question('n.json", encoder = "c.npz', 'table = "t.csv"', features=2)
    assert run("verify", "--spec", "spec.toml", "--format", "json") == 0
    spec = json.loads(capsys.readouterr().out)["spec"]
    assert spec["files"] == [
        {"file": name, "sha256": hashlib.sha256(Path(name).read_bytes()).hexdigest()} for name in ("t.csv", "c.npz")
    ]


@pytest.mark.parametrize(
    "header",
    [
        {"0.weight": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 4]}},
        {"0.weight": {"dtype": "F32", "shape": [1, 2], "data_offsets": [4, 12]}},
        {"0.weight": {"dtype": "F32", "shape": [-1, -2], "data_offsets": [0, 8]}},
        {"0.weight": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}, "1.weight": {}},
        {n: {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]} for n in ("0.weight", "1.weight")},
        {"0.weight": 3},
        {"0.weight": {"dtype": ["F32"], "shape": [1, 2], "data_offsets": [0, 8]}},
    ],
)
def test_a_safetensors_header_that_does_not_fit_its_data_is_refused(header: dict[str, object]) -> None:
    told = json.dumps(header).encode()
    Path("a.safetensors").write_bytes(len(told).to_bytes(8, "little") + told + bytes(8))
    with pytest.raises(InputError, match="a safetensors file"):
        load("a.safetensors")


def test_a_safetensors_file_as_written_is_read() -> None:
    file = safetensors(Path("a.safetensors"), {"0.weight": ("F32", [2, 2], np.eye(2, dtype=np.float32).tobytes())})
    assert load(file).features == 2
