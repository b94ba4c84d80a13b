/**
 * The methods that send a signed transaction, and how each may be spread: data, so that a method
 * that vendors invent is one more row.
 */

/** How one method is sent. */
export interface WriteMethod {
  /**
   * To whom: `chain` as the chain's `write.mode` says; `one` to one provider after the other, the
   * next only when the one before has surely not taken it; `private` to providers tagged `private`.
   */
  readonly spread: "chain" | "one" | "private";
  /** The result is the transaction's hash, which we know; otherwise it is the provider's own. */
  readonly answersHash: boolean;
  /** Where the raw transaction stands among the parameters. */
  readonly rawOf: (params: readonly unknown[]) => unknown;
}

const first = (params: readonly unknown[]): unknown => params[0];

const WRITE_METHODS = new Map<string, WriteMethod>([
  ["eth_sendRawTransaction", { spread: "chain", answersHash: true, rawOf: first }],
  // ERC-7796: the sequencer checks the condition; a second one may hold another state.
  ["eth_sendRawTransactionConditional", { spread: "one", answersHash: true, rawOf: first }],
  // EIP-7966: answers the receipt, so "already known" is no answer.
  ["eth_sendRawTransactionSync", { spread: "one", answersHash: false, rawOf: first }],
  // Flashbots and its like: what is private must not meet a public pool.
  [
    "eth_sendPrivateTransaction",
    { spread: "private", answersHash: true, rawOf: ([request]) => txOf(request) },
  ],
  ["eth_sendPrivateRawTransaction", { spread: "private", answersHash: true, rawOf: first }],
]);

/** The row of a method that sends a signed transaction. */
export const writeMethod = (name: string): WriteMethod | undefined => WRITE_METHODS.get(name);

const txOf = (request: unknown): unknown =>
  typeof request === "object" && request !== null ? (request as { tx?: unknown }).tx : undefined;
