/**
 * Shadow traffic: providers that serve nobody get copies of some reads after the clients were
 * answered, and where both must have meant the same block their answers are compared.
 */
import { isAdmissible } from "../../admission.ts";
import { canonicalText } from "../../integrity/canonical.ts";
import { comparison } from "../../integrity/quorum-rules.ts";
import type { MethodInfo } from "../../json-rpc/methods.ts";
import { walkReply } from "../../json-rpc/reply-walker.ts";
import { isServedBy } from "../../selection/filters.ts";
import { isPaired } from "../../selection/paired.ts";
import type { Candidate, EndpointView } from "../../selection/snapshot.ts";
import { blocksOf } from "../attempt/asked.ts";
import { Mirror } from "../attempt/mirror.ts";
import type { Call } from "../call.ts";
import type { Engine } from "../engine.ts";

/** Copies under way in the whole gateway; a slow shadow must not pile them up. */
const MAX_COPIES = 16;

/** Lookups whose one argument fixes what they are about. */
const BY_HASH: ReadonlySet<string> = new Set([
  "eth_getBlockByHash",
  "eth_getBlockTransactionCountByHash",
  "eth_getTransactionByHash",
  "eth_getTransactionReceipt",
]);

/** Sends the copies of one gateway. */
export class Shadows {
  readonly #engine: Engine;
  #running = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Copies a call that was answered with this body to the shadows whose turn it is. */
  consider(call: Call, info: MethodInfo, answer: Buffer): void {
    const shadows = call.chain.snapshot?.shadows;
    if (shadows === undefined || !info.isIdempotent || info.class === "write") return;
    for (const view of shadows) {
      if (this.#engine.deps.random() >= (view.shadow ?? 0)) continue;
      if (this.#running < MAX_COPIES) this.#copy(call, info.name, view, answer);
    }
  }

  #copy(call: Call, method: string, view: EndpointView, answer: Buffer): void {
    const engine = this.#engine;
    const nowMs = engine.now();
    const { http, ws } = view.transports;
    const row = [http, ws].find((one) => one !== undefined && isAdmissible(one, nowMs));
    const upstream = row === undefined ? undefined : call.chain.upstream(row);
    if (row === undefined || upstream === undefined || view.unsupported.has(method)) return;
    const { profile, paired } = call.options;
    if (paired !== undefined && !isPaired(paired, view)) return;
    if (profile !== undefined && !isServedBy(profile, view)) return;
    if (row.budget?.sparesBackground(nowMs) === false) return;
    const target: Candidate = { row, view, score: 0, tier: "unknown", place: 0, relaxed: [] };
    const served = isComparable(call, method) ? answer : undefined;
    this.#running++;
    new Mirror(engine, call, method, (copy) => {
      this.#running--;
      if (served !== undefined && copy !== undefined)
        this.#compare(call, method, view, served, copy);
    }).send(target, upstream, nowMs);
  }

  #compare(call: Call, method: string, view: EndpointView, served: Buffer, copy: Buffer): void {
    const ignored = comparison(call.chain.quorum, method);
    const textOf = (body: Buffer): string | undefined =>
      canonicalText(body, walkReply(body, body.length, true).valueAt, body.length, ignored);
    const wanted = textOf(served);
    const found = textOf(copy);
    // An empty answer on either side often means "not here yet".
    if (wanted === found || found === "null" || found === "[]") return;
    if (wanted === "null" || wanted === "[]") return;
    const { guard } = this.#engine;
    guard.accuse(call.chain, view.provider, method, "shadow", "another answer than was served");
  }
}

/** Whether two providers that are asked one after the other must give the same answer. */
function isComparable(call: Call, method: string): boolean {
  if (BY_HASH.has(method)) return true;
  const blocks = blocksOf(call, method);
  if (blocks === undefined) return false;
  if (method === "eth_getLogs" && blocks.range === 0) return false;
  return blocks.block <= (call.chain.snapshot?.tip ?? -1);
}
