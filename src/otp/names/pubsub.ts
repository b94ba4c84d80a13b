/**
 * Publish and subscribe: duplicate keys by topic, delivery as `info` messages in subscription order.
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, supervisor } from "paceline/otp";
 *
 * const reader = defineActor({
 *   name: "demo/reader",
 *   init: (name: string, ctx) => {
 *     ctx.subscribe("blocks");
 *     return name;
 *   },
 *   on: (name, info) => {
 *     if (info.type === "info") console.log(name, "reads", info.payload);
 *     return name;
 *   },
 * });
 *
 * const node = createVirtualNode();
 * await node.start(
 *   supervisor("top", {
 *     children: [child(reader, "Ann", { id: "ann" }), child(reader, "Bob", { id: "bob" })],
 *   }),
 * );
 * console.log(node.broadcast("blocks", { number: 7 }), "mailed");
 * await node.settle();
 * await node.stop();
 * ```
 *
 * ```text
 * 2 mailed
 * Ann reads { number: 7 }
 * Bob reads { number: 7 }
 * ```
 *
 * Subscribing twice delivers twice; unsubscribing drops all of the caller's subscriptions to the topic;
 * death drops all of a process's. All subscribers get the same payload object: freeze it or leave it
 * alone. A broadcast falls under each receiver's mailbox bound: who is full loses it, counted, and the
 * others still get theirs. A topic without subscribers costs one lookup.
 */
import { Envelope, Kind } from "../process/message.ts";
import type { Process } from "../process/process.ts";

interface Subscription {
  readonly process: Process;
  readonly value: unknown;
}

/** Topics of one node. */
export class PubSub {
  private readonly topics = new Map<string, Subscription[]>();

  /** Adds one subscription; two of them deliver twice. */
  subscribe(process: Process, topic: string, value?: unknown): void {
    const list = this.topics.get(topic);
    const subscription = { process, value };
    if (list === undefined) this.topics.set(topic, [subscription]);
    else list.push(subscription);
    const more = process.more();
    more.topics ??= [];
    more.topics.push(topic);
  }

  /** Drops all subscriptions of `process` to `topic`. */
  unsubscribe(process: Process, topic: string): void {
    this.drop(process, topic);
    const more = process.extras;
    if (more?.topics !== undefined) more.topics = more.topics.filter((held) => held !== topic);
  }

  /** Forgets a dying process. */
  release(process: Process): void {
    for (const topic of new Set(process.extras?.topics)) this.drop(process, topic);
  }

  /** Mails `payload` to every subscriber but `except`; returns how many were mailed. */
  broadcast(topic: string, payload: unknown, except?: Process): number {
    const list = this.topics.get(topic);
    if (list === undefined) return 0;
    const envelope = new Envelope(Kind.info, "info", { type: "info", payload }, undefined);
    let count = 0;
    for (const { process } of list) {
      if (process === except) continue;
      process.kernel.send(process, envelope);
      count += 1;
    }
    return count;
  }

  /** Subscribers of a topic with the values they gave, in subscription order. */
  subscribers(topic: string): { readonly pid: string; readonly value: unknown }[] {
    return (this.topics.get(topic) ?? []).map(({ process, value }) => ({
      pid: process.pid,
      value,
    }));
  }

  private drop(process: Process, topic: string): void {
    const list = this.topics.get(topic);
    if (list === undefined) return;
    // A new array: a broadcast may be walking the old one.
    const kept = list.filter((subscription) => subscription.process !== process);
    if (kept.length === 0) this.topics.delete(topic);
    else this.topics.set(topic, kept);
  }
}
