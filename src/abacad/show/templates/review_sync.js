// With a server: every verdict is sent there as well. What could not be sent waits in the browser and is sent later, and
// the verdicts of other readers are fetched, to be compared with one's own.
const waiting = [];
const REFUSALS = [400, 413]; // statuses that the same rows would get again
let sending = false;
let heard = 0;
const readers = Object.create(null); // a reader's name may be that of a property which every object has
const judgedHere = new Set();
const mark = (reader, id) => JSON.stringify([reader, id]);
const token = new URLSearchParams(location.search).get("token") || "";

async function request(path, options = {}) {
  const headers = { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  const answer = await fetch(path, { ...options, headers });
  if (answer.ok) return answer.json();
  const { error } = await answer.json().catch(() => ({ error: "it did not say why" })); // as of a proxy between
  throw Object.assign(new Error(`the server answered ${answer.status}: ${error}`), { status: answer.status });
}

function queue(ids) {
  for (const id of ids) waiting.push({ id, verdict: said(id).verdict, note: said(id).note || "", reader: store.reader });
  for (const id of ids) judgedHere.add(mark(store.reader, id));
  keepWaiting();
  send();
}

function keepWaiting() {
  try {
    localStorage.setItem(SHELF + "-waiting", JSON.stringify(waiting));
  } catch (error) {
    say("The browser could not keep what waits for the server: " + error.name);
  }
}

// A row that the server refuses would be refused again and keep all others waiting: rows are then sent one by one, and
// that one is told and waits no longer. What it says stays on the page.
async function deliver(rows) {
  try {
    await request("verdicts", { method: "POST", body: JSON.stringify(rows) });
  } catch (error) {
    if (!REFUSALS.includes(error.status)) throw error;
    for (const row of rows.length > 1 ? rows : []) await deliver([row]);
    if (rows.length > 1) return;
    const place = placeOf.get(rows[0].id);
    say(`${place === undefined ? "A verdict" : called(place)} was not sent, since ${error.message}. It stays in this browser: export it.`);
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
    say(`The server is not reached (${error.message}): ${waiting.length} verdicts wait in this browser.`);
  }
  sending = false;
}

async function listen() {
  try {
    const { last, rows } = await request(`verdicts?since=${heard}`);
    heard = last;
    for (const { reader, id, verdict, note } of rows) (readers[reader] ||= {})[id] = { verdict, note };
    takeOwn(rows.filter(({ reader }) => reader === store.reader).map(({ id }) => id));
    compare();
  } catch (error) {
    if (waiting.length) say(`The server is not reached (${error.message}): ${waiting.length} verdicts wait in this browser.`);
  }
  send();
}

// What this reader said in another browser. Of each candidate its last row alone counts, which may have taken earlier ones
// back; and what was judged here since is newer than what the server has sent.
function takeOwn(ids) {
  const own = readers[store.reader] || {};
  const mine = [...new Set(ids)].filter((id) => (own[id].verdict || own[id].note) && !store.verdicts[id] && !judgedHere.has(mark(store.reader, id)));
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

function startSync() {
  if (!data.server) return;
  store.reader = new URLSearchParams(location.search).get("reader") || store.reader;
  try {
    waiting.push(...JSON.parse(localStorage.getItem(SHELF + "-waiting") || "[]"));
  } catch (error) {
    say("What waited for the server could not be read: " + error.name);
  }
  for (const { reader, id } of waiting) judgedHere.add(mark(reader || store.reader, id));
  store.listeners.push((ids, quiet) => { if (!quiet) queue(ids); });
  listen();
  setInterval(listen, 2000);
}
