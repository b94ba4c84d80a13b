/**
 * Refs inside messages: they cross as handles, and arrive as refs that send back over the bridge.
 */
import { RefImpl } from "../process/ref.ts";
import type { Bridge } from "./bridge.ts";
import type { Handle } from "./frames.ts";
import { anyFacets } from "./proxy.ts";

interface CodedRef {
  /** A ref that resolves this name at every send, or that of one process. */
  readonly name?: string | undefined;
  readonly handle?: Handle | undefined;
}

/** What a ref crosses as; undefined for anything else. */
export function encodeRef(bridge: Bridge, value: object): CodedRef | undefined {
  if (!(value instanceof RefImpl)) return undefined;
  const { key } = value;
  if (key !== undefined) return { name: key };
  const process = value.resolve();
  return process === undefined ? { name: value.name } : { handle: bridge.handleOf(process) };
}

/** The ref again. */
export function decodeRef(bridge: Bridge, data: unknown): unknown {
  const { name, handle } = data as CodedRef;
  const process = handle === undefined ? undefined : bridge.processOf(handle);
  if (process !== undefined) return process.ref;
  return new RefImpl(bridge.kernel, undefined, name ?? handle?.[1], anyFacets);
}
