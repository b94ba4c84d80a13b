/** `paceline key`: API keys and their hashes; keys are printed once and kept nowhere. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { hashOfKey } from "../../../lib/key-hash.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import type { Terminal } from "../terminal.ts";

const KEY_BYTES = 32;
/** Shows at a glance, and to secret scanners, what the text is. */
const PREFIX = "pace_";
const STDIN = 0;

/** `paceline key new`: a key for its holder, and the entry for the file. */
export function newKey(
  options: { readonly id?: string; readonly json?: boolean },
  terminal: Terminal,
): number {
  const key = PREFIX + randomBytes(KEY_BYTES).toString("base64url");
  const entry = { id: options.id ?? "my-app", hash: hashOfKey(key) };
  if (options.json === true) {
    terminal.out(`${JSON.stringify({ key, ...entry })}\n`);
    return EXIT.done;
  }
  terminal.out(`key   ${key}\n`);
  terminal.out("      give it to its holder now: it is not kept and cannot be shown again\n\n");
  terminal.out("clients:\n  keys:\n");
  terminal.out(`    - { id: ${entry.id}, hash: "${entry.hash}" }\n`);
  return EXIT.done;
}

/** `paceline key hash`: the hash of a key read from the standard input, out of the shell's history. */
export function hashKey(terminal: Terminal, read = () => readFileSync(STDIN, "utf8")): number {
  const key = read().trim();
  if (key === "") throw new CliError(EXIT.usage, "key hash: no key on the standard input");
  terminal.out(`${hashOfKey(key)}\n`);
  return EXIT.done;
}
