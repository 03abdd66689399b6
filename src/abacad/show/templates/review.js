// Keys, buttons, and which candidate is the current one.
let current = 0;

function choose(place, scroll = true) {
  if (cards[current]) cards[current].removeAttribute("aria-current");
  current = place;
  const card = cards[place];
  if (!card) return;
  fill(card);
  card.setAttribute("aria-current", "true");
  if (scroll) card.scrollIntoView({ block: "nearest" });
}

// The next shown card in a direction; stays where there is none.
function step(direction) {
  let place = current + direction;
  while (cards[place] && cards[place].hidden) place += direction;
  if (cards[place]) choose(place);
}

function current_item() {
  const card = cards[current];
  return card && !card.hidden ? items[current] : null;
}

// Its id; its number while ids could tell what was simulated.
function called(place) {
  return hidden() ? `Number ${place + 1}` : items[place].id;
}

// Whether what is said now can be sent. A server takes nothing without a name, so whatever it would be sent asks first.
function sendable() {
  if (outdated) tellOutdated();
  if (outdated || !data.server || store.reader) return !outdated;
  field("more").open = true;
  field("reader").focus();
  say("Say who reads, first.");
  return false;
}

function judge(verdict) {
  const item = current_item();
  if (!item) return say("No candidate is shown.");
  if (!sendable()) return;
  act([{ id: item.id, verdict }]);
  say(`${called(current)}: ${NAMES[verdict]}.`);
  step(1);
  if (cards[current].hidden) step(-1);
}

function takeBack() {
  if (!sendable()) return;
  const id = undo();
  if (id === null) return say("There is nothing to undo.");
  choose(placeOf.get(id));
  say(`Undone: ${called(current)}.`);
}

function writeNote() {
  const item = current_item();
  if (!item || !sendable()) return;
  const card = cards[current];
  const input = element("input", { class: "note", type: "text", maxlength: "2000", "aria-label": `Note on ${called(current)}` });
  input.value = said(item.id).note || "";
  let left = false; // removing a field takes the focus from it, which ends it once more
  const done = (keep) => {
    if (left) return;
    left = true;
    input.remove();
    if (keep && input.value !== (said(item.id).note || "")) act([{ id: item.id, note: input.value }]);
  };
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") done(true); if (event.key === "Escape") done(false); });
  input.addEventListener("blur", () => done(true));
  card.append(input);
  input.focus();
}

function sameFrequency() {
  const item = current_item();
  if (!item || item.mhz === null) return say("Frequencies are not known here.");
  if (!sendable()) return;
  const width = bound("within", 1) * 1e-3;
  const same = items.filter((one) => one.mhz !== null && Math.abs(frequency(one) - frequency(item)) <= width);
  act(same.map(({ id }) => ({ id, verdict: "rfi" })));
  say(`${same.length} candidates within ${width * 1e3} kHz of ${frequency(item).toFixed(6)} MHz are RFI.`);
}

async function readTable(input, use) {
  const [file] = input.files;
  if (!file) return;
  try {
    const { rows, strangers } = verdictsOf(await file.text(), file.name);
    use(rows, file.name);
    if (strangers) say(`${rows.length} rows of ${file.name} taken; ${strangers} are of other candidates.`);
  } catch (error) {
    say(error.message);
  }
  input.value = "";
}

function importTable() {
  if (sendable()) return readTable(field("import"), takeTable);
  field("import").value = "";
}

function takeTable(rows, name) {
  act(rows);
  say(`${rows.length} verdicts of ${name} taken; undo takes them back.`);
}

function takeSecond(rows, name) {
  second.verdicts = Object.fromEntries(rows.map((row) => [row.id, row]));
  second.name = second.file = name;
  showAgreement();
}

function showAgreement() {
  field("verdict").querySelector('[value="apart"]').hidden = false;
  field("agreement").textContent = agreementText(second.verdicts, second.name);
}

function reveal() {
  if (!sendable()) return;
  store.revealed ||= structuredClone(store.verdicts);
  save();
  showRevealed();
}

function showRevealed() {
  document.body.classList.toggle("blind", hidden());
  for (const id of ["show-evidence", "show-truth", "score-low", "score-high"]) if (field(id)) field(id).disabled = hidden();
  cards.forEach((_, place) => dress(place));
  if (store.revealed && blind.some(Boolean)) field("agreement").textContent = blindText(store.revealed);
}

const LAYERS = { "show-guide": "guides", "show-evidence": "evidence", "show-truth": "truth", one: "one" };
function showLayers() {
  for (const [id, name] of Object.entries(LAYERS)) document.body.classList.toggle(name, Boolean(field(id) && field(id).checked && !field(id).disabled));
  choose(current);
}

function flip(id) {
  if (!field(id) || field(id).disabled) return;
  field(id).checked = !field(id).checked;
  showLayers();
}

const KEYS = {
  c: () => judge("candidate"), r: () => judge("rfi"), n: () => judge("noise"), u: () => judge("unsure"),
  z: takeBack, ArrowRight: () => step(1), j: () => step(1), ArrowLeft: () => step(-1), p: () => step(-1), t: writeNote, f: sameFrequency,
  g: () => flip("show-guide"), e: () => flip("show-evidence"), k: () => flip("show-truth"), o: () => flip("one"), x: exportCsv,
};

function exportCsv() {
  download(`verdicts-${data.digest}.csv`, toCsv());
}

function onKey(event) {
  const typing = event.target.matches("input:not([type=checkbox]), select, textarea");
  if (event.key === "Escape" && typing) event.target.blur();
  if (typing || event.altKey || event.metaKey || (event.ctrlKey && event.key !== "z")) return;
  const action = KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

function wire() {
  const on = (id, event, what) => field(id) && field(id).addEventListener(event, what);
  for (const button of document.querySelectorAll("[data-verdict]")) button.addEventListener("click", () => judge(button.dataset.verdict));
  const clicks = { undo: takeBack, previous: () => step(-1), next: () => step(1), "write-note": writeNote, same: sameFrequency,
    clear: clearFilters, export: exportCsv, reveal };
  for (const [id, what] of Object.entries(clicks)) on(id, "click", what);
  for (const input of field("filters").querySelectorAll("input, select")) input.addEventListener("input", () => { filter(); if (cards[current].hidden) { choose(-1); step(1); } });
  for (const id of Object.keys(LAYERS)) on(id, "change", showLayers);
  on("theme", "change", () => { document.documentElement.dataset.theme = field("theme").value; });
  on("reader", "change", () => switchReader(field("reader").value.trim()));
  on("import", "change", importTable);
  on("second", "change", () => readTable(field("second"), takeSecond));
  grid.addEventListener("click", (event) => { const card = event.target.closest(".card"); if (card) choose(Number(card.dataset.place), false); });
  document.addEventListener("keydown", onKey);
  // Pictures are drawn when their card comes near the screen; paper has no screen.
  window.addEventListener("beforeprint", () => shown().forEach(fill));
}

store.listeners.push((ids) => {
  for (const id of ids) {
    const place = placeOf.get(id);
    if (place === undefined) continue;
    dress(place);
    cards[place].hidden = !passes(items[place]);
  }
  count();
  if (second.name) showAgreement();
});

load();
makeCards();
offerFamilies();
wire();
startSync();
field("reader").value = store.reader;
showRevealed();
filter();
showLayers();
window.abacadReady = performance.now();
