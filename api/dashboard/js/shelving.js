/** The forms of what silences an alarm: shelve 搁置 with reason and end, take out of service 停用. */
import { button, make, say } from "./dom.js";
import { needsSecond } from "./duties.js";
import { input, labelled } from "./fields.js";
import { offset, shortly } from "./format.js";
import { t } from "./i18n.js";
import { SecondPerson } from "./second.js";
import { all, request } from "./server.js";
import { now } from "./servertime.js";

const PRESETS = [900, 1800, 3600, 7200, 14_400, 28_800, 43_200, 86_400];
const REASONS = ["repair", "chattering", "known", "works"];
/** s, as the policy file ships them, for alarms that belong to no tag; the server has the last word. */
const LONGEST = { P2: 3600, P3: 28_800, P4: 86_400 };
const GRAVE = 1800;
/** ms by which the longest shelf falls short, for the way to the server. */
const ALLOWANCE = 5000;

/** Seconds for which an alarm may be shelved at most, by the policy of its tag. */
export async function longest(alarm) {
  const usual = LONGEST[alarm.priority] ?? 0;
  if (!alarm.tag) return usual;
  try {
    const { policies } = await request("GET", `/tags/${alarm.tag}/policies`);
    const found = policies.find((one) => one.kind === alarm.kind)?.members.shelve?.value;
    return Math.min(found ?? usual, usual);
  } catch (error) {
    if (error.status === 401) throw error;
    return usual;
  }
}

/** Reason, duration up to `most` seconds, second person: { fields, body, refused }. */
export function shelf(alarm, most) {
  const grave = most <= GRAVE && alarm.priority !== "P1";
  const reason = make("select", "", REASONS.map((key) => new Option(t(`shelve_${key}`), t(`shelve_${key}`))));
  const more = input("more", 900);
  const until = make("b", "until");
  let chosen = Math.min(GRAVE, most);
  const ends = () => now() + chosen * 1000 - (chosen === most ? ALLOWANCE : 0);
  const choices = PRESETS.filter((s) => s <= most).map((s) => button("choice", t(...span(s)), () => pick(s)));
  const pick = (s) => {
    chosen = s;
    choices.forEach((one) => one.setAttribute("aria-pressed", String(one.textContent === t(...span(s)))));
    say(until, t("shelveUntil", { time: shortly(new Date(ends())), zone: offset() }));
  };
  pick(chosen);
  const second = new SecondPerson(needsSecond("shelve", alarm, grave));
  const lasting = make("div", "lasting-choice", [
    make("span", "", t("shelveFor", { most: t(...span(most)) })), make("div", "filters", choices), until,
  ]);
  return {
    fields: [labelled("shelveReason", reason), labelled("shelveMore", more), lasting, second.element],
    body: () => ({
      reason: [reason.value, more.value.trim()].filter(Boolean).join("："),
      until: new Date(ends()).toISOString(), ...second.body(),
    }),
    refused: (error, text) => second.refused(error, text),
  };
}

/** Why, and the second person where the permit has none and one is asked for. permits: see `permitsOf`. */
export function removal(alarm, permits) {
  const why = input("why", 1000);
  const alone = permits.some((one) => !one.second);
  const second = new SecondPerson(alone && needsSecond("remove_from_service", alarm, false));
  return {
    fields: [labelled("removeWhy", why), second.element],
    body: () => ({ comment: why.value.trim() || null, ...second.body() }),
    refused: (error, text) => second.refused(error, text),
  };
}

/** The open permits of the tag of an alarm, or of zones of its source; which of them counts the server says. */
export async function permitsOf({ source, tag }) {
  try {
    const permits = await all("/inputs", { kind: "permit", open: true, node: source });
    return permits.filter((one) => [tag, null].includes(one.tag) && new Date(one.since) <= now());
  } catch (error) {
    if (error.status === 401) throw error;
    return [];
  }
}

function span(s) {
  return s < 3600 ? ["minutes", { n: s / 60 }] : ["hours", { n: s / 3600 }];
}

