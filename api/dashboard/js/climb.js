/** The ladder as a picture: stations that rise from the plant to the province, and where it stands. */
import { make, say } from "./dom.js";
import { duration, shortly } from "./format.js";
import { noticeState, stations } from "./ladder.js";
import { t, word } from "./i18n.js";

const SVG = "http://www.w3.org/2000/svg";
const RISE = 4; // px from one station to the next
const FOOT = 30; // px from the top to the middle of the lowest

/** The picture of a case; its `tick(at)` lets the clocks run, `at` in milliseconds. */
export function climb(warning) {
  const all = stations(warning);
  const ladder = all.filter((one) => one.level !== "fire");
  const drawn = all.map((one, n) => stop(one, n < ladder.length ? FOOT - n * RISE : FOOT));
  const picture = make("div", "climb", [line(ladder, all.length), ...drawn]);
  picture.style.setProperty("--stations", all.length);
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", all.map(described).join(t("semicolon")));
  return Object.assign(picture, { tick: (at) => drawn.forEach((one) => one.tick(at)) });
}

/** One station: its core says what it knows, its ring how long until it is told. */
function stop(one, height) {
  const core = make("i", `core ${one.state}`);
  const node = make("span", `stop ${one.now ? "now" : ""} ${one.next ? "next" : ""}`, core);
  node.style.top = `${height}px`;
  const how = make("span", "how");
  const name = make("span", "level", [make("b", "", word(one.level)), ...receipts(one)]);
  const column = make("div", `station ${one.state} ${one.level}`, [node, name, how]);
  column.title = [...signed(one), ...one.rungs.map(told)].join("\n");
  const counts = one.due !== null && (one.state === "waiting" || one.next);
  node.classList.toggle("counting", counts);
  column.classList.toggle("coming", counts && one.next);
  const tick = (at) => {
    say(how, counts ? ahead(one.due - at) : standing(one));
    if (counts) node.style.setProperty("--left", share(one, at));
  };
  return Object.assign(column, { tick });
}

function ahead(milliseconds) {
  return milliseconds > 0 ? t("inTime", { d: duration(milliseconds) }) : t("dueNow");
}

function share(one, at) {
  return Math.min(1, Math.max(0, (one.due - at) / (one.after * 1000))).toFixed(4);
}

function standing(one) {
  if (one.signed) return one.signed.by;
  if (one.told !== null) return `${t("rung_told")} ${shortly(new Date(one.told))}`;
  return one.state === "stopped" ? t("stopped") : "–";
}

/** How many notices arrived, failed, or are on their way; nobody named stands out. */
function receipts({ notices, unnamed }) {
  const signs = [["delivered", "✓"], ["failed", "✕"], ["open", "…"]];
  const found = signs.filter(([name]) => notices[name] > 0).map(([name, sign]) => {
    const count = make("span", `receipt ${name}`, `${sign}${notices[name]}`);
    count.title = `${t(`notice_${name}`)}: ${notices[name]}`;
    return count;
  });
  if (!unnamed) return found;
  const nobody = make("span", "receipt failed", "∅");
  nobody.title = t("unnamed");
  return [...found, nobody];
}

function signed({ signed: receipt }) {
  if (!receipt) return [];
  return [`${t("case_received")} ${receipt.by} ${shortly(new Date(receipt.at))}`];
}

function told(rung) {
  const notices = (rung.notices ?? []).map(
    (one) => `  ${one.channel} ${one.recipient}: ${t(`notice_${noticeState(one)}`)}`,
  );
  const when = shortly(new Date(rung.done ?? rung.due));
  return [`${rung.role} ${t(`rung_${rung.outcome}`)} ${when}`, ...notices].join("\n");
}

function described(one) {
  const due = one.due === null ? "" : ` ${shortly(new Date(one.due))}`;
  return `${word(one.level)}: ${one.state === "waiting" ? t("rung_waiting") + due : standing(one)}`;
}

/** The way from station to station: walked up to the highest that knows, dashed beyond. */
function line(ladder, columns) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${columns} 44`);
  svg.setAttribute("preserveAspectRatio", "none");
  const reached = ladder.findLastIndex((one) => one.state === "told" || one.state === "signed");
  ladder.slice(1).forEach((one, n) => {
    const path = document.createElementNS(SVG, "line");
    const ends = { x1: n + 0.5, y1: FOOT - n * RISE, x2: n + 1.5, y2: FOOT - (n + 1) * RISE };
    for (const [name, value] of Object.entries(ends)) path.setAttribute(name, value);
    path.setAttribute("class", n < reached ? "walked" : "ahead");
    svg.append(path);
  });
  return svg;
}
