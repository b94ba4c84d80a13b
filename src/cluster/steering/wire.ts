/**
 * What regions say to steer each other: orders, and what comes of them.
 *
 * Both travel as messages like all others, so they are signed, taken once, and only within a lease of
 * the last word of the region that they are for. Each names the instance that it is for: another life
 * of the region, and every other region, leaves it alone.
 */
import { isCount } from "../../lib/count.ts";
import type { Speaker } from "../protocol.ts";

/** What one region asks of another; `id` is counted by the one that asks. */
export type Order =
  | {
      readonly form: "run";
      readonly id: number;
      readonly cmd: string;
      readonly args: Readonly<Record<string, unknown>>;
      /** The rights of who asks, as the region that asks knows them. */
      readonly role: string;
    }
  /** The stream is still watched; its batches have come up to this one. */
  | { readonly form: "keep"; readonly id: number; readonly through: number }
  | { readonly form: "stop"; readonly id: number };

/** What comes back. */
export type Reply =
  /** A part of the JSON of an `Outcome`; parts come in order. */
  | {
      readonly form: "part";
      readonly id: number;
      readonly part: number;
      readonly parts: number;
      readonly text: string;
    }
  /** Events of a stream; `before` counts those that came earlier, sent or dropped. */
  | {
      readonly form: "events";
      readonly id: number;
      readonly batch: number;
      readonly before: number;
      readonly events: readonly Fields[];
    }
  | {
      readonly form: "end";
      readonly id: number;
      readonly before: number;
      readonly reason: string;
      readonly facts: Fields;
    };

/** A JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

/** How a command failed. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** How a command ended. */
export type Outcome =
  | { readonly ok: unknown; readonly isStream: boolean }
  | { readonly error: Failure };

/** Most characters of one part, so that a message of them is never too heavy. */
export const PART_CHARS = 64 * 1024;
/** Parts that an answer may have. */
export const MAX_PARTS = 64;
/** Names of commands, roles, codes, reasons. */
const MAX_WORD_CHARS = 64;
const MAX_EVENTS = 10_000;

/** An order or a reply, addressed. */
export const addressed = (to: Speaker, what: Order | Reply): unknown => ({
  ...what,
  to: [to.region, to.instance, to.incarnation],
});

/** Whether a payload is for this instance; undefined when it names nobody. */
export const isFor = (payload: unknown, self: Speaker): boolean | undefined => {
  const { to } = fieldsOf(payload) ?? {};
  if (!Array.isArray(to) || to.length !== 3) return undefined;
  const [region, instance, incarnation] = to as readonly unknown[];
  return region === self.region && instance === self.instance && incarnation === self.incarnation;
};

/** Reads an order; undefined when it makes no sense. */
export const readOrder = (payload: unknown): Order | undefined => {
  const { form, id, cmd, args, role, through } = fieldsOf(payload) ?? {};
  if (!isCount(id)) return undefined;
  if (form === "stop") return { form, id };
  if (form === "keep") return isCount(through) ? { form, id, through } : undefined;
  const given = fieldsOf(args);
  const isRead = form === "run" && isWord(cmd) && isWord(role) && given !== undefined;
  return isRead ? { form, id, cmd, role, args: given } : undefined;
};

/** Reads a reply; undefined when it makes no sense. */
export const readReply = (payload: unknown): Reply | undefined => {
  const fields = fieldsOf(payload) ?? {};
  const { form, id, before } = fields;
  if (!isCount(id)) return undefined;
  if (form === "part") return readPart(id, fields);
  if (!isCount(before)) return undefined;
  if (form === "end") {
    const { reason } = fields;
    const facts = fieldsOf(fields["facts"]);
    return isWord(reason) && facts !== undefined ? { form, id, before, reason, facts } : undefined;
  }
  const { batch, events } = fields;
  const isRead = form === "events" && isCount(batch) && Array.isArray(events);
  if (!isRead || events.length > MAX_EVENTS) return undefined;
  const read: Fields[] = [];
  for (const event of events as readonly unknown[]) {
    const one = fieldsOf(event);
    if (one !== undefined) read.push(one);
  }
  return read.length === events.length ? { form, id, batch, before, events: read } : undefined;
};

/** The parts of an outcome; undefined when it is too long for them. */
export const partsOf = (id: number, outcome: Outcome): readonly Reply[] | undefined => {
  const text = jsonOf(outcome);
  const parts = Math.ceil(text.length / PART_CHARS);
  if (parts > MAX_PARTS) return undefined;
  return Array.from({ length: parts }, (_, part) => ({
    form: "part",
    id,
    part,
    parts,
    text: text.slice(part * PART_CHARS, (part + 1) * PART_CHARS),
  }));
};

/** What no JSON can be made of is a failure too: whoever asked waits for an answer. */
const jsonOf = (outcome: Outcome): string => {
  try {
    return JSON.stringify(outcome);
  } catch (error) {
    const why = error instanceof Error ? error.message : "";
    const message = `the answer cannot be written as JSON: ${why.slice(0, MAX_WORD_CHARS)}`;
    return JSON.stringify({ error: { code: "OPS_FAILED", message } } satisfies Outcome);
  }
};

/** The outcome that all parts joined are; undefined when they are none. */
export const outcomeOf = (text: string): Outcome | undefined => {
  let fields: Fields;
  try {
    fields = fieldsOf(JSON.parse(text)) ?? {};
  } catch {
    return undefined;
  }
  const error = fieldsOf(fields["error"]);
  if (error === undefined) {
    return "isStream" in fields
      ? { ok: fields["ok"] ?? null, isStream: fields["isStream"] === true }
      : undefined;
  }
  const { code, message, hint } = error;
  if (!isWord(code) || typeof message !== "string") return undefined;
  return { error: { code, message, ...(typeof hint === "string" && { hint }) } };
};

const readPart = (id: number, { part, parts, text }: Fields): Reply | undefined => {
  const isPlace = isCount(part) && isCount(parts) && part < parts && parts <= MAX_PARTS;
  const isText = typeof text === "string" && text.length <= PART_CHARS;
  return isPlace && isText ? { form: "part", id, part, parts, text } : undefined;
};

const fieldsOf = (value: unknown): Fields | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : undefined;

const isWord = (value: unknown): value is string =>
  typeof value === "string" && value !== "" && value.length <= MAX_WORD_CHARS;
