/**
 * Commands that this region has sent to others, and the streams that they have opened.
 *
 * An order is sent once and never again, so it is carried out once or not at all. Whoever asked hears
 * one answer, whatever becomes of the other side: its own, or that it was lost, restarted, or silent.
 */
import type { Speaker } from "../protocol.ts";
import { type Failure, type Fields, type Order, outcomeOf, type Reply } from "./wire.ts";

/** A command for another region. */
export interface Question {
  readonly cmd: string;
  readonly args: Fields;
  readonly role: string;
  /** How long the other region lets it run, ms. */
  readonly limitMs: number;
}

/** Takes what a stream of another region brings. */
export interface Watcher {
  readonly push: (event: Fields) => void;
  /** So many events were dropped, there or on the way. */
  readonly drop: (count: number) => void;
  readonly end: (reason: string, facts?: Fields) => void;
}

/** A stream that the other region has opened; nothing comes before somebody watches it. */
export interface Feed {
  readonly watch: (watcher: Watcher) => void;
  /** It is watched no more. */
  readonly stop: () => void;
}

/** What came of a question. */
export type Answer =
  | { readonly ok: true; readonly reply: unknown; readonly feed: Feed | undefined }
  | { readonly ok: false; readonly error: Failure };

/** Where the instance that was asked stands now. */
export type Standing = "there" | "lost" | "replaced";

interface Pending {
  readonly to: Speaker;
  readonly cmd: string;
  readonly waitMs: number;
  readonly untilMs: number;
  readonly answered: (answer: Answer) => void;
  text: string;
  parts: number;
}

interface Watched {
  readonly to: Speaker;
  watcher: Watcher | undefined;
  /** Last batch that came, and the last one that the other side was told of. */
  batch: number;
  toldBatch: number;
  toldAtMs: number;
  /** Events that came or are known to be gone. */
  events: number;
}

/** Commands that wait for an answer at a time. */
export const MAX_ASKED = 64;

/** What this region asks of others. */
export class Asking {
  readonly #send: (to: Speaker, order: Order) => void;
  readonly #leaseMs: number;
  readonly #pending = new Map<number, Pending>();
  readonly #watched = new Map<number, Watched>();
  #serial = 0;

  constructor(leaseMs: number, send: (to: Speaker, order: Order) => void) {
    this.#leaseMs = leaseMs;
    this.#send = send;
  }

  /** Questions under way, and streams that are watched. */
  get counts(): { readonly asked: number; readonly watched: number } {
    return { asked: this.#pending.size, watched: this.#watched.size };
  }

  /** Sends a command; `answered` is called once, sooner or later. */
  ask(to: Speaker, question: Question, nowMs: number, answered: (answer: Answer) => void): void {
    if (this.#pending.size >= MAX_ASKED) {
      const message = `${MAX_ASKED} commands wait for other regions already`;
      answered({ ok: false, error: { code: "OPS_BUSY", message } });
      return;
    }
    const { cmd, args, role, limitMs } = question;
    const id = ++this.#serial;
    // The order is refused once it is older than a lease: after both times nothing can still begin.
    const waitMs = this.#leaseMs + limitMs;
    const untilMs = nowMs + waitMs;
    this.#pending.set(id, { to, cmd, waitMs, untilMs, answered, text: "", parts: 0 });
    this.#send(to, { form: "run", id, cmd, args, role });
  }

  /** Takes what another instance replies. */
  take(from: Speaker, reply: Reply, nowMs: number): void {
    if (reply.form === "part") this.#takePart(from, reply, nowMs);
    else this.#takeStream(from, reply);
  }

  /** Ends what waits for nobody, and tells the others which streams are still watched. */
  tick(nowMs: number, standingOf: (to: Speaker) => Standing): void {
    for (const [id, pending] of this.#pending) {
      const standing = standingOf(pending.to);
      if (standing !== "there") this.fail(id, gone(pending, standing));
      else if (nowMs > pending.untilMs) this.fail(id, silent(pending));
    }
    for (const [id, watched] of this.#watched) {
      const standing = standingOf(watched.to);
      if (standing === "there") this.#keep(id, watched, nowMs);
      else this.#end(id, `region ${standing}`);
    }
  }

  /** The order cannot be sent. */
  fail(id: number, error: Failure): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.answered({ ok: false, error });
  }

