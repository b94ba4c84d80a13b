/**
 * A chain's providers: which of them may serve, who rests, and the snapshot that routing reads.
 *
 * Owns the HTTP pools, the cooldowns and the routing snapshot, and keeps the `providers` supervisor's
 * children equal to the configuration. Permanent; a restart adopts pools and cells as it finds them,
 * because both live in the chain's record: requests go on while the whole chain is being restarted.
 */
import type { ProviderConfig } from "../../config/schema.ts";
import { defineActor, keyFor, reply, type ChildSpec, type Ctx } from "../../src/otp/index.ts";
import type { ChainState } from "../../src/rpc/chain-state.ts";
import type { AttemptOutcome, EndpointRow } from "../../src/rpc/chain-view.ts";
import { restAgain, type Resting } from "../../src/rpc/cooldown.ts";
import { DECISIONS } from "../../src/rpc/errors/decisions.ts";
import type { ProviderId, Transport } from "../../src/rpc/ids.ts";
import type { Upstream } from "../../src/rpc/proxy/ports.ts";
import { buildSnapshot } from "../../src/rpc/routing.ts";
import { nextInLine } from "../../src/rpc/selection/next-in-line.ts";
import { takeSwitches } from "../../src/rpc/selection/sticky.ts";
import { circuitBreakerKey } from "./circuit-breaker.ts";
import { probeKey } from "./probe.ts";

/** An HTTP pool: opened here, closed by the chain's record when its provider goes. */
export interface HttpUpstream extends Upstream {
  /** Lets calls in flight finish, then closes the connections. */
  close(): void;
}

/** What the pool needs beside the chain's record. */
export interface ProviderPoolArgs {
  readonly state: ChainState;
  /** Registered name of the supervisor of this chain's providers. */
  readonly supervisor: string;
  /** The subtree of one provider. */
  readonly provider: (state: ChainState, provider: ProviderConfig) => ChildSpec;
  /** Opens a pool; `onConnect` is called for each new connection. */
  readonly openHttp: (
    state: ChainState,
    provider: ProviderConfig,
    onConnect: () => void,
  ) => HttpUpstream;
}

/** Which endpoint a verdict is about. */
export interface EndpointId {
  readonly provider: ProviderId;
  readonly transport: Transport;
}

interface State extends ProviderPoolArgs {
  readonly cooldowns: ReadonlyMap<EndpointRow, Resting>;
  readonly version: number;
  readonly isDirty: boolean;
  /** Cells whose breaker has been told that the quarantine is over, with the generation it had then. */
  readonly releasing: Map<EndpointRow, number>;
  /** The incarnation of the supervisor that is monitored; one monitor each, however often it is looked at. */
  readonly watched: { pid: string | undefined };
}

const rebuildMs = 250;
const staleMs = 1_000;
/** A suspect endpoint is asked once per second whether it has come back, ms. */
const recheckMs = 1_000;
/** Wait before the supervisor of the providers is looked for again after its death, ms. */
const retryMs = 20;
/** Wait before a provider whose processes could not start is tried again, ms. */
const restartMs = 1_000;

