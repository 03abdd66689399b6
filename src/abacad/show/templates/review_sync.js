// With a server: every verdict is sent there as well. What could not be sent waits in the browser and is sent later, and
// the verdicts of other readers are fetched, to be compared with one's own.
const waiting = [];
const REFUSALS = [400, 413]; // statuses that the same rows would get again
let sending = false;
let heard = 0;
const readers = Object.create(null); // a reader's name may be that of a property which every object has
const judgedHere = new Set();
const mark = (reader, id) => JSON.stringify([reader, id]);
let outdated = false;
// The server may have been started anew with another page since this one was opened.
const OF_PAGE = `page=${data.digest}`;
const token = new URLSearchParams(location.search).get("token") || "";

async function request(path, options = {}) {
  const headers = { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  const answer = await fetch(path, { ...options, headers });
  if (answer.ok) return answer.json();
  const { error } = await answer.json().catch(() => ({ error: "it did not say why" })); // as of a proxy between
  throw Object.assign(new Error(`the server answered ${answer.status}: ${error}`), { status: answer.status });
}

function queue(ids) {
  const { reader } = store;
  for (const id of ids) waiting.push({ id, verdict: said(id).verdict, note: said(id).note || "", reader });
  for (const id of ids) judgedHere.add(mark(reader, id));
  keepWaiting();
  send();
}

// Under the page alone: each row says whose it is, and is sent whoever reads by then.
function keepWaiting() {
  keep(SHELF + "-waiting", waiting);
}

// A row that the server refuses would be refused again and keep all others waiting: rows are then sent one by one, and
// that one is told and waits no longer. What it says stays on the page.
async function deliver(rows) {
  try {
    await request(`verdicts?${OF_PAGE}`, { method: "POST", body: JSON.stringify(rows) });
  } catch (error) {
    if (!REFUSALS.includes(error.status)) throw error;
    if (rows.length > 1) {
      for (const row of rows) await deliver([row]);
      return;
    }
    const place = placeOf.get(rows[0].id);
    const what = place === undefined ? "A verdict" : called(place);
    say(`${what} was not sent, since ${error.message}. It stays in this browser: export it.`);
  }
  waiting.splice(0, rows.length);
  keepWaiting();
}

// One request at a time, so that an earlier verdict on a candidate cannot arrive after a later one.
async function send() {
  if (sending || !waiting.length) return;
  const some = waiting.slice(0, 200);
  for (const row of some) row.reader ||= store.reader;
  if (!some.every(({ reader }) => reader)) return;
  sending = true;
  try {
    await deliver(some);
    if (!waiting.length && field("said").textContent.includes("not reached")) say("The server has everything.");
  } catch (error) {
    missed(error);
  }
  sending = false;
}

function missed(error) {
  outdated ||= error.status === 409;
  if (outdated) tellOutdated();
  else if (waiting.length) {
    say(`The server is not reached (${error.message}): ${waiting.length} verdicts wait in this browser.`);
  }
}

function tellOutdated() {
  const lost = waiting.length ? ` Export your verdicts first (not sent: ${waiting.length}).` : "";
  say(`The server shows another page now, and takes nothing on this one: reload it.${lost}`);
}

async function listen() {
  try {
    const { last, rows } = await request(`verdicts?since=${heard}&${OF_PAGE}`);
    heard = last;
    if (outdated) say("The server shows this page again.");
    outdated = false;
    for (const { reader, id, verdict, note } of rows) (readers[reader] ||= {})[id] = { verdict, note };
    takeOwn(rows.filter(({ reader }) => reader === store.reader).map(({ id }) => id));
    compare();
  } catch (error) {
    missed(error);
  }
  send();
}

// What this reader said in another browser. Of each candidate its last row alone counts, which may have taken earlier ones
// back; and what was judged here since is newer than what the server has sent.
function takeOwn(ids) {
  const own = readers[store.reader] || {};
  const isNew = (id) => !store.verdicts[id] && !judgedHere.has(mark(store.reader, id));
  const mine = [...new Set(ids)].filter((id) => (own[id].verdict || own[id].note) && isNew(id));
  if (mine.length) put(mine.map((id) => ({ id, ...own[id] })), true);
}

// With the reader who has judged most: the agreement of two is what the page can tell.
function compare() {
  const others = Object.keys(readers).filter((name) => name !== store.reader);
  if (!others.length || second.file) return;
  second.name = others.sort((a, b) => Object.keys(readers[b]).length - Object.keys(readers[a]).length)[0];
  second.verdicts = readers[second.name];
  showAgreement();
}

// What the page shows, undoes and exports is from here on this reader's.
function switchReader(name) {
  if (name === store.reader) return;
  store.reader = name;
  if (!data.server) return save(); // there the name is only that of the exported table
  keep(READER, name);
  // A reload would take the reader of before from the address.
  const here = new URL(location.href);
  here.searchParams.set("reader", name);
  history.replaceState(null, "", here);
  store.steps = [];
  load();
  takeOwn(Object.keys(readers[name] || {}));
  if (!second.file) Object.assign(second, { verdicts: {}, name: "" });
  field("agreement").textContent = second.file ? agreementText(second.verdicts, second.name) : "";
  compare();
  showRevealed();
  filter();
  showLayers();
  send();
}

function startSync() {
  if (!data.server) return;
  keep(READER, store.reader);
  waiting.push(...kept(SHELF + "-waiting", []));
  for (const { reader, id } of waiting) judgedHere.add(mark(reader || store.reader, id));
  store.listeners.push((ids, quiet) => { if (!quiet) queue(ids); });
  listen();
  setInterval(listen, 2000);
}
