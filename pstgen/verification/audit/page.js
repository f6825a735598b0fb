"use strict";

// What the server sent (session, verdicts) and what is shown (pairIndex, twinIndex); all else follows from it.
const RATINGS = ["right", "wrong", "ambiguous"];
const KEYS = {
  1: () => judgeFocused("right"), r: () => judgeFocused("right"),
  2: () => judgeFocused("wrong"), w: () => judgeFocused("wrong"),
  3: () => judgeFocused("ambiguous"), a: () => judgeFocused("ambiguous"),
  4: acceptRest, e: acceptRest,
  ArrowLeft: () => step(-1), ArrowRight: () => step(1),
  ArrowUp: () => turn(-1), ArrowDown: () => turn(1),
  o: () => toggle("overlay"), l: () => toggle("lure"), u: undo,
};
const shown = { overlay: false, lure: false };
let session, verdicts, pairIndex = 0, twinIndex = 0, builtIndex = null;
let queue = Promise.resolve(); // one thing after the other: a quick second key waits for the first to be on the disk

const $ = (id) => document.getElementById(id);
const twins = () => (session.pairs[pairIndex] ? session.pairs[pairIndex].twins : []);
const firstUnjudged = (at) => session.pairs[at].twins.findIndex((twin) => !(twin.item in verdicts));

function make(kind, text, parent, className = "") {
  const element = document.createElement(kind);
  element.textContent = text;
  element.className = className;
  parent.append(element);
  return element;
}

async function request(path, body) {
  const how = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const failed = body ? "Not saved: " : "";
  let answer;
  try {
    answer = await fetch(path, how);
  } catch {
    throw new Error(`${failed}pstgen does not answer. Start it again, and open the address that it prints.`);
  }
  if (!answer.ok) throw new Error(failed + (await answer.text()).trim());
  return answer.json();
}

function act(action) {
  queue = queue.then(async () => {
    $("trouble").hidden = true;
    await action();
    draw();
  }).catch((error) => {
    $("trouble").textContent = error.message;
    $("trouble").hidden = false;
  });
}

// ------------------------------------------------------------------------------------------------ actions

async function send(item, verdict) {
  ({ verdicts } = await request("verdict", { item, verdict }));
}

async function judgeFocused(rating) {
  const twin = twins()[twinIndex];
  if (!twin) return;
  const changed = twin.item in verdicts;
  await send(twin.item, rating);
  if (!changed) goOn();
}

async function acceptRest() {
  const left = twins().filter((twin) => !(twin.item in verdicts));
  for (const twin of left) await send(twin.item, "right");
  if (left.length) goOn();
}

async function undo() {
  const state = await request("verdict", { verdict: "undo" });
  ({ verdicts } = state);
  if (state.item) look(state.item);
}

function look(item) {
  pairIndex = session.pairs.findIndex((pair) => pair.twins.some((twin) => twin.item === item));
  twinIndex = twins().findIndex((twin) => twin.item === item);
}

function goOn() { // to the next label that is not judged: here, then further on, then from the start, then the end
  const all = session.pairs.map((_, n) => n);
  const next = [...all.slice(pairIndex), ...all.slice(0, pairIndex)].find((n) => firstUnjudged(n) >= 0);
  if (next === undefined) pairIndex = session.pairs.length;
  else [pairIndex, twinIndex] = [next, firstUnjudged(next)];
}

function turn(by) {
  pairIndex = Math.min(Math.max(pairIndex + by, 0), session.pairs.length);
  twinIndex = 0;
}

function step(by) {
  const to = twinIndex + by;
  if (to >= 0 && to < twins().length) twinIndex = to;
  else if (by > 0) turn(1);
  else if (pairIndex > 0) {
    turn(-1);
    twinIndex = twins().length - 1;
  }
}

function toggle(what) {
  shown[what] = !shown[what];
}

// ------------------------------------------------------------------------------------------------ what is seen

function draw() {
  const ended = pairIndex >= session.pairs.length;
  if (builtIndex !== pairIndex) {
    shown.lure = false; // each pair is looked at unled
    builtIndex = pairIndex;
    $("twins").replaceChildren();
    if (!ended) build(session.pairs[pairIndex]);
    window.scrollTo(0, 0); // and from there to the picture in focus, where it is out of sight
  }
  head(ended);
  if (ended) end();
  $("pair").hidden = ended;
  $("end").hidden = !ended;
  [...$("twins").children].forEach((card, n) => mark(card, twins()[n], n === twinIndex));
  $("all").disabled = ended || firstUnjudged(pairIndex) < 0;
}

