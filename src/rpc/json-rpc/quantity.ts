/** Numbers and hashes as JSON-RPC writes them: hex behind 0x (EIP-1474). */

/** The number behind a quantity; `undefined` for anything else, and for more than a number holds exactly. */
export const quantity = (value: unknown): number | undefined =>
  typeof value === "string" && /^0x[0-9a-f]{1,13}$/i.test(value) ? Number(value) : undefined;

/** A number as a quantity. */
export const hexQuantity = (value: number): string => `0x${value.toString(16)}`;

/** The hash of a block or of a transaction: 32 bytes. */
export const isHash = (value: unknown): value is string =>
  typeof value === "string" && /^0x[0-9a-f]{64}$/i.test(value);
