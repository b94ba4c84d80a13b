/** Two regions that hear each other, and calls that one passes on to the other. */
import { describe, expect, it } from "vitest";
import { HelpDesk, type Guest } from "../../../src/cluster/help/help-desk.ts";
import { type Ticket, Tickets } from "../../../src/cluster/help/ticket.ts";
import type { HelpRefusal } from "../../../src/cluster/protocol.ts";
import { Broker, Region, SECRET, TIMES } from "../regions-support.ts";

const BODY = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"eth_gasPrice"}');
const CALL = { chain: "eth", chainId: 1, timeoutMs: 3_000 };
const CHANNEL = "paceline:cluster";

const deskOf = (region: Region, maxInFlight = 4) => {
  const told: HelpRefusal[] = [];
  const desk = new HelpDesk({
    membership: region.cluster.membership,
    tickets: new Tickets(SECRET, CHANNEL),
    maxInFlight,
    offers: (chain) => chain === "eth",
    tell: (refusal) => told.push(refusal),
  });
  const admit = (ticket: string, more: Partial<Guest> = {}) =>
    desk.admit(
      { ticket, body: BODY, chain: "eth", chainId: 1, isSafe: true, ...more },
      region.node.nowMs(),
    );
  return { desk, told, admit };
};

const world = async () => {
  const broker = new Broker();
  const eu = await Region.start(broker, "eu");
  const us = await Region.start(broker, "us");
  await broker.run(5_000);
  return { broker, eu, us, here: deskOf(eu), there: deskOf(us) };
};

/** A ticket that `eu` would make, with claims of our own. */
const forged = (eu: Region, us: Region, claims: Partial<Ticket>): string => {
  const { self, peers } = eu.cluster.membership;
  const peer = peers.get("us");
  return new Tickets(SECRET, CHANNEL).seal(
    {
      region: "eu",
      instance: self.instance,
      number: 1_000,
      to: "us",
      toInstance: us.cluster.membership.self.instance,
      heard: peer?.sequence ?? 0,
      hops: 1,
      ...CALL,
      ...claims,
    },
    BODY,
  );
};

describe("the help desk", () => {
  it("takes a call on the ticket of a region that it hears, once", async () => {
    const { here, there } = await world();
    const ticket = here.desk.ticket("us", CALL, BODY) ?? "";
    expect(there.admit(ticket)).toEqual({ ok: true, region: "eu", timeoutMs: 3_000 });
    expect(there.admit(ticket)).toMatchObject({ ok: false, refusal: "replayed" });
    expect(there.desk.view()).toMatchObject({ given: { eu: 1 }, refused: { replayed: 1 } });
    expect(here.desk.view()).toMatchObject({ asked: { us: 1 } });
  });

  it("takes tickets in whatever order they arrive", async () => {
    const { here, there } = await world();
    const tickets = Array.from({ length: 50 }, () => here.desk.ticket("us", CALL, BODY) ?? "");
    for (const ticket of tickets.toReversed()) expect(there.admit(ticket).ok).toBe(true);
  });

  it.each([
    ["hops", { hops: 2 }],
    ["hops", { hops: 0 }],
    ["misdirected", { to: "ap" }],
    ["misdirected", { chain: "other" }],
    ["misdirected", { chainId: 10 }],
    ["unknown", { region: "ap" }],
    ["unknown", { instance: "another" }],
    ["stale", { toInstance: "another" }],
    ["stale", { heard: 9_999 }],
  ] satisfies [HelpRefusal, Partial<Ticket>][])(
    "refuses as %s what claims %o",
    async (refusal, claims) => {
      const { eu, us, there } = await world();
      expect(there.admit(forged(eu, us, {})).ok).toBe(true);
      expect(there.admit(forged(eu, us, { number: 2_000, ...claims }))).toMatchObject({
        ok: false,
        refusal,
      });
      expect(there.told).toEqual([refusal]);
    },
  );

  it("refuses a ticket that has grown old, by the target's own clock alone", async () => {
    const { broker, here, there } = await world();
    const early = here.desk.ticket("us", CALL, BODY) ?? "";
    await broker.run(TIMES.leaseMs + 2 * TIMES.heartbeatMs);
    expect(there.admit(early)).toMatchObject({ ok: false, refusal: "stale" });
    expect(there.admit(here.desk.ticket("us", CALL, BODY) ?? "").ok).toBe(true);
  });

  it("makes no ticket for a region that is gone, and believes none of it", async () => {
    const { broker, eu, us, here, there } = await world();
    const ticket = here.desk.ticket("us", CALL, BODY) ?? "";
    eu.isCutOff = true;
    await broker.run(TIMES.leaseMs + 5_000);
    expect(here.desk.ticket("us", CALL, BODY)).toBeUndefined();
    expect(there.admit(ticket)).toMatchObject({ ok: false, refusal: "unknown" });
    expect(us.states()).toMatchObject({ eu: "lost" });
  });

  it("takes reads only, of chains that help, and so many at once", async () => {
    const { here, there } = await world();
    const ticket = (chain = "eth") => here.desk.ticket("us", { ...CALL, chain }, BODY) ?? "";
    expect(there.admit(ticket(), { isSafe: false })).toMatchObject({ refusal: "unsafe" });
    expect(there.admit(ticket("bsc"), { chain: "bsc" })).toMatchObject({ refusal: "not_offered" });
    there.desk.counter.inFlight = 4;
    expect(there.admit(ticket())).toMatchObject({ refusal: "full" });
    there.desk.counter.inFlight = 3;
    expect(there.admit(ticket()).ok).toBe(true);
  });

  it("counts every refusal, and tells of one kind once a minute", async () => {
    const { broker, there } = await world();
    for (let call = 0; call < 100; call++) there.admit("garbage");
    expect(there.desk.view().refused).toEqual({ malformed: 100 });
    expect(there.told).toEqual(["malformed"]);
    await broker.run(61_000);
    there.admit("garbage");
    expect(there.told).toEqual(["malformed", "malformed"]);
  });
});
