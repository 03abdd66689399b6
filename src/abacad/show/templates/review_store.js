// The reviewer's verdicts: kept in the browser after every key, undone step by step, never mixed with another page's.
const data = JSON.parse(document.getElementById("data").textContent);
const items = data.items;
const placeOf = new Map(items.map((item, place) => [item.id, place]));
const blind = JSON.parse(atob(data.blind));
const VERDICTS = ["candidate", "rfi", "noise", "unsure"];
// Pages that are opened from a disk share one store in many browsers; the digest of its content keeps a page's own apart.
const SHELF = "abacad-review-" + data.digest;

const store = { verdicts: {}, revealed: null, reader: data.reader || "", steps: [], listeners: [] };

function load() {
  try {
    const kept = JSON.parse(localStorage.getItem(SHELF) || "{}");
    store.verdicts = kept.verdicts || {};
    store.revealed = kept.revealed || null;
    store.reader = kept.reader || store.reader;
  } catch (error) {
    say("This browser keeps nothing for this page (" + error.name + "): export your verdicts before you close it.");
  }
}

function save() {
  try {
    const { verdicts, revealed, reader } = store;
    localStorage.setItem(SHELF, JSON.stringify({ verdicts, revealed, reader }));
  } catch (error) {
    say("The browser could not keep this (" + error.name + "): export your verdicts now.");
  }
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
  if (event.key !== SHELF) return;
  load();
  for (const listener of store.listeners) listener(items.map(({ id }) => id), true);
});
