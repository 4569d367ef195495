"use strict";
// The playground: evaluates the network in whole numbers of any size, as the rest of this page was.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  if (!data.outputs.length) {
    return;
  }
  byId("play").hidden = false;
  const gcd = (a, b) => { a = a < 0n ? -a : a; while (b) { [a, b] = [b, a % b]; } return a; };
  const ratio = (p, q) => { const g = gcd(p, q) || 1n; return [p / g, q / g]; };
  const pair = ([p, q]) => [BigInt(p), BigInt(q)];
  const plus = (a, b) => ratio(a[0] * b[1] + b[0] * a[1], a[1] * b[1]);
  const times = (a, n) => ratio(a[0] * n, a[1]);
  const order = (a, b) => { const d = a[0] * b[1] - b[0] * a[1]; return d > 0n ? 1 : d < 0n ? -1 : 0; };
  const exact = ([p, q]) => q === 1n ? `${p}` : `${p}/${q}`;
  const bits = (n) => (n < 0n ? -n : n).toString(16).length * 4;
  const near = ([p, q]) => { const shift = BigInt(Math.max(0, Math.max(bits(p), bits(q)) - 900)); return Number(p >> shift) / Number(q >> shift); };
  const grown = (n, power) => power > 0 ? n * 10n ** BigInt(power) : n;
  // the nearest decimal of so many significant digits: exactly, and as text
  const rounded = ([p, q], digits) => {
    if (!p) { return { at: [0n, 1n], text: "0" }; }
    const size = p < 0n ? -p : p, sign = p < 0n ? "\u2212" : "";
    let power = `${size}`.length - `${q}`.length;
    if (grown(size, -power) < grown(q, power)) { power -= 1; }
    const shift = digits - 1 - power, top = grown(size, shift), bottom = grown(q, -shift), twice = 2n * (top % bottom);
    const n = top / bottom + (twice > bottom || (twice === bottom && (top / bottom) % 2n === 1n) ? 1n : 0n);
    power += `${n}`.length - digits;
    const figures = `${n}`.replace(/0+$/, ""), at = ratio(grown(p < 0n ? -n : n, -shift), grown(1n, shift));
    if (power < -7 || power > 20) { return { at, text: `${sign}${figures[0]}${figures.length > 1 ? "." : ""}${figures.slice(1)}e${power}`.replace("e-", "e\u2212") }; }
    const whole = power < 0 ? "0" : figures.slice(0, power + 1).padEnd(power + 1, "0");
    const part = power < 0 ? "0".repeat(-power - 1) + figures : figures.slice(power + 1);
    return { at, text: `${sign}${whole}${part ? "." : ""}${part}` };
  };
  // six digits, or as many as tell a number from each one that stands beside it
  const decimal = (a, beside = []) => {
    for (let digits = 6; digits <= 40; digits += 1) {
      const { at, text } = rounded(a, digits);
      const apart = (b) => {
        const is = order(a, b), far = rounded(b, digits).at;
        return is ? [order(at, b), order(at, far), order(a, far)].every((o) => o === is) : !order(at, a);
      };
      if (beside.every(apart)) { return text; }
    }
    return exact(a).replace("-", "\u2212");
  };

  const hidden = data.hidden.map((layer) => layer.rows.map(([columns, weights, bias], n) =>
    ({ number: layer.neurons[n], columns, weights: weights.map(BigInt), bias: BigInt(bias) })));
  const outputs = data.outputs.map((o) => ({ ...o, bias: pair(o.bias), scale: pair(o.scale), columns: o.row[0], weights: o.row[1].map(BigInt) }));
  // what is right where the function is off, and where it is on; null where no value is wrong by itself
  const goals = data.readout.goals.map((goal) => goal && { ...goal, low: goal.low && pair(goal.low), high: goal.high && pair(goal.high) });
  const active = new Set();
  let chosen = data.cases.length ? data.cases[0].output : outputs[0].index;

  const holds = (f) => {
    if (typeof f === "number") { return active.has(f); }
    const [head, ...parts] = f;
    const count = parts.filter(holds).length;
    return head === "not" ? !count : head === "xor" ? count % 2 === 1 : count >= head;
  };
  const sum = (row, below) => row.columns.reduce((total, j, n) => total + (below.get(j) || 0n) * row.weights[n], row.bias);
  const run = () => {
    let below = new Map([...active].map((j) => [j, 1n]));
    for (const layer of hidden) {
      const above = new Map();
      for (const row of layer) { const z = sum(row, below); if (z > 0n) { above.set(row.number, z); } }
      below = above;
    }
    return below;
  };
  const value = (o, below) => plus(o.bias, times(o.scale, o.columns.reduce((t, j, n) => t + (below.get(j) || 0n) * o.weights[n], 0n)));
  const wrong = (y, on) => {
    const goal = goals[on ? 1 : 0];
    if (!goal) { return null; }
    const below = goal.low && order(y, goal.low) < (goal.low_open ? 1 : 0), above = goal.high && order(y, goal.high) > (goal.high_open ? -1 : 0);
    return Boolean(below || above);
  };
  const ends = (on) => {
    const goal = goals[on ? 1 : 0];
    if (!goal) { return []; }
    const found = [goal.low, goal.high].filter(Boolean);
    return found.length === 2 ? [[on ? 1n : 0n, 1n], ...found] : found;
  };
  const cell = (row, text, kind, title) => {
    const made = row.insertCell();
    made.textContent = text;
    if (kind) { made.className = kind; }
    if (title) { made.title = title; }
    return made;
  };
  const button = (text, press) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", press);
    return made;
  };

  const switches = new Map(data.features.map((j) => [j, button(`x${j}`, () => {
    if (!active.delete(j)) { active.add(j); }
    show();
  })]));
  switches.forEach((made, j) => { made.dataset.feature = j; byId("switches").append(made); });
  byId("none").addEventListener("click", () => { active.clear(); show(); });
  for (const found of data.cases) {
    const made = button(`${found.active.map((j) => `x${j}`).join(" ") || "nothing"} \u2192 y${found.output}`, () => {
      active.clear();
      found.active.forEach((j) => active.add(j));
      chosen = found.output;
      show();
    });
    made.dataset.case = JSON.stringify(found);
    byId("cases").append(made);
  }
  if (!data.cases.length) { byId("cases").textContent = "none"; }

  const show = () => {
    const below = run();
    switches.forEach((made, j) => made.setAttribute("aria-pressed", active.has(j)));
    document.querySelectorAll("#cases button").forEach((made) => {
      const found = JSON.parse(made.dataset.case);
      made.setAttribute("aria-pressed", found.output === chosen && found.active.length === active.size && found.active.every((j) => active.has(j)));
    });
    const body = document.querySelector("#outputs tbody");
    const focused = document.activeElement && document.activeElement.dataset.output;
    body.replaceChildren();
    const rows = outputs.map((o) => { const y = value(o, below), on = holds(o.formula); return { o, y, on, bad: wrong(y, on) }; });
    rows.sort((a, b) => (b.bad ? 1 : 0) - (a.bad ? 1 : 0) || a.o.index - b.o.index);
    for (const { o, y, on, bad } of rows) {
      const row = body.insertRow();
      const pick = button(`y${o.index}`, () => { chosen = o.index; show(); });
      pick.dataset.output = o.index;
      pick.setAttribute("aria-pressed", o.index === chosen);
      row.insertCell().append(pick);
      cell(row, o.text);
      cell(row, decimal(y, ends(on)), "value", exact(y)).dataset.exact = exact(y);
      cell(row, data.readout.words[on ? 1 : 0]);
      cell(row, bad === null ? "" : bad ? "\u2717 wrong" : "\u2713", bad ? "no" : "ok");
      row.className = o.index === chosen ? "chosen" : "";
      if (focused === String(o.index)) { pick.focus(); }
    }
    const failing = rows.filter((row) => row.bad).map((row) => `y${row.o.index}`);
    const past = active.size > data.max_active ? ` More than the ${data.max_active} that were asked about.` : "";
    byId("status").textContent = `${active.size} on. ${failing.length ? `Wrong: ${failing.join(" ")}.` : "No output is wrong."}${past}`;
    neurons(below);
  };
  const neurons = (below) => {
    const o = outputs.find((one) => one.index === chosen) || outputs[0];
    byId("towards").textContent = `(what each adds to y${o.index})`;
    const body = document.querySelector("#neurons tbody");
    body.replaceChildren();
    const last = hidden.length ? `h${hidden.length}.` : "x";
    const adds = o.columns.map((j, n) => [`${last}${j}`, times(o.scale, (below.get(j) || 0n) * o.weights[n])]);
    if (o.bias[0]) { adds.push(["bias", o.bias]); }
    const most = Math.max(1e-300, ...adds.map(([, a]) => Math.abs(near(a))));
    for (const [name, a] of adds) {
      const row = body.insertRow();
      cell(row, name);
      row.className = a[0] ? "" : "rest";
      cell(row, a[0] ? decimal(a) : "silent", "value", exact(a)).dataset.exact = exact(a);
      const bar = document.createElement("span");
      bar.className = `bar ${a[0] > 0n ? "up" : "down"}`;
      bar.style.width = `${(7 * Math.abs(near(a)) / most).toFixed(2)}rem`;
      row.insertCell().append(bar);
    }
  };
  const open = () => {
    const target = location.hash.startsWith("#case-") && document.getElementById(location.hash.slice(1));
    if (target) { target.open = true; }
  };
  addEventListener("hashchange", open);
  open();
  if (data.cases.length) { document.querySelector("#cases button").click(); } else { show(); }
})();
