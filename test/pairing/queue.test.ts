/** The queue and its workers under the virtual clock. */
import { describe, expect, it } from "vitest";
import { pairingWorkerKey } from "../../actors/pairing/pairing-worker.ts";
import { resultBufferKey } from "../../actors/pairing/result-buffer.ts";
import { policyQueueKey } from "../../actors/pairing/policy-queue.ts";
import { intakeKey } from "../../actors/pairing/intake.ts";
import { directoryKey } from "../../actors/pairing/directory.ts";
import { Composite } from "../../src/matching/scorers/composite.ts";
import { addresses, MARKET, policy, provider, startService, value } from "./support.ts";

const requests = (count: number, minStake = 0n) =>
  Array.from({ length: count }, () => ({ policy: policy({ minStake }) }));

describe("the pairing service", () => {
  it("pairs what is put into the queue, in order, and hands results out once", async () => {
    const { node, port } = await startService();
    await node.drive(port.load(MARKET, [provider("a", 5), provider("b", 9)], "add"));
    const mixed = [1n, 6n, 20n].map((minStake) => ({ policy: policy({ minStake }) }));
    const report = value(await node.drive(port.enqueue(MARKET, mixed)));
    expect(report).toEqual({ accepted: 3, rejected: [] });
    await node.settle();
    const results = value(await node.drive(port.results()));
    expect(results.map(addresses)).toEqual([["b", "a"], ["b"], []]);
    expect(results.map(({ filteredCount }) => filteredCount)).toEqual([2, 1, 0]);
    expect(results[2]).toMatchObject({ blockedBy: "stake", error: null });
    expect(value(await node.drive(port.results()))).toEqual([]);
    await node.stop();
  });

  it("refuses what does not fit with `queue is full`, and tells of it once a second", async () => {
    const { node, port, events } = await startService({ workers: 0, queue: 2 });
    const report = value(await node.drive(port.enqueue(MARKET, requests(5))));
    expect(report.accepted).toBe(2);
    expect(report.rejected).toEqual([2, 3, 4].map((index) => ({ index, error: "queue is full" })));
    await node.advance(1_000);
    const full = events.filter(({ name }) => name === "pairing.queue.full");
    expect(full.map(({ fields }) => fields)).toEqual([{ count: 3, limit: 2 }]);
    await node.stop();
  });

  it("waits for room as long as it is told, and no longer once the caller gives up", async () => {
    const { node, port } = await startService({ workers: 0, queue: 1 });
    await node.drive(port.enqueue(MARKET, requests(1)));
    const patient = port.enqueue(MARKET, requests(1), { timeoutMs: 50 });
    await node.advance(50);
    expect(value(await patient).rejected).toEqual([
      { index: 0, error: "timeout while enqueueing policy" },
    ]);
    const abort = new AbortController();
    const fickle = port.enqueue(MARKET, requests(1), { timeoutMs: 5_000, signal: abort.signal });
    await node.advance(10);
    abort.abort();
    await node.settle();
    expect(value(await fickle).rejected).toEqual([{ index: 0, error: "aborted" }]);
    const lucky = port.enqueue(MARKET, requests(1), { timeoutMs: 5_000 });
    await node.settle();
    await node.drive(node.via(intakeKey()).call.resize(1));
    await node.settle();
    expect(value(await lucky)).toEqual({ accepted: 1, rejected: [] });
    expect(node.inspector.processes().some(({ mailbox }) => mailbox > 0)).toBe(false);
    await node.stop();
  });

  it("gives the policy of a dead worker to another, and after two deaths reports it", async () => {
    const { node, port, book, events } = await startService({ workers: 1 });
    await node.drive(port.load(MARKET, [provider("a")], "add"));
    const kill = () => node.inspector.exit(pairingWorkerKey("0").name, "kill");
    // The worker holds the policy in its mailbox when the signal comes.
    const first = port.enqueue(MARKET, requests(1));
    kill();
    await node.drive(first);
    await node.settle();
    expect(value(await node.drive(port.results())).map(addresses)).toEqual([["a"]]);

    // A scorer with a bug loses its component only; a profile with one ends whoever uses it.
    const poison = new Composite("poison", "Broken");
    Object.defineProperty(poison, "scorers", {
      get: () => {
        throw new Error("a bug");
      },
    });
    value(book.find(MARKET)).profiles.composites.set("poison", poison);
    const mixed = [{ policy: policy(), profile: "poison" }, { policy: policy() }];
    await node.drive(port.enqueue(MARKET, mixed));
    await node.settle();
    const results = value(await node.drive(port.results()));
    expect(results.map(({ error }) => error)).toEqual(["worker crashed twice", null]);
    expect(events.filter(({ name }) => name === "pairing.worker.down")).toHaveLength(3);
    expect(value(await node.drive(port.stats())).worker_stats).toMatchObject([{ running: true }]);
    await node.stop();
  });

  it("P12d: keeps the last results only, and counts those that went", async () => {
    const { node, port, events } = await startService({ results: 2 });
    await node.drive(port.load(MARKET, [provider("a", 1), provider("b", 2)], "add"));
    const rising = [0n, 1n, 2n, 3n].map((minStake) => ({ policy: policy({ minStake }) }));
    await node.drive(port.enqueue(MARKET, rising));
    await node.advance(1_000);
    const results = value(await node.drive(port.results()));
    expect(results.map((result) => result.policy?.minStake)).toEqual([2n, 3n]);
    const dropped = events.filter(({ name }) => name === "pairing.results.dropped");
    expect(dropped.map(({ fields }) => fields)).toEqual([{ count: 2, limit: 2 }]);
    expect(value(await node.drive(port.stats()))).toMatchObject({
      total_processed: 4,
      results_dropped: 2,
    });
    await node.stop();
  });

  it("P22: works off what waits when it stops, and reports what was left when its time is over", async () => {
    const { node, port, book } = await startService({ workers: 1 });
    await node.drive(port.enqueue(MARKET, requests(20)));
    await node.stop();
    expect(book.counts.processed).toBe(20);

    const stuck = await startService({ workers: 0, drainMs: 500 });
    await stuck.node.drive(stuck.port.enqueue(MARKET, requests(3)));
    const buffer = stuck.node.via(resultBufferKey());
    const drained = stuck.node.via(policyQueueKey()).call.drain({ timeoutMs: 500 });
    await stuck.node.advance(499);
    const late = value(await stuck.node.drive(stuck.port.enqueue(MARKET, requests(1))));
    expect(late.rejected).toEqual([{ index: 0, error: "queue is closed" }]);
    await stuck.node.advance(1);
    expect(await drained).toEqual({ rejected: 3 });
    const left = await stuck.node.drive(buffer.call.take());
    expect(left.map(({ error }) => error)).toEqual(
      Array.from({ length: 3 }, () => "the service stopped before it was this policy's turn"),
    );
    await stuck.node.stop();
  });

  it("P18g: tells of a worker with too many errors, and restarts it when it is told to", async () => {
    const errors = { count: 3, windowMs: 60_000, restart: true };
    const { node, port, events } = await startService({ workers: 1, errors });
    const before = node.whereis(pairingWorkerKey("0"))?.id;
    const bad = Array.from({ length: 4 }, () => ({ policy: policy(), profile: "nothing" }));
    await node.drive(port.enqueue(MARKET, bad));
    await node.settle();
    expect(events).toContainEqual({
      name: "pairing.worker.errors",
      fields: {
        name: "pairing/n/0/pairing-worker",
        limit: 3,
        reason: "profile: profile nothing not found",
      },
    });
    expect(node.whereis(pairingWorkerKey("0"))?.id).not.toBe(before);
    const stats = value(await node.drive(port.stats()));
    expect(stats).toMatchObject({ total_processed: 4, total_errors: 4 });
    expect(stats.worker_stats).toEqual([{ id: 0, processed: 0, errors: 0, running: true }]);
    await node.stop();
  });

  it("serves from the same markets after its directory was killed, and from new ones elsewhere", async () => {
    const { node, port } = await startService();
    await node.drive(port.load(MARKET, [provider("a")], "add"));
    node.inspector.exit(directoryKey().name, "kill");
    await node.settle();
    expect(addresses(value(port.pair(MARKET, { policy: policy() })))).toEqual(["a"]);
    expect(port.pair("other", { policy: policy() })).toEqual({
      ok: false,
      refusal: { code: "PAIRING_UNKNOWN_MARKET", message: "there is no market other" },
    });
    await node.drive(port.enqueue(MARKET, requests(1)));
    await node.settle();
    expect(value(await node.drive(port.results())).map(addresses)).toEqual([["a"]]);
    await node.stop();
    expect(port.pair(MARKET, { policy: policy() })).toMatchObject({
      refusal: { code: "PAIRING_UNAVAILABLE" },
    });
  });

  it("P12b P26: scales its workers one by one while it runs", async () => {
    const { node, port } = await startService({ workers: 1 });
    const running = async () =>
      value(await node.drive(port.stats())).worker_stats.map(({ running: is }) => is);
    await node.drive(node.via(intakeKey()).call.resize(4));
    expect(await running()).toEqual([true, true, true, true]);
    await node.drive(node.via(intakeKey()).call.resize(2));
    expect(await running()).toEqual([true, true]);
    await node.drive(port.enqueue(MARKET, requests(10)));
    await node.settle();
    expect(value(await node.drive(port.resultsCount()))).toBe(10);
    await node.stop();
  });
});
