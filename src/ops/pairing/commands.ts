/** Pairing over the admin socket: a policy paired, and one provider explained. */
import { anyone, type Command } from "../admin/command.ts";
import { AdminError } from "../admin/protocol.ts";
import type { PairingCall } from "./port.ts";

interface Answered {
  readonly success: boolean;
  readonly data?: unknown;
  readonly error?: string;
}

/** The commands. */
export const PAIRING_COMMANDS: Readonly<Record<string, Command>> = {
  pair: {
    summary: "The best providers of a market for a policy; or why one provider is not among them.",
    role: anyone,
    args: {
      market: { kind: "text", meaning: "the market; the only one when not given" },
      request: { kind: "json", meaning: "{policy, top?, strategy?, weights?, seed?, explain?}" },
      why: { kind: "text", meaning: "explain this provider instead" },
    },
    run: async ({ market, request, why }, { pairing }) => {
      const body =
        request === undefined ? { policy: {} } : (JSON.parse(String(request)) as unknown);
      if (pairing === undefined) throw new AdminError("OPS_FAILED", "pairing is switched off");
      const name = market === undefined ? await onlyMarket(pairing) : String(market);
      const path = `/api/v1/markets/${encodeURIComponent(name)}/pairings`;
      const data =
        why === undefined
          ? await asked(pairing, { method: "POST", path, body })
          : await asked(pairing, {
              method: "GET",
              path: `${path}/why`,
              query: new URLSearchParams({ address: String(why) }).toString(),
              body,
            });
      return { market: name, ...(data as object) };
    },
  },
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

const asked = async (call: PairingCall, question: Parameters<PairingCall>[0]): Promise<unknown> => {
  const { status, body } = await call(question);
  const { success, data, error } = body as Answered;
  if (success) return data;
  const code = status < 500 ? "OPS_BAD_ARGS" : "OPS_FAILED";
  throw new AdminError(code, error ?? `pairing answered with ${status}`);
};
