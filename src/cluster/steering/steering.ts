/**
 * Steering across regions: what this region asks of others and what they ask of it.
 *
 * Belongs to the host as the `Cluster` does, so that a restart of the process that drives it loses no
 * command and no stream. Time comes as an argument; nothing here waits or sends.
 */
import type { Cluster } from "../cluster.ts";
import { isGone, type Message, type Speaker } from "../protocol.ts";
import { type Answer, Asking, type Question, type Standing } from "./asking.ts";
import { type CarryOut, Serving } from "./serving.ts";
import {
  addressed,
  type Failure,
  isFor,
  type Order,
  PART_CHARS,
  readOrder,
  readReply,
  type Reply,
} from "./wire.ts";

interface Outgoing {
  readonly kind: "order" | "reply";
  readonly to: Speaker;
  readonly what: Order | Reply;
}

/** Most messages of answers that go out at once: requests use the same connection. */
const BURST = 4;
/** Messages that wait to go out; a region that cannot speak fails what is asked instead. */
const MAX_OUTGOING = 1_024;

/** One region's share in it. */
export class Steering {
  readonly #cluster: Cluster;
  readonly #asking: Asking;
  readonly #serving: Serving;
  #outgoing: Outgoing[] = [];

  constructor(cluster: Cluster, carryOut: CarryOut) {
    const { leaseMs } = cluster.membership.times;
    this.#cluster = cluster;
    this.#asking = new Asking(leaseMs, (to, what) => this.#queue({ kind: "order", to, what }));
    this.#serving = new Serving(leaseMs, carryOut, (to, what) =>
      this.#queue({ kind: "reply", to, what }),
    );
  }

  /** What is under way. */
  get counts() {
    return { ...this.#asking.counts, ...this.#serving.counts };
  }

  /** Something is under way, so that time has to be told to it. */
  get isBusy(): boolean {
    return this.#outgoing.length > 0 || Object.values(this.counts).some((count) => count > 0);
  }

  /** Asks another region; `answered` is called once, at once when there is nobody to ask. */
  ask(region: string, question: Question, nowMs: number, answered: (answer: Answer) => void): void {
    const found = this.#find(region);
    if ("code" in found) answered({ ok: false, error: found });
    else this.#asking.ask(found, question, nowMs, answered);
  }

  /** Takes an order or a reply whose signature and freshness are right; false when it makes no sense. */
  take(message: Message, nowMs: number): boolean {
    const { membership } = this.#cluster;
    const isHere = isFor(message.payload, membership.self);
    if (isHere === undefined) return this.#refuse(message);
    if (!isHere || membership.state !== "joined" || this.#standingOf(message) !== "there") {
      return true;
    }
    // It may have waited here too.
    if (!membership.isFresh(message, nowMs)) {
      this.#cluster.refuse("expired", `${message.kind} of ${message.region}`);
      return true;
    }
    if (message.kind === "order") {
      const order = readOrder(message.payload);
      if (order === undefined) return this.#refuse(message);
      this.#serving.take(message, order, nowMs);
      return true;
    }
    const reply = readReply(message.payload);
    if (reply === undefined) return this.#refuse(message);
    this.#asking.take(message, reply, nowMs);
    return true;
  }

  /** Runs deadlines and leases out. */
  tick(nowMs: number): void {
    const standingOf = (to: Speaker): Standing => this.#standingOf(to);
    this.#asking.tick(nowMs, standingOf);
    this.#serving.tick(nowMs, standingOf);
  }

  /** What has to be said now, in order. */
  due(nowMs: number): readonly Buffer[] {
    const now = this.#outgoing.splice(0, this.#burst());
    return now.map(({ kind, to, what }) => this.#cluster.say(kind, addressed(to, what), nowMs));
  }

  /** Nothing can be said now: commands that have not gone out never will. */
  mute(): void {
    const unsent = this.#outgoing.filter(({ what }) => what.form === "run");
    this.#outgoing = this.#outgoing.filter(({ what }) => what.form !== "run");
    for (const { what } of unsent) this.#asking.fail(what.id, CANNOT_SPEAK);
  }

  /** Long answers go out in pieces, the rest at once. */
  #burst(): number {
    const heavy = this.#outgoing.findIndex(isHeavy);
    return heavy < 0 ? this.#outgoing.length : Math.max(heavy, BURST);
  }

  #find(region: string): Speaker | Failure {
    const { membership } = this.#cluster;
    const { state, peers, self } = membership;
    const peer = peers.get(region);
    if (peer === undefined) return noRegion(region, [self.region, ...peers.keys()]);
    if (state !== "joined") {
      const message = `${self.region} cannot ask ${region}: it is ${state} itself`;
      return { code: "OPS_REGION_LOST", message, hint: "paceline regions says why" };
    }
    if (isGone(peer.state)) {
      const message =
        peer.state === "lost"
          ? `${region} is lost: it was silent for its lease`
          : `${region} has left the cluster`;
      return { code: "OPS_REGION_LOST", message, hint: "paceline regions shows who is there" };
    }
    const { instance, incarnation } = peer;
    return { region, instance, incarnation };
  }

  #standingOf({ region, instance, incarnation }: Speaker): Standing {
    const peer = this.#cluster.membership.peers.get(region);
    if (peer === undefined || isGone(peer.state)) return "lost";
    const isSame = peer.instance === instance && peer.incarnation === incarnation;
    return isSame ? "there" : "replaced";
  }

  #queue(outgoing: Outgoing): void {
    if (this.#outgoing.length < MAX_OUTGOING) this.#outgoing.push(outgoing);
  }

  #refuse({ kind }: Message): false {
    this.#cluster.refuse("malformed", kind);
    return false;
  }
}

const CANNOT_SPEAK: Failure = {
  code: "OPS_REGION_LOST",
  message: "this region cannot speak to the others now: the command was not sent",
  hint: "paceline regions says why",
};

const isHeavy = ({ what }: Outgoing): boolean =>
  what.form === "part" && what.text.length === PART_CHARS;

const noRegion = (region: string, known: readonly string[]): Failure => ({
  code: "OPS_NO_REGION",
  message: `no region "${region}"`,
  hint: `regions: ${[...known].sort().join(", ")}`,
});
