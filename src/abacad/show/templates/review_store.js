// The reviewer's verdicts: kept in the browser after every key, undone step by step, never mixed with another page's.
const data = JSON.parse(document.getElementById("data").textContent);
const items = data.items;
const placeOf = new Map(items.map((item, place) => [item.id, place]));
const blind = JSON.parse(atob(data.blind));
const VERDICTS = ["candidate", "rfi", "noise", "unsure"];
// Pages that are opened from a disk share one store in many browsers; the digest of its content keeps a page's own apart.
const SHELF = "abacad-review-" + data.digest;

const READER = SHELF + "-reader";

const store = { verdicts: {}, revealed: null, reader: firstReader(), steps: [], listeners: [] };

// Several people may read a served page in one browser, one after the other. Each has a shelf of his own: on a common one
// the verdicts of the first would be shown, and exported, as those of the next.
function shelf() {
  return data.server ? `${SHELF}-of-${store.reader}` : SHELF;
}

// Who reads a served page: whom its address names, else who read it last in this browser.
function firstReader() {
  const asked = data.server && (new URLSearchParams(location.search).get("reader") || kept(READER, ""));
  return String(asked || data.reader || "").trim().slice(0, 100);
}

function kept(key, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? otherwise;
  } catch (error) {
    say("This browser keeps nothing for this page (" + error.name + "): export your verdicts before you close it.");
    return otherwise;
  }
}

function keep(key, content) {
  try {
    localStorage.setItem(key, JSON.stringify(content));
  } catch (error) {
    say("The browser could not keep this (" + error.name + "): export your verdicts now.");
  }
}

function load() {
  const { verdicts, revealed, reader } = kept(shelf(), {});
  store.verdicts = verdicts || {};
  store.revealed = revealed || null;
  if (!data.server) store.reader = reader || store.reader;
}

function save() {
  const { verdicts, revealed, reader } = store;
  keep(shelf(), { verdicts, revealed, reader });
}

function said(id) {
  return store.verdicts[id] || { verdict: "", note: "" };
}

// One action of the reviewer: any number of changes {id, verdict?, note?}, undone together.
function act(changes) {
  const before = changes.map(({ id }) => ({ id, ...said(id) }));
  store.steps.push(before);
  put(changes);
}

// Quiet: verdicts that came from the server, which must not be sent there again.
function put(changes, quiet = false) {
  for (const { id, ...change } of changes) {
    const now = { ...said(id), ...change, time: new Date().toISOString() };
    if (now.verdict || now.note) store.verdicts[id] = now;
    else delete store.verdicts[id];
  }
  save();
  const ids = changes.map(({ id }) => id);
  for (const listener of store.listeners) listener(ids, quiet);
}

// Takes the last action back and returns the id it began with, or null.
function undo() {
  const before = store.steps.pop();
  if (!before) return null;
  put(before.map(({ id, verdict, note }) => ({ id, verdict, note })));
  return before[0].id;
}

function say(text) {
  document.getElementById("said").textContent = text;
}

// Another window with the same page: what it wrote counts here, too.
window.addEventListener("storage", (event) => {
  if (event.key !== shelf()) return;
  load();
  for (const listener of store.listeners) listener(items.map(({ id }) => id), true);
});
