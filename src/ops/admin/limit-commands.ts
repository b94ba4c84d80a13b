/** Who calls, and what is left of their limits and of the providers' quotas, over the admin socket. */
import type { BudgetView, CallerView } from "../views.ts";
import { anyone, type Command } from "./command.ts";
import type { AdminDeps } from "./ports.ts";

/** Rows of one answer. */
const MAX_ROWS = 200;

/** The answer of `limits`; callers with the most units come first. */
export interface LimitsReply {
  /** All callers, those left out included. */
  readonly total: number;
  readonly callers: readonly CallerView[];
  readonly providers: readonly (BudgetView & {
    readonly chain: string;
    readonly provider: string;
  })[];
}

/** The command. */
export const LIMIT_COMMANDS: Readonly<Record<string, Command>> = {
  limits: {
    summary: "API keys and providers: what was used, what was refused, what is left.",
    role: anyone,
    args: {
      limit: { kind: "whole", meaning: "rows of each kind", min: 1, max: MAX_ROWS },
    },
    run: ({ limit = MAX_ROWS }, deps) => limitsOf(deps, Number(limit)),
  },
};

function limitsOf(deps: AdminDeps, limit: number): LimitsReply {
  const callers = [...deps.callers()].sort(
    (a, b) => b.units - a.units || b.calls - a.calls || a.id.localeCompare(b.id),
  );
  const providers = deps
    .chains()
    .flatMap((chain) =>
      chain.providers.flatMap(({ id, budget }) =>
        budget === undefined ? [] : [{ chain: chain.name, provider: id, ...budget }],
      ),
    );
  return {
    total: callers.length,
    callers: callers.slice(0, limit),
    providers: providers.slice(0, limit),
  };
}
