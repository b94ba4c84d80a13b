/** What a hub that takes over from a dead one asks for again. */
import { Buffer } from "node:buffer";
import { describe, expect, it } from "vitest";
import {
  readSubscriptionFrame,
  resultBytes,
  type SubscriptionFrame,
} from "../../../src/rpc/subscription-frame.ts";
import { ChainFollower } from "../../../src/rpc/subscription/chain/follower.ts";
import type { Subscription } from "../../../src/rpc/subscription/delivery/streams.ts";
import { Hub } from "../../../src/rpc/subscription/hub.ts";
import { Ended } from "../../../src/rpc/subscription/resume/ended.ts";
import { ChainModel, type ModelBlock } from "./promise/chain-model.ts";
import { ClientModel } from "./promise/client-model.ts";

const LIMITS = {
  maxBackfillBlocks: 100,
  backfillTimeoutMs: 30_000,
  settleMs: 2_000,
  witnessMs: 10_000,
  voters: 1,
};

class Restart {
  now = 1_000_000;
  readonly chain = new ChainModel(() => 0.9);
  readonly rows: Subscription[] = [];
  readonly follower = new ChainFollower(LIMITS, undefined as never);
  hub = this.open();
  readonly client = new ClientModel(
    1,
    undefined,
    [this.chain.tip.hash],
    (hash) => this.chain.blocks.get(hash),
    false,
  );

  constructor() {
    this.hub.polled(undefined, this.chain.tip.header, this.now);
    const request = { sink: this.client, filter: {}, resume: undefined };
    const heads = this.hub.subscribe({ ...request, kind: "newHeads" }, this.now);
    const logs = this.hub.subscribe({ ...request, kind: "logs" }, this.now);
    if (!heads.ok || !logs.ok) throw new Error("a subscribe was refused");
    this.client.answered(heads.id, logs.id);
    for (const event of ["newHeads", "logs"] as const) this.hub.source("a", event, true, this.now);
    this.wait(10_000);
  }

  /** The hub dies with the messages that it has not read; another takes its clients over. */
  restart(): void {
    this.hub = this.open();
    this.hub.restore(this.rows, this.now);
  }

  tell({ header, logs }: ModelBlock, logCount: number): void {
    this.hub.announced("a", frameOf(header), this.now);
    for (const log of logs.slice(0, logCount)) this.log(frameOf(log));
    this.hub.turnEnded();
  }

  log(frame: SubscriptionFrame): void {
    this.hub.logged("a", frame, resultBytes(frame), this.now);
  }

  /** Time passes, and whatever is asked is answered. */
  wait(ms: number): void {
    for (const endMs = this.now + ms; this.now < endMs; this.now += 250) {
      this.hub.tick(this.now);
      this.hub.turnEnded();
      for (const need of this.follower.needs.due(this.now)) {
        const block = this.chain.blocks.get(need.hash);
        this.hub.answered(need, need.kind === "logs" ? block?.logs : block?.header, this.now);
        this.hub.turnEnded();
      }
    }
  }

  private open(): Hub {
    return new Hub(
      this.follower,
      {
        chain: "ethereum",
        emit: () => {},
        keep: (one) => this.rows.push(one),
        forget: () => {},
        ended: new Ended(),
        accuse: () => {},
        askHeads: () => {},
        onBlock: () => {},
        newId: () => `0x${String(this.rows.length + 1).padStart(32, "0")}`,
      },
      { maxBufferedBytes: 1e9, maxBehindMs: 1e9, maxSubscriptions: 10 },
    );
  }
}

const frameOf = (result: unknown) => {
  const message = {
    jsonrpc: "2.0",
    method: "eth_subscription",
    params: { subscription: "0x1", result },
  };
  const frame = readSubscriptionFrame(Buffer.from(JSON.stringify(message)));
  if (frame === undefined) throw new Error("not a frame");
  return frame;
};

describe("a hub that takes over", () => {
  it("asks for the logs of a block whose last ones died with its predecessor", () => {
    const r = new Restart();
    r.chain.grow();
    const { tip } = r.chain;
    expect(tip.logs.length).toBeGreaterThan(1);
    r.tell(tip, tip.logs.length - 1);
    // No provider says them again: they have all said them.
    r.restart();
    r.wait(10_000);
    expect(r.client.faults).toEqual([]);
    expect(r.client.live.size).toBe(tip.logs.length);
  });

  it("closes clients of whom it cannot tell which events of the last turn they were sent", () => {
    const r = new Restart();
    r.chain.grow();
    const { tip } = r.chain;
    r.tell(tip, 1);
    r.hub.turnEnded();
    // Its death between two turns is no reason.
    r.restart();
    r.wait(10_000);
    expect(r.client.closed).toBeUndefined();
    r.chain.grow();
    const { sendFrame } = r.client;
    r.client.sendFrame = () => {
      throw new Error("a bug below");
    };
    expect(() => r.tell(r.chain.tip, 1)).toThrow("a bug below");
    r.client.sendFrame = sendFrame;
    r.restart();
    expect(r.client.closed).toBe("1013 a crash while events were sent");
    expect(r.hub.stats()["clients"]).toBe(0);
  });

  it("trusts no source with a block that it heard of in part", () => {
    const r = new Restart();
    r.chain.grow();
    const { tip } = r.chain;
    // The successor reads the head and one log; the other logs went down with the hub.
    r.restart();
    r.hub.announced("a", frameOf(tip.header), r.now);
    r.log(frameOf(tip.logs[0]));
    r.wait(10_000);
    expect(r.client.live.size).toBe(tip.logs.length);
  });
});
