// Tables in and out, and how two readers agree.
const COLUMNS = ["id", "verdict", "note", "reader", "time", "log_odds", "freq_mhz", "channel", "drift_hz_s", "family", "simulated"];

function cell(value) {
  const text = value === null || value === undefined ? "" : String(value);
  // a leading =, +, - or @ of a note would be a formula in a spreadsheet
  const safe = typeof value === "string" && /^[=+\-@]/.test(text) ? "'" + text : text;
  return /[",\n\r]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
}

function toCsv() {
  const rows = items.filter(({ id }) => store.verdicts[id]).map((item) => {
    const { verdict, note, time } = said(item.id);
    const place = placeOf.get(item.id);
    const mhz = item.mhz === null ? "" : frequency(item).toFixed(6);
    return [item.id, verdict, note, store.reader, time, hidden() ? "" : item.score, mhz,
      item.line ? item.line[0] : "", item.line ? item.line[1] : "", item.family, store.revealed ? blind[place] : ""];
  });
  return [COLUMNS, ...rows].map((row) => row.map(cell).join(",")).join("\n") + "\n";
}

// Rows of a CSV text as objects; fields may be quoted and hold commas and line ends.
function fromCsv(text) {
  const rows = [[""]];
  let quoted = false;
  // Spreadsheets write a byte order mark before the first name, which would then be no "id".
  const source = text.replace(/^\ufeff/, "").replaceAll("\r\n", "\n");
  for (let at = 0; at < source.length; at++) {
    const sign = source[at];
    const row = rows[rows.length - 1];
    if (quoted) {
      if (sign !== '"') row[row.length - 1] += sign;
      else if (source[at + 1] === '"') { row[row.length - 1] += '"'; at++; }
      else quoted = false;
    } else if (sign === '"') quoted = true;
    else if (sign === ",") row.push("");
    else if (sign === "\n") rows.push([""]);
    else row[row.length - 1] += sign;
  }
  const [names, ...lines] = rows.filter((row) => row.length > 1 || row[0]);
  if (!names) return [];
  return lines.map((line) => Object.fromEntries(names.map((name, place) => [name.trim(), line[place] || ""])));
}

// Verdicts of a table that this page has candidates for, or an error that says what is missing.
function verdictsOf(text, name) {
  const rows = fromCsv(text);
  if (!rows.length || !("id" in rows[0]) || !("verdict" in rows[0])) {
    throw new Error(name + " has no rows with the columns id and verdict.");
  }
  const wrong = rows.find(({ verdict }) => verdict && !VERDICTS.includes(verdict));
  if (wrong) throw new Error(`${name}: '${wrong.verdict}' is no verdict. Verdicts are ${VERDICTS.join(", ")}.`);
  const here = rows.filter(({ id, verdict, note }) => placeOf.has(id) && (verdict || note));
  return { rows: here.map(({ id, verdict, note }) => ({ id, verdict, note: (note || "").replace(/^'(?=[=+\-@])/, "").slice(0, 2000) })), strangers: rows.length - here.length };
}

// Cohen's κ of two readers, (observed − expected by chance) / (1 − expected), with its 95 % interval.
function kappa(pairs) {
  const n = pairs.length;
  const share = (test) => pairs.filter(test).length / n;
  const observed = share(([a, b]) => a === b);
  const expected = VERDICTS.reduce((sum, one) => sum + share(([a]) => a === one) * share(([, b]) => b === one), 0);
  const value = expected < 1 ? (observed - expected) / (1 - expected) : 1;
  // The usual large-sample error; it takes the chance agreement for known.
  const half = expected < 1 ? 1.96 * Math.sqrt((observed * (1 - observed)) / n) / (1 - expected) : 0;
  return { value, low: Math.max(-1, value - half), high: Math.min(1, value + half), observed, n };
}

function wilson(found, n) {
  const z = 1.96;
  const share = found / n;
  const centre = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return `${(100 * share).toFixed(0)} % [${(100 * Math.max(0, centre - half)).toFixed(0)}, ${(100 * Math.min(1, centre + half)).toFixed(0)}]`;
}

function agreementText(other, name) {
  const pairs = items.map(({ id }) => [said(id).verdict, (other[id] || {}).verdict || ""]).filter(([a, b]) => a && b);
  if (!pairs.length) return `No candidate has a verdict of yours and of ${name} yet.`;
  const { value, low, high, observed, n } = kappa(pairs);
  return `You and ${name}: the same verdict on ${(100 * observed).toFixed(0)} % of ${n} candidates, Cohen's κ ${value.toFixed(2)} ` +
    `[${low.toFixed(2)}, ${high.toFixed(2)}]. The filter "readers disagree" shows the others.`;
}

// What the reviewer finds and invents, from the simulated cadences that were mixed in.
function blindText(verdicts) {
  const judged = (content) => items.filter(({ id }, place) => blind[place] === content && (verdicts[id] || {}).verdict);
  const believed = (some) => some.filter(({ id }) => verdicts[id].verdict === "candidate").length;
  const told = (content, name, verb) => {
    const some = judged(content);
    const of = blind.filter((one) => one === content).length;
    if (!some.length) return `None of the ${of} ${name} has a verdict. `;
    return `${verb} ${believed(some)} of ${some.length} ${name}: ${wilson(believed(some), some.length)}. `;
  };
  return told("needle", "simulated needles", "You found") + told("empty", "windows without a needle", "You called candidates") + "(95 % intervals)";
}

function download(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  // Later, since a browser may begin to read after the click has returned.
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
