/**
 * What we ask a provider on its own connection (who are you, tell me of new blocks, stop), which
 * answer belongs to which question, and to which stream a notification belongs.
 */
import { quantity } from "../json-rpc/quantity.ts";
import type { RaceEvent } from "../race/settled-race.ts";
import type { SubscriptionFrame } from "../subscription-frame.ts";
import {
  UpstreamLedger,
  type LedgerFault,
  type LedgerReport,
  type LedgerStep,
} from "./upstream-ledger.ts";

type Question =
  | { readonly type: "chainId" | "height" }
  | { readonly type: "unsubscribe"; readonly id: string }
  | { readonly type: "subscribe"; readonly event: RaceEvent };

/** A notification with the time it was read from the socket, ns. */
export interface Notice {
  readonly frame: SubscriptionFrame;
  readonly atNs: number;
}

/** How a provider refused to answer. */
export interface Refusal {
  readonly code: number | undefined;
  readonly message: string;
}

/** An answer to one of our questions. */
export type TalkAnswer =
  | { readonly type: "chainId"; readonly chainId: number }
  | { readonly type: "nameless"; readonly refusal: Refusal }
  | { readonly type: "height"; readonly height: number | undefined }
  /** Nothing follows: a subscription has ended, or one came that nobody wants any more. */
  | { readonly type: "noted" }
  | { readonly type: "refused"; readonly event: RaceEvent; readonly refusal: Refusal }
  | {
      readonly type: "subscribed";
      readonly event: RaceEvent;
      /** Notifications that came before the answer that explains them. */
      readonly early: readonly Notice[];
    };

/**
 * Which stream a notification belongs to: `held` until its subscription's answer is there, `ending`
 * when the subscription was given up a moment ago.
 */
export type Belonging = RaceEvent | "held" | "ending" | "orphan";

/** Notifications kept until the answer that explains them. */
const MAX_EARLY = 256;
/** Our own questions have small answers. */
const MAX_ANSWER_BYTES = 65_536;
const MAX_ERROR_CHARS = 120;
/** Foreign subscriptions that are given back, per connection; beyond it they are only counted. */
const MAX_GIVEN_BACK = 64;

/** Our side of the talk with one provider. */
export class UpstreamTalk {
  readonly #ledger = new UpstreamLedger();
  readonly #questions = new Map<number, Question>();
  readonly #givenBack = new Set<string>();
  readonly #send: (text: string) => void;
  #early: Notice[] = [];
  #nextId = 1;

  /** `send` sends one text message on the current socket. */
  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  /** Streams that are open. */
  get events(): readonly RaceEvent[] {
    return this.#ledger.events;
  }

  /** Both sides of the ledger, for operators. */
  get report(): LedgerReport {
    return this.#ledger.report;
  }

  /** The open stream of a subscription id. */
  eventOf(id: string): RaceEvent | undefined {
    return this.#ledger.eventOf(id);
  }

  askChainId(): void {
    this.#ask({ type: "chainId" }, "eth_chainId", []);
  }

  askHeight(): void {
    this.#ask({ type: "height" }, "eth_blockNumber", []);
  }

  want(event: RaceEvent, isWanted: boolean): void {
    this.#ledger.want(event, isWanted);
  }

  /** Subscribes to what is wanted and unsubscribes from the rest; answers how many were sent. */
  sync(nowMs: number): number {
    return this.#perform(this.#ledger.steps(nowMs));
  }

  /** Opens a stream anew that has fallen silent. */
  renew(event: RaceEvent, nowMs: number): void {
    this.#perform(this.#ledger.drop(event, nowMs));
    this.sync(nowMs);
  }

  /** What has been out of balance for too long. */
  faults(nowMs: number): readonly LedgerFault[] {
    return this.#ledger.faults(nowMs);
  }

