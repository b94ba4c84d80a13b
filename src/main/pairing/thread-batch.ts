/**
 * Large batches with all cores: chunks go to the threads as they ask for more, and this thread takes its
 * own from the other end, a slice at a time. What the threads answer holds for the version that they were
 * asked about; should the market have changed meanwhile, this thread does that chunk again.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { type batchMatcher, batchMatcherKey } from "../../../actors/pairing/batch-matcher.ts";
import { bindingOf } from "../../matching/binding.ts";
import type { Plan } from "../../matching/compile.ts";
import type { Chunk, ChunkAnswer } from "../../matching/shared/chunk.ts";
import { type IndexImage, imageOf, isCurrent } from "../../matching/shared/image.ts";
import { isPortable, type ProfileImage, profileImageOf } from "../../matching/shared/plan-image.ts";
import { matchingThread, threadsName } from "../../../supervisors/pairing-thread.ts";
import type { Node, Ref } from "../../otp/index.ts";
import type { PairingMarket } from "../../pairing/market.ts";
import type { PairingResult, PairRequest } from "../../pairing/protocol.ts";
import { type BatchRunner, pairHere } from "./batch.ts";

/** Policies that go to a thread at once: about a millisecond. */
const CHUNK = 256;
/** Policies that this thread takes at once. */
const OWN_CHUNK = 32;
/** Time between two turns of the loop, ms. */
const SLICE_MS = 5;
/** A thread that is silent for longer is done without. */
const ANSWER_MS = 2_000;

/** A runner with this many threads, for batches from `from` policies on; the first of them starts them. */
export function pairInThreads(node: Node, threads: number, from: number): BatchRunner {
  const images = new WeakMap<PairingMarket, IndexImage>();
  return async (market, requests, signal) => {
    if (requests.length < from) return pairHere(market, requests, signal);
    const batch = new Batch(market, requests, signal);
    const running = runningThreads(node, threads);
    const asked = running.map((matcher) =>
      batch.workElsewhere(images, async (chunk) => {
        const answer = await matcher.try.match(chunk, { timeoutMs: ANSWER_MS });
        return answer.ok ? answer.value : undefined;
      }),
    );
    await Promise.all([...asked, batch.workHere(() => Promise.all(asked))]);
    return { results: batch.results, threads: running.length };
  };
}

/** Those that run; the others are started, for the batches to come. */
function runningThreads(node: Node, threads: number): Ref<typeof batchMatcher>[] {
  const supervisor = node.supervisor(threadsName);
  return Array.from({ length: threads }, (_, thread) => thread).flatMap((thread) => {
    const matcher = node.whereis(batchMatcherKey(String(thread)));
    if (matcher === undefined) void supervisor?.startChild(matchingThread(thread));
    return matcher ?? [];
  });
}

interface Portable {
  readonly at: number;
  readonly plan: Plan;
}

/** One batch under way. */
class Batch {
  readonly results: (PairingResult | undefined)[];
  readonly #market: PairingMarket;
  readonly #requests: readonly PairRequest[];
  readonly #signal: AbortSignal | undefined;
  /** What any thread may do; this one takes from its end. */
  readonly #portable: Portable[] = [];
  /** What only this thread can do, or must do again. */
  readonly #own: number[] = [];
  #next = 0;

  constructor(
    market: PairingMarket,
    requests: readonly PairRequest[],
    signal: AbortSignal | undefined,
  ) {
    this.#market = market;
    this.#requests = requests;
    this.#signal = signal;
    this.results = Array.from({ length: requests.length });
    for (const [at, request] of requests.entries()) {
      const compiled = request.explain === true ? undefined : market.plans.planOf(request);
      if (compiled?.ok === true && isPortable(compiled.plan)) {
        this.#portable.push({ at, plan: compiled.plan });
      } else this.#own.push(at);
    }
  }

  /** Hands chunks to one thread until there are none, or it does not answer. */
  async workElsewhere(
    images: WeakMap<PairingMarket, IndexImage>,
    ask: (chunk: Chunk) => Promise<ChunkAnswer | undefined>,
  ): Promise<void> {
    for (;;) {
      const taken = this.#isAborted ? [] : this.#take();
      if (taken.length === 0) return;
      const chunk = chunkOf(this.#market, taken, images);
      const startUs = performance.now() * 1_000;
      const answer = chunk === undefined ? undefined : await ask(chunk);
      const timeUs = (performance.now() * 1_000 - startUs) / taken.length;
      const { index } = this.#market.store;
      if (chunk === undefined || answer === undefined || answer.isTorn) {
        for (const { at } of taken) this.#own.push(at);
        if (answer === undefined) return;
      } else if (isCurrent(chunk.image, index)) this.#write(taken, answer, timeUs);
      else for (const { at } of taken) this.#own.push(at);
    }
  }

  /** Does what is left in this thread, and what comes back once the others have ended. */
  async workHere(others: () => Promise<unknown>): Promise<void> {
    await this.#workOff();
    await others();
    await this.#workOff();
  }

  async #workOff(): Promise<void> {
    let sliceMs = performance.now();
    while (!this.#isAborted) {
      const own = this.#own.splice(-OWN_CHUNK);
      const room = OWN_CHUNK - own.length;
      const left = Math.max(this.#next, this.#portable.length - room);
      const taken = [...own, ...this.#portable.splice(left).map(({ at }) => at)];
      if (taken.length === 0) return;
      for (const at of taken) {
        this.results[at] = this.#market.answer(this.#requests[at] as PairRequest);
      }
      if (performance.now() - sliceMs < SLICE_MS) continue;
      await nextTurn();
      sliceMs = performance.now();
    }
  }

  get #isAborted(): boolean {
    return this.#signal?.aborted === true;
  }

  #take(): Portable[] {
    const taken = this.#portable.slice(this.#next, this.#next + CHUNK);
    this.#next += taken.length;
    return taken;
  }

  #write(taken: readonly Portable[], answer: ChunkAnswer, timeUs: number): void {
    const reports = new Map(answer.reports);
    let first = 0;
    for (const [i, { at, plan }] of taken.entries()) {
      const end = first + (answer.picks[i] as number);
      this.results[at] = this.#market.resultOfRows(
        (this.#requests[at] as PairRequest).policy,
        plan,
        {
          rows: answer.rows.subarray(first, end),
          scores: answer.scores.subarray(first, end),
          left: answer.left[i] as number,
          survivors: reports.get(i),
        },
        timeUs,
      );
      first = end;
    }
  }
}

/** Undefined when the market is not in shared memory, or its profile not known elsewhere. */
function chunkOf(
  market: PairingMarket,
  taken: readonly Portable[],
  images: WeakMap<PairingMarket, IndexImage>,
): Chunk | undefined {
  const { index } = market.store;
  const profiles: ProfileImage[] = [];
  const numbers = new Map<unknown, number>();
  const profileOf: number[] = [];
  for (const { plan } of taken) {
    // Orders and boards are made here, once, and read there.
    const binding = bindingOf(plan, index);
    if (binding.order() === undefined) binding.board();
    let number = numbers.get(plan.composite);
    if (number === undefined) {
      const profile = profileImageOf(plan);
      if (profile === undefined) return undefined;
      number = profiles.push(profile) - 1;
      numbers.set(plan.composite, number);
    }
    profileOf.push(number);
  }
  const known = images.get(market);
  const image = known !== undefined && isCurrent(known, index) ? known : imageOf(index);
  if (image === undefined) return undefined;
  images.set(market, image);
  return { image, profiles, profileOf, texts: taken.map(({ plan }) => plan.text) };
}
