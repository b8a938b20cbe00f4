/** The rows of the alarm table: one alarm each, or a line for those that are folded under one. */
import { isActive, isSilent, isUnacked } from "./alarms.js";
import { button, make } from "./dom.js";
import { SILENT } from "./folds.js";
import { dayClock, number, reading, shortly } from "./format.js";
import { t, word } from "./i18n.js";
import { alarmMarks, priorityMark, silence, stateMark } from "./marks.js";
import { Menu } from "./menu.js";

const FLAGS = ["shelved", "suppressed", "out_of_service"];
/** What the button of a row does; all else is in its menu. */
const FIRST = { acknowledge: "ack", reset: "reset", see: "see" };

export class Rows {
  /** names: of nodes by id. `on` has: choose(id), toggle(id of the cause), act(verb, alarm). */
  constructor(names, on) {
    this.names = names;
    this.on = on;
    this.menu = new Menu();
  }

  /** verbs: what this person may do; under: it is folded under another one, and shown all the same. */
  alarm({ alarm, verbs, under }) {
    const lasting = make("span", "cell duration");
    const place = this.place(alarm);
    const cells = [
      make("span", "cell state", stateMark(alarm.state)),
      make("span", "cell priority", priorityMark(alarm.priority)),
      make("span", "cell onset", dayClock(new Date(alarm.onset))),
      lasting,
      make("span", "cell place", [titled("where", place), ...alarmMarks(alarm)]),
      titled("cell tag", isActive(alarm) && alarm.reason ? `${subject(alarm)} ?` : subject(alarm)),
      make("span", "cell value", reading(alarm.worst ?? alarm.value, alarm.unit)),
      limit(alarm),
      this.toDo(alarm, verbs),
    ];
    const row = make("div", `row alarm ${alarm.state.toLowerCase()}`, cells, {
      click: () => this.on.choose(alarm.id),
    });
    const silences = FLAGS.filter((flag) => alarm[flag]).map((flag) => silence(alarm, flag));
    row.title = [alarm.text, alarm.reason, alarm.comment, ...silences].filter(Boolean).join(" · ");
    row.setAttribute("role", "row");
    row.classList.toggle("silent", isSilent(alarm));
    row.classList.toggle("inactive", !isActive(alarm));
    row.classList.toggle("under", under);
    row.lasting = lasting;
    return row;
  }

  /** Source and enterprise by name. */
  place(alarm) {
    const name = (id, given) => given ?? this.names.get(id) ?? id;
    return `${name(alarm.source, alarm.source_name)} · ${name(alarm.enterprise, alarm.enterprise_name)}`;
  }

  /** What is to be done with an alarm now as a button, else who acknowledged; and a menu of the rest. */
  toDo(alarm, verbs) {
    const done = verbs[0] === "see" && !isUnacked(alarm);
    const verb = verbs[0] in FIRST && !done ? verbs[0] : null;
    const first = verb === null ? titled("by", acked(alarm)) : button("ack", t(FIRST[verb]), (event) => {
      event.stopPropagation();
      this.on.act(verb, alarm);
    }, `${verb} ${alarm.id}`);
    const rest = verbs.filter((one) => one !== verb);
    return make("span", "cell acked", [first, ...(rest.length > 0 ? [this.opener(alarm, rest)] : [])]);
  }

  opener(alarm, verbs) {
    const opener = button("etc", "⋯", (event) => {
      event.stopPropagation();
      this.more(alarm, verbs, opener);
    }, `more ${alarm.id}`);
    opener.title = t("more");
    opener.setAttribute("aria-label", t("more"));
    opener.setAttribute("aria-haspopup", "menu");
    return opener;
  }

  /** The menu of an alarm. */
  more(alarm, verbs, beside) {
    if (verbs.length === 0) return;
    this.menu.open(beside, verbs.map((verb) => [t(`${verb}_item`), () => this.on.act(verb, alarm)]));
  }

  /** top: id of their cause; alarms: those under it; open: whether their rows follow; isLost: the
   * cause is a source or a gateway that fell silent. */
  fold({ top, alarms, open, isLost }) {
    const lost = isLost ? alarms.filter((alarm) => SILENT.has(alarm.kind)).length : 0;
    const parts = [
      ...(lost > 0 ? [t("foldLost", { n: lost })] : []),
      ...(alarms.length > lost ? [t("foldCause", { n: alarms.length - lost })] : []),
    ];
    const waiting = alarms.filter(isUnacked).length;
    const opener = button("opener", [
      make("i", "caret"), make("b", "", parts.join(t("comma"))),
      make("span", "muted", waiting > 0 ? t("foldUnacked", { n: waiting }) : t("foldAcked")),
    ], (event) => {
      event.stopPropagation();
      this.on.toggle(top);
    }, `fold ${top}`);
    opener.setAttribute("aria-expanded", String(open));
    const row = make("div", "row fold", [opener, ...priorities(alarms)], { click: () => this.on.toggle(top) });
    row.setAttribute("role", "row");
    row.title = t("foldNote");
    row.classList.toggle("waiting", waiting > 0);
    return row;
  }
}

/** What an alarm is of: its tag or node; of a lost gateway its code, with which the text begins. */
function subject({ kind, name, text }) {
  return (kind === "GATEWAY_OFFLINE" && text?.split(":")[0]) || name;
}

/** How many of each priority. */
function priorities(alarms) {
  return ["P2", "P3", "P4"].flatMap((name) => {
    const n = alarms.filter((alarm) => alarm.priority === name).length;
    return n === 0 ? [] : [make("span", "count", [priorityMark(name), String(n)])];
  });
}

/** Text that may be cut short; the whole of it shows under the pointer. */
function titled(kind, text) {
  return Object.assign(make("span", kind, text), { title: text });
}

/** What an alarm is about, and the limit where it has one. */
function limit({ kind, limit: value }) {
  const cell = make("span", "cell limit", [make("b", "", word(kind)), ...(value === null ? [] : [` ${number(value)}`])]);
  return Object.assign(cell, { title: cell.textContent });
}

function acked({ acknowledged_by: by, acknowledged_at: when }) {
  if (!by) return "–";
  return when ? `${by} ${shortly(new Date(when))}` : by;
}
