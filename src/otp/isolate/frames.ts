/**
 * What crosses the port between a node and an isolated subtree: small tuples, many to a post.
 *
 * `to` is the receiver's own number for one of its processes, a handle is the sender's. The port is
 * a FIFO, so the order of everything A sends to B is kept.
 */
import type { KindOf } from "../process/message.ts";

/** A process as the side that owns it describes it. */
export type Handle = readonly [
  id: number,
  name: string,
  kind: "worker" | "supervisor",
  pid: string,
  /** True: the number is the receiver's, the process is one of its own. */
  isYours?: boolean,
];

/** Frames that carry users' values; these alone may fail to clone, and count against the bound. */
export type UserFrame =
  | [op: "cast", to: number, type: string, arg: unknown, isCoded: boolean]
  | [op: "info", to: number, kind: KindOf, type: string, arg: unknown, isCoded: boolean]
  | [
      op: "call",
      to: number,
      kind: KindOf,
      type: string,
      arg: unknown,
      isCoded: boolean,
      call: number,
      /** Ms left; -1: no deadline. */
      timeoutMs: number,
      caller: string,
    ]
  | [op: "reply", call: number, value: unknown, isCoded: boolean];

/** Frames that the bridge itself understands; reasons are coded, see codec.ts. */
export type SignalFrame =
  | readonly [op: "fail", call: number, reason: unknown]
  | readonly [op: "exit", from: Handle | undefined, to: number, reason: unknown]
  | readonly [op: "link-exit", from: Handle, to: number, reason: unknown]
  | readonly [op: "link" | "unlink", from: Handle, to: number]
  /** Tell me once when your process ends. */
  | readonly [op: "watch", id: number]
  | readonly [op: "dead", id: number, reason: unknown]
  | readonly [op: "monitor", id: number, monitor: number]
  | readonly [op: "demonitor", monitor: number]
  | readonly [op: "down", monitor: number, reason: unknown]
  | readonly [op: "name", name: string, holder: Handle]
  | readonly [op: "unname", name: string, pid: string]
  /** So many user frames have been taken out of the port. */
  | readonly [op: "ack", count: number];

/** What a subtree is started from. */
export interface Origin {
  /** URL of the module. */
  readonly module: string;
  /** Name of the exported function that returns the spec. */
  readonly export: string;
  readonly args: unknown;
}

/** Frames between the host process and the inside of its worker. */
export type ControlFrame =
  /** Load the module now, start later. */
  | readonly [op: "warm", module: string]
  | readonly [op: "start", origin: Origin]
  | readonly [op: "stop", reason: unknown]
  | readonly [op: "up", root: Handle]
  | readonly [op: "failed", reason: unknown]
  | readonly [op: "ended", reason: unknown]
  | readonly [op: "event", name: string, process: string | undefined, fields: unknown]
  | readonly [op: "log", level: string, fields: unknown, message: string]
  | readonly [op: "view", view: unknown];

/** Anything on the port. */
export type Frame = UserFrame | SignalFrame | ControlFrame;

/** One end of a port; a MessagePort, a Worker, or a pair in one test. */
export interface Port {
  /** Throws what cannot be cloned; then nothing was sent. */
  post(frames: readonly Frame[], transfers: readonly ArrayBuffer[]): void;
  onFrames(take: (frames: readonly Frame[]) => void): void;
}
