/**
 * Who is in the cluster, told by messages and monotonic time alone.
 *
 * A message counts only when it shows that its sender has heard this region within the lease: it
 * names the last message of ours that reached it, and we remember when we sent which. A recording, or
 * a message that lay in a frozen server, names an old one or none. No wall clock is compared.
 *
 * A region that starts asks first: whoever has its name answers, and the younger stays out. From what
 * the others remember of its name it takes the next incarnation, so it replaces its former self at
 * once and is never replaced by it.
 */
import {
  type Heard,
  isGone,
  type Message,
  type OwnState,
  type PeerState,
  type Refusal,
  type RegionCard,
  type Speaker,
} from "./protocol.ts";
import { isLater } from "./replica.ts";

/** Times of one cluster, ms. */
export interface MembershipTimes {
  /** Between two heartbeats. */
  readonly heartbeatMs: number;
  /** Without a message for so long a region is suspected, */
  readonly suspectMs: number;
  /** and for so long lost; a proof is as old at most. */
  readonly leaseMs: number;
  /** How long a starting region listens before it joins. */
  readonly joinMs: number;
}

/** Another region. */
export interface Peer extends Speaker {
  state: PeerState;
  sequence: number;
  /** When its last proven message came. */
  heardAtMs: number;
  /** When it came into this state. */
  sinceMs: number;
  card: RegionCard | undefined;
}

/** A peer went from one state to another; `from` is undefined for one not known before. */
export interface PeerChange {
  readonly peer: Peer;
  readonly from: PeerState | undefined;
  readonly to: PeerState;
  /** Another instance than before: nothing known of the old one holds. */
  readonly isNew: boolean;
}

/** What became of a message. */
export type Verdict =
  | { readonly kind: "own" }
  | { readonly kind: "rival" }
  | { readonly kind: "greeting" }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "taken"; readonly peer: Peer; readonly change: PeerChange | undefined };

/** Regions that are remembered. */
const MAX_REGIONS = 64;
/** Instances that have spoken but not yet proven that they are alive. */
const MAX_CANDIDATES = 64;
/** How long a region that left or was lost is shown, ms. */
const FORGET_MS = 600_000;
/** Pause before a refused region asks for its name again, as a share of the lease. */
const ASK_AGAIN_SHARE = 0.5;

/** The view of one region. */
export class Membership {
  readonly peers = new Map<string, Peer>();
  readonly times: MembershipTimes;
  #self: Speaker;
  #state: OwnState = "apart";
  #sequence = 0;
  /** When messages of ours that may still prove something went out. */
  readonly #sentAtMs = new Map<number, number>();
  /** By region and instance; oldest first. */
  readonly #candidates = new Map<string, Speaker & { readonly sequence: number }>();
  #stateSinceMs = 0;
  #joinedAtMs: number | undefined;
  #downSinceMs: number | undefined;
  #refusedAtMs = 0;

  constructor(self: Speaker, times: MembershipTimes) {
    this.#self = self;
    this.times = times;
  }

  get self(): Speaker {
    return this.#self;
  }

  get state(): OwnState {
    return this.#state;
  }

  /** This region has joined, and another one is there. */
  get hasCompany(): boolean {
    return this.#state === "joined" && [...this.peers.values()].some(({ state }) => !isGone(state));
  }

  /** How long this instance has been in the cluster, ms. */
  ageMs(nowMs: number): number {
    return this.#joinedAtMs === undefined ? 0 : nowMs - this.#joinedAtMs;
  }

