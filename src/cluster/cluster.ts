/**
 * What one region knows of the others, and what it says to them next.
 *
 * Belongs to the host, so that a restart of the processes that drive it forgets nothing; lookups read
 * it in place. Bytes and time come as arguments, nothing here waits or sends.
 */
import { type Figures, placeOf, readFigures, sharedRow } from "./boards.ts";
import { isCount } from "../lib/count.ts";
import { Envelopes } from "./envelope.ts";
import { Membership, type MembershipTimes, type PeerChange } from "./membership.ts";
import {
  type ClusterView,
  isGone,
  type Message,
  type MessageKind,
  REFUSALS,
  type Refusal,
  type RegionCard,
  type RegionView,
  type SharedBoard,
  type SharedName,
  type Speaker,
  type TopicName,
} from "./protocol.ts";
import { SharedMap } from "./shared-map.ts";

/** How a cluster's view is made. */
export interface ClusterOptions {
  readonly self: Speaker;
  readonly secret: string;
  /** Where messages travel; part of every signature. */
  readonly channel: string;
  readonly times: MembershipTimes;
  /** What this region says of itself. */
  readonly card: () => RegionCard;
}

/** What came of one message's bytes. */
export type Taken =
  | { readonly kind: "own" | "nothing" }
  | { readonly kind: "refused"; readonly refusal: Refusal; readonly detail: string }
  /** Somebody waits for a sign of life, or for the answer that its name is taken. */
  | { readonly kind: "answer"; readonly say: "beat" }
  | { readonly kind: "answer"; readonly say: "claim"; readonly to: string }
  | {
      readonly kind: "taken";
      readonly message: Message;
      readonly change: PeerChange | undefined;
    };

/** A name's value is its holder's pid. */
const MAX_PID_CHARS = 64;
const MAX_CARD_CHARS = 512;
const MAX_CARD_CHAINS = 256;

const readPid = (value: unknown): string | undefined =>
  typeof value === "string" && value.length <= MAX_PID_CHARS ? value : undefined;

