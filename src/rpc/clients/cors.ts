/**
 * Which browser pages may read answers (the Fetch standard's CORS protocol). Off as long as no origin
 * is named: a gateway on a developer's machine must not serve any web page that its owner visits.
 */
import type { CorsConfig } from "../../../config/schema.ts";
import { NameGlobs } from "../../lib/name-globs.ts";

const EXPOSED = [
  "X-Paceline-Request-Id",
  "X-Paceline-Client-Request-Id",
  "X-Paceline-Provider",
  "X-Paceline-Strategy",
  "X-Paceline-Cache",
  "X-Paceline-Attempts",
  "X-Paceline-Batch",
  "X-Paceline-Meta",
  "X-Paceline-Pairing",
  "X-Paceline-Helped-By",
  "X-Paceline-Region",
  "Server-Timing",
  "Retry-After",
].join(", ");

const ALLOWED_METHODS = "GET, POST, PUT, DELETE, OPTIONS";
/** Request headers that pages may send besides those that are always allowed. */
const ALLOWED_HEADER = /^(content-type|content-encoding|authorization|x-paceline-[a-z0-9-]{1,40})$/;

/** The answers to browsers. */
export class Cors {
  #origins: NameGlobs | undefined;
  #isAny = false;
  #maxAgeSec = 0;

  /** Some page may read answers. */
  get isOn(): boolean {
    return this.#origins !== undefined;
  }

  configure({ origins, maxAgeMs }: CorsConfig): void {
    const list = origins.map((origin) => origin.toLowerCase());
    this.#isAny = list.includes("*");
    this.#origins = list.length === 0 ? undefined : new NameGlobs(list);
    this.#maxAgeSec = Math.floor(maxAgeMs / 1000);
  }

  allows(origin: string): boolean {
    return this.#origins?.has(origin.toLowerCase()) === true;
  }

  /** Headers of an answer to this origin; none for an origin that may not read it. */
  headers(origin: string): readonly string[] {
    if (!this.allows(origin)) return ["Vary", "Origin"];
    const allowed = ["Access-Control-Allow-Origin", this.#isAny ? "*" : origin];
    const vary = this.#isAny ? [] : ["Vary", "Origin"];
    return [...allowed, "Access-Control-Expose-Headers", EXPOSED, ...vary];
  }

  /** Headers of the answer to a preflight that asks for these request headers. */
  preflight(origin: string, asked: string | undefined): readonly string[] {
    if (!this.allows(origin)) return ["Vary", "Origin"];
    const names = (asked ?? "")
      .toLowerCase()
      .split(",")
      .map((name) => name.trim())
      .filter((name) => ALLOWED_HEADER.test(name));
    return [
      ...this.headers(origin),
      "Access-Control-Allow-Methods",
      ALLOWED_METHODS,
      ...(names.length === 0 ? [] : ["Access-Control-Allow-Headers", names.join(", ")]),
      "Access-Control-Max-Age",
      String(this.#maxAgeSec),
    ];
  }
}
