import { describe, expect, it } from "vitest";
import { Distances } from "../../../src/cluster/help/distances.ts";
import { nearestHelpers } from "../../../src/cluster/help/nearest-helpers.ts";
import type { Peer } from "../../../src/cluster/membership.ts";
import type { OwnState, PeerState } from "../../../src/cluster/protocol.ts";

const peer = (
  region: string,
  state: PeerState,
  helps = ["eth"],
  url = `http://${region}.test`,
): Peer => ({
  region,
  instance: `i-${region}`,
  incarnation: 1,
  state,
  sequence: 1,
  heardAtMs: 0,
  sinceMs: 0,
  card: {
    version: "1",
    url,
    chains: ["eth", "base"],
    inFlight: 0,
    usableProviders: 1,
    providers: 1,
    helps,
  },
});

const helping = (peers: readonly Peer[], state: OwnState = "joined", distances = {}) => {
  const known = new Map(peers.map((one) => [one.region, one]));
  return nearestHelpers({ state, peers: known }, new Distances(distances), "eth");
};
const names = (...args: Parameters<typeof helping>) => helping(...args).map(({ region }) => region);

describe("the regions that would help a chain", () => {
  it("are those that say so and can be reached, while this region has joined", () => {
    const peers = [
      peer("us", "joined"),
      peer("ap", "joined", ["base"]),
      peer("sa", "joined", ["eth"], "nowhere"),
      peer("af", "lost"),
      peer("me", "left"),
    ];
    expect(names(peers)).toEqual(["us"]);
    for (const state of ["apart", "joining", "refused"] as const) {
      expect(names(peers, state)).toEqual([]);
    }
  });

  it("come nearest first, those that were not heard for a moment last", () => {
    const peers = [peer("ap", "suspected"), peer("us", "joined"), peer("sa", "joined")];
    expect(names(peers, "joined", { ap: 1, us: 90, sa: 60 })).toEqual(["sa", "us", "ap"]);
  });

  it("are measured unless the operator has said how far they are", () => {
    const [sa, us] = helping([peer("us", "joined"), peer("sa", "joined")], "joined", { sa: 60 });
    expect([sa?.isMeasured, us?.isMeasured]).toEqual([false, true]);
  });
});
