/**
 * How API keys are kept: by their SHA-256. A key is 256 random bits, so its hash needs no salt and no
 * slow function; a look-up by hash compares nothing that an attacker could time.
 */
import { hash } from "node:crypto";

/** Longest key that is looked at. */
export const MAX_KEY_CHARS = 256;

/** The hash of a key as the configuration holds it. */
export const hashOfKey = (key: string): string => `sha256:${hash("sha256", key)}`;
