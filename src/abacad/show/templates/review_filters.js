// Which cards are shown.
const second = { verdicts: {}, name: "" };
const field = (id) => document.getElementById(id);

function bound(id, otherwise) {
  const value = field(id) ? field(id).valueAsNumber : NaN;
  return Number.isNaN(value) ? otherwise : value;
}

// A candidate without that value (no score, no straight line) is shown as long as no bound asks for it.
function within(value, low, high) {
  const [from, to] = [bound(low, -Infinity), bound(high, Infinity)];
  if (value === null) return from === -Infinity && to === Infinity;
  return value >= from && value <= to;
}

function passes(item) {
  const { verdict } = said(item.id);
  const wanted = field("verdict").value;
  const other = (second.verdicts[item.id] || {}).verdict;
  const byVerdict = { "": true, none: !verdict, apart: Boolean(verdict && other && verdict !== other) };
  return within(item.score, "score-low", "score-high") && within(frequency(item), "freq-low", "freq-high") &&
    within(item.line ? Math.abs(item.line[1]) : null, "drift-low", "drift-high") &&
    (!field("family").value || item.family === field("family").value) &&
    (wanted in byVerdict ? byVerdict[wanted] : verdict === wanted);
}

// Cards are hidden and not removed: a card keeps its place, by which verdicts, pictures and tests belong together.
function filter() {
  cards.forEach((card, place) => { card.hidden = !passes(items[place]); });
  field("nothing").hidden = shown().length > 0;
  count();
}

function shown() {
  return cards.filter((card) => !card.hidden);
}

function count() {
  const judged = items.filter(({ id }) => said(id).verdict).length;
  const there = shown().length;
  const part = there < items.length ? `, ${there} shown` : "";
  field("count").textContent = `${judged} of ${items.length} judged${part}`;
}

function clearFilters() {
  for (const input of field("filters").querySelectorAll("input")) input.value = "";
  for (const choice of field("filters").querySelectorAll("select")) choice.value = "";
  filter();
}

function offerFamilies() {
  const families = [...new Set(items.map(({ family }) => family).filter(Boolean))].sort();
  field("family").append(...families.map((family) => element("option", { value: family }, family)));
}
