/** Reads what a provider sent as an object of JSON. */
import { Buffer } from "node:buffer";

/** An object of JSON. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** The object that these bytes are; an empty one when they are none. */
export const readRecord = (bytes: Uint8Array): JsonRecord => {
  const value = readJson(bytes);
  return isRecord(value) ? value : {};
};

/** What these bytes are as JSON; undefined when they are none. */
export const readJson = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8"));
  } catch {
    // SyntaxError is all that JSON.parse throws: a provider sent something else.
    return undefined;
  }
};

/** An object, and no list. */
export const isRecord = (value: unknown): value is JsonRecord =>
  typeof value === "object" && value !== null && !Array.isArray(value);
