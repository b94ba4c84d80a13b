/** What the headers of a batch say: one line for all of its calls together. */
import { attemptsText, tenths } from "../../explain/attempts.ts";
import { MAX_META_HEADER } from "../../explain/trim.ts";
import type { CallFacts } from "../call.ts";

/** Providers that the header names. */
const MAX_PROVIDERS = 8;

/** Counts the answers of one batch as they come. */
export class BatchTally {
  readonly #requestId: string;
  readonly #keepsItems: boolean;
  readonly #providers = new Set<string>();
  readonly #items: object[] = [];
  #cache: string | undefined = undefined;
  #count = 0;
  #errors = 0;
  #attempts = 0;

  /** `keepsItems`: the batch is to be explained in a header. */
  constructor(requestId: string, keepsItems: boolean) {
    this.#requestId = requestId;
    this.#keepsItems = keepsItems;
  }

  /** One call of the batch is answered. */
  add(facts: CallFacts): void {
    const { provider, cache } = facts;
    this.#count++;
    if (facts.outcome !== "ok") this.#errors++;
    this.#attempts += facts.attemptCount;
    if (provider !== undefined && this.#providers.size < MAX_PROVIDERS) {
      this.#providers.add(provider);
    }
    this.#cache = this.#cache === undefined || this.#cache === cache ? cache : "MIXED";
    if (!this.#keepsItems) return;
    this.#items.push({
      request_id: facts.requestId,
      method: facts.method,
      provider: provider ?? null,
      cache,
      outcome: facts.outcome,
      attempts: attemptsText(facts),
      total_ms: tenths(facts.durationMs),
    });
  }

  /** Names and values in turn; `durationMs` is the batch's. */
  headers(durationMs: number): readonly string[] {
    const counts = `items=${this.#count};errors=${this.#errors};attempts=${this.#attempts}`;
    const headers = [
      "X-Paceline-Batch",
      counts,
      "Server-Timing",
      `total;dur=${tenths(durationMs)}`,
    ];
    if (this.#cache !== undefined) headers.push("X-Paceline-Cache", this.#cache);
    if (this.#providers.size > 0)
      headers.push("X-Paceline-Provider", [...this.#providers].join(","));
    if (this.#keepsItems) headers.push("X-Paceline-Meta", this.#meta());
    return headers;
  }

  /** As many items as fit. */
  #meta(): string {
    const items = [...this.#items];
    for (;;) {
      const isCut = items.length < this.#items.length;
      const meta = { v: 1, request_id: this.#requestId, items, ...(isCut && { truncated: true }) };
      const text = Buffer.from(JSON.stringify(meta), "utf8").toString("base64url");
      if (text.length <= MAX_META_HEADER || items.length === 0) return text;
      items.length = Math.floor((items.length * MAX_META_HEADER) / text.length);
    }
  }
}
