import type { EndpointRow } from "../../src/rpc/chain-view.ts";

/** An endpoint's admission cell in good health. */
export const rowOf = (
  provider: string,
  index = 0,
  overrides: Partial<EndpointRow> = {},
): EndpointRow => ({
  chain: "ethereum",
  provider,
  transport: "http",
  index,
  state: "closed",
  openUntilMs: 0,
  generation: 1,
  forced: false,
  dirty: false,
  cooldownUntilMs: 0,
  suspect: false,
  isUsable: true,
  unusableReason: undefined,
  head: 100,
  inFlight: 0,
  successes: 0,
  completed: 0,
  answered: 0,
  ...overrides,
});
