/** Hand-assembled contracts, small enough to be read: no compiler is needed. */

/** Reverts with its own call data: what a test sends is what must come back, byte for byte. */
export const ECHO_REVERT = {
  address: "0x00000000000000000000000000000000000e0001",
  // CALLDATASIZE PUSH1 0 PUSH1 0 CALLDATACOPY, then CALLDATASIZE PUSH1 0 REVERT
  code: "0x366000600037366000fd",
} as const;

/** Emits two logs per call: topic = first word of the call data, data = empty. */
export const TWO_LOGS = {
  address: "0x00000000000000000000000000000000000e0002",
  // twice: PUSH1 0 CALLDATALOAD PUSH1 0 PUSH1 0 LOG1
  code: "0x60003560006000a160003560006000a100",
} as const;

/** A 32-byte word of a number, 0x-prefixed. */
export function wordOf(value: number): `0x${string}` {
  return `0x${value.toString(16).padStart(64, "0")}`;
}
