/** Checks of what other regions say. */

/** Longer names are not read. */
const MAX_NAME_CHARS = 128;

/** The name of a region, an instance or a chain. */
export const isName = (value: unknown): value is string =>
  typeof value === "string" && value !== "" && value.length <= MAX_NAME_CHARS;
