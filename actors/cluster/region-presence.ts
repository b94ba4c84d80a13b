/**
 * Says that this region lives, hears of the others, and hands on what they share.
 *
 * The view itself belongs to the host (`Cluster`), and so do the two connections; a restart loses the
 * messages that were in the mailbox, which the next heartbeats make good. Permanent. Nothing else
 * waits for it: requests are served without a look at the cluster.
 */
import type { Cluster, Taken } from "../../src/cluster/cluster.ts";
import type { PeerChange } from "../../src/cluster/membership.ts";
import type { OwnState } from "../../src/cluster/protocol.ts";
import { refusalsTold, tellRefusal } from "../../src/cluster/refusals.ts";
import type { RedisChange } from "../../src/io/redis/link.ts";
import type { Seldom } from "../../src/lib/seldom.ts";
import { type Ctx, defineActor, isCleanReason, keyFor, stop } from "../../src/otp/index.ts";
import { leaderboardSyncKey } from "./leaderboard-sync.ts";
import { regionCommandsKey } from "./region-commands.ts";
import { registrySyncKey } from "./registry-sync.ts";

/** Where messages come from and go to. */
export interface ChannelPort {
  /** Callbacks are the caller's from now on. */
  adopt(onChange: (change: RedisChange) => void, onMessage: (bytes: Buffer) => void): void;
  open(): void;
  close(): void;
  /** Messages are heard, and can be said. */
  readonly isUp: boolean;
  /** Lost without a word when it cannot be sent. */
  publish(bytes: Buffer): void;
  /** Makes a connection that is dead show it. */
  probe(): void;
  /** Listens over another connection. */
  renew(): void;
}

/** What the process drives. */
export interface RegionPresenceArgs {
  readonly cluster: Cluster;
  readonly channel: ChannelPort;
  readonly redact: (text: string) => string;
}

interface State extends RegionPresenceArgs {
  beatAtMs: number;
  askedAtMs: number;
  claimedAtMs: number;
  shownState: OwnState;
  wasUnheard: boolean;
  /** When the channel was last renewed because of that. */
  renewedAtMs: number;
  readonly told: Seldom;
}

const TICK_MS = 250;
/** Least time between two tries to hear ourselves over another connection, ms. */
const RENEW_LEAST_MS = 60_000;
/** Least time between two answers, ms: whoever asks cannot make us speak all the time. */
const ANSWER_LEAST_MS = 100;
const NEVER = Number.NEGATIVE_INFINITY;

/** The region's presence in the cluster. */
export const regionPresence = defineActor({
  name: "cluster/region-presence",
  trapExit: true,
  mailbox: { max: 2_000, overflow: "drop-oldest" },
  init: (args: RegionPresenceArgs, ctx): State => {
    const { self } = ctx;
    args.channel.adopt(
      (change) => self.send(change),
      (bytes) => self.send(bytes),
    );
    args.channel.open();
    ctx.every(TICK_MS, "tick");
    const shownState = args.cluster.membership.state;
    return {
      ...args,
      beatAtMs: NEVER,
      askedAtMs: NEVER,
      claimedAtMs: NEVER,
      shownState,
      wasUnheard: false,
      renewedAtMs: NEVER,
      told: refusalsTold(),
    };
  },
  on: (state, info, ctx) => {
    if (info.type === "exit") return isCleanReason(info.reason) ? state : stop(state, info.reason);
    if (info.type === "timer") tick(state, ctx);
    else if (info.type === "info" && Buffer.isBuffer(info.payload)) hear(state, info.payload, ctx);
    else if (info.type === "info") linkChanged(state, info.payload as RedisChange, ctx);
    tellOwnState(state, ctx);
    return state;
  },
  terminate: ({ cluster, channel }, reason, ctx) => {
    if (!isCleanReason(reason)) return;
    if (channel.isUp && cluster.membership.state === "joined") {
      channel.publish(cluster.say("bye", null, ctx.now()));
    }
    channel.close();
  },
  formatState: ({ cluster, channel }) => ({
    state: cluster.membership.state,
    isUp: channel.isUp,
    peers: [...cluster.membership.peers.values()].map(({ region, state }) => ({ region, state })),
  }),
});

