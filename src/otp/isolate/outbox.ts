/**
 * Frames on their way out: those of one microtask are posted together, because a post costs far
 * more than a frame.
 */
import type { Reason } from "../reason.ts";
import type { Bridge } from "./bridge.ts";
import { encodeRefs, offendingPath } from "./codec.ts";
import type { Frame, Port, UserFrame } from "./frames.ts";
import { encodeRef } from "./refs.ts";
import { takeTransfers } from "./transfer.ts";

/** Frames of one post; a longer turn posts in between, so that the other side can begin. */
const BATCH = 256;

/** Outgoing side of one bridge. */
export class Outbox {
  private readonly bridge: Bridge;
  private readonly port: Port;
  private frames: Frame[] = [];
  private isArmed = false;

  constructor(bridge: Bridge, port: Port) {
    this.bridge = bridge;
    this.port = port;
  }

  push(frame: Frame): void {
    this.frames.push(frame);
    if (this.frames.length >= BATCH) this.flush();
    else if (!this.isArmed) {
      this.isArmed = true;
      queueMicrotask(this.flush);
    }
  }

  /** Also takes the buffers that are to move with `value`. */
  pushUser(frame: UserFrame, value: unknown): void {
    const buffers = takeTransfers(value);
    if (buffers === undefined) {
      this.push(frame);
      return;
    }
    // Alone, so that a buffer that cannot move hinders nobody else.
    this.flush();
    if (!this.tryPost([frame], buffers)) this.postAlone(frame);
  }

  readonly flush = (): void => {
    this.isArmed = false;
    const { frames } = this;
    if (frames.length === 0) return;
    this.frames = [];
    if (this.tryPost(frames, [])) return;
    // One of them does not clone: the others must not suffer.
    for (const frame of frames) this.postAlone(frame);
  };

  private tryPost(frames: readonly Frame[], transfers: readonly ArrayBuffer[]): boolean {
    try {
      this.port.post(frames, transfers);
      return true;
    } catch {
      return false;
    }
  }

  private postAlone(frame: Frame): void {
    if (this.tryPost([frame], [])) return;
    const index = valueIndex(frame);
    if (index === 0) return;
    const user = frame as UserFrame;
    const value: unknown = user[index];
    const coded = encodeRefs(value, (inner) => encodeRef(this.bridge, inner));
    if (coded !== undefined) {
      const copy = [...user] as unknown[];
      copy[index] = coded;
      // The flag stands behind the value in every user frame.
      copy[index + 1] = true;
      if (this.tryPost([copy as unknown as Frame], [])) return;
    }
    if (user[0] !== "reply") this.bridge.unsent();
    const reason: Reason = ["not_cloneable", offendingPath(coded ?? value) ?? "arg"];
    this.bridge.refuse(user, reason);
  }
}

/** Where a user frame keeps its value; 0 for frames that always clone. */
function valueIndex(frame: Frame): 0 | 2 | 3 | 4 {
  switch (frame[0]) {
    case "cast":
      return 3;
    case "call":
    case "info":
      return 4;
    case "reply":
      return 2;
    default:
      return 0;
  }
}
