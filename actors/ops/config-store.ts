/**
 * The running configuration, as a table row, and the only way to change it.
 *
 * A reload reads and checks the new file first, asks for the plan, and only then touches the tree; a
 * bad file or a change that needs a new host changes nothing.
 * Permanent; a restart finds the configuration it last applied in the host's record.
 */
import type { ReloadPlan } from "../../config/plan.ts";
import type { Config } from "../../config/schema.ts";
import { defineActor, keyFor, reply, Table, type Ctx } from "../../src/otp/index.ts";

/** What came of reading the file again. */
export type Reading =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly errors: readonly string[] };

/** What the store needs from the host program. */
export interface ConfigStoreArgs {
  /** The configuration last applied; outlives this process. */
  readonly current: {
    config: Config;
    /** A reload was begun whose end nobody has heard of: the tree may be ahead of `config`. */
    isUnsettled?: boolean;
  };
  readonly read: () => Promise<Reading>;
  readonly plan: (running: Config, wanted: Config) => ReloadPlan;
  /** Carries the plan out; rejects when the tree could not follow. */
  readonly apply: (config: Config, plan: ReloadPlan) => Promise<void>;
}

/** What a reload did. */
export type ReloadResult =
  | { readonly ok: true; readonly plan: ReloadPlan }
  | { readonly ok: false; readonly code: string; readonly errors: readonly string[] };

type State = ConfigStoreArgs;

/** Name of the table whose row `config` is the running configuration. */
export const configTable = "ops/config";

/** The configuration store. */
export const configStore = defineActor({
  name: "ops/config-store",
  init: (args: ConfigStoreArgs, ctx): State => {
    Table.open<Config>(ctx, configTable).put("config", args.current.config);
    return args;
  },
  calls: {
    get: (state, _arg: undefined) => reply(state, state.current.config),
    /** Reads the file again and applies what changed; one reload at a time, since turns are. */
    reload: async (state, _arg: undefined, ctx) => {
      const startedMs = ctx.now();
      const result = await reload(state, ctx);
      const durationMs = ctx.now() - startedMs;
      if (result.ok) {
        const changes = result.plan.steps.map(spellStep);
        ctx.emit("config.reload.stop", { result: "applied", durationMs, changes });
      } else {
        ctx.emit("config.reload.stop", {
          result: "refused",
          durationMs,
          code: result.code,
          reason: result.errors.join("; "),
          changes: [],
        });
      }
      return reply(state, result);
    },
    /** What a reload would do now. */
    plan: async (state, _arg: undefined, ctx) => {
      const reading = await ctx.guard(state.read());
      if (!reading.ok) return reply(state, bad(reading.errors));
      const plan = state.plan(state.current.config, reading.config);
      const result: ReloadResult = { ok: true, plan };
      return reply(state, result);
    },
  },
  formatState: ({ current: { config } }) => ({
    region: config.region,
    chains: config.chains.map(({ name, providers }) => `${name} (${providers.length})`),
  }),
});

/** Finds the configuration store. */
export const configStoreKey = keyFor(configStore);

const reload = async (state: State, ctx: Ctx): Promise<ReloadResult> => {
  const reading = await ctx.guard(state.read());
  if (!reading.ok) return bad(reading.errors);
  const plan = state.plan(state.current.config, reading.config);
  if (plan.needsHost.length > 0) {
    const keys = plan.needsHost.join(", ");
    return {
      ok: false,
      code: "CONFIG_NEEDS_RESTART",
      errors: [`these keys take effect only at a new start: ${keys}; nothing was applied`],
    };
  }
  if (plan.steps.length > 0 || state.current.isUnsettled === true) {
    state.current.isUnsettled = true;
    const failure = await ctx.guard(state.apply(reading.config, plan).then(noFailure, messageOf));
    if (failure !== undefined) return { ok: false, code: "CONFIG_APPLY_FAILED", errors: [failure] };
    state.current.config = reading.config;
    state.current.isUnsettled = false;
    ctx.table<Config>(configTable)?.put("config", reading.config);
  }
  return { ok: true, plan };
};

const bad = (errors: readonly string[]): ReloadResult => ({
  ok: false,
  code: "CONFIG_INVALID",
  errors,
});

const noFailure = (): undefined => undefined;

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** `restart ethereum/alchemy ws-connection`: a step as logs and operators read it. */
const spellStep = (step: ReloadPlan["steps"][number]): string =>
  [step.action, [step.chain, step.provider].filter(Boolean).join("/"), step.process]
    .filter(Boolean)
    .join(" ");
