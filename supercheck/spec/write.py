"""From a `Spec` to the text of a TOML file, so that reading it gives the same spec back: the one writer of specs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from math import comb

from supercheck.base.errors import InputError, printable
from supercheck.network.formats.tensors import LayerNames
from supercheck.spec.formula import GATES, Formula, gate, support
from supercheck.spec.readout import toml_lines
from supercheck.spec.spec import Source, Spec
from supercheck.spec.syntax import LONGEST, text as formula_text


def spec_text(spec: Spec, notes: Iterable[str] = ()) -> str:
    """A spec as the text of a file.

    Args:
        spec: what is asked. Its paths are written as they are: relative ones count from the folder of the file.
        notes: sentences for comments at the top.

    Raises:
        InputError: if a formula is longer than a spec may have it.
    """
    return joined(tables(spec), notes)


def tables(spec: Spec) -> dict[str, list[str]]:
    """The lines of each table by its name, its header first; those that would say nothing are left out."""
    domain = [f"features = {spec.domain.features}", f"max_active = {spec.domain.max_active}"]
    held = {
        "network": list(_network(spec.source)),
        "domain": domain,
        "outputs": list(_outputs(spec)),
        "readout": toml_lines(spec.readout),
        "arithmetic": [f'of = "{spec.arithmetic}"'] if spec.arithmetic != "real" else [],
        "audit": [f"{key} = {_quoted(str(limit))}" for key, limit in spec.audit.items()],
        "expect": [f'verdict = "{spec.expect}"'] if spec.expect != "proved" else [],
    }
    return {name: [f"[{name}]", *lines] for name, lines in held.items() if lines}


def joined(tables: Mapping[str, Sequence[str]], notes: Iterable[str] = ()) -> str:
    """Tables as one text, below comments; an empty line before each."""
    head = [f"# {printable(note)}" for note in notes]
    return "\n\n".join("\n".join(lines) for lines in (head, *tables.values()) if lines) + "\n"


def _network(source: Source) -> Iterator[str]:
    files = {"file": source.file, "encoder": source.encoder, "decoder": source.decoder}
    yield from (f"{key} = {_quoted(file.as_posix())}" for key, file in files.items() if file is not None)
    said = {"activation": source.activation, "final": source.final}
    yield from (f'{key} = "{word}"' for key, word in said.items() if word is not None)
    if source.layers:
        yield from ("layers = [", *(f"    {{{', '.join(_layer(names))}}}," for names in source.layers), "]")


def _layer(names: LayerNames) -> Iterator[str]:
    yield f"weight = {_quoted(names.weight)}"
    if names.bias is not None:
        yield f"bias = {'false' if names.bias is False else _quoted(names.bias)}"
    if names.transpose:
        yield "transpose = true"
    if names.relu is not None:
        yield f"relu = {str(names.relu).lower()}"


def _outputs(spec: Spec) -> Iterator[str]:
    """The truth table; else the functions as one gate over tuples where they are that; else as formulas."""
    if spec.table is not None:
        yield f"table = {_quoted(spec.table.as_posix())}"
        return
    tuples = [support(formula) for formula in spec.formulas]
    name = next((name for name in GATES if _is(name, spec.formulas, tuples)), None)
    if name is None:
        written = [formula_text(formula) for formula in spec.formulas]
        if (longest := max(map(len, written))) > LONGEST:
            expected = f"formulas of at most {LONGEST:,} characters"
            raise InputError(place="outputs", expected=expected, got=f"{longest:,}", do="write a truth table")
        yield from ("formulas = [", *(f"    {_quoted(one)}," for one in written), "]")
        return
    yield f'gate = "{name}"'
    features = spec.domain.features
    all_there = name != "copy" and len(tuples) == comb(features, 2)
    if all_there and tuples == list(combinations(range(features), 2)):
        yield 'over = "all-pairs"'
    else:
        yield from ("over = [", *(f"    [{', '.join(map(str, one))}]," for one in tuples), "]")


def _is(name: str, formulas: Sequence[Formula], tuples: Sequence[tuple[int, ...]]) -> bool:
    """Whether every function is the gate of that name over its features."""
    fits = all(len(features) == 1 if name == "copy" else features for features in tuples)
    return fits and all(gate(name, part) == formula for part, formula in zip(tuples, formulas, strict=True))


def _quoted(words: str) -> str:
    return json.dumps(words, ensure_ascii=False).replace("\x7f", "\\u007f")  # the one that TOML wants escaped, too
