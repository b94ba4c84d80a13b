/**
 * What we ask a provider on its own connection (who are you, tell me of new blocks, stop), which
 * answer belongs to which question, and to which stream a notification belongs.
 */
import type { RaceEvent } from "../race/settled-race.ts";
import type { SubscriptionFrame } from "../subscription-frame.ts";
import { UpstreamLedger, type LedgerStep } from "./upstream-ledger.ts";

type Question =
  | { readonly type: "chainId" | "height" | "unsubscribe" }
  | { readonly type: "subscribe"; readonly event: RaceEvent };

/** A notification with the time it was read from the socket, ns. */
export interface Notice {
  readonly frame: SubscriptionFrame;
  readonly atNs: number;
}

/** An answer to one of our questions. */
export type TalkAnswer =
  | { readonly type: "chainId"; readonly chainId: number | undefined; readonly error: string }
  | { readonly type: "height"; readonly height: number }
  | { readonly type: "refused"; readonly event: RaceEvent; readonly error: string }
  | {
      readonly type: "subscribed";
      readonly event: RaceEvent;
      /** Notifications that came before the answer that explains them. */
      readonly early: readonly Notice[];
    };

/** Which stream a notification belongs to: `held` until its subscription's answer is there. */
export type Belonging = RaceEvent | "held" | "orphan";

const MAX_EARLY = 256;
const MAX_ANSWER_BYTES = 65_536;
const MAX_ERROR_CHARS = 120;

/** Our side of the talk with one provider. */
export class UpstreamTalk {
  readonly #ledger = new UpstreamLedger();
  readonly #questions = new Map<number, Question>();
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

  /** The height was asked for and not answered yet. */
  get isAskingHeight(): boolean {
    return [...this.#questions.values()].some(({ type }) => type === "height");
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
  sync(): number {
    return this.#perform(this.#ledger.steps());
  }

  /** Opens a stream anew that has fallen silent. */
  renew(event: RaceEvent): void {
    this.#perform(this.#ledger.drop(event));
    this.sync();
  }

  /** Gives back a subscription that we do not hold. */
  giveBack(id: string): void {
    this.#perform([{ type: "unsubscribe", id }]);
  }

  /** Says where a notification belongs; one that came too early is kept. */
  belongs(frame: SubscriptionFrame, atNs: number): Belonging {
    const event = this.#ledger.eventOf(frame.subscription);
    if (event !== undefined) return event;
    if (!this.#ledger.isAsking || this.#early.length >= MAX_EARLY) return "orphan";
    this.#early.push({ frame, atNs });
    return "held";
  }

  /** Takes a message that is no notification; `undefined` when it answers no question of ours. */
  answer(bytes: Buffer): TalkAnswer | undefined {
    if (this.#questions.size === 0 || bytes.length > MAX_ANSWER_BYTES) return undefined;
    const answer = parseAnswer(bytes);
    const question = answer && this.#questions.get(answer.id);
    if (answer === undefined || question === undefined) return undefined;
    this.#questions.delete(answer.id);
    const { result, error } = answer;
    const { type } = question;
    if (type === "chainId") return { type, chainId: quantity(result), error };
    if (type === "height") return { type, height: quantity(result) ?? 0 };
    return type === "subscribe" ? this.#subscribed(question.event, result, error) : undefined;
  }

  /** The connection is gone: questions, subscriptions and all. */
  clear(): void {
    this.#ledger.clear();
    this.#questions.clear();
    this.#early = [];
  }

  #subscribed(event: RaceEvent, result: unknown, error: string): TalkAnswer {
    if (typeof result !== "string") {
      this.#ledger.refused(event);
      return { type: "refused", event, error };
    }
    this.#perform(this.#ledger.opened(event, result));
    const early: Notice[] = [];
    const later: Notice[] = [];
    for (const notice of this.#early) {
      (notice.frame.subscription === result ? early : later).push(notice);
    }
    this.#early = this.#ledger.isAsking ? later : [];
    return { type: "subscribed", event, early };
  }

  #perform(steps: readonly LedgerStep[]): number {
    for (const step of steps) {
      if (step.type === "unsubscribe") {
        this.#ask({ type: "unsubscribe" }, "eth_unsubscribe", [step.id]);
        continue;
      }
      const { event } = step;
      this.#ask(step, "eth_subscribe", event === "logs" ? [event, {}] : [event]);
    }
    return steps.length;
  }

  #ask(question: Question, method: string, params: readonly unknown[]): void {
    const id = this.#nextId++;
    this.#questions.set(id, question);
    this.#send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
  }
}

const quantity = (value: unknown): number | undefined => {
  const number = typeof value === "string" && value.startsWith("0x") ? Number(value) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
};

const parseAnswer = (
  bytes: Buffer,
): { readonly id: number; readonly result: unknown; readonly error: string } | undefined => {
  try {
    const parsed: unknown = JSON.parse(bytes.toString("utf8"));
    if (typeof parsed !== "object" || parsed === null) return undefined;
    const { id, result, error } = parsed as Record<string, unknown>;
    if (typeof id !== "number") return undefined;
    const text =
      error === undefined ? "no result" : JSON.stringify(error).slice(0, MAX_ERROR_CHARS);
    return { id, result, error: text };
  } catch (failure) {
    if (failure instanceof SyntaxError) return undefined;
    throw failure;
  }
};