/** The provider pool of one chain. */
export const providerPool = defineActor({
  name: "rpc/provider-pool",
  init: (args: ProviderPoolArgs, ctx): State => {
    admitAll(args, ctx);
    ctx.after(0, "reconcile");
    ctx.every(rebuildMs, "rebuild");
    ctx.every(recheckMs, "recheck");
    return rebuilt(
      {
        ...args,
        cooldowns: new Map(),
        version: 0,
        isDirty: true,
        releasing: new Map(),
        watched: { pid: undefined },
      },
      ctx,
    );
  },
  calls: {
    /** Makes the running providers those of the configuration; `renewed` ones start anew. */
    configure: async (state, { renewed }: { readonly renewed: readonly ProviderId[] }, ctx) => {
      for (const id of await runningIds(state, ctx)) {
        if (!isWanted(state, id) || renewed.includes(id)) await withdraw(state, id, ctx);
      }
      admitAll(state, ctx);
      await reconcile(state, ctx);
      return reply(rebuilt(state, ctx), "ok" as const);
    },
  },
  casts: {
    /** An attempt ended; only capacity concerns the pool. */
    outcome: (state, outcome: AttemptOutcome, ctx) =>
      DECISIONS[outcome.errorClass].memory === "cooldown" ? rest(state, outcome, ctx) : state,
    /** Something that routing reads has changed. */
    changed: (state, _arg: undefined) => ({ ...state, isDirty: true }),
    verified: (state, at: EndpointId, ctx) => {
      const row = rowOf(state, at);
      if (row.isUsable) return state;
      const wasQuarantined = row.unusableReason?.startsWith("wrong chain") === true;
      if (wasQuarantined) {
        release(row, ctx);
        state.releasing.set(row, row.generation);
      }
      permit(row, cordonOf(state, at.provider));
      return rebuilt(state, ctx);
    },
    unverified: (state, at: EndpointId & { readonly reason: string }) => {
      const row = rowOf(state, at);
      if (!row.isUsable && !row.unusableReason?.startsWith("wrong chain")) {
        row.unusableReason = `chain id not verified yet: ${at.reason}`;
      }
      return { ...state, isDirty: true };
    },
    wrongChain: (state, at: EndpointId & { readonly seen: number }, ctx) => {
      const row = rowOf(state, at);
      const reason = `wrong chain: ${at.seen} instead of ${state.state.chainId}`;
      if (row.unusableReason !== reason) {
        ctx.emit("provider.quarantined", {
          chain: state.state.name,
          provider: at.provider,
          transport: at.transport,
          reason,
        });
      }
      row.isUsable = false;
      row.unusableReason = reason;
      return rebuilt(state, ctx);
    },
  },
  on: async (state, info, ctx) => {
    if (info.type === "down") {
      ctx.after(retryMs, "reconcile");
      return state;
    }
    if (info.type !== "timer") return state;
    if (info.key === "reconcile") {
      await reconcile(state, ctx);
      return state;
    }
    if (info.key === "recheck") {
      recheckSuspects(state, ctx);
      lookAtQuotas(state, ctx);
      return state;
    }
    releaseAgain(state, ctx);
    const isForeseen = lookAhead(state, ctx);
    const age = ctx.now() - (state.state.snapshot?.builtAtMs ?? 0);
    return isForeseen || state.isDirty || age >= staleMs ? rebuilt(thawed(state, ctx), ctx) : state;
  },
  formatState: ({ state, version, cooldowns, isDirty }) => ({
    chain: state.name,
    snapshot: version,
    providers: state.config.providers.length,
    resting: cooldowns.size,
    isDirty,
  }),
});

/** Finds the pool of a chain. */
export const providerPoolKey = keyFor(providerPool, "chain");

const rowOf = ({ state }: State, { provider, transport }: EndpointId): EndpointRow =>
  state.rows(provider)[transport];

const cordonOf = ({ state }: ProviderPoolArgs, provider: ProviderId): boolean =>
  state.config.providers.find(({ id }) => id === provider)?.cordoned === true;

const permit = (row: EndpointRow, isCordoned: boolean): void => {
  row.isUsable = !isCordoned;
  row.unusableReason = isCordoned ? "cordoned" : undefined;
};

/** Opens what all providers need, within the budgets of the configuration. */
const admitAll = (args: ProviderPoolArgs, ctx: Ctx): void => {
  const { config, budgets } = args.state;
  budgets.configure(config.providers, ctx.wallNow());
  for (const provider of config.providers) admit(args, provider);
};

/** Opens what a provider needs; its endpoints stay unusable until they have named their chain. */
const admit = ({ state, openHttp }: ProviderPoolArgs, provider: ProviderConfig): void => {
  const rows = state.rows(provider.id);
  const budget = state.budgets.of(provider.id);
  rows.http.budget = budget;
  rows.ws.budget = budget;
  if (provider.url === undefined) close(rows.http, "no url");
  else if (state.upstream(rows.http) === undefined) {
    state.attach(
      rows.http,
      openHttp(state, provider, () => state.onConnect(provider.id)),
    );
    close(rows.http, "chain id not verified yet");
    state.onConnect(provider.id);
  } else if (rows.http.isUsable || rows.http.unusableReason === "cordoned") {
    permit(rows.http, provider.cordoned);
  }
  if (provider.wsUrl === undefined) close(rows.ws, "no ws_url");
  else if (rows.ws.isUsable || rows.ws.unusableReason === "cordoned") {
    permit(rows.ws, provider.cordoned);
  } else if (rows.ws.unusableReason === "not started") {
    close(rows.ws, "not connected yet");
  }
};

const close = (row: EndpointRow, reason: string): void => {
  row.isUsable = false;
  row.unusableReason = reason;
};

const childId = (provider: ProviderId): string => `provider:${provider}`;

const runningIds = async (state: State, ctx: Ctx): Promise<readonly ProviderId[]> => {
  const children = await ctx.supervisor(state.supervisor)?.whichChildren();
  return (children ?? []).map(({ id }) => String(id).slice(childId("").length));
};

const isWanted = ({ state }: ProviderPoolArgs, provider: ProviderId): boolean =>
  state.config.providers.some(({ id }) => id === provider);

const withdraw = async (state: State, provider: ProviderId, ctx: Ctx): Promise<void> => {
  const supervisor = ctx.supervisor(state.supervisor);
  await supervisor?.terminateChild(childId(provider));
  await supervisor?.deleteChild(childId(provider));
  state.state.dismiss(provider);
};

/**
 * Starts the providers that do not run, stops those that a reload has removed while nobody was here
 * to follow it, and watches their supervisor.
 */
