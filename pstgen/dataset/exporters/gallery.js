"use strict";
// Pairs are drawn a few at a time, as the reader comes near the end of those that are there.
const BATCH = 24;
const DIRECTIONS = {
  yes: "lure “yes”: expected, absent", no: "lure “no”: unexpected, present",
  more: "more than expected", fewer: "fewer than expected", other: "other",
};
const pairs = JSON.parse(document.getElementById("data").textContent);
const id = (name) => document.getElementById(name);
const main = id("pairs"), search = id("search"), count = id("count"), tools = document.querySelector("form");
let found = pairs, drawn = 0, at = -1;

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element && !name.includes("-")) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function shape(picture, d, kind) {
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", d);
  path.setAttribute("class", kind);
  picture.append(path);
}

function overlay(twin) {
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.setAttribute("viewBox", `-0.5 -0.5 ${twin.width} ${twin.height}`); // an outline runs through middles of pixels
  picture.setAttribute("aria-hidden", "true");
  if (twin.outline) for (const kind of ["under", "over"]) shape(picture, twin.outline, kind);
  for (const [x, y, visibility] of twin.joints) {
    for (const kind of ["joint", "joint dot", ...(visibility === 2 ? [] : ["joint hole"])]) shape(picture, `M${x} ${y}h.01`, kind);
  }
  return picture;
}

function figure(twin, pair) {
  const control = twin.role === "control";
  const image = make("img", {
    loading: "lazy", decoding: "async", width: twin.width, height: twin.height, src: twin.image,
    alt: `${control ? "Control" : "Stress"} twin. What shows the answer: ${twin.words}.`,
  });
  const suggests = control ? "control: as the words suggest" : `stress: the words suggest ${pair.lure}`;
  const caption = make("figcaption", {}, make("strong", { className: control ? "good" : "bad" }, twin.answer), ` ${suggests}`);
  caption.append(make("small", {}, twin.words));
  if (twin.written) caption.append(make("small", {}, `written into the picture: “${twin.written}”`));
  if (twin.licence) caption.append(make("small", {}, twin.licence.replace(/^https?:\/\/(www\.)?/, "")));
  const tall = twin.height > 1.2 * twin.width ? "tall" : "";
  return make("figure", { className: tall }, make("div", { className: "picture" }, image, overlay(twin)), caption);
}

function judged(choice, twin, pair) {
  if (choice === twin.answer) return ["✓ right", "good"];
  return choice === pair.lure ? ["✗ lured", "bad"] : [choice ? "✗ wrong" : "✗ invalid", "bad"];
}

function table(pair) {
  const head = make("tr", {}, make("th", { scope: "col" }, "judge"));
  for (const twin of pair.twins) head.append(make("th", { scope: "col" }, `${twin.role}: ${twin.answer}`));
  const body = pair.verdicts.map((verdict) => {
    const line = make("tr", {}, make("th", { scope: "row" }, verdict.judge, verdict.sees ? "" : make("br"), verdict.sees ? "" : make("small", {}, "words alone")));
    verdict.choices.forEach((choice, n) => {
      const [says, kind] = judged(choice, pair.twins[n], pair);
      line.append(make("td", {}, choice || "no answer", make("b", { className: kind }, says)));
    });
    return line;
  });
  const whole = make("table", {}, make("caption", {}, "What each judge answers"), make("thead", {}, head), make("tbody", {}, ...body));
  const frame = make("div", { className: "wide" }, whole);
  if (pair.twins.length > 2) Object.assign(frame, { tabIndex: 0, role: "region", ariaLabel: "What each judge answers" });
  return frame;
}

function article(pair) {
  const title = make("h2", { id: `${pair.id}-question` }, pair.question);
  const whole = make("article", { id: pair.id, tabIndex: -1, "aria-labelledby": title.id }, title);
  if (pair.neutral !== pair.question) whole.append(make("p", { className: "quiet" }, `asked plainly: ${pair.neutral}`));
  const options = pair.options.map((option) => make("li", option === pair.lure ? { className: "lure" } : {}, option, option === pair.lure ? make("span", { className: "bad" }, " (lure)") : ""));
  const twins = pair.twins.map((twin) => figure(twin, pair));
  whole.append(make("ul", { className: "options", "aria-label": "Options" }, ...options));
  const shown = make("div", { className: "shown" }, make("div", { className: twins.length > 2 ? "twins four" : "twins" }, ...twins));
  if (pair.verdicts.length) shown.append(table(pair));
  whole.append(shown);
  const kind = `${pair.family} · ${pair.frame} · ${pair.twin} · ${DIRECTIONS[pair.direction]} · `;
  whole.append(make("p", { className: "quiet" }, kind, make("a", { href: `#${pair.id}` }, pair.id)));
  return whole;
}

function draw(until) {
  const end = Math.min(found.length, until);
  while (drawn < end) main.append(article(found[drawn++]));
  id("end").textContent = drawn < found.length ? "…" : "";
}

const isLured = (pair, verdict) => pair.twins.some((twin, n) => twin.role === "stress" && verdict.choices[n] === pair.lure);
const wins = (pair, verdict) => pair.twins.every((twin, n) => verdict.choices[n] === twin.answer);
const TESTS = { lured: isLured, wins, neither: (pair, verdict) => !isLured(pair, verdict) && !wins(pair, verdict) };

