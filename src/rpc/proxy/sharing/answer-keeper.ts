/**
 * Joins the request path with the answers that are kept: where the answer to a call would lie, and
 * whether what a provider said goes there.
 */
import { hash as digest } from "node:crypto";
import { asLatin1 } from "../../json-rpc/error-text.ts";
import { answerBlock, type AnswerBlock } from "../../cache/answer-block.ts";
import { MAX_ANSWER_BYTES, type AnswerCache } from "../../cache/answer-cache.ts";
import { blockRefOf, cacheRule } from "../../cache/block-ref.ts";
import type { CacheCounts } from "../../cache/cache-counts.ts";
import { Doorkeeper } from "../../cache/doorkeeper.ts";
import { canonicalParams, type CanonicalParams } from "../../cache/canonical.ts";
import { placeOf, worthOf, type Worth } from "../../cache/finality.ts";
import {
  keptError,
  keptResult,
  type AnswerBytes,
  type KeptAnswer,
} from "../../cache/kept-answer.ts";
import type { CachePolicies } from "../../cache/policies.ts";
import type { SharedAnswer } from "../../cache/shared-value.ts";
import { skipSpace } from "../../json-rpc/json-bytes.ts";
import type { MethodInfo } from "../../json-rpc/methods.ts";
import { walkReply } from "../../json-rpc/reply-walker.ts";
import type { ProviderId } from "../../ids.ts";
import type { Call, CallFacts } from "../call.ts";
import { chainKey } from "../chain-key.ts";
import type { ChainView } from "../ports.ts";
import { ServedCall } from "../served-call.ts";
import { ChainSight } from "./chain-sight.ts";
import type { Keeping } from "./flight.ts";
import { mayKeepFrom } from "./provider-trust.ts";

/** What belongs to one chain. */
export interface KeeperChain {
  readonly view: ChainView;
  readonly counts: CacheCounts;
  readonly policies: CachePolicies;
}

/** Params beyond this stand in the key as their digest, bytes. */
const MAX_SPELLED_BYTES = 512;

/** Looks for answers and keeps them. */
export class AnswerKeeper {
  readonly #cache: AnswerCache;
  readonly #door = new Doorkeeper();
  readonly #redact: (text: string) => string;

  constructor(cache: AnswerCache, redact: (text: string) => string) {
    this.#cache = cache;
    this.#redact = redact;
  }

  /** Where the answer to a call lies; `undefined` when it is neither looked for nor kept. */
  keepingOf(call: Call, info: MethodInfo, sight: ChainSight): Keeping | undefined {
    const rule = cacheRule(info.name);
    if (rule === undefined || !mayUseCache(call)) return undefined;
    const { paramsStart, paramsEnd } = call.envelope;
    const params = canonicalParams(call.body, paramsStart, paramsEnd, rule);
    if (params === undefined) return undefined;
    const place = placeOf(blockRefOf(rule, params), sight);
    if (place === undefined) return undefined;
    const asked = `${chainKey(call.chain)} ${info.name} ${place.anchor} ${paramsKey(params)}`;
    // What was answered within a list is given within that list only.
    const { paired } = call.options;
    const key = paired === undefined ? asked : `${asked} ${paired.key}`;
    return { key, place, isExact: rule.by === "param" && rule.position === 0 };
  }

  /** The answer at a place, if it still holds. */
  find(
    { key, place }: Keeping,
    chain: KeeperChain,
    sight: ChainSight,
    nowMs: number,
  ): KeptAnswer | undefined {
    const answer = this.#cache.find(key, chain.counts, sight, nowMs);
    if (answer !== undefined && place.finality === "realtime") this.#door.wasUseful();
    return answer;
  }

