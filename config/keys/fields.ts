/** The kinds of values a key may take, each with the words that errors and documents use. */
import { z } from "zod";
import { parseDuration } from "../../src/lib/duration.ts";
import { parseSize } from "../../src/lib/size.ts";

/** What a change of a key costs a running host. */
export type Reload = "hot" | "process" | "host";

/** What the documents and the error messages say about a key. */
export interface KeyMeta {
  readonly description: string;
  readonly default?: unknown;
  readonly "x-unit"?: string;
  readonly "x-reload"?: Reload;
  /** Completes "expected …" in an error. */
  readonly "x-expects"?: string;
  /** The value may hold a key and is never quoted. */
  readonly "x-secret"?: boolean;
}

/** What is said about a key besides its meaning. */
export interface KeyInfo {
  readonly default?: unknown;
  readonly reload?: Reload;
  readonly unit?: string;
}

interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

const bounds = ({ min, max }: Bounds): string =>
  min !== undefined && max !== undefined
    ? ` from ${min} to ${max}`
    : min !== undefined
      ? ` of at least ${min}`
      : "";

/** A key that may be absent: its rule, meaning, and what completes "expected …". */
export function describe<S extends z.ZodType>(
  schema: S,
  description: string,
  expects: string,
  info: KeyInfo,
  more: Partial<KeyMeta> = {},
): z.ZodOptional<S> {
  const meta: KeyMeta = {
    description,
    ...(info.default !== undefined && { default: info.default }),
    ...(info.unit !== undefined && { "x-unit": info.unit }),
    "x-reload": info.reload ?? "process",
    "x-expects": expects,
    ...more,
  };
  return schema.meta({ ...meta }).optional();
}

/** A text that is not empty. */
export const text = (description: string, info: KeyInfo = {}) =>
  describe(z.string().min(1), description, "text", info);

/** A text that may hold a key. */
export const secret = (description: string, expects: string, isValid: RegExp, info: KeyInfo = {}) =>
  describe(z.string().regex(isValid), description, expects, info, { "x-secret": true });

/** True or false. */
export const flag = (description: string, info: KeyInfo = {}) =>
  describe(z.boolean(), description, "true or false", info);

/** A whole number. */
export const whole = (description: string, range: Bounds, info: KeyInfo = {}) =>
  describe(
    z
      .int()
      .min(range.min ?? 0)
      .max(range.max ?? Number.MAX_SAFE_INTEGER),
    description,
    `a whole number${bounds(range)}`,
    info,
  );

/** A number. */
export const number = (description: string, range: Bounds, info: KeyInfo = {}) =>
  describe(
    z
      .number()
      .min(range.min ?? 0)
      .max(range.max ?? Number.MAX_SAFE_INTEGER),
    description,
    `a number${bounds(range)}`,
    info,
  );

/** One of a few words. */
export const oneOf = <const V extends readonly [string, ...string[]]>(
  values: V,
  description: string,
  info: KeyInfo = {},
) => describe(z.enum(values), description, `one of ${values.join(", ")}`, info);

/** A duration; `minMs` keeps a value that would spin from being accepted. */
export const duration = (description: string, minMs: number, info: KeyInfo = {}) =>
  describe(
    z
      .union([z.int().min(0), z.string().regex(/^(\d+|\d+(\.\d+)?(ms|s|m|h|d))$/)])
      .refine((value) => (parseDuration(value) ?? -1) >= minMs && isTimer(value)),
    description,
    `a duration such as 2s, 500ms or a whole number of milliseconds${minMs > 0 ? `, at least ${minMs}ms` : ""}`,
    { unit: "duration", ...info },
  );

const MAX_DURATION_MS = 366 * 86_400_000;
const isTimer = (value: unknown): boolean => (parseDuration(value) ?? Infinity) <= MAX_DURATION_MS;

/** A size with its unit. */
export const size = (description: string, minBytes: number, maxBytes: number, info: KeyInfo = {}) =>
  describe(
    z
      .string()
      .regex(/^\d+(\.\d+)? ?(B|KiB|MiB|GiB)$/)
      .refine((value) => {
        const sizeBytes = parseSize(value);
        return sizeBytes !== undefined && sizeBytes >= minBytes && sizeBytes <= maxBytes;
      }),
    description,
    `a size with its unit such as 5MiB or 64KiB, from ${minBytes} to ${maxBytes} bytes`,
    { unit: "size", ...info },
  );

/** A list of texts. */
export const texts = (description: string, info: KeyInfo = {}) =>
  describe(z.array(z.string().min(1)), description, "a list of texts", info);

/** A list of hosts with their ports. */
export const hosts = (description: string, info: KeyInfo) =>
  describe(
    z.array(z.string().regex(/^([^\s:@/[\]]+|\[[0-9a-fA-F:.]+\]):\d{1,5}$/)),
    description,
    "a list of hosts with their ports, such as 10.0.0.1:26379",
    info,
  );

/** A certificate, or several. */
export const pem = (description: string, info: KeyInfo) =>
  describe(
    z.string().regex(/^\s*-----BEGIN CERTIFICATE-----[^]+$/),
    description,
    "certificates as PEM text, such as ${file:/etc/ssl/redis.pem}",
    info,
  );

/** A map of keys. */
export const group = <S extends z.ZodRawShape>(description: string, shape: S) =>
  z.strictObject(shape).meta({ description, "x-expects": "a map of keys" }).optional();

/** Names with a namespace, and globs in which `*` is any run of characters; no `**`, nothing else. */
const METHOD_PATTERN = /^(?!.*\*\*)(?=.*[_.*])[A-Za-z0-9_.*]+$/;
/** A list of method names or globs. */
export const methods = (description: string, info: KeyInfo) =>
  describe(
    z.array(z.string().regex(METHOD_PATTERN)),
    description,
    "a list of method names such as eth_call, or globs such as debug_* and *_sign*",
    info,
  );

/** A default, and that a change takes effect at once. */
export const hot = (value: unknown): KeyInfo => ({ default: value, reload: "hot" });
/** A default, and that a change needs a new host. */
export const host = (value: unknown): KeyInfo => ({ default: value, reload: "host" });

/** The same key where it only overrides another one. */
export function withoutDefault<S extends z.ZodType>(optional: z.ZodOptional<S>): z.ZodOptional<S> {
  const inner = optional.unwrap();
  // the registry lays the new meta over the old one, so the default must be covered, not left out
  return inner.meta({ ...inner.meta(), default: undefined }).optional();
}
