/** Pairing over the admin socket: a policy paired, and one provider explained. */
import { anyone, type Command } from "../admin/command.ts";
import type { Arguments } from "../admin/arguments.ts";
import { AdminError } from "../admin/protocol.ts";
import type { PairingCall } from "./port.ts";

interface Answered {
  readonly success: boolean;
  readonly data?: unknown;
  readonly error?: string;
}

/** Longest time that a large market of the past may take to be read back, ms. */
const REPLAY_MS = 60_000;

/** The commands. */
export const PAIRING_COMMANDS: Readonly<Record<string, Command>> = {
  pair: {
    summary:
      "The best providers of a market for a policy; or why one is not among them, or who would be otherwise.",
    role: anyone,
    timeoutMs: REPLAY_MS,
    args: {
      market: { kind: "text", meaning: "the market; the only one when not given" },
      request: { kind: "json", meaning: "{policy, top?, strategy?, weights?, seed?, explain?}" },
      why: { kind: "text", meaning: "explain this provider instead" },
      what_if: { kind: "json", meaning: "compare with the request so changed instead" },
      replay: { kind: "text", meaning: "make this pairing of the audit trail again instead" },
    },
    run: async ({ market, request, why, what_if: change, replay }, { pairing }) => {
      if (pairing === undefined) throw new AdminError("OPS_FAILED", "pairing is switched off");
      if ([why, change, replay].filter((one) => one !== undefined).length > 1) {
        throw new AdminError("OPS_BAD_ARGS", "one of why, what_if and replay at a time");
      }
      const body =
        request === undefined ? { policy: {} } : (JSON.parse(String(request)) as unknown);
      const name = market === undefined ? await onlyMarket(pairing) : String(market);
      const base = `/api/v1/markets/${encodeURIComponent(name)}`;
      const aside = { why: text(why), change: text(change), replay: text(replay) };
      const data = await asked(pairing, question({ base, body, ...aside }));
      return { market: name, ...(data as object) };
    },
  },
};

type CallOf = Parameters<PairingCall>[0];

interface PairQuestion {
  readonly base: string;
  readonly body: unknown;
  readonly why: string | undefined;
  /** JSON. */
  readonly change: string | undefined;
  readonly replay: string | undefined;
}

const text = (value: Arguments[string]): string | undefined =>
  value === undefined ? undefined : String(value);

const question = ({ base, body, why, change, replay }: PairQuestion): CallOf => {
  if (replay !== undefined) {
    const path = `${base}/audit/${encodeURIComponent(replay)}/replay`;
    return { method: "POST", path };
  }
  const path = `${base}/pairings`;
  if (change !== undefined) {
    const whatIf = JSON.parse(change) as unknown;
    const isRecord = typeof body === "object" && body !== null && !Array.isArray(body);
    return {
      method: "POST",
      path: `${path}/what-if`,
      body: isRecord ? { ...body, whatIf } : body,
    };
  }
  if (why === undefined) return { method: "POST", path, body };
  const query = new URLSearchParams({ address: why }).toString();
  return { method: "GET", path: `${path}/why`, query, body };
};

const onlyMarket = async (call: PairingCall): Promise<string> => {
  const { markets } = (await asked(call, { method: "GET", path: "/api/v1/markets" })) as {
    readonly markets: readonly { readonly market: string }[];
  };
  const [first, second] = markets;
  if (first !== undefined && second === undefined) return first.market;
  const names = markets.map(({ market }) => market).join(", ");
  throw new AdminError(
    "OPS_BAD_ARGS",
    first === undefined ? "there is no market yet" : `name a market: ${names}`,
    first === undefined ? "PUT /api/v1/markets/NAME/providers makes one" : undefined,
  );
};

const asked = async (call: PairingCall, what: CallOf): Promise<unknown> => {
  const { status, body } = await call(what);
  const { success, data, error } = body as Answered;
  if (success) return data;
  const code = status < 500 ? "OPS_BAD_ARGS" : "OPS_FAILED";
  throw new AdminError(code, error ?? `pairing answered with ${status}`);
};