  /** Keeps a provider's result, if it may be kept; answers what was kept. */
  keepResult(
    keeping: Keeping,
    chain: KeeperChain,
    info: MethodInfo,
    provider: ProviderId | undefined,
    body: Buffer,
    idStart: number,
    idEnd: number,
    nowMs: number,
  ): Kept | undefined {
    if (body.length > MAX_ANSWER_BYTES) return undefined;
    if (keeping.place.finality === "realtime" && !this.#door.admits(keeping.key)) return undefined;
    const { kind, valueAt } = walkReply(body, body.length, true);
    if (kind !== "result" || (info.isLookup && isEmpty(body, valueAt))) return undefined;
    const named = answerBlock(body, valueAt, body.length);
    const sight = new ChainSight(chain.view);
    const stay = this.#stayOf(keeping, chain, sight, info.name, named, nowMs);
    if (stay === undefined || !mayKeepFrom(chain.view, provider, stay.worth, sight)) {
      return undefined;
    }
    return this.#put(keeping, chain, keptResult(body, idStart, idEnd), named, stay);
  }

  /** Keeps a revert at a fixed block; other errors are not kept. */
  keepError(
    keeping: Keeping,
    chain: KeeperChain,
    method: string,
    facts: CallFacts,
    nowMs: number,
  ): Kept | undefined {
    if (keeping.place.finality === "realtime" || !(facts instanceof ServedCall)) return undefined;
    const revert = facts.attempts.find(
      ({ provider, errorClass, error }) =>
        errorClass === "revert" && error !== undefined && provider === facts.provider,
    );
    if (revert?.error === undefined) return undefined;
    const sight = new ChainSight(chain.view);
    const stay = this.#stayOf(keeping, chain, sight, method, undefined, nowMs);
    if (stay === undefined || !mayKeepFrom(chain.view, facts.provider, stay.worth, sight)) {
      return undefined;
    }
    const raw = asLatin1(this.#redact(revert.error.raw));
    return this.#put(keeping, chain, keptError(raw), undefined, stay);
  }

  /** Keeps what another host had kept, if it still holds here. */
  keepShared(
    keeping: Keeping,
    chain: KeeperChain,
    method: string,
    { answer, named }: SharedAnswer,
    nowMs: number,
  ): KeptAnswer | undefined {
    const sight = new ChainSight(chain.view);
    const stay = this.#stayOf(keeping, chain, sight, method, named, nowMs);
    return stay === undefined ? undefined : this.#put(keeping, chain, answer, named, stay).answer;
  }

  #stayOf(
    { place, isExact }: Keeping,
    { policies }: KeeperChain,
    sight: ChainSight,
    method: string,
    named: AnswerBlock | undefined,
    nowMs: number,
  ): Stay | undefined {
    const worth = worthOf(place, named, isExact, sight);
    if (worth === undefined) return undefined;
    const ttlMs = policies.ttlMs(method, worth.finality, sight.blockTimeMs);
    // What is said of the newest block is as old as the block.
    const sinceMs = worth.finality === "realtime" ? sight.tipAtMs : nowMs;
    const expiresAtMs = sinceMs + ttlMs;
    return expiresAtMs > nowMs ? { worth, expiresAtMs, ttlMs: expiresAtMs - nowMs } : undefined;
  }

  #put(
    { key }: Keeping,
    { counts }: KeeperChain,
    bytes: AnswerBytes,
    named: AnswerBlock | undefined,
    { worth, expiresAtMs, ttlMs }: Stay,
  ): Kept {
    const { finality, number, hash } = worth;
    const answer: KeptAnswer = { ...bytes, finality, number, hash };
    this.#cache.keep(key, answer, counts, expiresAtMs);
    return { answer, named, ttlMs };
  }
}

/** An answer that was kept, and how it may be given to others. */
export interface Kept {
  readonly answer: KeptAnswer;
  /** The block that it names. */
  readonly named: AnswerBlock | undefined;
  readonly ttlMs: number;
}

interface Stay {
  readonly worth: Worth;
  readonly expiresAtMs: number;
  readonly ttlMs: number;
}

/** Who names providers, or wants several to agree, wants theirs and no earlier answer. */
function mayUseCache({ chain, options }: Call): boolean {
  const { provider, prefer, quorum, profile, exclude, transport } = options;
  return (
    chain.cache?.enabled === true &&
    provider === undefined &&
    prefer === undefined &&
    quorum === undefined &&
    profile?.quorum === undefined &&
    exclude.length === 0 &&
    transport === "any"
  );
}

function paramsKey({ bytes, length }: CanonicalParams): string {
  if (length <= MAX_SPELLED_BYTES) return bytes.toString("latin1", 0, length);
  return digest("sha256", bytes.subarray(0, length), "base64url");
}

/** `null` or an empty list: of a lookup it means "not yet". */
function isEmpty(body: Buffer, valueAt: number): boolean {
  if (body[valueAt] === 0x6e) return true;
  return body[valueAt] === 0x5b && body[skipSpace(body, valueAt + 1, body.length)] === 0x5d;
}