  /** Says where a notification belongs; one that came too early is kept, a foreign one given back. */
  belongs(frame: SubscriptionFrame, atNs: number): Belonging {
    const id = frame.subscription;
    const event = this.#ledger.eventOf(id);
    if (event !== undefined) return event;
    if (this.#ledger.isEnding(id)) return "ending";
    if (!this.#ledger.isAsking) {
      this.#giveBack(id);
      return "orphan";
    }
    if (this.#early.length >= MAX_EARLY) return "orphan";
    this.#early.push({ frame, atNs });
    return "held";
  }

  /** Takes a message that is no notification; `undefined` when it answers no question of ours. */
  answer(bytes: Buffer, nowMs: number): TalkAnswer | undefined {
    if (this.#questions.size === 0 || bytes.length > MAX_ANSWER_BYTES) return undefined;
    const answer = parseAnswer(bytes);
    const question = answer && this.#questions.get(answer.id);
    if (answer === undefined || question === undefined) return undefined;
    this.#questions.delete(answer.id);
    return this.#settled(question, answer, nowMs);
  }

  /** The connection is gone: questions, subscriptions and all. */
  clear(): void {
    this.#ledger.clear();
    this.#questions.clear();
    this.#givenBack.clear();
    this.#early = [];
  }

  #settled(question: Question, { result, refusal }: ParsedAnswer, nowMs: number): TalkAnswer {
    switch (question.type) {
      case "chainId": {
        const chainId = quantity(result);
        return chainId === undefined ? { type: "nameless", refusal } : { type: "chainId", chainId };
      }
      case "height":
        return { type: "height", height: quantity(result) };
      case "unsubscribe":
        if (typeof result === "boolean") this.#ledger.ended(question.id);
        else this.#ledger.unended(question.id);
        return { type: "noted" };
      case "subscribe":
        break;
    }
    return typeof result === "string"
      ? this.#subscribed(question.event, result, nowMs)
      : this.#refused(question.event, refusal, nowMs);
  }

  #refused(event: RaceEvent, refusal: Refusal, nowMs: number): TalkAnswer {
    this.#ledger.refused(event, nowMs);
    if (!this.#ledger.isAsking) this.#early = [];
    return { type: "refused", event, refusal };
  }

  #subscribed(event: RaceEvent, id: string, nowMs: number): TalkAnswer {
    this.#perform(this.#ledger.opened(event, id, nowMs));
    const early: Notice[] = [];
    const later: Notice[] = [];
    for (const notice of this.#early) {
      (notice.frame.subscription === id ? early : later).push(notice);
    }
    this.#early = this.#ledger.isAsking ? later : [];
    // It may be surplus, or not wanted any more: then its events are nobody's.
    if (this.#ledger.eventOf(id) !== event) return { type: "noted" };
    return { type: "subscribed", event, early };
  }

  #giveBack(id: string): void {
    if (this.#givenBack.size >= MAX_GIVEN_BACK || this.#givenBack.has(id)) return;
    this.#givenBack.add(id);
    this.#ask({ type: "unsubscribe", id }, "eth_unsubscribe", [id]);
  }

  #perform(steps: readonly LedgerStep[]): number {
    for (const step of steps) {
      if (step.type === "unsubscribe") this.#ask(step, "eth_unsubscribe", [step.id]);
      else this.#ask(step, "eth_subscribe", step.event === "logs" ? ["logs", {}] : [step.event]);
    }
    return steps.length;
  }

  #ask(question: Question, method: string, params: readonly unknown[]): void {
    const id = this.#nextId++;
    this.#questions.set(id, question);
    this.#send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
  }
}

interface ParsedAnswer {
  readonly id: number;
  readonly result: unknown;
  readonly refusal: Refusal;
}

const parseAnswer = (bytes: Buffer): ParsedAnswer | undefined => {
  const answer = asRecord(parsed(bytes));
  if (typeof answer?.["id"] !== "number") return undefined;
  const error = asRecord(answer["error"]);
  const { code, message } = { code: error?.["code"], message: error?.["message"] };
  return {
    id: answer["id"],
    result: answer["result"],
    refusal: {
      code: typeof code === "number" ? code : undefined,
      message: typeof message === "string" ? message.slice(0, MAX_ERROR_CHARS) : "no result",
    },
  };
};

const parsed = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (failure) {
    if (failure instanceof SyntaxError) return undefined;
    throw failure;
  }
};

const asRecord = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === "object" && value !== null
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
