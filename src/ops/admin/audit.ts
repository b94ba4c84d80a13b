/**
 * The audit log: one JSON line per attempted change, each holding the hash of the line before it, so
 * that a line taken out or altered later shows. SHA-256 over the line without its own hash.
 */
import { createHash } from "node:crypto";
import type { Role } from "./protocol.ts";

/** What is recorded of one attempted change. */
export interface AuditEntry {
  /** Wall clock, ISO 8601. */
  readonly at: string;
  readonly role: Role;
  /** First 8 hex digits of the token's hash, or `none`. */
  readonly token: string;
  readonly cmd: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** `ok`, or the error code. */
  readonly result: string;
}

/** The end of a chain: what the next line continues. */
export interface AuditHead {
  readonly seq: number;
  readonly hash: string;
}

/** Where a chain begins. */
export const AUDIT_GENESIS: AuditHead = { seq: 0, hash: "0".repeat(64) };

/** The next line and the head after it. */
export function auditLine(
  head: AuditHead,
  entry: AuditEntry,
): { readonly line: string; readonly head: AuditHead } {
  const { at, role, token, cmd, args, result } = entry;
  const seq = head.seq + 1;
  const record = { seq, at, role, token, cmd, args, result, prev: head.hash };
  const hash = hashOf(JSON.stringify(record));
  return { line: `${JSON.stringify({ ...record, hash })}\n`, head: { seq, hash } };
}

/** The head that the last line of a log leaves; undefined when that line is no whole record. */
export function auditHead(lastLine: string): AuditHead | undefined {
  const parsed = parseRecord(lastLine);
  return parsed === undefined ? undefined : { seq: parsed.seq, hash: parsed.hash };
}

/** The first line (from 1) at which a log breaks its chain; undefined when it is whole. */
export function findAuditBreak(text: string, from?: AuditHead): number | undefined {
  let head = from;
  const lines = text.split("\n").filter((line) => line !== "");
  for (const [at, line] of lines.entries()) {
    const parsed = parseRecord(line);
    if (parsed === undefined) return at + 1;
    if (head !== undefined && (parsed.prev !== head.hash || parsed.seq !== head.seq + 1)) {
      return at + 1;
    }
    head = { seq: parsed.seq, hash: parsed.hash };
  }
  return undefined;
}

function parseRecord(
  line: string,
): { readonly seq: number; readonly prev: string; readonly hash: string } | undefined {
  try {
    const { hash, ...record } = JSON.parse(line) as Record<string, unknown>;
    const { seq, prev } = record;
    if (typeof seq !== "number" || typeof prev !== "string" || typeof hash !== "string") {
      return undefined;
    }
    return hash === hashOf(JSON.stringify(record)) ? { seq, prev, hash } : undefined;
  } catch {
    return undefined;
  }
}

/** How the audit log and the operators speak of a token without giving it away. */
export function tokenId(token: string): string {
  return hashOf(token).slice(0, 8);
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
