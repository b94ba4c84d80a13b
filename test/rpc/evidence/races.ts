/** A finished race, for tests of what is made of it. */
import type { SettledRace } from "../../../src/rpc/race/settled-race.ts";

/** `a` won, `b` came 50 ms later; it was settled two seconds after the first arrival. */
export const race = (overrides: Partial<SettledRace> = {}): SettledRace => ({
  event: "newHeads",
  key: "k",
  ageMs: 2_000,
  winner: "a",
  losers: [{ provider: "b", marginMs: 50 }],
  missed: [],
  neutral: [],
  absent: [],
  isCorroborated: true,
  isSuspicious: false,
  ...overrides,
});