const reconcile = async (state: State, ctx: Ctx): Promise<void> => {
  const supervisor = ctx.supervisor(state.supervisor);
  if (supervisor === undefined) {
    ctx.after(retryMs, "reconcile");
    return;
  }
  if (state.watched.pid !== supervisor.id) {
    state.watched.pid = supervisor.id;
    ctx.monitor(supervisor);
  }
  const running = new Set(await runningIds(state, ctx));
  for (const id of running) if (!isWanted(state, id)) await withdraw(state, id, ctx);
  for (const provider of state.state.config.providers) {
    if (running.has(provider.id)) continue;
    const result = await supervisor.startChild(state.provider(state.state, provider));
    if (result.ok) continue;
    const fields = { chain: state.state.name, provider: provider.id, reason: result.reason };
    ctx.log.error(fields, "a provider could not be started, trying again");
    ctx.after(restartMs, "reconcile");
  }
};

const release = ({ chain, provider, transport }: EndpointRow, ctx: Ctx): void =>
  ctx.via(circuitBreakerKey(chain, provider, transport)).cast.released();

/** A breaker that died with the word in its mailbox is told again, or it would stay open for ever. */
const releaseAgain = ({ releasing }: State, ctx: Ctx): void => {
  for (const [row, generation] of releasing) {
    if (row.isUsable && row.forced && row.generation === generation) release(row, ctx);
    else releasing.delete(row);
  }
};

const recheckSuspects = ({ state }: State, ctx: Ctx): void => {
  for (const { id } of state.config.providers) {
    for (const row of Object.values(state.rows(id)) as readonly EndpointRow[]) {
      if (row.suspect) ctx.via(probeKey(state.name, id)).cast.recheck(row.transport);
    }
  }
};

/** Turns the quotas' pages, and says which are running out. */
const lookAtQuotas = ({ state }: State, ctx: Ctx): void => {
  for (const { provider, step, used, limit } of state.budgets.look(ctx.wallNow())) {
    const fields = { chain: state.name, provider, used, limit };
    if (step === "spent") ctx.emit("provider.quota_spent", fields);
    else if (step === "low") ctx.emit("provider.quota_low", fields);
    else ctx.emit("provider.quota_renewed", fields);
  }
};

/** Tells what has changed, and makes the next in line ready for its turn; true when routing changes. */
const lookAhead = ({ state }: State, ctx: Ctx): boolean => {
  const changes = state.forecasts.look(state, ctx.now());
  for (const { provider, step, probability, reason } of changes) {
    const fields = { chain: state.name, provider, probability, reason };
    if (step === "likely") warmNext(state, provider, ctx);
    else if (step === "predicted") ctx.emit("provider.predicted", fields);
    else ctx.emit("provider.prediction_cleared", fields);
  }
  return changes.some(({ step }) => step !== "likely");
};

/** Asks the provider that would follow something, so that its connections are open and known. */
const warmNext = (state: ChainState, failing: ProviderId, ctx: Ctx): void => {
  const next = state.snapshot === undefined ? undefined : nextInLine(state.snapshot, failing);
  if (next === undefined) return;
  ctx.via(probeKey(state.name, next.provider)).cast.warm(next.transport);
};

const rest = (state: State, outcome: AttemptOutcome, ctx: Ctx): State => {
  const { row, retryAfterMs } = outcome;
  const nowMs = ctx.now();
  const known = state.cooldowns.get(row);
  const next = restAgain(known, row.successes, nowMs, retryAfterMs, ctx.random());
  if (next === known) return state;
  row.cooldownUntilMs = next.untilMs;
  ctx.emit("provider.cooldown.start", {
    chain: row.chain,
    provider: row.provider,
    transport: row.transport,
    cooldownMs: next.untilMs - nowMs,
  });
  const cooldowns = new Map(state.cooldowns).set(row, next);
  return { ...state, cooldowns, isDirty: true };
};

/** Forgets cooldowns that are over and were followed by a success. */
const thawed = (state: State, ctx: Ctx): State => {
  const nowMs = ctx.now();
  const over = [...state.cooldowns].filter(
    ([row, { untilMs, successes }]) => untilMs <= nowMs && row.successes > successes,
  );
  if (over.length === 0) return state;
  const cooldowns = new Map(state.cooldowns);
  for (const [row] of over) {
    cooldowns.delete(row);
    const { chain, provider, transport } = row;
    ctx.emit("provider.cooldown.end", { chain, provider, transport });
  }
  return { ...state, cooldowns };
};

const rebuilt = (state: State, ctx: Ctx): State => {
  const version = state.version + 1;
  for (const { key, from, to } of takeSwitches(state.state.memory)) {
    ctx.emit("rpc.selection.switch", { chain: state.state.name, from, to, reason: key });
  }
  state.state.snapshot = buildSnapshot(state.state, version, ctx.now());
  return { ...state, version, isDirty: false };
};