  /**
   * Messages can be sent, or not now. A server that answers late is away again and again for a moment:
   * who has joined is apart only once it could not speak for as long as it takes to be suspected.
   */
  connected(isUp: boolean, nowMs: number): void {
    if (isUp) {
      this.#downSinceMs = undefined;
      if (this.#state !== "apart") return;
      this.#turn(this.#joinedAtMs === undefined ? "joining" : "joined", nowMs);
      return;
    }
    this.#downSinceMs ??= nowMs;
    const graceMs = this.#state === "joined" ? this.times.suspectMs : 0;
    if (nowMs - this.#downSinceMs >= graceMs) this.#turn("apart", nowMs);
  }

  /** Number of the next message, which goes out now. */
  nextSequence(nowMs: number): number {
    this.#sentAtMs.set(++this.#sequence, nowMs);
    for (const [sequence, sentAtMs] of this.#sentAtMs) {
      if (nowMs - sentAtMs <= this.times.leaseMs) break;
      this.#sentAtMs.delete(sequence);
    }
    return this.#sequence;
  }

  /** A message of this instance went out within the lease: who names it has heard of us since. */
  isRecent(sequence: number, nowMs: number): boolean {
    const sentAtMs = this.#sentAtMs.get(sequence);
    return sentAtMs !== undefined && nowMs - sentAtMs <= this.times.leaseMs;
  }

  /** Everyone that was heard, for the next message. */
  heard(): readonly Omit<Heard, "names" | "boards">[] {
    const peers = [...this.peers.values()].map(({ region, instance, incarnation, sequence }) => {
      return { region, instance, incarnation, sequence };
    });
    // Nobody has to come after a candidate: it may be one that has to stay out.
    const candidates = [...this.#candidates.values()].map((one) => ({ ...one, incarnation: 0 }));
    return [...peers, ...candidates];
  }

  /** Judges a message whose signature is right. */
  take(message: Message, nowMs: number): Verdict {
    const self = this.#self;
    if (message.region === self.region) {
      return { kind: message.instance === self.instance ? "own" : "rival" };
    }
    const peer = this.peers.get(message.region);
    const isKnown = peer?.instance === message.instance;
    const before = isKnown ? peer : this.#candidates.get(nameOf(message));
    if (before !== undefined && message.sequence <= before.sequence) return refused("replayed");
    const isHello = message.kind === "hello";
    if (!isHello && peer !== undefined && isLater(peer, message)) return refused("replayed");
    this.#learnOwnPast(message);
    if (isKnown) peer.sequence = message.sequence;
    else this.#remember(message);
    // Who greets has not joined: it may yet find that its name is taken.
    if (isHello) return { kind: "greeting" };
    const proof = this.#proof(message, nowMs);
    if (proof !== "fresh") return refused(refusalOf(proof, message, isKnown));
    if (isKnown && peer.incarnation === message.incarnation) {
      peer.heardAtMs = nowMs;
      return { kind: "taken", peer, change: this.#move(peer, "joined", nowMs) };
    }
    return this.#welcome(message, peer, nowMs);
  }

  /** Whether a message is still young enough to be acted on: its sender has heard us within the lease. */
  isFresh(message: Message, nowMs: number): boolean {
    return this.#proof(message, nowMs) === "fresh";
  }

  /** A region says that it leaves. */
  left(peer: Peer, nowMs: number): PeerChange | undefined {
    return this.#move(peer, "left", nowMs);
  }

  /** Runs leases out; returns whom that changed. */
  tick(nowMs: number): readonly PeerChange[] {
    if (this.#state === "joining" && nowMs - this.#stateSinceMs >= this.times.joinMs) {
      this.#joinedAtMs = nowMs;
      this.#turn("joined", nowMs);
    }
    if (this.#state === "refused" && nowMs - this.#refusedAtMs >= this.times.leaseMs) {
      this.#turn("joining", nowMs);
    }
    return [...this.peers.values()].flatMap((peer) => this.#age(peer, nowMs) ?? []);
  }

  /** How often a region that has not joined asks for its name, ms. */
  get asksMs(): number | undefined {
    if (this.#state === "joining") return this.times.joinMs / 4;
    return this.#state === "refused" ? this.times.leaseMs * ASK_AGAIN_SHARE : undefined;
  }

  /**
   * Another instance has our name. `claim` is its answer to us, with the time that it has been in the
   * cluster. True when we have to tell it that the name is taken.
   */
  rival(message: Message, claim: { readonly ageMs: number } | undefined, nowMs: number): boolean {
    if (claim === undefined) {
      if (this.#state === "joined") return true;
      // Two that start together: the same one stays out on both sides.
      const yields = message.kind === "hello" && message.instance < this.#self.instance;
      if (this.#state === "joining" && yields) this.#refuse(nowMs);
      return false;
    }
    const isYounger =
      this.#state === "joining" ||
      this.#state === "refused" ||
      (this.#state === "joined" && this.ageMs(nowMs) < claim.ageMs);
    if (isYounger) this.#refuse(nowMs);
    return false;
  }

  #refuse(nowMs: number): void {
    this.#refusedAtMs = nowMs;
    this.#joinedAtMs = undefined;
    this.#turn("refused", nowMs);
  }

  #turn(state: OwnState, nowMs: number): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#stateSinceMs = nowMs;
  }

  /** Others remember an instance of our name that came before us: we come after it. */
  #learnOwnPast({ heard }: Message): void {
    for (const { region, instance, incarnation } of heard) {
      const self = this.#self;
      if (region !== self.region || instance === self.instance) continue;
      if (incarnation >= self.incarnation) {
        this.#self = { ...self, incarnation: incarnation + 1 };
      }
    }
  }

  #proof({ heard }: Message, nowMs: number): "fresh" | "old" | "none" {
    const { region, instance } = this.#self;
    const own = heard.find((one) => one.region === region && one.instance === instance);
    if (own === undefined) return "none";
    return this.isRecent(own.sequence, nowMs) ? "fresh" : "old";
  }

  #remember({ region, instance, incarnation, sequence }: Message): void {
    const name = nameOf({ region, instance });
    this.#candidates.delete(name);
    this.#candidates.set(name, { region, instance, incarnation, sequence });
    const [oldest] = this.#candidates.keys();
    if (this.#candidates.size > MAX_CANDIDATES && oldest !== undefined) {
      this.#candidates.delete(oldest);
    }
  }

  #welcome(message: Message, before: Peer | undefined, nowMs: number): Verdict {
    if (before === undefined && this.peers.size >= MAX_REGIONS) return refused("full");
    const { region, instance, incarnation, sequence } = message;
    const peer: Peer = {
      region,
      instance,
      incarnation,
      sequence,
      card: undefined,
      state: "joined",
      heardAtMs: nowMs,
      sinceMs: nowMs,
    };
    this.#candidates.delete(nameOf(peer));
    this.peers.set(region, peer);
    const change: PeerChange = { peer, from: before?.state, to: "joined", isNew: true };
    return { kind: "taken", peer, change };
  }

  #age(peer: Peer, nowMs: number): PeerChange | undefined {
    const { suspectMs, leaseMs } = this.times;
    if (isGone(peer.state)) {
      if (nowMs - peer.sinceMs > FORGET_MS) this.peers.delete(peer.region);
      return undefined;
    }
    const silentMs = nowMs - peer.heardAtMs;
    if (silentMs > leaseMs) return this.#move(peer, "lost", nowMs);
    return silentMs > suspectMs ? this.#move(peer, "suspected", nowMs) : undefined;
  }

  #move(peer: Peer, to: PeerState, nowMs: number): PeerChange | undefined {
    const from = peer.state;
    if (from === to) return undefined;
    peer.state = to;
    peer.sinceMs = nowMs;
    return { peer, from, to, isNew: false };
  }
}

const nameOf = ({ region, instance }: Pick<Speaker, "region" | "instance">): string =>
  `${region}\0${instance}`;

const refused = (refusal: Refusal): Verdict => ({ kind: "refused", refusal });

/** What a region says before it has shown that it is alive is not listened to. */
const refusalOf = (proof: "old" | "none", { kind }: Message, isKnown: boolean): Refusal => {
  if (!isKnown && kind !== "hello" && kind !== "beat") return "unknown";
  return proof === "old" ? "expired" : "unproven";
};
