/** What is wrong with a text that should be bytes in hex, in go-ethereum's words: clients match on them. */

const HEX = /^[0-9a-f]*$/i;

/** Why `text` is not `sizeBytes` bytes of hex with 0x; `undefined` when it is. `what` names such bytes. */
export const hexFault = (text: string, sizeBytes: number, what: string): string | undefined => {
  if (text === "") return "empty hex string";
  if (!text.startsWith("0x") && !text.startsWith("0X")) return "hex string without 0x prefix";
  const digits = text.slice(2);
  if (!HEX.test(digits)) return "invalid hex string";
  if (digits.length % 2 === 1) return "hex string of odd length";
  if (digits.length === sizeBytes * 2) return undefined;
  return `hex has invalid length ${digits.length / 2} after decoding; expected ${sizeBytes} for ${what}`;
};