function head(ended) {
  const items = session.pairs.flatMap((pair) => pair.twins);
  const done = items.filter((twin) => twin.item in verdicts).length;
  [$("progress").max, $("progress").value] = [items.length, done];
  $("count").textContent = `${done} of ${items.length}`;
  $("place").textContent = ended ? session.who : `pair ${pairIndex + 1} of ${session.pairs.length} · ${session.pairs[pairIndex].family}`;
  $("previous").disabled = pairIndex === 0;
  $("next").disabled = ended;
  for (const what of ["overlay", "lure"]) {
    $(what).setAttribute("aria-pressed", shown[what]);
    $(what).disabled = ended;
  }
  $("undo").disabled = done === 0;
}

function build(pair) {
  $("question").textContent = pair.question;
  $("plain").textContent = pair.neutral === pair.question ? "" : `asked plainly: ${pair.neutral}`;
  $("options").replaceChildren();
  pair.options.forEach((option) => make("li", option, $("options")));
  $("twins").replaceChildren(...pair.twins.map(card));
}

function card(twin, n) {
  const article = $("twin").content.cloneNode(true).firstElementChild;
  const pair = session.pairs[pairIndex];
  article.dataset.item = twin.item;
  for (const picture of article.querySelectorAll("img")) [picture.width, picture.height] = [twin.width, twin.height];
  article.querySelector(".image").src = `image/${twin.item}`;
  article.querySelector(".image").alt = `picture ${n + 1} of ${pair.twins.length}`;
  if (twin.overlay) article.querySelector(".tint").src = `overlay/${twin.item}`;
  article.querySelector(".label strong").textContent = twin.answer;
  article.querySelector(".chain").textContent = twin.chain;
  const here = twin.role === "control" ? "right" : "wrong";
  article.querySelector(".role").textContent =
    `${twin.role} twin, ${pair.method}: the words suggest ${pair.lure}, which is ${here} here`;
  article.addEventListener("click", (event) => {
    const { verdict } = event.target.closest("button")?.dataset ?? {};
    act(() => {
      look(twin.item);
      return verdict && judgeFocused(verdict);
    });
  });
  return article;
}

function mark(article, twin, focused) {
  if (focused && article.dataset.focused !== "true") {
    for (const part of [".look", ".verdicts"]) article.querySelector(part).scrollIntoView({ block: "nearest" });
  }
  article.dataset.focused = focused;
  for (const button of article.querySelectorAll("[data-verdict]")) {
    button.setAttribute("aria-pressed", verdicts[twin.item] === button.dataset.verdict);
  }
  article.querySelector(".tint").hidden = !(shown.overlay && twin.overlay);
  article.querySelector(".look").dataset.whole = shown.overlay && !twin.overlay;
  article.querySelector(".role").hidden = !shown.lure;
}

function end() {
  const of = (items, rating) => items.filter((twin) => verdicts[twin.item] === rating).length;
  const items = session.pairs.flatMap((pair) => pair.twins.map((twin) => ({ ...twin, family: pair.family })));
  const left = items.filter((twin) => !(twin.item in verdicts)).length;
  $("end").querySelector("h1").textContent = left ? `${left} labels are left` : "Every label of the sample is judged";
  $("sum").textContent = RATINGS.map((rating) => `${of(items, rating)} ${rating}`).join(", ") + `; by ${session.who}.`;
  $("families").replaceChildren();
  for (const family of [...new Set(items.map((twin) => twin.family))].sort()) {
    const row = make("tr", "", $("families"));
    make("td", family, row);
    RATINGS.forEach((rating) => make("td", of(items.filter((twin) => twin.family === family), rating), row));
  }
  $("doubtful").replaceChildren();
  for (const twin of items.filter((twin) => ["wrong", "ambiguous"].includes(verdicts[twin.item]))) {
    make("button", `${twin.item}: ${verdicts[twin.item]}`, $("doubtful")).addEventListener("click", () => act(() => look(twin.item)));
  }
  $("verify").textContent = `pstgen verify ${session.folder}`;
}

// ------------------------------------------------------------------------------------------------ keys and mouse

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || $("keys").open) return;
  if (event.key === "?") $("keys").showModal();
  const action = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action) return;
  event.preventDefault(); // arrows do not scroll
  act(action);
});
for (const [id, action] of Object.entries({
  previous: () => turn(-1), next: () => turn(1), overlay: () => toggle("overlay"), lure: () => toggle("lure"), undo, all: acceptRest,
})) $(id).addEventListener("click", () => act(action));
$("help").addEventListener("click", () => $("keys").showModal());

act(async () => {
  session = await request("start");
  ({ verdicts } = session);
  goOn();
});
