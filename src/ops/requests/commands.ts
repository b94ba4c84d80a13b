/** Requests over the admin socket: one explained, one that is not made, the slow and failed ones. */
import { anyone, type Command } from "../admin/command.ts";
import { AdminError } from "../admin/protocol.ts";
import type { DryQuestion } from "./port.ts";

/** Entries shown when nothing is said, and at most. */
const DEFAULT_ENTRIES = 20;
export const MAX_ENTRIES = 1_000;

/** The commands. */
export const REQUEST_COMMANDS: Readonly<Record<string, Command>> = {
  explain: {
    summary: "How a request was served; or who would serve a method now, and why not the others.",
    role: anyone,
    args: {
      request: { kind: "text", meaning: "id of a request, ours or the client's" },
      method: { kind: "text", meaning: "method of a call that is not made" },
      chain: { kind: "text", meaning: "chain of that call" },
      params: { kind: "json", meaning: "its parameters; [] when not given" },
      strategy: { kind: "text", meaning: "another strategy than the chain's" },
      provider: { kind: "text", meaning: "only this provider: id, tag or glob" },
      consumer: { kind: "text", meaning: "under the pairing list of this consumer" },
      transport: { kind: "choice", meaning: "only over this", choices: ["http", "ws", "any"] },
    },
    run: ({ request, method, chain, ...rest }, deps) => {
      if (request !== undefined) {
        const record = deps.requests.request(String(request));
        if (record !== undefined) return record;
        const message = `no request "${request}" among the last ones`;
        throw new AdminError("OPS_BAD_ARGS", message, "`explain.requests` says how many are kept");
      }
      if (method === undefined || chain === undefined) {
        throw new AdminError("OPS_BAD_ARGS", "name a request, or a method and its chain");
      }
      const question = { ...rest, method: String(method), chain: String(chain) } as DryQuestion;
      const answer = deps.requests.method(question);
      if (answer.ok) return answer.record;
      throw new AdminError("OPS_BAD_ARGS", answer.message);
    },
  },
  slow: {
    summary: "The last requests that were slow or failed, parameters outlined.",
    role: anyone,
    args: {
      since: { kind: "whole", meaning: "only those after this seq", min: 0 },
      limit: {
        kind: "whole",
        meaning: `rows, the newest; ${DEFAULT_ENTRIES} when not given`,
        min: 1,
        max: MAX_ENTRIES,
      },
    },
    run: ({ since = 0, limit = DEFAULT_ENTRIES }, deps) =>
      deps.requests.slow({ since: Number(since), limit: Number(limit) }),
  },
};