/** Finds the region's presence. */
export const regionPresenceKey = keyFor(regionPresence);

const tick = (state: State, ctx: Ctx): void => {
  const { cluster, channel } = state;
  const { membership } = cluster;
  const nowMs = ctx.now();
  membership.connected(channel.isUp, nowMs);
  for (const change of cluster.tick(nowMs)) tellPeer(change, ctx);
  const isUnheard = cluster.isUnheard(nowMs);
  if (isUnheard && !state.wasUnheard) ctx.emit("cluster.unheard", {});
  state.wasUnheard = isUnheard;
  if (isUnheard && nowMs - state.renewedAtMs >= RENEW_LEAST_MS) {
    state.renewedAtMs = nowMs;
    channel.renew();
  }
  const { asksMs } = membership;
  if (asksMs !== undefined && nowMs - state.askedAtMs >= asksMs) {
    state.askedAtMs = nowMs;
    channel.publish(cluster.say("hello", null, nowMs));
  }
  if (nowMs - state.beatAtMs >= membership.times.heartbeatMs) beat(state, nowMs);
};

const beat = (state: State, nowMs: number): void => {
  const { cluster, channel } = state;
  channel.probe();
  if (!channel.isUp || cluster.membership.state !== "joined") return;
  state.beatAtMs = nowMs;
  channel.publish(cluster.beat(nowMs));
};

const linkChanged = ({ cluster, channel, redact }: State, change: RedisChange, ctx: Ctx): void => {
  if (change.to === "down") {
    ctx.emit("cluster.link_lost", { reason: redact(change.reason ?? ""), delayMs: change.retryMs });
  }
  cluster.membership.connected(channel.isUp, ctx.now());
};

const hear = (state: State, bytes: Buffer, ctx: Ctx): void => {
  const { cluster } = state;
  const nowMs = ctx.now();
  const taken = cluster.take(bytes, nowMs);
  switch (taken.kind) {
    case "own":
    case "nothing":
      return;
    case "refused":
      if (QUIET.has(taken.refusal)) return;
      tellRefusal(state.told, taken.refusal, state.redact(taken.detail), ctx);
      return;
    case "answer":
      answer(state, taken, nowMs);
      return;
    case "taken": {
      const { message, change } = taken;
      if (change !== undefined) tellPeer(change, ctx);
      if (message.kind === "names") ctx.via(registrySyncKey()).cast.take(message);
      if (message.kind === "boards") ctx.via(leaderboardSyncKey()).cast.take(message);
      if (message.kind === "order" || message.kind === "reply") {
        ctx.via(regionCommandsKey()).cast.take(message);
      }
      // It has proven itself to us; the sooner it hears that, the sooner we have to it.
      if (change?.isNew === true) answer(state, { kind: "answer", say: "beat" }, nowMs);
      return;
    }
    default:
      taken satisfies never;
  }
};

const answer = (
  state: State,
  what: Extract<Taken, { readonly kind: "answer" }>,
  nowMs: number,
): void => {
  if (what.say === "beat") {
    if (nowMs - state.beatAtMs >= ANSWER_LEAST_MS) beat(state, nowMs);
  } else if (nowMs - state.claimedAtMs >= ANSWER_LEAST_MS) {
    state.claimedAtMs = nowMs;
    state.channel.publish(state.cluster.claim(what.to, nowMs));
  }
};

const tellPeer = ({ peer, from: before, to, isNew }: PeerChange, ctx: Ctx): void => {
  const { region: remote, incarnation } = peer;
  const from = before ?? "unknown";
  if (to === "joined" && isNew) ctx.emit("cluster.region_joined", { remote, incarnation, from });
  else ctx.emit("cluster.region_changed", { remote, from, to });
};

const tellOwnState = (state: State, ctx: Ctx): void => {
  const { membership } = state.cluster;
  if (membership.state === state.shownState) return;
  const from = state.shownState;
  state.shownState = membership.state;
  if (membership.state === "refused") ctx.emit("cluster.name_taken", {});
  else ctx.emit("cluster.state", { from, to: membership.state });
};

/** At a start, and after Redis was away, these are as it should be; they are only counted. */
const QUIET: ReadonlySet<string> = new Set(["unproven", "unknown", "expired"]);
