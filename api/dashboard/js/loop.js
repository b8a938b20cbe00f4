/** The loop 闭环 of the chosen source's case: its steps with who and when, and the form of the next one. */
import { at, button, make } from "./dom.js";
import { duration, shortly } from "./format.js";
import { t, word } from "./i18n.js";
import { drillMark, riskMark } from "./marks.js";
import { decide, newKey, reason, request, upload } from "./server.js";
import { now } from "./servertime.js";
import { formOf, nextStep, stepsOf } from "./loopsteps.js";

export class Loop {
  /** may(warning): levels of this person. `on` has: sign(warning), told(verb, outcome, warning), refused(). */
  constructor(cases, names, may, on) {
    this.cases = cases;
    this.names = names;
    this.may = may;
    this.on = on;
    this.source = null;
    this.look = "";
  }

  choose(source) {
    this.source = source;
    this.draw();
  }

  /** Drawn anew only where something differs: a form that somebody fills in stands still. */
  draw() {
    const warning = this.cases.of(this.source);
    const levels = warning ? this.may(warning).loop : [];
    const wanted = warning && this.cases.wanted.get(warning.id);
    const look = JSON.stringify([t("loop"), this.source, warning?.id, warning?.state, warning?.loop, levels, wanted]);
    if (this.look === look) return;
    this.look = look;
    at("loop-head").replaceChildren(...this.title(warning));
    if (!warning) {
      at("loop").replaceChildren(make("div", "note", t(this.source ? "noCaseOpen" : "chooseCase")));
      return;
    }
    at("loop").replaceChildren(this.steps(warning), this.next(warning, levels, wanted));
  }

  title(warning) {
    const name = make("b", "", this.names.get(this.source) ?? "");
    return warning ? [riskMark(warning), ...(warning.drill ? [drillMark()] : []), name, make("span", "muted", t(`case_${warning.state}`))] : [name];
  }

  steps(warning) {
    const rows = stepsOf(warning).map((one) => {
      const state = one.done ? "done" : one.next ? "next" : "ahead";
      const who = one.done ? `${one.by} · ${shortly(new Date(one.at))}` : one.next ? t("nextStep") : "";
      const said = make("span", "said", one.said ?? "");
      said.title = one.said ?? "";
      const files = (one.files ?? []).map((file) => this.file(warning, file));
      return make("li", `step ${state}`, [
        make("i", "lamp"), make("b", "", t(`step_${one.name}`)), make("span", "who", who),
        this.due(one), make("div", "more", [said, ...files]),
      ]);
    });
    return make("ol", "steps scroll", rows);
  }

  due(one) {
    if (one.due === null || one.done) return make("span", "due");
    const left = one.due - now();
    const text = t(left > 0 ? "signWithin" : "signLate", { d: duration(Math.abs(left)) });
    return make("span", left > 0 ? "due" : "due late", text);
  }

  file(warning, file) {
    const link = make("a", "file", file.name);
    link.href = `/api/v1/warnings/${warning.id}/files/${file.id}`;
    link.download = file.name;
    return link;
  }

  next(warning, levels, wanted) {
    const step = nextStep(warning);
    if (wanted) return make("div", "step-form", make("p", "pending", t("accepted")));
    if (step === "receive") {
      const sign = this.may(warning).sign.length > 0
        ? [button("strong", t("receive_button"), () => this.on.sign(warning))] : [];
      return make("div", "step-form", [make("p", "muted", t("nobodySigned")), ...sign]);
    }
    const form = formOf(step, warning);
    if (!form || levels.length === 0) return make("div", "step-form", make("p", "muted", t(`wait_${step}`)));
    return this.form(form, warning, levels);
  }

  form(form, warning, levels) {
    const level = make("select", "", levels.map((one) => option(one, word(one))));
    level.name = "level";
    const trouble = make("p", "trouble");
    trouble.setAttribute("role", "alert");
    const parts = form.fields.map((one) => field(one));
    const label = make("label", "", [t("signAs"), level]);
    const send = make("button", "strong", t(`${form.step}_send`));
    const note = make("p", "muted", t(`${form.step}_note`));
    const key = newKey();
    const element = make("form", "step-form", [...parts, label, make("div", "buttons", send), trouble, note], {
      submit: (event) => {
        event.preventDefault();
        this.send(form, warning, element, key, { send, trouble });
      },
    });
    return element;
  }

  async send(form, warning, element, key, { send, trouble }) {
    send.disabled = true;
    trouble.textContent = "";
    try {
      const { files, ...body } = form.body(new FormData(element));
      if (files) body.files = await this.sent(warning, files);
      const outcome = await decide(`/warnings/${warning.id}/${form.path}`, body, `${key}${hash(body)}`);
      this.on.told(form.verb, outcome, warning);
    } catch (error) {
      if (error.status === 401) this.on.refused();
      trouble.textContent = reason(error);
    }
    send.disabled = false;
  }

  /** Send files first; the feedback then names them. */
  async sent(warning, files) {
    const kept = [];
    for (const file of files.filter((one) => one.size > 0)) {
      kept.push((await upload(`/warnings/${warning.id}/files`, file)).id);
    }
    return kept;
  }

  /** Learn anew what an outcome has made of the case. */
  async refresh(id) {
    await request("GET", `/warnings/${id}`).then((warning) => this.cases.put(warning)).catch(() => null);
  }
}

function option(value, text) {
  const choice = make("option", "", text);
  choice.value = value;
  return choice;
}

/** A labelled input: { name, kind, options, wide }. */
function field({ name, kind, options = [], required = false }) {
  if (kind === "select") {
    const choice = make("select", "", options.map((one) => option(one, t(`${name}_${one}`))));
    choice.name = name;
    return make("label", "", [t(`field_${name}`), choice]);
  }
  const input = make(kind === "text" ? "textarea" : "input");
  if (kind === "files") Object.assign(input, { type: "file", multiple: true, accept: "image/*,application/pdf" });
  else input.maxLength = kind === "text" ? 1000 : 200;
  if (kind === "text") input.rows = 2;
  Object.assign(input, { name, required });
  return make("label", kind === "text" ? "wide" : "", [t(`field_${name}`), input]);
}

/** So that another text under the same form is another decision. */
function hash(body) {
  let sum = 0;
  for (const sign of JSON.stringify(body)) sum = (Math.imul(sum, 31) + sign.codePointAt(0)) >>> 0;
  return sum.toString(16);
}
