/**
 * Where regions help each other: makes tickets for calls that are passed on, and judges those that
 * come in. Belongs to the host; bytes and time come as arguments.
 */
import { Seldom } from "../../lib/seldom.ts";
import type { Membership } from "../membership.ts";
import { HELP_REFUSALS, type HelpRefusal, type HelpView, isGone } from "../protocol.ts";
import { ReplayWindow } from "./replay-window.ts";
import type { Ticket, Tickets } from "./ticket.ts";

/** Tickets of one region that may be on their way beside each other; older ones count as used. */
const WINDOW = 4_096;
/** Refusals of one kind are told at most this often, ms. */
const TELL_MS = 60_000;

/** What the desk needs. */
export interface HelpDeskOptions {
  readonly membership: Membership;
  readonly tickets: Tickets;
  /** Calls of other regions at once. */
  readonly maxInFlight: number;
  /** Whether calls of a chain are taken. */
  readonly offers: (chain: string) => boolean;
  /** A call was refused; told once in a while for each kind. */
  readonly tell: (refusal: HelpRefusal, message: string) => void;
}

/** A call that says that another region has passed it on. */
export interface Guest {
  readonly ticket: string;
  readonly body: Buffer;
  readonly chain: string;
  readonly chainId: number;
  /** It is one read that may be repeated. */
  readonly isSafe: boolean;
}

/** Whether it is served. */
export type Judgement =
  | { readonly ok: true; readonly region: string; readonly timeoutMs: number }
  | { readonly ok: false; readonly refusal: HelpRefusal; readonly message: string };

/** The desk of one host. */
export class HelpDesk {
  /** Calls of other regions that are being served. */
  readonly counter = { inFlight: 0 };
  readonly #options: HelpDeskOptions;
  readonly #windows = new Map<string, { readonly instance: string; readonly seen: ReplayWindow }>();
  readonly #asked = new Map<string, number>();
  readonly #given = new Map<string, number>();
  readonly #refused = new Map<HelpRefusal, number>();
  readonly #told = new Seldom(TELL_MS, HELP_REFUSALS.length);
  #number = 0;

  constructor(options: HelpDeskOptions) {
    this.#options = options;
  }

  /** The ticket of a call for `to`; undefined when that region was not heard lately. */
  ticket(
    to: string,
    { chain, chainId, timeoutMs }: Pick<Ticket, "chain" | "chainId" | "timeoutMs">,
    body: Buffer,
  ): string | undefined {
    const { membership, tickets } = this.#options;
    const { self, peers } = membership;
    const peer = peers.get(to);
    if (peer === undefined || isGone(peer.state) || membership.state !== "joined") return undefined;
    add(this.#asked, to);
    return tickets.seal(
      {
        region: self.region,
        instance: self.instance,
        number: ++this.#number,
        to,
        toInstance: peer.instance,
        heard: peer.sequence,
        chain,
        chainId,
        hops: 1,
        timeoutMs: Math.max(0, Math.floor(timeoutMs)),
      },
      body,
    );
  }

  /** Judges a call; one that is refused is counted. */
  admit(guest: Guest, nowMs: number): Judgement {
    const judgement = this.#judge(guest, nowMs);
    if (judgement.ok) add(this.#given, judgement.region);
    else {
      const { refusal, message } = judgement;
      add(this.#refused, refusal);
      if (this.#told.admits(refusal, nowMs)) this.#options.tell(refusal, message);
    }
    return judgement;
  }

  /** What was done so far. */
  view(): Omit<HelpView, "distancesMs"> {
    return {
      asked: Object.fromEntries(this.#asked),
      given: Object.fromEntries(this.#given),
      refused: Object.fromEntries(this.#refused),
      inFlight: this.counter.inFlight,
    };
  }

  #judge({ ticket: text, body, chain, chainId, isSafe }: Guest, nowMs: number): Judgement {
    const { membership, tickets, maxInFlight, offers } = this.#options;
    const opened = tickets.open(text, body);
    if (!opened.ok) {
      return opened.refusal === "unsigned"
        ? refused("unsigned", "its ticket is not signed with this cluster's secret for this body")
        : refused("malformed", "its ticket cannot be read");
    }
    const { ticket } = opened;
    const { region, instance, number, hops, timeoutMs } = ticket;
    if (hops !== 1) return refused("hops", `${region} passes on what was passed on before`);
    const { self } = membership;
    if (ticket.to !== self.region || ticket.chain !== chain || ticket.chainId !== chainId) {
      const meant = `${ticket.chain} (${ticket.chainId}) in ${ticket.to}`;
      return refused("misdirected", `${region} means ${meant}, not ${chain} (${chainId}) here`);
    }
    const peer = membership.peers.get(region);
    if (peer === undefined || peer.instance !== instance || isGone(peer.state)) {
      return refused("unknown", `${region} was not heard lately`);
    }
    if (ticket.toInstance !== self.instance || !membership.isRecent(ticket.heard, nowMs)) {
      return refused("stale", `the ticket of ${region} is older than the lease`);
    }
    if (!this.#isFirst(region, instance, number)) {
      return refused("replayed", `the ticket of ${region} was used before`);
    }
    if (!offers(chain)) return refused("not_offered", `${chain} helps nobody: its help is off`);
    if (!isSafe) return refused("unsafe", "only single reads that can be repeated are passed on");
    if (this.counter.inFlight >= maxInFlight) {
      return refused("full", `${maxInFlight} calls of other regions are in flight`);
    }
    return { ok: true, region, timeoutMs };
  }

  #isFirst(region: string, instance: string, number: number): boolean {
    let window = this.#windows.get(region);
    if (window?.instance !== instance) {
      window = { instance, seen: new ReplayWindow(WINDOW) };
      this.#windows.set(region, window);
      // Of regions that are forgotten no window is needed: nobody believes their tickets.
      for (const known of this.#windows.keys()) {
        if (!this.#options.membership.peers.has(known)) this.#windows.delete(known);
      }
    }
    return window.seen.take(number);
  }
}

const refused = (refusal: HelpRefusal, message: string): Judgement => ({
  ok: false,
  refusal,
  message,
});

/** Regions that are counted by name; a cluster has no more at once. */
const MAX_COUNTED = 256;

const add = <Key>(counts: Map<Key, number>, key: Key): void => {
  const known = counts.get(key);
  if (known !== undefined || counts.size < MAX_COUNTED) counts.set(key, (known ?? 0) + 1);
};