  #takePart(from: Speaker, reply: Reply & { readonly form: "part" }, nowMs: number): void {
    const pending = this.#pending.get(reply.id);
    if (pending === undefined || !isSame(pending.to, from)) return;
    if (reply.part !== pending.parts) {
      const message = `a part of the answer of ${from.region} to ${pending.cmd} was lost`;
      this.fail(reply.id, { code: "OPS_FAILED", message, hint: MAY_BE_DONE });
      return;
    }
    pending.parts++;
    pending.text += reply.text;
    if (pending.parts < reply.parts) return;
    this.#pending.delete(reply.id);
    const outcome = outcomeOf(pending.text);
    if (outcome === undefined) {
      const message = `${from.region} answered ${pending.cmd} with something that is no answer`;
      pending.answered({ ok: false, error: { code: "OPS_FAILED", message } });
    } else if ("error" in outcome) pending.answered({ ok: false, error: outcome.error });
    else {
      const feed = outcome.isStream ? this.#feed(reply.id, from, nowMs) : undefined;
      pending.answered({ ok: true, reply: outcome.ok, feed });
    }
  }

  #takeStream(from: Speaker, reply: Exclude<Reply, { readonly form: "part" }>): void {
    const watched = this.#watched.get(reply.id);
    if (watched === undefined || !isSame(watched.to, from)) {
      // It has not heard that nobody watches.
      if (reply.form === "events") this.#send(from, { form: "stop", id: reply.id });
      return;
    }
    const { watcher } = watched;
    if (reply.before > watched.events) watcher?.drop(reply.before - watched.events);
    if (reply.form === "end") {
      this.#end(reply.id, reply.reason, reply.facts);
      return;
    }
    watched.batch = reply.batch;
    watched.events = reply.before + reply.events.length;
    for (const event of reply.events) watcher?.push(event);
  }

  #feed(id: number, to: Speaker, nowMs: number): Feed {
    const watched: Watched = {
      to,
      watcher: undefined,
      batch: 0,
      toldBatch: 0,
      toldAtMs: nowMs,
      events: 0,
    };
    this.#watched.set(id, watched);
    return {
      watch: (watcher) => {
        watched.watcher = watcher;
      },
      stop: () => {
        if (this.#watched.delete(id)) this.#send(to, { form: "stop", id });
      },
    };
  }

  #keep(id: number, watched: Watched, nowMs: number): void {
    const isTold = watched.toldBatch === watched.batch;
    if (isTold && nowMs - watched.toldAtMs < this.#leaseMs * KEEP_SHARE) return;
    watched.toldBatch = watched.batch;
    watched.toldAtMs = nowMs;
    this.#send(watched.to, { form: "keep", id, through: watched.batch });
  }

  #end(id: number, reason: string, facts?: Fields): void {
    const watched = this.#watched.get(id);
    this.#watched.delete(id);
    watched?.watcher?.end(reason, facts);
  }
}

/** How often a stream is kept, as a share of the lease that it runs out after. */
const KEEP_SHARE = 0.25;
const MAY_BE_DONE = "it may have been carried out: look before you repeat it";

const isSame = (a: Speaker, b: Speaker): boolean =>
  a.region === b.region && a.instance === b.instance && a.incarnation === b.incarnation;

const gone = ({ to, cmd }: Pending, standing: "lost" | "replaced"): Failure => ({
  code: "OPS_REGION_LOST",
  message:
    standing === "lost"
      ? `${to.region} was lost before it answered ${cmd}`
      : `${to.region} was restarted before it answered ${cmd}`,
  hint: MAY_BE_DONE,
});

const silent = ({ to, cmd, waitMs }: Pending): Failure => ({
  code: "OPS_TIMEOUT",
  message: `${to.region} lives but has not answered ${cmd} within ${waitMs} ms`,
  hint: MAY_BE_DONE,
});