/** One region's view of the cluster. */
export class Cluster {
  readonly membership: Membership;
  readonly names = new SharedMap<string>(readPid);
  readonly boards = new SharedMap<Figures>(readFigures);
  readonly #envelopes: Envelopes;
  readonly #options: ClusterOptions;
  readonly #refused = new Map<Refusal, number>();
  readonly #sent = { messages: 0, bytes: 0 };
  readonly #received = { messages: 0, bytes: 0 };
  /** When a message of our own came back last. */
  #echoedAtMs: number | undefined;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#envelopes = new Envelopes(options.secret, options.channel);
    this.membership = new Membership(options.self, options.times);
  }

  /** The bytes of the next message. */
  say(kind: MessageKind, payload: unknown, nowMs: number): Buffer {
    return this.#sealed(kind, payload, nowMs).bytes;
  }

  /** The next heartbeat. */
  beat(nowMs: number): Buffer {
    return this.say("beat", this.#options.card(), nowMs);
  }

  /** The answer to an instance that wants our name. */
  claim(to: string, nowMs: number): Buffer {
    return this.say("claim", { to, ageMs: this.membership.ageMs(nowMs) }, nowMs);
  }

  /** Everything of one topic that has to be said now. */
  news(topic: TopicName, nowMs: number): readonly Buffer[] {
    const { own } = this[topic];
    const sealed = own.next(nowMs).map((portion) => this.#sealed(topic, portion, nowMs));
    const last = sealed.at(-1);
    if (last !== undefined) own.published(last.sequence);
    return sealed.map(({ bytes }) => bytes);
  }

  /** Judges the bytes of a message; what a topic says is left to `takeNews`. */
  take(bytes: Buffer, nowMs: number): Taken {
    this.#received.messages++;
    this.#received.bytes += bytes.length;
    if (this.#envelopes.isEcho(bytes)) {
      this.#echoedAtMs = nowMs;
      return { kind: "own" };
    }
    const opened = this.#envelopes.open(bytes);
    if (!opened.ok) return this.refuse(opened.refusal, opened.detail);
    const { message } = opened;
    const verdict = this.membership.take(message, nowMs);
    switch (verdict.kind) {
      case "own":
        this.#echoedAtMs = nowMs;
        return { kind: "own" };
      case "greeting":
        return { kind: "answer", say: "beat" };
      case "rival":
        return this.#meet(message, nowMs);
      case "refused": {
        const { refusal } = verdict;
        const detail = `${message.kind} of ${message.region}`;
        const taken = this.refuse(refusal, detail);
        // It lives but has not heard us yet: our next message lets it prove itself.
        const isHopeful = refusal === "unproven" || refusal === "expired";
        return isHopeful && message.kind === "beat" ? { kind: "answer", say: "beat" } : taken;
      }
      case "taken": {
        const { peer } = verdict;
        let { change } = verdict;
        if (message.kind === "beat") peer.card = readCard(message.payload) ?? peer.card;
        if (message.kind === "bye") change = this.membership.left(peer, nowMs) ?? change;
        if (change !== undefined) this.#changed(change);
        this.#acknowledge(message);
        return { kind: "taken", message, change };
      }
      default:
        return verdict satisfies never;
    }
  }

  /** Takes what a topic's message says. */
  takeNews(topic: TopicName, message: Message): boolean {
    const peer = this.membership.peers.get(message.region);
    // A lost region's last words may come after its end.
    if (peer?.instance !== message.instance || isGone(peer.state)) return true;
    if (this[topic].take(message, message.payload)) return true;
    this.refuse("malformed", topic);
    return false;
  }

  /** Counts a message that is not taken. */
  refuse(refusal: Refusal, detail: string): Taken {
    this.#refused.set(refusal, (this.#refused.get(refusal) ?? 0) + 1);
    return { kind: "refused", refusal, detail };
  }

  /** Runs leases out. */
  tick(nowMs: number): readonly PeerChange[] {
    const changes = this.membership.tick(nowMs);
    for (const change of changes) this.#changed(change);
    return changes;
  }

  /** Joined, but the channel does not even bring back what we say ourselves. */
  isUnheard(nowMs: number): boolean {
    const { state, times } = this.membership;
    const silentMs =
      this.#echoedAtMs === undefined
        ? this.membership.ageMs(nowMs)
        : Math.min(nowMs - this.#echoedAtMs, this.membership.ageMs(nowMs));
    return state === "joined" && silentMs > times.leaseMs;
  }

  /** Who holds a name, region by region in the order of their names. */
  whereis(name: string): readonly SharedName[] {
    const own = this.names.own.get(name);
    const found =
      own === undefined ? [] : [{ region: this.membership.self.region, name, pid: own }];
    for (const { region } of this.membership.peers.values()) {
      const pid = this.names.entriesOf(region)?.get(name)?.value;
      if (pid !== undefined) found.push({ region, name, pid });
    }
    return found.sort((a, b) => (a.region < b.region ? -1 : 1));
  }

  /** Names that begin with `prefix`, for operators: linear. */
  select(prefix: string, limit: number, region?: string): readonly SharedName[] {
    const found: SharedName[] = [];
    for (const one of this.names.regions()) {
      if (region !== undefined && one !== region) continue;
      for (const [name, { value: pid }] of this.names.entriesOf(one) ?? []) {
        if (found.length >= limit) return found;
        if (pid !== undefined && name.startsWith(prefix)) found.push({ region: one, name, pid });
      }
    }
    return found;
  }

  /** What the other regions say of one chain. */
  boardsOf(chain: string, nowMs: number): readonly SharedBoard[] {
    return [...this.membership.peers.values()]
      .filter(({ state }) => !isGone(state))
      .sort((a, b) => (a.region < b.region ? -1 : 1))
      .map(({ region, state, heardAtMs }) => {
        const entries = [...(this.boards.entriesOf(region) ?? [])];
        const rows = entries.flatMap(([key, { value }]) => {
          const place = value === undefined ? undefined : placeOf(key);
          return value === undefined || place?.chain !== chain ? [] : [sharedRow(place, value)];
        });
        rows.sort((a, b) => a.subject.localeCompare(b.subject) || b.score - a.score);
        return { region, state, ageMs: nowMs - heardAtMs, rows };
      });
  }

  view(nowMs: number): ClusterView {
    const { self, state, peers } = this.membership;
    const own: RegionView = {
      region: self.region,
      isSelf: true,
      state,
      incarnation: self.incarnation,
      ageMs: 0,
      card: this.#options.card(),
      names: this.names.own.size,
      rows: this.boards.own.size,
    };
    const others = [...peers.values()].map(
      (peer): RegionView => ({
        region: peer.region,
        isSelf: false,
        state: peer.state,
        incarnation: peer.incarnation,
        ageMs: nowMs - peer.heardAtMs,
        card: peer.card,
        names: this.names.sizeOf(peer.region),
        rows: this.boards.sizeOf(peer.region),
      }),
    );
    others.sort((a, b) => (a.region < b.region ? -1 : 1));
    const refused = REFUSALS.map((one) => [one, this.#refused.get(one) ?? 0] as const);
    return {
      state,
      reason: this.isUnheard(nowMs) ? UNHEARD : REASONS[state],
      regions: [own, ...others],
      refused: Object.fromEntries(refused) as Record<Refusal, number>,
      sent: { ...this.#sent },
      received: { ...this.#received },
    };
  }

  #sealed(
    kind: MessageKind,
    payload: unknown,
    nowMs: number,
  ): { readonly bytes: Buffer; readonly sequence: number } {
    const { membership } = this;
    const sequence = membership.nextSequence(nowMs);
    const heard = membership.heard().map((one) => ({
      ...one,
      names: this.names.through(one),
      boards: this.boards.through(one),
    }));
    const bytes = this.#envelopes.seal({ ...membership.self, sequence, kind, heard, payload });
    this.#sent.messages++;
    this.#sent.bytes += bytes.length;
    return { bytes, sequence };
  }

  #meet(message: Message, nowMs: number): Taken {
    const claim = claimTo(this.membership.self.instance, message);
    // An answer to somebody else's question is none of ours.
    if (message.kind === "claim" && claim === undefined) return { kind: "nothing" };
    const mustAnswer = this.membership.rival(message, claim, nowMs);
    return mustAnswer
      ? { kind: "answer", say: "claim", to: message.instance }
      : { kind: "nothing" };
  }

  #acknowledge({ heard }: Message): void {
    const { self } = this.membership;
    const own = heard.find(
      ({ region, instance }) => region === self.region && instance === self.instance,
    );
    if (own === undefined) return;
    this.names.own.acknowledged(own.sequence, own.names);
    this.boards.own.acknowledged(own.sequence, own.boards);
  }

  #changed({ peer: { region }, to, isNew }: PeerChange): void {
    if (!isNew && !isGone(to)) return;
    this.names.forget(region);
    this.boards.forget(region);
  }
}

const REASONS = {
  off: "sharing is off: it needs redis.url and cluster.secret",
  apart: "Redis does not answer",
  joining: "looking whether the region's name is free",
  joined: undefined,
  refused: "another instance has this region's name",
} as const;

const UNHEARD = "Redis answers, but brings no message back: may its user publish and subscribe?";

/** The view of a host that shares nothing. */
export const loneView = (region: string, card: RegionCard): ClusterView => ({
  state: "off",
  reason: REASONS.off,
  regions: [
    {
      region,
      card,
      isSelf: true,
      state: "off",
      incarnation: 0,
      ageMs: 0,
      names: 0,
      rows: 0,
    },
  ],
  refused: Object.fromEntries(REFUSALS.map((one) => [one, 0])) as Record<Refusal, number>,
  sent: { messages: 0, bytes: 0 },
  received: { messages: 0, bytes: 0 },
});

const claimTo = (
  instance: string,
  { kind, payload }: Message,
): { readonly ageMs: number } | undefined => {
  if (kind !== "claim" || typeof payload !== "object" || payload === null) return undefined;
  const { to, ageMs } = payload as Record<string, unknown>;
  return to === instance && typeof ageMs === "number" && ageMs >= 0 ? { ageMs } : undefined;
};

const readCard = (payload: unknown): RegionCard | undefined => {
  if (typeof payload !== "object" || payload === null) return undefined;
  const {
    version,
    url,
    chains,
    inFlight,
    usableProviders,
    providers,
    helps = [],
  } = payload as Record<string, unknown>;
  const isRead =
    isShort(version) &&
    isShort(url) &&
    areChains(chains) &&
    areChains(helps) &&
    isCount(inFlight) &&
    isCount(usableProviders) &&
    isCount(providers);
  return isRead ? { version, url, chains, inFlight, usableProviders, providers, helps } : undefined;
};

const areChains = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.length <= MAX_CARD_CHAINS && value.every(isShort);

const isShort = (value: unknown): value is string =>
  typeof value === "string" && value.length <= MAX_CARD_CHARS;
