"""Checks a proof: the part to believe.

The claim. On every input with at most k of the m features on, each output y_i keeps to what the
readout demands where its formula is on, and to what it demands where that is off.

The proof is a tree for every output, its root first. A state is all inputs in which some features
are fixed and at most `room` others on. A feature is a branch on it (on, then off), `g` proves hi,
then lo, `.` branches on all features of the formula. A leaf closes its state:
  e    all inputs are evaluated; features that neither y_i nor its formula needs are left off.
  a b  the formula is known, and a linear bound above w . h (-w . h) keeps to the goal. Where
       L <= z <= U, ReLU(z) >= t z for 0 <= t <= 1, and ReLU(z) <= t z + u if that is so at L and U
       (ReLU is convex): rounding t costs tightness, never soundness.
  z    a solver's word; nothing is checked, and the outcome says so.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import accumulate, chain, combinations
from math import ceil, floor, gcd, inf
from typing import Any, NamedTuple

from .reading import CheckError, Claims, Network, dot, listed, need, value

BUDGET = 10**11  # units of work, about a multiplication of many at once each: some ten minutes
LONGEST = 1 << 26  # bytes of a line of a certificate
LANES = 1 << 8  # outputs that are evaluated together
SLOPE_BITS, ONE = 12, 1 << 12  # of a slope, and the slope 1
CODES = {"accepted": 0, "refutation": 1, "rejected": 1, "unchecked": 3}
hold = partial(need, status="rejected")  # the same for a certificate


class Outcome(NamedTuple):
    """What came of a certificate: accepted, refutation, rejected or unchecked; and in words."""

    status: str
    reason: str
    assumptions: tuple[str, ...] = ()


class Proof:
    """A network, claims of it, which outputs are proved, and the work that the rest may take."""

    def __init__(self, network: Network, claims: Claims, budget: int) -> None:
        self.network, self.claims, self.left, self.room = network, claims, budget, claims.room
        self.parted: dict[int, tuple[int, int]] = {}  # separable: greatest off and least on w . h
        self.proved, self.words = bytearray(len(claims.formulas)), set[int]()

    def spend(self, work: int, free: int = 0, room: int = 0) -> None:
        """Pay for work before it is done, once for each set of at most `room` of `free` things."""
        for n in range(min(free, room) + 1):
            self.left -= work
            need(self.left >= 0, "a smaller proof; the budget is spent", "unchecked")
            work = work * (free - n) // (n + 1)

    def goals(self, i: int) -> list[dict[int, Any]]:
        """The most that w . h (1) and -w . h (-1) may be where the formula is off, and where on."""
        c, e, b, s = self.claims, self.claims.within, self.network.bias[i], self.network.scale[i]
        if c.mode == "separable":
            return [{1: self.parted[i][0], -1: inf}, {1: inf, -1: -self.parted[i][1]}]
        if c.mode == "threshold":  # y <= at - margin, y > at + margin
            most, least = floor((c.at - c.margin - b) / s), floor((c.at + c.margin - b) / s) + 1
            return [{1: most, -1: inf}, {1: inf, -1: -least}]
        return [{1: floor((f + e - b) / s), -1: -ceil((f - e - b) / s)} for f in (0, 1)]

    def tree(self, i: int, text: str) -> None:
        """Check the proof of one output."""
        words, sheet = iter(text.split(" ")), None
        stack: list[Any] = [({}, self.room, (1, -1))]
        while stack:
            (fixed, room, sides), word = stack.pop(), next(words, "nothing")
            self.spend(10 + len(fixed))
            if word.isdecimal():
                j = int(word)
                hold(room and j < self.network.features and j not in fixed, f"no branch on x{j}")
                stack += [(fixed | {j: on}, room - on, sides) for on in (0, 1)]
            elif word == "g":
                stack += [(fixed, room, (-1,)), (fixed, room, (1,))]
            elif word == "e":
                (sheet := sheet or Sheet(self, [i])).evaluate(fixed, room)
            elif word == "z":
                self.words.add(i)
            else:
                hold(word in ("a", "b", ".a", ".b"), f"a token of a tree, not {word:.40}")
                self.close(i, word, fixed, room, sides)
        hold(next(words, None) is None, "nothing after a tree")

    def close(self, i: int, word: str, fixed: dict[int, int], room: int, sides: Any) -> None:
        """Close a leaf by linear bounds; its cases fix the same features and share forms."""
        (formula, support), goals = self.claims.formula(i), self.goals(i)
        hidden, cone = self.network.hidden, self.network.cone([i], 1)
        forms, ends, ranges = dict[Any, dict[int, int]](), dict[Any, Any](), list[dict[int, Any]]()
        free = [j for j in support if j not in fixed] if word[0] == "." else []
        off, size = fixed | dict.fromkeys(free, 0), len(self.claims.formulas[i])
        self.spend(size + sum(map(len, cone)) * (20 + len(off)), len(free), room)

        def bounds(key: Any, form: dict[int, int]) -> tuple[int, int, int]:
            """A form's value in a case if no other feature is on; its least and greatest value."""
            if key not in ends:
                self.spend(len(form))
                rest = form.copy()
                own = [(j, rest.pop(j)) for j in off if j in rest]
                n = min(room, len(rest))
                sizes = sorted([*rest.values(), *[0] * n])  # a feature may be off as well
                sums = [accumulate(end, initial=0) for end in (sizes[:n], sizes[: -n - 1 : -1])]
                ends[key] = own, *map(list, sums)
            own, least, most = ends[key]
            base, n = sum([w for j, w in own if case[j]]), min(left, len(most) - 1)
            return base, base + least[n], base + most[n]

        def highest(form: dict[int, int], scale: int, depth: int) -> int:
            """A bound above `scale` times a form in what enters layer `depth`."""
            constant, shift, key = 0, SLOPE_BITS * depth, tuple[Any, ...]()
            for layer in range(depth - 1, -1, -1):
                (rows, biases), here, slopes = hidden[layer], ranges[layer], dict[int, int]()
                self.spend(len(form))
                constant <<= SLOPE_BITS
                for r, c in form.items():
                    (low, high, steep), c = here[r], c * scale
                    slope = ONE if low >= 0 or steep else 0
                    if low < 0 < high and c > 0:
                        slope = ((high << SLOPE_BITS) + (high - low) // 2) // (high - low)
                        constant += c * max(-slope * low, (ONE - slope) * high)
                    if high > 0 and slope:
                        slopes[r] = c * slope
                        constant += c * slope * biases[r]
                scale = gcd(*slopes.values()) * (-1 if sum(slopes.values()) < 0 else 1) or 1
                key = (layer, *[(r, c // scale) for r, c in slopes.items()])  # factors apart
                if key not in forms:
                    self.spend(sum([len(rows[r]) for r in slopes]))
                    total = dict[int, int]()
                    for r, c in key[1:]:
                        for j, w in rows[r].items():
                            total[j] = total.get(j, 0) + c * w
                    forms[key] = total
                form = forms[key]
            _, low, high = bounds(key, form)
            return (constant + max(scale * low, scale * high)) >> shift

        many = range(min(room, len(free)) + 1)
        for on in chain.from_iterable(combinations(free, n) for n in many):
            case, left = off | dict.fromkeys(on, 1), room - len(on)
            known = value(formula, case, None if left else 0)
            hold(known is not None, f"y{i}: a leaf at which its formula is known")
            ranges.clear()
            for depth, ((rows, biases), used) in enumerate(zip(hidden, cone, strict=False)):
                ranges.append({})
                for r in used:
                    if depth:
                        low, high = -highest(rows[r], -1, depth), highest(rows[r], 1, depth)
                        middle = low + high + biases[r]
                    else:
                        middle, low, high = bounds(r, rows[r])
                    low, high, middle = low + biases[r], high + biases[r], middle + biases[r]
                    ranges[depth][r] = low, high, high > -low if word[-1] == "a" else middle > 0
            for sign in sides:
                most = goals[known or 0][sign]
                found = most if most == inf else highest(self.network.output[i], sign, len(hidden))
                hold(found <= most, f"y{i}: a leaf that is closed")


class Sheet:
    """Some outputs, to be evaluated on many inputs; w . h of each is a lane of one integer."""

    def __init__(self, proof: Proof, outputs: Sequence[int]) -> None:
        self.proof, self.outputs, self.hidden = proof, outputs, proof.network.hidden
        rows, self.cone = [proof.network.output[i] for i in outputs], proof.network.cone(outputs)
        self.asked = [proof.claims.formula(i) for i in outputs]
        self.tables = [listed(*part) for part in self.asked]
        self.work = 10 + len(self.cone[-1]) * len(self.asked)
        for i, (_, part), table in zip(outputs, self.asked, self.tables, strict=True):
            self.work += len(proof.claims.formulas[i] if table is None else part)
        peak = dict.fromkeys(self.cone[0], 1)  # no value is greater
        for (own, b), used in zip(self.hidden, self.cone[1:], strict=True):
            self.work += sum([8 + len(own[r]) for r in used])
            peak = {r: abs(b[r]) + sum([abs(w) * peak[j] for j, w in own[r].items()]) for r in used}
        self.most = 1 + max(sum([abs(w) * peak[r] for r, w in row.items()]) for row in rows)
        self.bits = self.most.bit_length() + 3
        self.columns = {r: self.lanes([row.get(r, 0) for row in rows]) for r in self.cone[-1]}

    def lanes(self, numbers: Iterable[int]) -> int:
        """One number an output, as one integer."""
        return sum([number << self.bits * lane for lane, number in enumerate(numbers)])

    def total(self, h: dict[int, int]) -> int:
        """The integers w . h on one input."""
        for (rows, biases), used in zip(self.hidden, self.cone[1:], strict=True):
            h = {r: z for r in used if (z := biases[r] + dot(rows[r], h)) > 0}
        return dot(self.columns, h)

    def evaluate(self, fixed: dict[int, int], room: int) -> None:
        """Evaluate them on all inputs of a state."""
        asked, top, most = self.asked, self.lanes([1 << self.bits - 1] * len(self.asked)), self.most
        free = sorted(set(self.cone[0]).union(*(part for _, part in asked)) - fixed.keys())
        self.proof.spend(self.work, len(free), room)
        both = [[(-g[-1], g[1]) for g in self.proof.goals(i)] for i in self.outputs]
        ends = [[[max(-most, min(most, end)) for end in pair] for pair in two] for two in both]
        base = [value(formula, {}, 0) or 0 for formula, _ in asked]
        bounds = [self.lanes([ends[i][on][side] for i, on in enumerate(base)]) for side in (0, 1)]
        of = {j: [i for i, (_, part) in enumerate(asked) if j in part] for j in (*free, *fixed)}
        many, own = range(min(room, len(free)) + 1), {j: 1 for j, on in fixed.items() if on}
        for others in chain.from_iterable(combinations(free, n) for n in many):
            active = own | dict.fromkeys(others, 1)
            y, (low, high) = self.total(active), bounds
            for i in set[int]().union(*[of[j] for j in active]):
                (formula, part), table = asked[i], self.tables[i]
                on = value(formula, active, 0) if table is None else active.keys() & part in table
                if on != base[i]:
                    (a, b), (c, d) = ends[i][base[i]], ends[i][1 - base[i]]
                    low, high = low + (c - a << self.bits * i), high + (d - b << self.bits * i)
            hold((y - low + top) & (high - y + top) & top == top, "outputs that are right")


def refute(proof: Proof, i: int, inputs: list[list[int]]) -> None:
    """Confirm that an output is wrong on an input; separable: on an off and an on input."""
    claims, sheet = proof.claims, Sheet(proof, [i])
    fits = i >= 0 and all(0 <= j < claims.features for j in chain(*inputs))
    hold(fits and all(len(set(on)) == len(on) <= claims.room for on in inputs), "possible inputs")
    truths = [value(sheet.asked[0][0], dict.fromkeys(on, 1), 0) for on in inputs]
    totals = [sheet.total(dict.fromkeys(on, 1)) for on in inputs]
    if claims.mode == "separable":
        hold(truths == [0, 1], "an off and an on input")
        proof.parted[i] = totals[1] - 1, totals[1]
    goal = proof.goals(i)[truths[0] or 0]
    hold(totals[0] > goal[1] or -totals[0] > goal[-1], f"y{i} to be wrong")


def read(file: str, proof: Proof, old: str) -> str:
    """Check one file; returns its verdict."""
    with open(file, "rb") as stream:
        lines = (line.decode("ascii")[:-1] for line in iter(lambda: stream.readline(LONGEST), b""))
        hold(next(lines, "") == "supercheck-certificate 1", "a certificate")
        for name, digest in (("network", proof.network.digest), ("claims", proof.claims.digest)):
            hold(next(lines, "") == f"{name} {digest}", f"a certificate of this {name}: digest")
        verdict, done = next(lines, ""), proof.proved
        kind, output, active = f"{verdict}  ".split(" ", 2)
        hold(kind in ("proved", "refuted", "refuted-minimal") and old in ("", verdict), "a verdict")
        if kind != "proved" and not old:
            inputs = [[int(j) for j in part.split()] for part in active.split("/")]
            refute(proof, int(output), inputs)
            proof.room = max(map(len, inputs)) - 1 if kind == "refuted-minimal" else -1
        for count, line in enumerate(lines):
            head, _, text = line.partition(" ")
            if head == "end":
                hold(text == str(count) and next(lines, None) is None, "an end after all lines")
                return verdict
            hold(proof.room >= 0, "an end: a refutation has nothing more to prove")
            first, last = (int(n) for n in (head.split("-") * 2)[:2])
            if text[:1] == "@":
                low, high = map(int, text[1:].split(","))
                hold(low < high, "bounds that part the classes")
                proof.parted[first] = low, high
                continue
            hold(first <= last < len(done) and not any(done[first : last + 1]), "each output once")
            for i in range(first, last + 1, LANES if text == "e" else 1):
                if text == "e":
                    Sheet(proof, range(i, min(i + LANES, last + 1))).evaluate({}, proof.room)
                else:
                    proof.tree(i, text)
            done[first : last + 1] = bytes([1]) * (last + 1 - first)
    raise CheckError("rejected", "expected: an end")


def check(files: Iterable[str], network: Network, claims: Claims, **limits: int) -> Outcome:
    """Check a certificate, or the shards of one; `accept_solver` and `budget` are the limits."""
    proof, verdict = Proof(network, claims, limits.get("budget", BUDGET)), ""
    domain = f"every input with at most {claims.room} of {claims.features} features on"
    assumed = f"; assumed: {', '.join(network.assumed)}" if network.assumed else ""
    try:
        for file in files:
            verdict = read(file, proof, verdict)
        hold(proof.room < 0 or all(proof.proved), "a proof of each output")
        need(limits.get("accept_solver") or not proof.words, "no solver's word", "unchecked")
    except CheckError as error:
        return Outcome(error.args[0], ": ".join(error.args))
    except (ArithmeticError, LookupError, MemoryError, RecursionError, ValueError) as error:
        status = "unchecked" if isinstance(error, MemoryError | RecursionError) else "rejected"
        return Outcome(status, f"{status}: {type(error).__name__}: {error}")
    kind, *on = verdict.split(" ")
    if kind == "proved":
        return Outcome(
            "accepted", f"PROVED, confirmed: {len(proof.proved)} outputs, {domain}{assumed}", network.assumed
        )
    least = "; no input with fewer on is wrong" if kind == "refuted-minimal" else ""
    why = f"REFUTED, confirmed: y{on[0]}, on: {' '.join(on[1:])}{least}{assumed}"
    return Outcome("refutation", why, network.assumed)
