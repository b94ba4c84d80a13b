import { Buffer } from "node:buffer";
import { describe, expect, it } from "vitest";
import { parseFilter, type LogFilter } from "../../../src/rpc/subscription/delivery/filter.ts";
import { eventFrame, eventPrefix } from "../../../src/rpc/subscription/delivery/frames.ts";
import {
  Streams,
  type StreamSink,
  type Subscription,
} from "../../../src/rpc/subscription/delivery/streams.ts";

/** The text of an unmasked frame, read by the length rules of RFC 6455 5.2. */
const textOf = (frame: Buffer): string => {
  expect(frame[0]).toBe(0x81);
  const short = frame[1] ?? 0;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  const size =
    short < 126 ? short : short === 126 ? frame.readUInt16BE(2) : Number(frame.readBigUInt64BE(2));
  expect(frame.length).toBe(start + size);
  return frame.toString("utf8", start);
};

class Client implements StreamSink {
  readonly id: number;
  readonly frames: Buffer[] = [];
  bufferedBytes = 0;
  sentBytes = 0;
  isOpen = true;
  closed = "";

  constructor(id: number) {
    this.id = id;
  }

  sendFrame(frame: Buffer): void {
    this.frames.push(frame);
  }

  close(code: number, reason: string): void {
    this.closed = `${code} ${reason}`;
    this.isOpen = false;
  }

  texts(): readonly string[] {
    return this.frames.map(textOf);
  }
}

const make = () => {
  let made = 0;
  const slow: Subscription[] = [];
  const streams = new Streams(
    () => `0x${(++made).toString(16)}`,
    1_000,
    (one) => slow.push(one),
  );
  const join = (
    client: Client,
    kind: "newHeads" | "logs" | "newPendingTransactions",
    filter?: LogFilter,
  ) => {
    return streams.add(client, kind, filter, 0);
  };
  return { streams, slow, join };
};

const filterOf = (input: unknown): LogFilter => {
  const result = parseFilter(input);
  if (!result.ok) throw new Error(result.message);
  return result.filter;
};

describe("an event frame", () => {
  it("is a whole unmasked text frame at every length class", () => {
    for (const size of [1, 30, 200, 65_400, 65_536, 200_000]) {
      const result = Buffer.from(`"${"é".repeat(size / 2)}"`);
      const text = textOf(eventFrame(eventPrefix("0xabc"), result));
      expect(JSON.parse(text)).toEqual({
        jsonrpc: "2.0",
        method: "eth_subscription",
        params: { subscription: "0xabc", result: "é".repeat(size / 2) },
      });
    }
  });
});

describe("streams", () => {
  it("give all clients of one stream the same id and the very same frame", () => {
    const { streams, join } = make();
    const clients = [new Client(1), new Client(2), new Client(3)];
    const ids = clients.map((client) => join(client, "newHeads").id);
    expect(new Set(ids).size).toBe(1);
    streams.deliver(streams.stream("newHeads")!, Buffer.from('{"number":"0x1"}'), 1);
    expect(clients[1]!.frames[0]).toBe(clients[0]!.frames[0]);
    expect(clients[2]!.texts()).toHaveLength(1);
  });

  it("give a second subscription of one connection an id of its own, and never an old one again", () => {
    const { streams, join } = make();
    const client = new Client(1);
    const first = join(client, "newHeads");
    const second = join(client, "newHeads");
    expect(second.id).not.toBe(first.id);
    streams.deliver(streams.stream("newHeads")!, Buffer.from("1"), 1);
    expect(client.texts().map((text) => JSON.parse(text).params.subscription)).toEqual([
      first.id,
      second.id,
    ]);
    streams.remove(1, first.id);
    expect(join(client, "newHeads").id).not.toBe(first.id);
  });

  it("send only what became canonical after the subscription", () => {
    const { streams } = make();
    const client = new Client(1);
    streams.add(client, "newHeads", undefined, 5);
    for (const sequence of [4, 5, 6]) {
      streams.deliver(streams.stream("newHeads")!, Buffer.from(`${sequence}`), sequence);
    }
    expect(client.texts().map((text) => JSON.parse(text).params.result)).toEqual([6]);
  });

  it("send a log to the streams whose filter it matches, and reads it only if there is one", () => {
    const { streams, join } = make();
    const at = (n: number) => `0x${n.toString(16).padStart(40, "0")}`;
    const topic = `0x${"1".repeat(64)}`;
    const all = new Client(1);
    const byAddress = new Client(2);
    const byTopic = new Client(3);
    join(all, "logs", filterOf(undefined));
    let reads = 0;
    const fields = () => {
      reads++;
      return { address: at(7), topics: [topic] };
    };
    streams.deliverLog(Buffer.from("1"), 1, fields);
    expect(reads).toBe(0);
    join(byAddress, "logs", filterOf({ address: [at(6), at(7)] }));
    join(byTopic, "logs", filterOf({ topics: [`0x${"2".repeat(64)}`] }));
    streams.deliverLog(Buffer.from("2"), 2, fields);
    expect([all, byAddress, byTopic].map((client) => client.frames.length)).toEqual([2, 1, 0]);
    expect(reads).toBe(1);
    streams.drop(2);
    streams.drop(3);
    streams.deliverLog(Buffer.from("3"), 3, fields);
    expect(reads).toBe(1);
  });

  it("report a client that does not drain, and drop for it nothing but pending transactions", () => {
    const { streams, slow, join } = make();
    const stuck = new Client(1);
    const well = new Client(2);
    join(stuck, "newHeads");
    join(stuck, "newPendingTransactions");
    join(well, "newHeads");
    stuck.bufferedBytes = 500;
    streams.deliver(streams.stream("newPendingTransactions")!, Buffer.from("1"), 1);
    streams.deliver(streams.stream("newHeads")!, Buffer.from("1"), 1);
    expect(streams.dropped).toBe(1);
    expect(slow).toHaveLength(0);
    stuck.bufferedBytes = 1_001;
    streams.deliver(streams.stream("newHeads")!, Buffer.from("2"), 2);
    expect(slow.map((one) => one.sink.id)).toEqual([1]);
    expect(well.frames).toHaveLength(2);
  });

  it("give a restored stream its id back", () => {
    const { join } = make();
    const a = join(new Client(1), "newHeads");
    const twice = new Client(2);
    const b = join(twice, "newHeads");
    const own = join(twice, "newHeads");
    const after = make().streams;
    for (const one of [own, a, b]) after.restore(one);
    const stream = after.stream("newHeads")!;
    expect(stream.id).toBe(a.id);
    after.deliver(stream, Buffer.from("1"), 1);
    const got = twice.texts().map((text) => JSON.parse(text).params.subscription);
    expect(new Set(got)).toEqual(new Set([b.id, own.id]));
    expect(got).toHaveLength(2);
  });

  it("forget a stream with its last client", () => {
    const { streams, join } = make();
    const { id } = join(new Client(1), "newHeads");
    expect(streams.remove(1, "0x77")).toBeUndefined();
    expect(streams.remove(1, id)?.id).toBe(id);
    join(new Client(2), "logs", filterOf({ address: `0x${"1".repeat(40)}` }));
    streams.drop(2);
    expect(streams.size.streams).toBe(0);
    expect(streams.wantsLogsOf(undefined)).toBe(false);
  });
});
