/** `paceline pair`: a policy paired by a running instance, and the demo of pairing. */
import { askAndShow } from "../ask.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import type { InstanceOptions } from "../options.ts";
import type { Assigned } from "../assignments.ts";
import { type PairView, renderPairing } from "../render-pairing.ts";
import {
  renderReplay,
  renderWhatIf,
  renderWhy,
  type ReplayView,
  type WhatIfView,
  type WhyView,
} from "../render-pairing-questions.ts";
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
  readonly whatIf?: Assigned;
  readonly replay?: string;
}

/** A replay reads the market as it was from the database. */
const REPLAY_MS = 60_000;

/** Asks a running instance. */
export function pairPolicy(options: PairOptions, terminal: Terminal): Promise<number> {
  const { policy, market, top, strategy, weights, seed, explain, why, whatIf, replay } = options;
  const request = {
    policy: policy === undefined ? {} : parsed(policy, "policy"),
    ...(top === undefined ? {} : { top }),
    ...(strategy === undefined ? {} : { strategy }),
    ...(weights === undefined ? {} : { weights: parsed(weights, "weights") }),
    ...(seed === undefined ? {} : { seed: /^-?\d{1,15}$/.test(seed) ? Number(seed) : seed }),
    ...(explain === true ? { explain } : {}),
  };
  const question = {
    cmd: "pair",
    args: { request, market, why, what_if: whatIf, replay },
    ...(replay === undefined ? {} : { replyMs: REPLAY_MS }),
    render: (reply: PairView | WhyView | WhatIfView | ReplayView, paint: Paint) => {
      if ("refusals" in reply) return renderWhy(reply, paint);
      if ("shifts" in reply) return renderWhatIf(reply, paint);
      return "isEqual" in reply ? renderReplay(reply, paint) : renderPairing(reply, paint);
    },
  };
  return askAndShow(question, options, terminal);
}

function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CliError(EXIT.usage, `pair: --${name} is not JSON`);
  }
}
