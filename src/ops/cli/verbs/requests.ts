/** Verbs about single requests: `paceline explain` and `paceline slow`. */
import type { ExplainView, SlowList, SlowView } from "../../requests/port.ts";
import { askAndShow, withClient } from "../ask.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { watchMs } from "../options.ts";
import type { InstanceOptions } from "../options.ts";
import { renderExplanation, renderSlow, slowLine } from "../render-requests.ts";
import { paintFor } from "../terminal.ts";
import type { Paint, Terminal } from "../terminal.ts";

/** Options of `paceline explain`. */
export interface ExplainOptions extends InstanceOptions {
  readonly chain?: string;
  readonly params?: string;
  readonly strategy?: string;
  readonly provider?: string;
  readonly transport?: string;
  readonly consumer?: string;
}

/** `paceline explain`: a request by its id; with `--chain`, a method that is not called. */
export function explainOne(
  subject: string,
  options: ExplainOptions,
  terminal: Terminal,
): Promise<number> {
  const { chain, params, strategy, provider, transport, consumer } = options;
  const args =
    chain === undefined
      ? { request: subject }
      : { method: subject, chain, params: parsed(params), strategy, provider, transport, consumer };
  const question = {
    cmd: "explain",
    args,
    render: (record: ExplainView, paint: Paint) => renderExplanation(record, paint),
  };
  return askAndShow(question, options, terminal);
}

function parsed(params: string | undefined): unknown {
  if (params === undefined) return undefined;
  try {
    return JSON.parse(params);
  } catch {
    throw new CliError(EXIT.usage, "explain: --params is not JSON");
  }
}

/** While watching nothing is left out: as many as the instance answers with. */
const ALL = 1_000;

/** `paceline slow`. */
export function showSlow(
  options: InstanceOptions & { readonly limit?: number },
  terminal: Terminal,
): Promise<number> {
  const intervalMs = watchMs(options);
  if (intervalMs === undefined) {
    const question = {
      cmd: "slow",
      args: { limit: options.limit },
      render: (reply: SlowList, paint: Paint) => renderSlow(reply, paint),
    };
    return askAndShow(question, options, terminal);
  }
  const paint = paintFor(terminal);
  const print = (entry: SlowView): void =>
    terminal.out(`${options.json === true ? JSON.stringify(entry) : slowLine(entry, paint)}\n`);
  return withClient(options, terminal, "viewer", async (client) => {
    let since = 0;
    let limit = options.limit;
    for (;;) {
      const { entries } = (await client.ask("slow", { since, limit })) as SlowList;
      entries.forEach(print);
      since = entries.at(-1)?.seq ?? since;
      limit = ALL;
      await new Promise((done) => setTimeout(done, intervalMs));
    }
  });
}
