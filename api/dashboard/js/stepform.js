/** The form of a step of the loop. It keeps what somebody typed until that is done. */
import { button, make, say, show } from "./dom.js";
import { t, word } from "./i18n.js";
import { refusal } from "./refusals.js";
import { decide, newKey, reason, upload } from "./server.js";

export class StepForm {
  /** step: see `formOf`. `on` has: told(verb, outcome) that resolves with what came of it, refused() when
   * the session is over, over(had) once an answer has come, aside() to go on with another step. */
  constructor(id, step, on) {
    this.id = id;
    this.step = step;
    this.on = on;
    this.key = newKey();
    this.sent = new Map();
    this.sending = false;
    this.over = false;
    this.trouble = () => "";
    this.fields = step.fields.map(field);
    this.level = make("select");
    this.level.name = "level";
    this.levelWord = make("span");
    this.send = make("button", "strong");
    this.alert = make("p", "trouble");
    this.alert.setAttribute("role", "alert");
    this.note = make("p", "muted");
    this.first = make("div", "overtaken");
    this.first.setAttribute("role", "status");
    this.waiting = make("p", "pending");
    this.element = make("form", "step-form", [
      this.first, ...this.fields.map((one) => one.element), make("label", "", [this.levelWord, this.level]),
      make("div", "buttons", this.send), this.waiting, this.alert, this.note,
    ], { submit: (event) => { event.preventDefault(); this.submit(); } });
  }

  /** Whether somebody works on it: it may not be taken away. */
  get held() {
    return !this.over && (this.sending || this.fields.some((one) => one.touched()));
  }

  /** Say everything in the language of now; what is typed stands still. levels: to speak for; first: who
   * did the step meanwhile, "" where it is not due for another reason, null where it is due; pending: an action waits for the worker. */
  show(levels, first, pending) {
    this.fields.forEach((one) => one.words());
    choices(this.level, levels.map((one) => [one, word(one)]));
    say(this.levelWord, t("signAs"));
    say(this.send, t(`${this.step.step}_send`));
    say(this.note, t(`${this.step.step}_note`));
    say(this.alert, this.trouble());
    say(this.waiting, pending ? t("accepted") : "");
    show(this.waiting, pending);
    const late = first !== null && !this.sending;
    const text = late ? t(first ? "overtaken" : "notNow", { by: first }) : "";
    if (this.late !== text) {
      this.late = text;
      this.first.replaceChildren(...(late ? [make("span", "", text), button("plain", t("putAside"), () => this.on.aside())] : []));
    }
    show(this.first, late);
    this.send.disabled = late || pending || this.sending || levels.length === 0;
  }

  async submit() {
    if (this.send.disabled) return;
    const had = this.element.contains(document.activeElement);
    this.sending = this.send.disabled = true;
    this.tell(() => "");
    try {
      const { files, ...body } = this.step.body(new FormData(this.element));
      if (files) body.files = await this.uploaded(files);
      const outcome = await decide(`/warnings/${this.id}/${this.step.path}`, body, `${this.key}${hash(body)}`);
      this.settle(await this.on.told(this.step.verb, outcome));
    } catch (error) {
      if (error.status === 401) this.on.refused();
      if (error.status > 0 && error.status < 500) this.key = newKey();
      this.tell(() => reason(error));
    }
    this.sending = false;
    this.on.over(had);
  }

  /** What the worker made of it: done, refused, or unknown, which keeps everything for another try. */
  settle(result) {
    if (result?.refused) {
      this.key = newKey();
      this.tell(() => refusal(result.refused));
    } else if (result) this.over = true;
  }

  tell(trouble) {
    this.trouble = trouble;
    say(this.alert, trouble());
  }

  /** Send files first, each once; the feedback then names them. */
  async uploaded(files) {
    const kept = [];
    for (const file of files.filter((one) => one.size > 0)) {
      const same = [file.name, file.size, file.lastModified].join();
      if (!this.sent.has(same)) this.sent.set(same, (await upload(`/warnings/${this.id}/files`, file)).id);
      kept.push(this.sent.get(same));
    }
    return kept;
  }
}

/** A labelled input of { name, kind, options, required }: { element, words(), touched() }. */
function field({ name, kind, options = [], required = false }) {
  const control = make({ select: "select", text: "textarea" }[kind] ?? "input");
  const label = make("span");
  if (kind === "files") Object.assign(control, { type: "file", multiple: true, accept: "image/*,application/pdf" });
  else if (kind !== "select") control.maxLength = kind === "text" ? 1000 : 200;
  if (kind === "text") control.rows = 2;
  Object.assign(control, { name, required });
  return {
    element: make("label", kind === "text" ? "wide" : "", [label, control]),
    words: () => {
      say(label, t(`field_${name}`));
      if (kind === "select") choices(control, options.map((one) => [one, t(`${name}_${one}`)]));
    },
    touched: () => (kind === "select" ? control.selectedIndex > 0 : control.value !== ""),
  };
}

/** The options of a select, [value, text] each; what is chosen stays chosen while it is among them. */
function choices(select, wanted) {
  const present = [...select.options];
  if (present.length === wanted.length && wanted.every(([value], n) => present[n].value === value)) {
    wanted.forEach(([, text], n) => say(present[n], text));
    return;
  }
  const chosen = select.value;
  select.replaceChildren(...wanted.map(([value, text]) => new Option(text, value)));
  if (wanted.some(([value]) => value === chosen)) select.value = chosen;
}

/** So that another text under the same form is another decision. */
function hash(body) {
  let sum = 0;
  for (const sign of JSON.stringify(body)) sum = (Math.imul(sum, 31) + sign.codePointAt(0)) >>> 0;
  return sum.toString(16);
}
