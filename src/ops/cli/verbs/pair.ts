/** `paceline pair`: a policy paired by a running instance, and the demo of pairing. */
import { askAndShow } from "../ask.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import type { InstanceOptions } from "../options.ts";
import { type PairView, renderPairing, renderWhy, type WhyView } from "../render-pairing.ts";
import type { Paint, Terminal } from "../terminal.ts";

/** Options of `paceline pair`. */
export interface PairOptions extends InstanceOptions {
  readonly policy?: string;
  readonly market?: string;
  readonly top?: number;
  readonly strategy?: string;
  readonly weights?: string;
  readonly seed?: string;
  readonly explain?: boolean;
  readonly why?: string;
}

/** Asks a running instance. */
export function pairPolicy(options: PairOptions, terminal: Terminal): Promise<number> {
  const { policy, market, top, strategy, weights, seed, explain, why } = options;
  const request = {
    policy: parsed(policy, "policy") ?? {},
    ...(top === undefined ? {} : { top }),
    ...(strategy === undefined ? {} : { strategy }),
    ...(weights === undefined ? {} : { weights: parsed(weights, "weights") }),
    ...(seed === undefined ? {} : { seed: /^-?\d{1,15}$/.test(seed) ? Number(seed) : seed }),
    ...(explain === true ? { explain } : {}),
  };
  const question = {
    cmd: "pair",
    args: { request, market, why },
    render: (reply: PairView | WhyView, paint: Paint) =>
      "refusals" in reply ? renderWhy(reply, paint) : renderPairing(reply, paint),
  };
  return askAndShow(question, options, terminal);
}

function parsed(text: string | undefined, name: string): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new CliError(EXIT.usage, `pair: --${name} is not JSON`);
  }
}
