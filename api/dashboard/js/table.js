/**
 * The alarm table. Only the rows in view exist. While the pointer or the keyboard is among the rows
 * their order stands still: rows change where they are, new ones wait behind the chip.
 */
import { isActive, isResettable, isSilent, isUnacked } from "./alarms.js";
import { at, button, make, say, show } from "./dom.js";
import { dayClock, duration, number, reading, shortly } from "./format.js";
import { t, word } from "./i18n.js";
import { flagMarks, priorityMark, stateMark } from "./marks.js";
import { now } from "./servertime.js";

const ROW = 34;
const REST_MS = 10_000;
const COLUMNS = [
  "state", "priority", "onset", "duration", "place", "tag", "value", "limit", "acked",
];

export class Table {
  /** `on` has: choose(alarm), acknowledge(alarm), reset(alarm). */
  constructor(alarms, on) {
    this.alarms = alarms;
    this.on = on;
    this.order = [];
    this.shown = new Map();
    this.chosen = null;
    this.passes = () => true;
    this.message = t("loading");
    this.hovered = false;
    this.touched = -REST_MS;
    this.body = at("rows");
    this.sheet = make("div", "sheet");
    this.body.append(this.sheet);
    this.body.addEventListener("scroll", () => this.paint());
    this.body.addEventListener("pointermove", () => { this.hovered = true; });
    this.body.addEventListener("pointerleave", () => { this.hovered = false; this.refresh(); });
    // not at once: a row that is being replaced loses the focus in the middle of painting
    this.body.addEventListener("focusout", () => queueMicrotask(() => this.refresh()));
    this.body.addEventListener("keydown", (event) => this.key(event));
    at("chip").addEventListener("click", () => { this.arrange(); this.body.scrollTop = 0; });
    new ResizeObserver(() => this.paint()).observe(this.body);
    this.heads();
  }

  heads() {
    at("columns").replaceChildren(...COLUMNS.map((name) => make("span", `cell ${name}`, t(name))));
  }

  /**
   * Whether the order has to stand still: for the pointer as long as it is there, for the keyboard
   * until it rests; afterwards the focus goes with its row.
   */
  get held() {
    const focused = this.body.contains(document.activeElement);
    return this.hovered || this.body.scrollTop > 0
      || (focused && performance.now() - this.touched < REST_MS);
  }

  /** Show another selection at once. */
  filter(passes) {
    this.passes = passes;
    this.arrange();
  }

  /** Something changed: arrange anew, or only repaint and count while the order is held. */
  refresh() {
    if (this.held) this.paint();
    else this.arrange();
  }

  arrange() {
    this.order = this.alarms.select(this.passes).map((alarm) => alarm.id);
    this.known = new Set(this.order);
    this.last = new Map(this.order.map((id) => [id, this.alarms.byId.get(id)]));
    this.paint();
  }

  /** What to say instead of rows (loading, an error), with a way out. */
  tell(message, retry = null) {
    this.message = message;
    this.retry = retry;
    this.paint();
  }

  paint() {
    this.sheet.style.height = `${this.order.length * ROW}px`;
    const first = Math.max(0, Math.floor(this.body.scrollTop / ROW) - 4);
    const end = first + Math.ceil(this.body.clientHeight / ROW) + 8;
    const wanted = new Set(this.order.slice(first, end));
    for (const [id, row] of this.shown) {
      if (!wanted.has(id)) {
        row.remove();
        this.shown.delete(id);
      }
    }
    let before = null;
    this.order.slice(first, end).forEach((id, n) => {
      const row = this.place(id, first + n);
      if (!row.isConnected || row.previousSibling !== before) {
        this.sheet.insertBefore(row, before ? before.nextSibling : this.sheet.firstChild);
      }
      before = row;
    });
    this.chip();
    this.empty();
  }

  place(id, n) {
    const now = this.alarms.byId.get(id);
    const alarm = now ?? { ...this.last.get(id), state: "NORM" };
    if (now) this.last.set(id, now);
    const look = JSON.stringify([alarm, n, id === this.chosen]);
    let row = this.shown.get(id);
    if (row?.look !== look) {
      const focused = row?.contains(document.activeElement);
      const fresh = this.row(alarm, n);
      fresh.look = look;
      row?.replaceWith(fresh);
      if (focused) this.body.focus({ preventScroll: true });
      this.shown.set(id, fresh);
      row = fresh;
    }
    say(row.lasting, duration(this.lasted(alarm)));
    return row;
  }

  lasted(alarm) {
    const end = alarm.ended ?? alarm.closed;
    return (end ? Date.parse(end) : now()) - Date.parse(alarm.onset);
  }

