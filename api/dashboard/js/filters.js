/** Which open alarms the table shows: two axes, the chosen node, and a text. */
import { isActive, isOpen, isUnacked } from "./alarms.js";
import { at, button, redraw } from "./dom.js";
import { t } from "./i18n.js";

/** Lists of their own: what is silenced, and what can't be trusted to tell. */
const LISTS = {
  shelved: (alarm) => Boolean(alarm.shelved),
  suppressed: (alarm) => isOpen(alarm) && Boolean(alarm.suppressed),
  out_of_service: (alarm) => isOpen(alarm) && Boolean(alarm.out_of_service),
  stale: (alarm) => isOpen(alarm) && (alarm.flags ?? []).includes("stale"),
  chattering: (alarm) => isOpen(alarm) && alarm.note?.repeats > 0,
};
/** Shown even where they are empty. */
const ALWAYS = ["shelved", "suppressed", "out_of_service"];

export class Filters {
  /** here(alarm): whether it lies below the chosen node; words(alarm): what a text is sought in. */
  constructor(alarms, { here, words, changed }) {
    this.alarms = alarms;
    this.here = here;
    this.words = words;
    this.changed = changed;
    this.on = { active: false, unacked: false };
    this.list = null;
    this.text = "";
    at("search").addEventListener("input", (event) => {
      this.text = event.target.value.trim().toLowerCase();
      changed();
    });
  }

  passes(alarm) {
    if (!(this.list === null ? isOpen : LISTS[this.list])(alarm)) return false;
    if (this.on.active && !isActive(alarm)) return false;
    if (this.on.unacked && !isUnacked(alarm)) return false;
    if (!this.here(alarm)) return false;
    return this.text === "" || this.words(alarm).toLowerCase().includes(this.text);
  }

  /** The choices with their counts; drawn anew only where something differs. */
  draw() {
    const { active, unacked } = this.on;
    const axes = [
      ["open", !active && !unacked && this.list === null, isOpen],
      ["active", active, isActive],
      ["unacked", unacked, isUnacked],
    ];
    const lists = Object.entries(LISTS).map(([name, which]) => [name, this.list === name, which]);
    const choices = [...axes, ...lists]
      .map(([name, on, which]) => [name, on, this.alarms.count((alarm) => this.here(alarm) && which(alarm))])
      .filter(([name, on, n]) => on || n > 0 || !(name in LISTS) || ALWAYS.includes(name));
    redraw(at("filters"), [t("open"), choices], () => choices.map((choice) => this.choice(...choice)));
  }

  choice(name, on, n) {
    const choice = button("choice", `${t(name in LISTS ? `list_${name}` : name)} ${n}`, () => this.toggle(name), name);
    choice.setAttribute("aria-pressed", String(on));
    choice.dataset.filter = name;
    choice.classList.toggle("list-of", name in LISTS);
    choice.classList.toggle("none", n === 0);
    if (name in LISTS) choice.title = t(`list_${name}Note`);
    return choice;
  }

  /** Show everything that is open. */
  clear() {
    this.on = { active: false, unacked: false };
    this.list = null;
    this.text = at("search").value = "";
    this.changed();
  }

  toggle(name) {
    if (name === "open") {
      this.on = { active: false, unacked: false };
      this.list = null;
    } else if (name in LISTS) this.list = this.list === name ? null : name;
    else this.on[name] = !this.on[name];
    this.changed();
  }
}
