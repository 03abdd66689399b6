// One card a candidate. Its picture is drawn when it comes near the screen.
const SVG = "http://www.w3.org/2000/svg";
const grid = document.getElementById("grid");
const cards = [];
const NAMES = { candidate: "candidate", rfi: "RFI", noise: "noise", unsure: "unsure", "": "no verdict" };
const ON = [0, 2, 4];

function hidden() {
  return blind.some(Boolean) && !store.revealed;
}

function element(name, attributes = {}, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
}

function signed(value, digits) {
  return (value < 0 ? "−" : "+") + Math.abs(value).toFixed(digits);
}

function step_hz(item) {
  return item.df_hz || data.layout.df_hz;
}

// MHz where the files say it, else the channel, of the line at its start or of the middle of the window.
function frequency(item) {
  const channel = item.line ? item.line[0] : data.layout.n_freq / 2;
  return item.mhz === null ? channel : item.mhz + (channel - 0.5) * step_hz(item) * 1e-6;
}

function facts(item) {
  const parts = [];
  if (item.mhz !== null) parts.push(`${frequency(item).toFixed(6)} MHz`);
  if (item.line) parts.push(`${signed(item.line[1], 3)} Hz/s, line ${item.line[2].toFixed(0)} σ`);
  if (item.family) parts.push(item.family);
  return parts.join(" · ");
}

function known(item, place) {
  if (store.revealed && blind[place]) return blind[place] === "needle" ? "simulated needle" : "of the test, no needle";
  if (item.label === null) return "";
  return item.label ? "label: needle" : "label: no needle";
}

function makeCard(item, place) {
  const verdict = element("span", { class: "verdict" });
  const name = element("b", {}, "");
  const head = element("h2", {}, element("span", {}, `${place + 1}`), name, verdict);
  const score = element("p", { class: "score" }, item.score === null ? "" : `log-odds ${signed(item.score, 1)}`);
  const card = element("li", { class: "card", "data-place": place, "data-id": item.id }, head, score, element("p", {}, facts(item)));
  card.append(element("p", { class: "known" }), element("div", { class: "view" }), element("p", { class: "said-note" }));
  cards.push(card);
  return card;
}

function shape(name, attributes, title) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (title) made.append(title);
  return made;
}

function guide(item) {
  const { n_freq, starts, tops, rows, panel_s } = data.layout;
  const apart = (5 * n_freq) / 256;
  const [channel, drift] = item.line;
  let path = "";
  starts.forEach((start, panel) => {
    for (const side of [-apart, apart]) {
      const [a, b] = [start, start + panel_s].map((t) => channel + (drift * t) / step_hz(item) + side);
      if (Math.min(a, b) >= 0 && Math.max(a, b) <= n_freq) path += `M${a} ${tops[panel]}L${b} ${tops[panel] + rows}`;
    }
  });
  return shape("path", { class: "guide", d: path });
}

function truePlace(item) {
  const beside = (2.5 * data.layout.n_freq) / 256;
  const path = item.truth.map((piece) => "M" + piece.map(([row, channel]) => `${channel + beside} ${row}`).join("L")).join("");
  return shape("path", { class: "true", d: path });
}

function axes(item) {
  const { tops, height, starts, rows, n_freq } = data.layout;
  const times = element("div", { class: "times", "aria-hidden": "true" });
  tops.forEach((top, panel) => {
    const label = element("b", ON.includes(panel) ? { class: "on" } : {}, ON.includes(panel) ? "ON" : "OFF");
    label.style.top = `${(100 * (top + rows / 2)) / height}%`;
    const time = element("span", {}, `${starts[panel].toFixed(0)} s`);
    time.style.top = `${(100 * top) / height}%`;
    times.append(label, time);
  });
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const value = item.mhz === null ? part * n_freq : (part * n_freq * step_hz(item)) / 1e3;
    return element("span", {}, item.mhz === null ? value.toFixed(0) : value.toPrecision(3));
  });
  const unit = item.mhz === null ? "channel" : `kHz above ${item.mhz.toFixed(6)} MHz`;
  return { times, freqs: element("div", { class: "freqs" }, ...ticks), unit: element("div", { class: "unit" }, unit) };
}

function fill(card) {
  const view = card.querySelector(".view");
  if (view.firstChild) return;
  const item = items[card.dataset.place];
  const { times, freqs, unit } = axes(item);
  const picture = element("div", { class: "picture" });
  picture.append(element("img", { src: item.picture, decoding: "async", alt: `Waterfall of ${called(Number(card.dataset.place))}, six panels, time downwards` }));
  if (item.evidence) picture.append(element("img", { class: "layer", src: item.evidence, decoding: "async", alt: "" }));
  const over = shape("svg", { viewBox: `0 0 ${data.layout.n_freq} ${data.layout.height}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  if (item.drawn) over.append(guide(item));
  if (item.truth.length) over.append(truePlace(item));
  picture.append(over);
  view.append(times, picture, freqs, unit);
}

const near = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    fill(target);
    near.unobserve(target);
  }
}, { rootMargin: "800px" });

function dress(place) {
  const item = items[place];
  const { verdict, note } = said(item.id);
  const card = cards[place];
  const badge = card.querySelector(".verdict");
  badge.textContent = verdict ? NAMES[verdict] : "";
  badge.dataset.is = verdict;
  card.querySelector(".said-note").textContent = note ? `Note: ${note}` : "";
  card.querySelector("b").textContent = hidden() ? "" : item.id; // an id could tell what was simulated
  card.querySelector(".known").textContent = hidden() ? "" : known(item, place);
}

function makeCards() {
  const all = document.createDocumentFragment();
  items.forEach((item, place) => all.append(makeCard(item, place)));
  grid.append(all);
  cards.forEach((card, place) => { dress(place); near.observe(card); });
}
