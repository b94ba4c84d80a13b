/**
 * The queue process with whoever gives and takes around it, on virtual time, as an object. Takers are
 * processes that pull once, as workers do.
 */
import { policyQueue, policyQueueKey } from "../../actors/pairing/policy-queue.ts";
import {
  child,
  createVirtualNode,
  defineActor,
  dynamicSupervisor,
  keyFor,
  stop,
  supervisor,
  type VirtualNode,
} from "../../src/otp/index.ts";
import type { QueueStats } from "../../src/pairing/protocol.ts";
import type { WorkMessage } from "../../src/pairing/work.ts";
import { QUEUE_TEXT } from "../../src/pairing/work-queue.ts";
import type { AnyPolicyQueue } from "../suites/policy-queue.ts";
import { policy } from "./support.ts";

const TAKERS = "takers";
/** Longer than any wait of a test. */
const CALL_MS = 1_000_000;

interface TakerArgs {
  readonly id: number;
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly take: (item: string) => void;
  readonly fail: (error: unknown) => void;
}

const taker = defineActor({
  name: "test/taker",
  init: (args: TakerArgs, ctx): TakerArgs => {
    ctx.via(policyQueueKey()).cast.pull(ctx.self);
    if (args.timeoutMs !== undefined) ctx.after(args.timeoutMs, "late");
    const leave = (): void => ctx.self.send({ type: "left" });
    if (args.signal?.aborted === true) leave();
    args.signal?.addEventListener("abort", leave, { once: true });
    return args;
  },
  on: (state, info, ctx) => {
    const message =
      info.type === "info" ? (info.payload as WorkMessage | { readonly type: "left" }) : undefined;
    if (message?.type === "work") {
      ctx.via(policyQueueKey()).cast.done(ctx.self);
      state.take(message.item.request.policy.requiredLocation);
    } else if (message?.type === "closed") state.fail(new Error(message.error));
    else if (message?.type === "left") state.fail(state.signal?.reason);
    else state.fail(new Error(QUEUE_TEXT.dequeueTimeout));
    return stop(state, "normal");
  },
});

const takerKey = keyFor(taker, "n");

const requestOf = (item: string) => ({ policy: policy({ requiredLocation: item }) });

/** The queue. */
export class ProcessQueue implements AnyPolicyQueue {
  readonly #node: VirtualNode;
  /** One thing after the other, so that equal waits begin in the order that they were asked for. */
  #turn: Promise<unknown> = Promise.resolve();
  #lastId = 0;

  private constructor(node: VirtualNode) {
    this.#node = node;
  }

  static async start(capacity: number): Promise<ProcessQueue> {
    const node = createVirtualNode({ seed: 1 });
    const counts = { depth: 0, processed: 0, errors: 0 };
    const queue = child(policyQueue, { capacity, counts }, { register: policyQueueKey() });
    const takers = dynamicSupervisor(TAKERS, {
      register: TAKERS,
      template: (args: TakerArgs) =>
        child(taker, args, { restart: "temporary", register: takerKey(String(args.id)) }),
    });
    await node.start(supervisor("root", { children: [queue, takers] }));
    return new ProcessQueue(node);
  }

  async stop(): Promise<void> {
    await this.#turn;
    await this.#node.stop();
  }

  async enqueue(item: string): Promise<void> {
    const request = { market: "m", requests: [requestOf(item)] };
    const report = await this.#next(() => this.#node.drive(this.#queue.call.enqueue(request)));
    const [refused] = report.rejected;
    if (refused !== undefined) throw new Error(refused.error);
  }

  async enqueueWithTimeout(item: string, timeoutMs: number): Promise<void> {
    const wait = { market: "m", request: requestOf(item), timeoutMs, token: ++this.#lastId };
    const { answer } = await this.#next(async () => {
      const asked = this.#queue.call.enqueueWait(wait, { timeoutMs: CALL_MS });
      await this.#node.settle();
      return { answer: asked };
    });
    const error = await answer;
    if (error !== undefined) throw new Error(error);
  }

  dequeue(): Promise<string> {
    return this.#take({ timeoutMs: undefined, signal: undefined });
  }

  dequeueWithTimeout(timeoutMs: number): Promise<string> {
    return this.#take({ timeoutMs, signal: undefined });
  }

  dequeueWithContext(signal: AbortSignal): Promise<string> {
    return this.#take({ timeoutMs: undefined, signal });
  }

  /** Its drain waits for those who work; here only that it began. */
  async close(): Promise<void> {
    await this.#next(async () => {
      void this.#queue.try.drain({ timeoutMs: CALL_MS }, { timeoutMs: CALL_MS });
      await this.#node.settle();
    });
  }

  async size(): Promise<number> {
    return (await this.stats()).size;
  }

  async capacity(): Promise<number> {
    return (await this.stats()).capacity;
  }

  async isClosed(): Promise<boolean> {
    return (await this.stats()).closed;
  }

  stats(): Promise<QueueStats> {
    return this.#next(() => this.#node.drive(this.#queue.call.stats()));
  }

  async pass(ms: number): Promise<void> {
    await this.#next(() => this.#node.advance(ms));
  }

  get #queue() {
    return this.#node.via(policyQueueKey());
  }

  async #take(limits: Pick<TakerArgs, "timeoutMs" | "signal">): Promise<string> {
    const { promise, resolve: take, reject: fail } = Promise.withResolvers<string>();
    const begun = this.#next(async () => {
      const args: TakerArgs = { ...limits, id: ++this.#lastId, take, fail };
      const started = this.#node.supervisor<TakerArgs>(TAKERS)?.startChild(args);
      if (started !== undefined) await this.#node.drive(started);
      await this.#node.settle();
    });
    const [item] = await Promise.all([promise, begun]);
    return item;
  }

  #next<T>(run: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(run);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