  row(alarm, n) {
    const lasting = make("span", "cell duration");
    const cells = [
      make("span", "cell state", [stateMark(alarm.state), ...flagMarks(alarm)]),
      make("span", "cell priority", priorityMark(alarm.priority)),
      make("span", "cell onset", dayClock(new Date(alarm.onset))),
      lasting,
      titled("cell place", this.place_of(alarm)),
      titled("cell tag", isActive(alarm) && alarm.reason ? `${alarm.name} ?` : alarm.name),
      make("span", "cell value", reading(alarm.worst ?? alarm.value, alarm.unit)),
      make("span", "cell limit", limit(alarm)),
      this.toDo(alarm) ?? titled("cell acked", acked(alarm)),
    ];
    const row = make("div", `row alarm ${alarm.state.toLowerCase()}`, cells, {
      click: () => this.choose(alarm.id),
    });
    row.setAttribute("role", "row");
    row.dataset.id = alarm.id;
    row.title = [alarm.text, alarm.reason, alarm.comment, ...silences(alarm)].filter(Boolean).join(" · ");
    row.classList.toggle("silent", isSilent(alarm));
    row.classList.toggle("chosen", alarm.id === this.chosen);
    row.classList.toggle("inactive", !isActive(alarm));
    row.style.transform = `translateY(${n * ROW}px)`;
    row.lasting = lasting;
    return row;
  }

  place_of(alarm) {
    const name = (id, given) => given ?? this.alarms.names.get(id) ?? id;
    return `${name(alarm.source, alarm.source_name)} · ${name(alarm.enterprise, alarm.enterprise_name)}`;
  }

  /** What is to be done with an alarm now, as a button; null where nothing is. */
  toDo(alarm) {
    const verb = isUnacked(alarm) ? "acknowledge" : isResettable(alarm) ? "reset" : null;
    if (verb === null) return null;
    return make("span", "cell acked", button("ack", t(verb === "reset" ? "reset" : "ack"), (event) => {
      event.stopPropagation();
      this.on[verb](alarm);
    }));
  }

  chip() {
    const waiting = this.alarms.count((alarm) => !this.known?.has(alarm.id) && this.passes(alarm));
    show(at("chip"), waiting > 0);
    say(at("chip"), waiting > 0 ? t("newRows", { n: waiting }) : "");
  }

  empty() {
    let note = this.body.querySelector(".note");
    if (this.order.length > 0 && !this.message) {
      note?.remove();
      return;
    }
    if (!note) {
      note = make("div", "note");
      this.body.append(note);
    }
    const text = this.message || (this.alarms.byId.size > 0 ? t("noMatch") : t("noAlarms"));
    const look = text + Boolean(this.retry);
    if (note.look === look) return;
    note.look = look;
    note.replaceChildren(make("span", "", text));
    if (this.retry) note.append(button("plain", t("retry"), this.retry));
  }

  choose(id) {
    this.chosen = id;
    this.touched = performance.now();
    const n = this.order.indexOf(id);
    if (n * ROW < this.body.scrollTop) this.body.scrollTop = n * ROW;
    const bottom = (n + 1) * ROW - this.body.clientHeight;
    if (bottom > this.body.scrollTop) this.body.scrollTop = bottom;
    this.paint();
    const alarm = this.alarms.byId.get(id) ?? this.last.get(id);
    if (alarm) this.on.choose(alarm);
  }

  move(by) {
    if (this.order.length === 0) return;
    const n = this.order.indexOf(this.chosen) + by;
    this.choose(this.order[Math.min(this.order.length - 1, Math.max(0, n))]);
  }

  /** Keys of the table; also called for keys that no field wanted. */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j" || event.key === "ArrowDown") this.move(1);
    else if (event.key === "k" || event.key === "ArrowUp") this.move(-1);
    else if (event.key === "a") {
      const alarm = this.alarms.byId.get(this.chosen);
      if (alarm && isUnacked(alarm)) this.on.acknowledge(alarm);
    } else if (event.key === "r") {
      const alarm = this.alarms.byId.get(this.chosen);
      if (alarm && isResettable(alarm)) this.on.reset(alarm);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/** Text that may be cut short; the whole of it shows under the pointer. */
function titled(kind, text) {
  return Object.assign(make("span", kind, text), { title: text });
}

/** What an alarm is about, and the limit where it has one. */
function limit({ kind, limit: value }) {
  return [make("b", "", word(kind)), ...(value === null ? [] : [` ${number(value)}`])];
}

/** Why it is silent, and until when. */
function silences(alarm) {
  return ["shelved", "suppressed", "out_of_service"].filter((name) => alarm[name]).map((name) => {
    const { why, by, until } = alarm[name];
    return [word(name), why, by, until && shortly(new Date(until))].filter(Boolean).join(" ");
  });
}

function acked({ acknowledged_by: by, acknowledged_at: when }) {
  if (!by) return "–";
  return when ? `${by} ${shortly(new Date(when))}` : by;
}
