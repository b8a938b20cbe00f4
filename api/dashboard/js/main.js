/** The page, put together: session, stream, lists, and what follows from what. */
import { Alarms, isActive, isUnacked } from "./alarms.js";
import { at, button, make, say, show } from "./dom.js";
import { clock, moment, offset } from "./format.js";
import { switchLanguage, t, translate } from "./i18n.js";
import { priorityMark } from "./marks.js";
import { acknowledge, all, request } from "./server.js";
import { SILENT_MS, Stream } from "./stream.js";
import { Table } from "./table.js";
import { Tags, Tree } from "./tree.js";
import { Trend } from "./trend.js";

const POLL_MS = 2000;
const TREND_MS = 30_000;
const LISTED_TAGS = 200;

const alarms = new Alarms();
const table = new Table(alarms, { choose: showAlarm, acknowledge: ask });
const tree = new Tree(alarms, { choose: showNode });
const tags = new Tags(alarms.names, { choose: (tag) => showTag(tag) });
const trend = new Trend();
const filters = { active: false, unacked: false, text: "" };
let stream = null;
let session = null;
let degraded = false;
let waiting = null;
let again = false;
let asked = null;

// --- session -----------------------------------------------------------------------------------

async function start() {
  words();
  try {
    enter(await request("GET", "/session"));
  } catch (error) {
    leave();
    if (error.status !== 401) trouble(at("login-trouble"), reason(error));
  }
}

function enter(who) {
  session = who;
  show(at("gate"), false);
  show(at("desk"), true);
  show(at("logout"), true);
  show(at("status"), true);
  say(at("who"), `${who.user} · ${who.roles.map((role) => role.name).join(", ")}`);
  stream = new Stream({ opened, event: received, refused: leave });
}

function leave() {
  stream?.stop();
  stream = session = null;
  alarms.load([]);
  degraded = false;
  show(at("desk"), false);
  show(at("logout"), false);
  show(at("status"), false);
  show(at("loud"), false);
  show(at("gate"), true);
  say(at("who"), "");
  document.body.classList.remove("lost");
  at("login").elements.user.focus();
}

at("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  show(at("login-trouble"), false);
  try {
    enter(await request("POST", "/session", { body: Object.fromEntries(form) }));
    event.target.reset();
  } catch (error) {
    trouble(at("login-trouble"), error.status === 401 ? t("wrong") : reason(error));
  }
});

at("logout").addEventListener("click", async () => {
  await request("DELETE", "/session").catch(() => null);
  leave();
});

// --- lists and stream --------------------------------------------------------------------------

/** The stream stands: whatever is listed from now on misses nothing. */
function opened(resumed) {
  if (!resumed) reload();
}

/** Load the lists anew. What the stream brings meanwhile waits and goes on top of them. */
async function reload() {
  if (waiting) {
    again = true;
    return;
  }
  waiting = [];
  again = false;
  table.tell(t("loading"));
  try {
    const [nodes, open] = await Promise.all([
      all("/tree", { limit: 20_000 }), all("/alarms", { state: "active" }),
    ]);
    alarms.load(open);
    tree.load(nodes);
    table.tell("");
  } catch (error) {
    if (error.status === 401) leave();
    else table.tell(t("failed", { why: reason(error) }), reload);
  }
  const missed = waiting;
  waiting = null;
  missed.forEach(take);
  table.filter(passes);
  changed();
  if (again) reload();
  else if (session && tags.items.length === 0) listTags(tree.chosen);
}

function received(type, body) {
  if (type === "reset") reload();
  if (type === "degraded") degraded = body.degraded;
  if (type === "alarm") take(body.alarm);
  pulse();
}

function take(alarm) {
  if (waiting) {
    waiting.push(alarm);
    return;
  }
  const known = alarms.byId.get(alarm.id);
  const fresh = alarms.put({ ...known, ...alarm });
  if (fresh) say(at("announce"), t("newAlarm", alarm));
  schedule();
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
  tree.count();
  drawFilters();
  const unacked = alarms.select(isUnacked);
  const counts = ["P1", "P2", "P3", "P4"].map((priority) => {
    const n = unacked.filter((alarm) => alarm.priority === priority).length;
    return make("span", n ? "count" : "count none", [priorityMark(priority), String(n)]);
  });
  at("summary").replaceChildren(make("span", "muted", t("unacked")), ...counts);
  const newest = unacked.toSorted((a, b) => Date.parse(b.onset) - Date.parse(a.onset))[0];
  show(at("newest"), Boolean(newest));
  if (newest) {
    at("newest").replaceChildren(
      make("span", "muted", t("newest")), priorityMark(newest.priority),
      `${newest.name} ${newest.kind} ${clock(new Date(newest.onset))}`,
    );
    at("newest").onclick = () => table.choose(newest.id);
  }
}

// --- filters -----------------------------------------------------------------------------------

function passes(alarm) {
  if (filters.active && !isActive(alarm)) return false;
  if (filters.unacked && !isUnacked(alarm)) return false;
  if (!tree.holds(alarm)) return false;
  const names = `${alarm.name} ${alarm.text} ${table.place_of(alarm)}`.toLowerCase();
  return names.includes(filters.text);
}

