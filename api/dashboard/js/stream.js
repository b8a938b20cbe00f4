/** The live stream over fetch: unlike EventSource it sees heartbeats and status codes. */
import { problemOf } from "./server.js";

const RETRY_MS = [500, 1000, 2000, 5000];
export const SILENT_MS = 10_000;

/**
 * Follows the stream until `stop()`. `on` has: opened(resumed), event(type, body), refused(problem).
 * `heard` is when the last byte came. A stream that is silent for too long is opened anew.
 */
export class Stream {
  constructor(on) {
    this.on = on;
    this.heard = Date.now();
    this.connected = false;
    this.lastId = null;
    this.tries = 0;
    this.stopped = false;
    this.abort = new AbortController();
    this.watchdog = setInterval(() => this.check(), 1000);
    this.run();
  }

  stop() {
    this.stopped = true;
    clearInterval(this.watchdog);
    this.abort.abort();
  }

  /** How long nothing has come, in milliseconds. */
  silence() {
    return Date.now() - this.heard;
  }

  check() {
    if (this.connected && this.silence() > SILENT_MS * 1.5) this.abort.abort();
  }

  async run() {
    while (!this.stopped) {
      try {
        await this.connect();
      } catch (error) {
        if (error.status === 401) {
          this.stop();
          this.on.refused(error);
        }
      }
      this.connected = false;
      if (this.stopped) return;
      const wait = RETRY_MS[Math.min(this.tries, RETRY_MS.length - 1)];
      this.tries += 1;
      await new Promise((resolve) => setTimeout(resolve, wait * (0.75 + Math.random() / 2)));
    }
  }

  async connect() {
    this.abort = new AbortController();
    const headers = this.lastId === null ? {} : { "Last-Event-ID": this.lastId };
    const answer = await fetch("/api/v1/events", { headers, signal: this.abort.signal });
    if (!answer.ok) throw await problemOf(answer);
    this.connected = true;
    this.tries = 0;
    this.heard = Date.now();
    this.on.opened(this.lastId !== null);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      this.heard = Date.now();
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      blocks.forEach((block) => this.take(block));
    }
  }

  take(block) {
    const members = Object.fromEntries(
      block.split("\n").filter((line) => !line.startsWith(":")).map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
      }),
    );
    if (members.id !== undefined) this.lastId = members.id;
    if (members.data !== undefined) this.on.event(members.event, JSON.parse(members.data));
  }
}