function passes(pair, wanted) {
  const [quantity, test, judge] = wanted.verdict;
  const judgements = pair.verdicts.filter((verdict) => !judge || verdict.judge === judge);
  if (quantity && !(judgements.length && judgements[quantity]((verdict) => TESTS[test](pair, verdict)))) return false;
  if (["family", "direction", "frame", "twin"].some((name) => wanted[name] && wanted[name] !== pair[name])) return false;
  return wanted.words.every((word) => pair.text.includes(word));
}

function filter() {
  const wanted = { words: search.value.toLowerCase().split(/\s+/).filter(Boolean), verdict: JSON.parse(id("verdict").value) };
  for (const name of ["family", "direction", "frame", "twin"]) wanted[name] = id(name).value;
  found = pairs.filter((pair) => passes(pair, wanted));
  [drawn, at] = [0, -1];
  main.replaceChildren();
  draw(BATCH);
  if (!found.length) main.append(make("p", {}, "No pair is like that. Take a filter away, or search for fewer words."));
  id("everything").hidden = found.length === pairs.length;
  count.textContent = found.length === pairs.length ? `${pairs.length} pairs` : `${found.length} of ${pairs.length} pairs`;
}

function go(n) {
  if (!found.length) return;
  at = Math.max(0, Math.min(found.length - 1, n));
  draw(at + BATCH);
  const wanted = main.children[at];
  wanted.focus({ preventScroll: true });
  const show = (again) => {
    wanted.scrollIntoView({ block: "start" });
    if (again) requestAnimationFrame(() => show(again - 1)); // articles that come near get their true heights
  };
  show(2);
}

function keepClear() {
  const covers = getComputedStyle(tools).position === "sticky" ? tools.offsetHeight : 0;
  document.documentElement.style.scrollPaddingTop = `${covers}px`;
}

function choices(name, values, label) {
  const select = id(name);
  const counts = new Map();
  for (const pair of pairs) counts.set(pair[name], (counts.get(pair[name]) ?? 0) + 1);
  select.append(make("option", { value: "" }, "all"));
  for (const value of values([...counts.keys()])) select.append(make("option", { value }, `${label(value)} (${counts.get(value)})`));
}

function verdictChoices() {
  const option = (text, ...value) => make("option", { value: JSON.stringify(value) }, text);
  const judges = [...new Set(pairs.flatMap((pair) => pair.verdicts.map((verdict) => verdict.judge)))];
  id("verdict").append(option("all", ""), option("every judge lured", "every", "lured"), option("a judge wins the pair", "some", "wins"));
  for (const judge of judges) {
    const group = make("optgroup", { label: judge });
    group.append(option(`${judge}: lured`, "every", "lured", judge), option(`${judge}: wins the pair`, "every", "wins", judge), option(`${judge}: neither`, "every", "neither", judge));
    id("verdict").append(group);
  }
}

const tick = (name) => { id(name).click(); };
const KEYS = {
  j: () => go(at + 1), ArrowRight: () => go(at + 1), k: () => go(at - 1), ArrowLeft: () => go(at - 1),
  "/": () => search.focus(), o: () => tick("outline"), l: () => tick("large"), "?": () => id("help").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || id("help").open) return;
  if (event.target === search && event.key === "Escape") { main.focus(); return; }
  const typing = event.target.matches("input[type=search], select");
  const scrolls = event.target.matches(".wide") && event.key.startsWith("Arrow");
  if (typing || scrolls || !(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key]();
});
main.addEventListener("focusin", (event) => {
  const inside = event.target.closest("article");
  if (inside) at = [...main.children].indexOf(inside);
});
id("outline").addEventListener("change", (event) => document.body.classList.toggle("bare", !event.target.checked));
id("large").addEventListener("change", (event) => document.body.classList.toggle("large", event.target.checked));
id("keys").addEventListener("click", () => id("help").showModal());
id("more").addEventListener("click", (event) => event.target.setAttribute("aria-expanded", id("filters").classList.toggle("open")));
id("everything").addEventListener("click", () => { tools.reset(); document.body.classList.remove("bare", "large"); filter(); search.focus(); });
tools.addEventListener("submit", (event) => { event.preventDefault(); go(0); });
document.querySelectorAll(".tools select").forEach((select) => select.addEventListener("change", filter));
search.addEventListener("input", filter);
function drawAll() {
  draw(found.length);
  const images = [...main.querySelectorAll("img")];
  images.forEach((image) => Object.assign(image, { loading: "eager", decoding: "sync" }));
  return images;
}
window.addEventListener("beforeprint", drawAll);
id("print").addEventListener("click", async () => {
  await Promise.allSettled(drawAll().map((image) => image.decode())); // a picture that is still loading would be missing on paper
  window.print();
});
new IntersectionObserver((seen) => { if (seen.some((entry) => entry.isIntersecting)) draw(drawn + BATCH); }, { rootMargin: "1200px" }).observe(id("end"));

new ResizeObserver(keepClear).observe(tools);

for (const pair of pairs) {
  const words = [pair.id, pair.question, pair.neutral, ...pair.options, ...pair.twins.flatMap((twin) => [twin.id, twin.words, twin.written])];
  pair.text = words.join("\n").toLowerCase();
}
for (const name of ["family", "frame", "twin"]) choices(name, (values) => values.sort(), (value) => value);
choices("direction", (values) => Object.keys(DIRECTIONS).filter((value) => values.includes(value)), (value) => DIRECTIONS[value]);
verdictChoices();
filter();
keepClear();
const linked = pairs.findIndex((pair) => `#${pair.id}` === decodeURIComponent(location.hash));
if (linked >= 0) go(linked);