function drawFilters() {
  const here = (alarm) => tree.holds(alarm);
  const choices = [
    ["open", !filters.active && !filters.unacked, here],
    ["active", filters.active, (alarm) => here(alarm) && isActive(alarm)],
    ["unacked", filters.unacked, (alarm) => here(alarm) && isUnacked(alarm)],
  ];
  const look = JSON.stringify(choices.map(([name, on, which]) => [t(name), on, alarms.count(which)]));
  if (at("filters").look === look) return;
  at("filters").look = look;
  at("filters").replaceChildren(...choices.map(([name, on, which]) => {
    const choice = button("choice", `${t(name)} ${alarms.count(which)}`, () => toggle(name));
    choice.setAttribute("aria-pressed", String(on));
    choice.dataset.filter = name;
    return choice;
  }));
}

function toggle(name) {
  if (name === "open") filters.active = filters.unacked = false;
  else filters[name] = !filters[name];
  table.filter(passes);
  drawFilters();
}

at("search").addEventListener("input", (event) => {
  filters.text = event.target.value.trim().toLowerCase();
  table.filter(passes);
});

function showNode(id) {
  table.filter(passes);
  drawFilters();
  listTags(id);
}

// --- tags and trend ----------------------------------------------------------------------------

async function listTags(node) {
  say(at("tags-of"), node === null ? "" : alarms.names.get(node));
  try {
    const page = await request("GET", "/tags", { params: { node, limit: LISTED_TAGS } });
    if (node === tree.chosen) tags.load(page.items);
  } catch (error) {
    tags.tell(t("failed", { why: reason(error) }));
  }
}

function showTag(tag, onsets = []) {
  tags.choose(tag.id);
  trend.choose(tag, onsets);
}

async function showAlarm(alarm) {
  if (!alarm.tag) return;
  const listed = tags.items.find((tag) => tag.id === alarm.tag);
  if (listed) {
    showTag(listed, [alarm.onset]);
    return;
  }
  const found = await all("/tags", { node: alarm.source }).catch(() => []);
  const tag = found.find((one) => one.id === alarm.tag);
  if (tag && table.chosen === alarm.id) showTag(tag, [alarm.onset]);
}

async function poll() {
  if (session && document.visibilityState === "visible") {
    const ids = new Set(tags.items.map((tag) => tag.id));
    if (trend.tag) ids.add(trend.tag.id);
    if (ids.size > 0) {
      const params = { tags: [...ids].join(",") };
      const page = await request("GET", "/latest", { params }).catch(() => ({ items: [] }));
      tags.update(page.items);
      page.items.forEach((sample) => trend.add(sample));
    }
  }
  setTimeout(poll, POLL_MS);
}

// --- acknowledging -----------------------------------------------------------------------------

function ask(alarm) {
  asked = alarm;
  say(at("ask-what"), `${alarm.priority} · ${table.place_of(alarm)} · ${alarm.text || alarm.name}`);
  at("ask-form").reset();
  show(at("ask-trouble"), false);
  at("ask").showModal();
  at("ask-form").elements.comment.focus();
}

at("ask-cancel").addEventListener("click", () => at("ask").close());
at("ask-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const outcome = await acknowledge(asked.id, at("ask-form").elements.comment.value.trim());
    at("ask").close();
    const { by, at: when } = outcome.already ?? {};
    if (outcome.already) toast(t("already", { by, at: when ? moment(new Date(when)) : "–" }));
    else toast(outcome.transition ? t("done") : t("accepted"));
  } catch (error) {
    if (error.status === 401) leave();
    trouble(at("ask-trouble"), reason(error));
  }
});

let toasting = null;
function toast(text) {
  say(at("toast"), text);
  show(at("toast"), true);
  clearTimeout(toasting);
  toasting = setTimeout(() => show(at("toast"), false), 5000);
}

// --- what every second brings ------------------------------------------------------------------

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
  say(at("asof"), `${t("asOf", { time: clock(new Date(stream.heard)) })} · ${t(state)}`);
}

function words() {
  translate();
  say(at("language"), t("language"));
  say(at("zone"), offset());
  table.heads();
  table.shown.forEach((row) => { row.look = null; });
  table.refresh();
  tree.draw();
  tags.draw();
  trend.words();
  changed();
  pulse();
}

at("language").addEventListener("click", () => {
  switchLanguage();
  words();
});

document.addEventListener("keydown", (event) => {
  if (!session || at("ask").open || event.target.matches("input, textarea")) return;
  if (event.key === "/") {
    event.preventDefault();
    at("search").focus();
  } else table.key(event);
});

function trouble(element, text) {
  say(element, text);
  show(element, true);
}

function reason(error) {
  return error.status === 0 ? t("offline") : error.message;
}

setInterval(() => {
  pulse();
  if (session) table.paint();
}, 1000);
setInterval(() => trend.load(), TREND_MS);
poll();
start();
