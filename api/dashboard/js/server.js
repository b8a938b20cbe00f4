/** Requests to the api of this server, with the cookie of the session. */
import { t } from "./i18n.js";
import { refusal } from "./refusals.js";
import { heardDate } from "./servertime.js";

const BASE = "/api/v1";

/** An answer that is a problem (RFC 9457), or no answer at all (status 0). */
export class ServerProblem extends Error {
  constructor(status, body) {
    super(body.detail ?? body.title ?? String(status));
    this.status = status;
    this.body = body;
  }
}

/** The JSON of an answer; throws `ServerProblem`. */
export async function request(method, path, { params = {}, body, headers = {}, signal } = {}) {
  const query = new URLSearchParams(
    Object.entries(params).filter(([, value]) => value !== null && value !== undefined),
  );
  const url = `${BASE}${path}${query.size ? `?${query}` : ""}`;
  const sent = { "X-Hazwatch": "1", ...headers };
  if (body !== undefined) sent["Content-Type"] = "application/json";
  const asked = performance.now();
  let answer;
  try {
    answer = await fetch(url, { method, headers: sent, body: JSON.stringify(body), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerProblem(0, {});
  }
  heardDate(answer.headers.get("Date"), asked, performance.now());
  if (!answer.ok) throw await problemOf(answer);
  return answer.status === 204 ? null : answer.json();
}

/** What went wrong, whoever answered. */
export async function problemOf(answer) {
  const body = await answer.json().catch(() => ({ title: answer.statusText }));
  return new ServerProblem(answer.status, body);
}

/** What to tell a person about an error. */
export function reason(error) {
  return error.status === 0 ? t("offline") : refusal(error.body);
}

/** Every item of a list, page after page. */
export async function all(path, params = {}) {
  const items = [];
  let cursor = null;
  do {
    const page = await request("GET", path, { params: { limit: 1000, ...params, cursor } });
    items.push(...page.items);
    cursor = page.next;
  } while (cursor !== null);
  return items;
}

/** Put down what a person decided; the same key makes a repeat harmless. */
export function decide(path, body, key) {
  return request("POST", path, { body, headers: { "Idempotency-Key": key } });
}

/** Send a file as it is; the JSON of the answer. */
export async function upload(path, file) {
  const headers = { "X-Hazwatch": "1", ...(file.type ? { "Content-Type": file.type } : {}) };
  const url = `${BASE}${path}?${new URLSearchParams({ name: file.name })}`;
  const answer = await fetch(url, { method: "POST", headers, body: file }).catch(() => {
    throw new ServerProblem(0, {});
  });
  if (!answer.ok) throw await problemOf(answer);
  return answer.json();
}

/** A key that nobody else has. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
