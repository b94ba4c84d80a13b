/** Verbs about providers and their breakers. */
import { didYouMean } from "../../../../config/reading/suggest.ts";
import { askAndShow } from "../ask.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import type { InstanceOptions } from "../options.ts";
import { renderBreakers, renderCache, renderProviders } from "../render.ts";
import type { BreakerLine, CacheLine, ProviderLine } from "../render.ts";
import type { Paint, Terminal } from "../terminal.ts";

/** `paceline providers`. */
export function showProviders(
  chain: string | undefined,
  options: InstanceOptions,
  terminal: Terminal,
): Promise<number> {
  const question = {
    cmd: "providers",
    // `providers ls` reads naturally beside `breaker ls`; no chain may be called so by accident
    args: { chain: chain === "ls" ? undefined : chain },
    render: (reply: { readonly providers: readonly ProviderLine[] }, paint: Paint) =>
      renderProviders(reply.providers, paint),
  };
  return askAndShow(question, options, terminal);
}

/** `paceline cache`. */
export function showCache(
  chain: string | undefined,
  options: InstanceOptions,
  terminal: Terminal,
): Promise<number> {
  const question = {
    cmd: "cache",
    args: { chain },
    render: (reply: { readonly chains: readonly CacheLine[] }, paint: Paint) =>
      renderCache(reply.chains, paint),
  };
  return askAndShow(question, options, terminal);
}

const ACTIONS = ["ls", "open", "close", "reset"];

/** `paceline breaker`. */
export async function breakers(
  action: string,
  endpoint: string | undefined,
  options: InstanceOptions & { readonly for?: number; readonly reason?: string },
  terminal: Terminal,
): Promise<number> {
  if (!ACTIONS.includes(action)) {
    const guess = didYouMean(action, ACTIONS);
    throw new CliError(EXIT.usage, `breaker: unknown action "${action}"${guess}`);
  }
  if (action === "ls") {
    const question = {
      cmd: "breaker",
      args: { action, endpoint },
      render: (reply: { readonly breakers: readonly BreakerLine[] }, paint: Paint) =>
        renderBreakers(reply.breakers, paint),
    };
    return askAndShow(question, options, terminal);
  }
  if (endpoint === undefined) {
    throw new CliError(
      EXIT.usage,
      `breaker ${action}: which one? chain/provider/http, or chain/provider`,
    );
  }
  const question = {
    cmd: "breaker",
    args: { action, endpoint, forMs: options.for, reason: options.reason },
    role: "operator",
    render: (reply: { readonly endpoints: readonly string[] }) =>
      `${action}: ${reply.endpoints.join(", ")}`,
  } as const;
  return askAndShow(question, options, terminal);
}
