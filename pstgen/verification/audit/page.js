"use strict";

// What the server told (told, verdicts) and what is looked at (page, twin); all else follows from it.
const WORDS = ["right", "wrong", "ambiguous"];
const KEYS = {
  1: () => say("right"), r: () => say("right"),
  2: () => say("wrong"), w: () => say("wrong"),
  3: () => say("ambiguous"), a: () => say("ambiguous"),
  4: sayAll, e: sayAll,
  ArrowLeft: () => step(-1), ArrowRight: () => step(1),
  ArrowUp: () => turn(-1), ArrowDown: () => turn(1),
  o: () => toggle("overlay"), l: () => toggle("lure"), u: undo,
};
const shown = { overlay: false, lure: false };
let told, verdicts, page = 0, twin = 0, built = null;
let queue = Promise.resolve(); // one thing after the other: a quick second key waits for the first to be on the disk

const $ = (id) => document.getElementById(id);
const twins = () => (told.pages[page] ? told.pages[page].twins : []);
const open_ = (at) => told.pages[at].twins.findIndex((one) => !(one.item in verdicts));

function make(kind, text, parent, className = "") {
  const made = document.createElement(kind);
  made.textContent = text;
  made.className = className;
  parent.append(made);
  return made;
}

async function ask(path, body) {
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

function act(deed) {
  queue = queue.then(async () => {
    $("trouble").hidden = true;
    await deed();
    draw();
  }).catch((error) => {
    $("trouble").textContent = error.message;
    $("trouble").hidden = false;
  });
}

// ------------------------------------------------------------------------------------------------ deeds

async function judge(item, verdict) {
  ({ verdicts } = await ask("verdict", { item, verdict }));
}

async function say(word) {
  const one = twins()[twin];
  if (!one) return;
  const changed = one.item in verdicts;
  await judge(one.item, word);
  if (!changed) goOn();
}

async function sayAll() {
  const left = twins().filter((one) => !(one.item in verdicts));
  for (const one of left) await judge(one.item, "right");
  if (left.length) goOn();
}

async function undo() {
  const state = await ask("verdict", { verdict: "undo" });
  ({ verdicts } = state);
  if (state.item) look(state.item);
}

function look(item) {
  page = told.pages.findIndex((pair) => pair.twins.some((one) => one.item === item));
  twin = twins().findIndex((one) => one.item === item);
}

function goOn() { // to the next label that is not judged: here, then further on, then from the start, then the end
  const all = told.pages.map((_, n) => n);
  const next = [...all.slice(page), ...all.slice(0, page)].find((n) => open_(n) >= 0);
  if (next === undefined) page = told.pages.length;
  else [page, twin] = [next, open_(next)];
}

function turn(by) {
  page = Math.min(Math.max(page + by, 0), told.pages.length);
  twin = 0;
}

function step(by) {
  const to = twin + by;
  if (to >= 0 && to < twins().length) twin = to;
  else if (by > 0) turn(1);
  else if (page > 0) {
    turn(-1);
    twin = twins().length - 1;
  }
}

function toggle(what) {
  shown[what] = !shown[what];
}

// ------------------------------------------------------------------------------------------------ what is seen

function draw() {
  const ended = page >= told.pages.length;
  if (built !== page) {
    shown.lure = false; // each pair is looked at unled
    built = page;
    $("twins").replaceChildren();
    if (!ended) build(told.pages[page]);
    window.scrollTo(0, 0); // and from there to the picture in focus, where it is out of sight
  }
  head(ended);
  if (ended) end();
  $("pair").hidden = ended;
  $("end").hidden = !ended;
  [...$("twins").children].forEach((card, n) => mark(card, twins()[n], n === twin));
  $("all").disabled = ended || open_(page) < 0;
}

function head(ended) {
  const items = told.pages.flatMap((pair) => pair.twins);
  const done = items.filter((one) => one.item in verdicts).length;
  [$("progress").max, $("progress").value] = [items.length, done];
  $("count").textContent = `${done} of ${items.length}`;
  $("place").textContent = ended ? told.who : `pair ${page + 1} of ${told.pages.length} · ${told.pages[page].family}`;
  $("previous").disabled = page === 0;
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

function card(one, n) {
  const made = $("twin").content.cloneNode(true).firstElementChild;
  const pair = told.pages[page];
  made.dataset.item = one.item;
  for (const picture of made.querySelectorAll("img")) [picture.width, picture.height] = [one.width, one.height];
  made.querySelector(".image").src = `image/${one.item}`;
  made.querySelector(".image").alt = `picture ${n + 1} of ${pair.twins.length}`;
  if (one.overlay) made.querySelector(".tint").src = `overlay/${one.item}`;
  made.querySelector(".label strong").textContent = one.answer;
  made.querySelector(".chain").textContent = one.chain;
  const here = one.role === "control" ? "right" : "wrong";
  made.querySelector(".role").textContent =
    `${one.role} twin, ${pair.made}: the words suggest ${pair.lure}, which is ${here} here`;
  made.addEventListener("click", (event) => {
    const { verdict } = event.target.closest("button")?.dataset ?? {};
    act(() => {
      look(one.item);
      return verdict && say(verdict);
    });
  });
  return made;
}

function mark(made, one, focused) {
  if (focused && made.dataset.focused !== "true") {
    for (const part of [".look", ".verdicts"]) made.querySelector(part).scrollIntoView({ block: "nearest" });
  }
  made.dataset.focused = focused;
  for (const button of made.querySelectorAll("[data-verdict]")) {
    button.setAttribute("aria-pressed", verdicts[one.item] === button.dataset.verdict);
  }
  made.querySelector(".tint").hidden = !(shown.overlay && one.overlay);
  made.querySelector(".look").dataset.whole = shown.overlay && !one.overlay;
  made.querySelector(".role").hidden = !shown.lure;
}

function end() {
  const of = (items, word) => items.filter((one) => verdicts[one.item] === word).length;
  const items = told.pages.flatMap((pair) => pair.twins.map((one) => ({ ...one, family: pair.family })));
  const left = items.filter((one) => !(one.item in verdicts)).length;
  $("end").querySelector("h1").textContent = left ? `${left} labels are left` : "Every label of the sample is judged";
  $("sum").textContent = WORDS.map((word) => `${of(items, word)} ${word}`).join(", ") + `; by ${told.who}.`;
  $("families").replaceChildren();
  for (const family of [...new Set(items.map((one) => one.family))].sort()) {
    const row = make("tr", "", $("families"));
    make("td", family, row);
    WORDS.forEach((word) => make("td", of(items.filter((one) => one.family === family), word), row));
  }
  $("doubtful").replaceChildren();
  for (const one of items.filter((each) => ["wrong", "ambiguous"].includes(verdicts[each.item]))) {
    make("button", `${one.item}: ${verdicts[one.item]}`, $("doubtful")).addEventListener("click", () => act(() => look(one.item)));
  }
  $("verify").textContent = `pstgen verify ${told.folder}`;
}

// ------------------------------------------------------------------------------------------------ keys and mouse

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || $("keys").open) return;
  if (event.key === "?") $("keys").showModal();
  const deed = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!deed) return;
  event.preventDefault(); // arrows do not scroll
  act(deed);
});
for (const [id, deed] of Object.entries({
  previous: () => turn(-1), next: () => turn(1), overlay: () => toggle("overlay"), lure: () => toggle("lure"), undo, all: sayAll,
})) $(id).addEventListener("click", () => act(deed));
$("help").addEventListener("click", () => $("keys").showModal());

act(async () => {
  told = await ask("told");
  ({ verdicts } = told);
  goOn();
});
