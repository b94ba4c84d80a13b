/**
 * The trace of a run: every event of the node and every answer, in order, as one hash and the last
 * lines. Equal seeds have equal hashes, in any process and under any loader.
 */
import { createHash, type Hash } from "node:crypto";
import type { TelemetryEvent } from "../../../src/otp/index.ts";

/** Lines kept for a report. */
const KEPT = 4_096;
/** Characters gathered before they are hashed: hashing many short texts costs more than the hash. */
const CHUNK_CHARS = 32_768;

/** Hash and tail of everything that happened. */
export class Trace {
  readonly #hash: Hash = createHash("sha256");
  readonly #lines: string[] = [];
  readonly #print: ((line: string) => void) | undefined;
  #chunk = "";
  #count = 0;

  /** `print` gets every line as it comes, for a replay. */
  constructor(print?: (line: string) => void) {
    this.#print = print;
  }

  /** Lines so far. */
  get length(): number {
    return this.#count;
  }

  event({ name, atMs, process, fields }: TelemetryEvent): void {
    this.line(atMs, process === undefined ? name : `${name} ${process}`, fields);
  }

  line(atMs: number, what: string, fields: Readonly<Record<string, unknown>>): void {
    const line = `${atMs} ${what} ${JSON.stringify(fields, plain)}`;
    this.#lines[this.#count % KEPT] = line;
    this.#count += 1;
    this.#chunk += line;
    if (this.#chunk.length > CHUNK_CHARS) this.#flush();
    this.#print?.(line);
  }

  /** The last `count` lines, the oldest first. */
  last(count: number): readonly string[] {
    const first = Math.max(0, this.#count - Math.min(count, KEPT));
    const lines: string[] = [];
    for (let at = first; at < this.#count; at += 1) lines.push(this.#lines[at % KEPT] as string);
    return lines;
  }

  /** The hash of all lines, hex; the trace takes no more lines afterwards. */
  digest(): string {
    this.#flush();
    return this.#hash.digest("hex");
  }

  #flush(): void {
    this.#hash.update(this.#chunk);
    this.#chunk = "";
  }
}

/** A stack names files and lines, which differ between loaders; of an error the message counts. */
const plain = (key: string, value: unknown): unknown => {
  if (key === "stack") return undefined;
  return value instanceof Error ? value.message : value;
};
