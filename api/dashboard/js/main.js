/** The page, put together: who follows from what. */
import { Alarms } from "./alarms.js";
import { Banner } from "./banner.js";
import { Cases } from "./cases.js";
import { Decisions } from "./decisions.js";
import { Detail } from "./detail.js";
import { at, say, show } from "./dom.js";
import { Feed } from "./feed.js";
import { Filters } from "./filters.js";
import { Floods } from "./floods.js";
import { clock, offset } from "./format.js";
import { Gate } from "./gate.js";
import { switchLanguage, t, translate } from "./i18n.js";
import { Loop } from "./loop.js";
import { Pointer } from "./pointer.js";
import { reason, request } from "./server.js";
import { now } from "./servertime.js";
import { SILENT_MS, Stream } from "./stream.js";
import { Summary } from "./summary.js";
import { Table } from "./table.js";
import { Tree } from "./tree.js";
import { Values } from "./values.js";
import { Warnings } from "./warnings.js";
import { Why } from "./why.js";

const POLL_MS = 2000;
const TREND_MS = 30_000;
const ROOM_MS = 3000;

const alarms = new Alarms();
const gate = new Gate({ entered, left });
const cases = new Cases({ changed: schedule, refused: () => gate.leave() });
const tree = new Tree(alarms, { choose: showNode });
const decisions = new Decisions(gate, tree, cases);
const table = new Table(alarms, {
  choose: (alarm) => showAlarm(alarm, () => table.chosen === alarm.id),
  verbs: (alarm) => decisions.verbs(alarm),
  act: (verb, alarm) => decisions.alarm(verb, alarm, table.rows.place(alarm)),
});
const filters = new Filters(alarms, {
  here: (alarm) => tree.holds(alarm),
  words: (alarm) => `${alarm.name} ${alarm.text} ${table.rows.place(alarm)}`,
  changed: select,
});
const warnings = new Warnings(cases, alarms.names, (warning) => decisions.may(warning), {
  choose: (warning) => explain(warning.source),
  decide,
});
const banner = new Banner(cases, warnings);
const detail = new Detail({ asked: turnTo });
const values = new Values(alarms.names, { shown: () => detail.show("trend") });
const why = new Why(alarms, cases, { alarm: reveal });
const loop = new Loop(cases, alarms.names, (warning) => decisions.may(warning), {
  sign: (warning) => decide("receive", warning),
  told: async (verb, outcome, id) => {
    const result = await decisions.told(verb, outcome, id);
    await cases.refresh(id);
    return result;
  },
  refused: () => gate.leave(),
});
const summary = new Summary(alarms, { choose: reveal, list: (flag) => filters.toggle(flag) });
const floods = new Floods(alarms.names, { choose: revealId });
const feed = new Feed({ alarms, cases, tree, why, floods }, {
  loading: () => tell(t("loading")),
  loaded: () => { tell(""); select(); changed(); },
  failed: (error) => (error.status === 401 ? gate.leave() : tell(t("failed", { why: reason(error) }), load)),
  changed: schedule,
  told: (text, loud) => say(at(loud ? "announce-loud" : "announce"), text),
  degraded: (away) => { degraded = away; },
});
const pointer = new Pointer(at("desk"), makeRoom, ROOM_MS);
let stream = null;
let person = null;
let degraded = false;

function entered() {
  if (gate.session.user !== person) loop.forget();
  person = gate.session.user;
  tell(t("loading"));
  stream = new Stream({ opened, event: received, refused: () => gate.leave() });
  pulse();
}

function left() {
  stream?.stop();
  stream = null;
  degraded = false;
  alarms.load([]);
  floods.load([]);
  floods.draw();
  cases.load([]);
  tree.load([]);
  why.choose(null);
  loop.choose(null);
  values.clear();
  decisions.close();
  show(at("loud"), false);
  document.body.classList.remove("lost");
}

// --- lists and stream --------------------------------------------------------------------------

/** The stream stands: whatever is listed from now on misses nothing. */
function opened(resumed) {
  if (!resumed) load();
}

async function load() {
  await feed.load();
  if (gate.session) values.list(tree.chosen);
}

function received(type, body) {
  feed.take(type, body);
  pulse();
}

/** What the lists say instead of their rows, with a way out. */
function tell(text, retry = null) {
  table.tell(text, retry);
  warnings.tell(text, retry);
  if (tree.nodes.size === 0) tree.tell(text);
  banner.draw(tree.sums.get(null).counts);
}

