/** The page, put together: session, stream, lists, and what follows from what. */
import { Alarms } from "./alarms.js";
import { Ask } from "./ask.js";
import { at, make, say, show } from "./dom.js";
import { Filters } from "./filters.js";
import { clock, offset } from "./format.js";
import { switchLanguage, t, translate } from "./i18n.js";
import { priorityMark } from "./marks.js";
import { all, reason, request } from "./server.js";
import { SILENT_MS, Stream } from "./stream.js";
import { Table } from "./table.js";
import { Tags, Tree } from "./tree.js";
import { Trend } from "./trend.js";

const POLL_MS = 2000;
const TREND_MS = 30_000;
const LISTED_TAGS = 200;

const alarms = new Alarms();
const table = new Table(alarms, {
  choose: showAlarm, acknowledge: (alarm) => ask.show(alarm, table.place_of(alarm)),
});
const tree = new Tree(alarms, { choose: showNode });
const tags = new Tags(alarms.names, { choose: (tag) => showTag(tag) });
const trend = new Trend();
const ask = new Ask({ refused: leave });
const filters = new Filters(alarms, {
  here: (alarm) => tree.holds(alarm),
  words: (alarm) => `${alarm.name} ${alarm.text} ${table.place_of(alarm)}`,
  changed: select,
});
let stream = null;
let session = null;
let degraded = false;
let waiting = null;
let again = false;

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
  pulse();
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
  select();
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
  filters.draw();
  const { counts, newest } = alarms.unacked();
  at("summary").replaceChildren(make("span", "muted", t("unacked")), ...Object.entries(counts).map(
    ([name, n]) => make("span", n ? "count" : "count none", [priorityMark(name), String(n)]),
  ));
  show(at("newest"), Boolean(newest));
  if (newest) {
    at("newest").replaceChildren(
      make("span", "muted", t("newest")), priorityMark(newest.priority),
      `${newest.name} ${newest.kind} ${clock(new Date(newest.onset))}`,
    );
    at("newest").onclick = () => table.choose(newest.id);
  }
}

// --- what is chosen ----------------------------------------------------------------------------

/** Show what passes the filters now. */
function select() {
  table.filter((alarm) => filters.passes(alarm));
  filters.draw();
}

function showNode(id) {
  select();
  listTags(id);
}

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
  if (!session || ask.open || event.target.matches("input, textarea")) return;
  if (event.key === "/") {
    event.preventDefault();
    at("search").focus();
  } else table.key(event);
});

function trouble(element, text) {
  say(element, text);
  show(element, true);
}

setInterval(() => {
  pulse();
  if (session) table.refresh();
}, 1000);
setInterval(() => trend.load(), TREND_MS);
poll();
start();
