/** The page of KPIs: whose desk, which period; what is asked for stands in the address. */
import { at, button, make, redraw, say, show } from "./dom.js";
import { offset } from "./format.js";
import { switchLanguage, t, translate, word } from "./i18n.js";
import { calm, heat, list, loops, rate, split, targets, times, topTen } from "./kpi_parts.js";
import { reason, request } from "./server.js";
import { now } from "./servertime.js";

const DAYS = [1, 7, 30, 90, 365];
const LEVELS = ["enterprise", "park", "county", "city", "province"];

const asked = new URLSearchParams(location.search);
const state = {
  desk: LEVELS.includes(asked.get("desk")) ? asked.get("desk") : "enterprise",
  node: asked.get("node"),
  days: DAYS.includes(Number(asked.get("days"))) ? Number(asked.get("days")) : 30,
  report: null,
  known: [],
  turn: 0,
};

/** Ask for other numbers; the newest question wins. */
async function load() {
  const { desk, node, days } = state;
  const turn = ++state.turn;
  history.replaceState(null, "", `?${new URLSearchParams({ desk, days, ...(node && { node }) })}`);
  say(at("of"), t("loading"));
  const end = new Date(now());
  const from = new Date(end.getTime() - days * 86_400_000);
  const tz = Intl.DateTimeFormat().resolvedOptions().timeZone;
  try {
    const params = { desk, node, tz, from: from.toISOString(), to: end.toISOString() };
    const report = await request("GET", "/kpi", { params });
    if (turn !== state.turn) return;
    state.report = report;
    if (!node) state.known = report.positions.map(({ id, name }) => ({ id, name }));
    show(at("loud"), false);
    draw();
  } catch (error) {
    if (turn !== state.turn) return;
    if (error.status === 401) location.href = "./";
    say(at("of"), "");
    say(at("loud"), t("failed", { why: reason(error) }));
    show(at("loud"), true);
  }
}

function change(what) {
  Object.assign(state, what);
  asks();
  load();
}

/** What can be asked for. */
function asks() {
  at("desk-level").replaceChildren(...LEVELS.map((level) => option(level, word(level), level === state.desk)));
  const known = state.known.map(({ id, name }) => option(id, name, id === state.node));
  at("position").replaceChildren(option("", t("all"), !state.node), ...known);
  redraw(at("periods"), [t("kpi"), state.days], () => DAYS.map((days) => {
    const choice = button("choice", t("kpi_days", { n: days }), () => change({ days }), String(days));
    choice.setAttribute("aria-pressed", String(days === state.days));
    return choice;
  }));
}

function option(value, text, selected) {
  const choice = make("option", "", text);
  choice.value = value;
  choice.selected = selected;
  return choice;
}

function draw() {
  const { positions } = state.report;
  asks();
  const [one] = positions;
  const whole = positions.length === 1;
  say(at("of"), whole ? `${one.name} · ${day(one.from)} – ${day(one.to)}` : "");
  const few = positions.filter((position) => !position.enough_data);
  show(at("few"), few.length > 0);
  say(at("few"), t("kpi_few", { n: Math.max(0, ...few.map(({ days }) => days)).toFixed(1) }));
  if (!whole) {
    at("parts").replaceChildren(list(positions, (node) => change({ node })));
    return;
  }
  const warnings = loops(one);
  at("parts").replaceChildren(
    make("div", "column", [targets(one), split(one), times(one)]),
    make("div", "column", [rate(one), make("div", "kpi-two", [heat(one), topTen(one)]),
      ...[calm(one) ?? []].flat(), warnings]),
  );
}

function day(time) {
  const date = new Date(time);
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;
}

function words() {
  translate();
  say(at("language"), t("language"));
  say(at("zone"), offset());
  if (state.report) draw();
  else asks();
}

at("language").addEventListener("click", () => {
  switchLanguage();
  words();
});
at("desk-level").addEventListener("change", (event) => change({ desk: event.target.value, node: null, known: [] }));
at("position").addEventListener("change", (event) => change({ node: event.target.value || null }));

words();
request("GET", "/session").then((session) => say(at("who"), session.user)).catch(() => null);
load();
