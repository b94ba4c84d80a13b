/** A cluster of two regions as one of them sees it, for tests of what shows it. */
import type { ClusterPort } from "../../src/ops/regions/port.ts";

const CARD = {
  version: "1.2.3",
  url: "http://10.0.0.2:8545",
  chains: ["alpha"],
  inFlight: 3,
  usableProviders: 4,
  providers: 5,
};

const ROW = { provider: "hare", score: 0.9, weight: 40, ratio: 0.5, ms: 12 };

export const CLUSTER: ClusterPort = {
  view: () => ({
    state: "joined",
    reason: undefined,
    regions: [
      {
        region: "eu",
        isSelf: true,
        state: "joined",
        incarnation: 2,
        ageMs: 0,
        card: CARD,
        names: 7,
        rows: 3,
      },
      {
        region: "us",
        isSelf: false,
        state: "suspected",
        incarnation: 1,
        ageMs: 4_200.4,
        card: undefined,
        names: 6,
        rows: 2,
      },
    ],
    refused: {
      oversized: 0,
      foreign: 1,
      unsigned: 2,
      malformed: 0,
      replayed: 0,
      expired: 0,
      unproven: 0,
      unknown: 0,
      full: 0,
    },
    sent: { messages: 10, bytes: 5_000 },
    received: { messages: 20, bytes: 9_000 },
  }),
  boardsOf: (chain) =>
    chain === "alpha"
      ? [
          {
            region: "us",
            state: "suspected",
            ageMs: 4_200.4,
            rows: [
              { ...ROW, subject: "newHeads" },
              { ...ROW, subject: "calls:state", provider: "tortoise" },
            ],
          },
          { region: "ap", state: "joined", ageMs: 10, rows: [] },
        ]
      : [],
  command: ({ region, cmd, role }, answered) =>
    region === "us"
      ? answered({ ok: true, reply: { region, cmd, role }, feed: undefined })
      : answered({ ok: false, error: { code: "OPS_NO_REGION", message: `no region "${region}"` } }),
  select: (prefix, limit, region) =>
    ["eu", "us"]
      .filter((one) => region === undefined || one === region)
      .map((one) => ({ region: one, name: `${prefix}head-tracker`, pid: "#3" }))
      .slice(0, limit),
};