let scheduled = false;
/** Many changes within one frame are painted once. */
function schedule() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    table.refresh();
    changed();
  });
}

function changed() {
  tree.refresh();
  filters.draw();
  warnings.refresh();
  banner.draw(tree.sums.get(null).counts);
  why.draw();
  loop.draw();
  makeRoom();
  summary.draw();
  floods.draw();
  values.suggest(alarms.worst());
}

/** The panel of warnings is as high as they need, but nothing moves away under the pointer. */
function makeRoom() {
  if (!pointer.busy) at("desk").style.setProperty("--cases", cases.byId.size);
}

// --- what is chosen ----------------------------------------------------------------------------

/** Show what passes the filters now. */
function select() {
  table.filter((alarm) => filters.passes(alarm));
  filters.draw();
}

function showNode(id) {
  select();
  values.keep();
  values.list(id);
  if (tree.nodes.get(id)?.kind === "source") explain(id);
}

function explain(source) {
  values.keep();
  if (detail.shown !== "loop") detail.show("why");
  loop.choose(source);
  return why.choose(source);
}

/** Ask about a decision; the steps of the loop have their forms below. */
function decide(verb, warning) {
  if (verb !== "loop") return decisions.decide(verb, warning, warnings.place(warning).join(" · "));
  detail.show("loop");
  const known = explain(warning.source);
  loop.enter();
  return known;
}

/** The trend around an alarm; of one without a tag, why its source has its colour. */
function showAlarm(alarm, wanted) {
  return alarm.tag ? values.showAlarm(alarm, wanted) : explain(alarm.source);
}

/** Whoever turns from a trend to the colours asks about the source of its tag. */
function turnTo(name) {
  const { tag } = values.trend;
  if (name !== "trend" && why.source === null && tag) explain(tag.source);
}

/** Choose an alarm in the table, though a filter may hide it; one that is closed has its trend. */
function reveal(alarm) {
  const open = alarms.get(alarm.id) !== undefined;
  if (open && !filters.passes(alarm)) {
    filters.clear();
    if (!tree.holds(alarm)) tree.choose(null);
    select();
  }
  table.choose(alarm.id);
  if (!open) showAlarm(alarm, () => true);
}

/** The same by its id, where it may be closed by now. */
async function revealId(id) {
  const alarm = alarms.get(id) ?? await request("GET", `/alarms/${id}`).catch(() => null);
  if (alarm) reveal(alarm);
}

// --- what every second brings ------------------------------------------------------------------

async function poll() {
  if (gate.session && document.visibilityState === "visible") {
    feed.catchUp();
    await values.poll();
  }
  setTimeout(poll, POLL_MS);
}

function pulse() {
  if (!stream) return;
  const silence = stream.silence();
  const lost = silence > SILENT_MS;
  document.body.classList.toggle("lost", lost);
  show(at("loud"), lost || degraded);
  if (lost) say(at("loud"), t("lost", { s: Math.floor(silence / 1000) }));
  else if (degraded) say(at("loud"), t("degraded"));
  const state = lost ? "offlineAsOf" : stream.connected ? "live" : "connecting";
  at("dot").className = `dot ${state}`;
  say(at("asof"), `${t("asOf", { time: clock(new Date(now() - silence)) })} · ${t(state)}`);
}

function words() {
  translate();
  say(at("language"), t("language"));
  say(at("zone"), offset());
  table.heads();
  table.shown.forEach((row) => { row.look = null; });
  table.refresh();
  tree.draw();
  values.words();
  warnings.words();
  why.draw();
  loop.draw();
  changed();
  pulse();
}

at("language").addEventListener("click", () => {
  switchLanguage();
  words();
});

document.addEventListener("keydown", (event) => {
  if (!gate.session || decisions.asking || event.target.closest("input, textarea, select, .loop, .menu")) return;
  if (event.key === "/") {
    event.preventDefault();
    at("search").focus();
  } else if (event.key === "w" && !event.ctrlKey && !event.metaKey && !event.altKey) warnings.enter();
  else table.key(event);
});

at("loop").addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing) at("cases").focus();
});

setInterval(() => {
  pulse();
  if (!gate.session) return;
  table.refresh();
  warnings.tick();
  banner.tick();
  floods.tick();
  loop.tick();
  makeRoom();
}, 1000);
setInterval(() => values.trend.load(), TREND_MS);
poll();
words();
gate.open();
