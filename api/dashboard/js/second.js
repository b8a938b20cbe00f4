/** The second person 第二人: at this console, with a name and a password of their own. */
import { make, say, show } from "./dom.js";
import { input, labelled } from "./fields.js";
import { t } from "./i18n.js";

const TROUBLE = "second-trouble";

export class SecondPerson {
  /** wanted: shown from the beginning; else once the server asks. */
  constructor(wanted) {
    this.name = input("second", 100);
    this.password = Object.assign(input("second_password", 1024), { type: "password" });
    this.trouble = make("p", "trouble");
    Object.assign(this.trouble, { id: TROUBLE, role: "alert", hidden: true });
    this.element = make("fieldset", "second", [
      make("legend", "", t("second")),
      labelled("secondName", this.name), labelled("secondPassword", this.password), this.trouble,
    ]);
    for (const one of this.fields) one.setAttribute("aria-describedby", TROUBLE);
    this.ask(wanted);
  }

  get fields() {
    return [this.name, this.password];
  }

  ask(needed) {
    show(this.element, needed);
    for (const one of this.fields) one.required = needed;
  }

  /** What to send. The password is gone from the page with every try. */
  body() {
    const [second, secret] = [this.name.value.trim(), this.password.value];
    this.password.value = "";
    this.tell(null, "");
    return this.element.hidden || !second ? {} : { second, second_password: secret };
  }

  /** Show what is wrong with the second person beside the field; false where it is something else. */
  refused(error, text) {
    const field = this.wrong(error);
    if (!field) return false;
    this.ask(true);
    this.tell(field, text);
    field.focus();
    if (field === this.name) field.select();
    return true;
  }

  /** The field in which a refusal is mended; null where it is not about the second person. */
  wrong({ status, body, message }) {
    const pointer = body?.errors?.[0]?.pointer;
    if (status === 429 || pointer?.endsWith("/second_password")) return this.password;
    if (/name or password is wrong/.test(message)) return this.password;
    return pointer?.endsWith("/second") || /second person/.test(message) ? this.name : null;
  }

  tell(wrong, text) {
    say(this.trouble, text);
    show(this.trouble, text !== "");
    for (const one of this.fields) one.setAttribute("aria-invalid", String(one === wrong));
  }
}
