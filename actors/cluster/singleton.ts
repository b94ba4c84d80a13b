/**
 * Keeps one process of the whole cluster: it runs in the region that holds its lease, and nowhere else.
 *
 * The lease is renewed five times in its time. A region that cannot renew it ends the process before
 * anybody else may have the lease, by its own clock. That alone is no proof, for a region may be frozen
 * meanwhile: whatever the process orders bears the lease's token, and whoever carries orders out keeps a
 * `Fence` (`src/cluster/lease.ts`). Without Redis the process runs nowhere: one too few is better than
 * one too many. Permanent; a restart begins by ending the process, and has its old token back at once.
 *
 * Nothing runs under it yet, and no supervisor starts it: it is made and tested for the market of jobs,
 * whose leader is to be the first process that a cluster has once.
 */
import {
  holdsUntilMs,
  type LeaseAnswer,
  type LeaseStore,
  type Token,
} from "../../src/cluster/lease.ts";
import {
  type ChildSpec,
  type Ctx,
  defineActor,
  isCleanReason,
  keyFor,
  stop,
} from "../../src/otp/index.ts";

/** One process of the whole cluster. */
export interface SingletonArgs {
  /** Names the lease; the same in all regions. */
  readonly name: string;
  readonly leases: LeaseStore;
  readonly leaseMs: number;
  /** Where it runs: a supervisor that this process does not have to itself. */
  readonly supervisor: string;
  /** The process of one term; its id is the lease's name. */
  readonly child: (token: Token) => ChildSpec;
}

interface Term {
  readonly number: number;
  readonly untilMs: number;
}

interface State extends SingletonArgs {
  term: Term | undefined;
  /** The highest token that was seen, whoever held it. */
  seen: number;
}

/** What came of a renewal that was asked for at `askedAtMs`. */
interface Answered {
  readonly askedAtMs: number;
  readonly answer: LeaseAnswer | undefined;
}

const RENEWALS = 5;

/** The keeper. */
export const singleton = defineActor({
  name: "cluster/singleton",
  trapExit: true,
  init: async (args: SingletonArgs, ctx): Promise<State> => {
    const state: State = { ...args, term: undefined, seen: 0 };
    await end(state, ctx);
    ctx.every(args.leaseMs / RENEWALS, "renew");
    ctx.after(0, "renew now");
    return state;
  },
  on: async (state, info, ctx) => {
    if (info.type === "exit") return isCleanReason(info.reason) ? state : stop(state, info.reason);
    if (info.type === "info") await take(state, info.payload as Answered, ctx);
    if (info.type === "timer") await turn(state, info.key, ctx);
    return state;
  },
  terminate: async (state, reason, ctx) => {
    const { term } = state;
    await end(state, ctx);
    if (term !== undefined && isCleanReason(reason)) state.leases.release(state.name, term.number);
  },
  formatState: ({ name, term, seen, leases }) => ({
    name,
    holds: term !== undefined,
    token: term?.number ?? seen,
    holder: leases.holder,
  }),
});

/** Finds the keeper of one name. */
export const singletonKey = keyFor(singleton, "id");

const turn = async (state: State, timer: string, ctx: Ctx): Promise<void> => {
  const askedAtMs = ctx.now();
  if (state.term !== undefined && askedAtMs >= state.term.untilMs) {
    await lose(state, "it could not be renewed", ctx);
  }
  if (timer === "over") return;
  const { self } = ctx;
  state.leases.acquire(state.name, state.leaseMs, state.seen, (answer) => {
    self.send({ askedAtMs, answer } satisfies Answered);
  });
};

const take = async (state: State, { askedAtMs, answer }: Answered, ctx: Ctx): Promise<void> => {
  if (answer === undefined) return;
  const { number, isOurs } = answer;
  state.seen = Math.max(state.seen, number);
  const isSame = state.term?.number === number;
  if (state.term !== undefined && !(isOurs && isSame)) await lose(state, "another has it", ctx);
  const untilMs = holdsUntilMs(askedAtMs, state.leaseMs);
  const leftMs = untilMs - ctx.now();
  // An answer may lie here for longer than the lease: then it is worth nothing.
  if (!isOurs || leftMs <= 0) return;
  if (state.term === undefined)
    ctx.emit("cluster.singleton_held", { name: state.name, token: number });
  state.term = { number, untilMs };
  ctx.after(leftMs, "over");
  await begin(state, number, ctx);
};

/** Runs the process of this term, unless it runs. */
const begin = async (state: State, number: number, ctx: Ctx): Promise<void> => {
  const spec = state.child({ number, holder: state.leases.holder });
  const started = await ctx.supervisor(state.supervisor)?.startChild({ ...spec, id: state.name });
  if (started?.ok !== false || isThere(started.reason)) return;
  ctx.log.error({ name: state.name, reason: started.reason }, "a singleton could not be started");
};

const lose = async (state: State, reason: string, ctx: Ctx): Promise<void> => {
  const token = state.term?.number ?? 0;
  ctx.emit("cluster.singleton_lost", { name: state.name, token, reason });
  state.term = undefined;
  await end(state, ctx);
};

const end = async (state: State, ctx: Ctx): Promise<void> => {
  const supervisor = ctx.supervisor(state.supervisor);
  await supervisor?.terminateChild(state.name);
  await supervisor?.deleteChild(state.name);
};

const isThere = (reason: unknown): boolean =>
  Array.isArray(reason) && reason[0] === "already_started";
