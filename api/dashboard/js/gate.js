/** Login and logout, and who is in. */
import { at, say, show } from "./dom.js";
import { t } from "./i18n.js";
import { reason, request } from "./server.js";

const INSIDE = ["desk", "banner", "status", "logout", "kpi-link"];

export class Gate {
  /** `on` has: entered(), left(). */
  constructor(on) {
    this.on = on;
    this.session = null;
    at("login").addEventListener("submit", (event) => {
      event.preventDefault();
      this.login(event.target);
    });
    at("logout").addEventListener("click", async () => {
      await request("DELETE", "/session").catch(() => null);
      this.leave();
    });
  }

  /** In at once where the session of an earlier visit lasts. */
  async open() {
    try {
      this.enter(await request("GET", "/session"));
    } catch (error) {
      this.leave();
      if (error.status !== 401) this.trouble(reason(error));
    }
  }

  async login(form) {
    show(at("login-trouble"), false);
    try {
      this.enter(await request("POST", "/session", { body: Object.fromEntries(new FormData(form)) }));
      form.reset();
    } catch (error) {
      this.trouble(error.status === 401 ? t("wrong") : reason(error));
    }
  }

  enter(session) {
    this.session = session;
    this.appear();
    say(at("who"), `${session.user} · ${session.roles.map((role) => role.name).join(", ")}`);
    this.on.entered();
  }

  /** Out, by wish or because the session is over. */
  leave() {
    this.session = null;
    this.appear();
    say(at("who"), "");
    this.on.left();
    at("login").elements.user.focus();
  }

  appear() {
    for (const id of INSIDE) show(at(id), this.session !== null);
    show(at("gate"), this.session === null);
  }

  trouble(text) {
    say(at("login-trouble"), text);
    show(at("login-trouble"), true);
  }
}
