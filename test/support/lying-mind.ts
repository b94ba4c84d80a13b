/** A fake provider that tells of logs on its streams which its blocks do not have. */
import { FakeProvider } from "../../src/rpc/fake/provider.ts";
import type { FakeSession } from "../../src/rpc/fake/session.ts";

/** A log that does not exist. */
export interface Lie {
  readonly blockHash: string;
  readonly logIndex: string;
  readonly data: string;
}

/** Changes the first log of each block and invents one behind the last, while it is lying. */
export class LyingProvider extends FakeProvider {
  isLying = false;
  readonly lies: Lie[] = [];

  override openSession(nowMs: number): FakeSession {
    const session = super.openSession(nowMs);
    const collect = session.collect.bind(session);
    session.collect = (atMs) => {
      const frames = collect(atMs);
      return this.isLying
        ? frames.flatMap((frame, i) => this.#twisted(frame, frames[i + 1]))
        : frames;
    };
    return session;
  }

  #twisted(frame: string, next: string | undefined): readonly string[] {
    const log = logIn(frame);
    if (log === undefined || log.removed) return [frame];
    const told = log.logIndex === "0x0" ? [this.#lie(frame, "0x0")] : [frame];
    const isLast = logIn(next)?.blockHash !== log.blockHash;
    return isLast
      ? [...told, this.#lie(frame, `0x${(Number(log.logIndex) + 1).toString(16)}`)]
      : told;
  }

  #lie(frame: string, logIndex: string): string {
    const message = JSON.parse(frame);
    const { result } = message.params;
    const lie = { ...result, logIndex, data: `0x${"f".repeat(64)}` };
    this.lies.push(lie);
    return JSON.stringify({ ...message, params: { ...message.params, result: lie } });
  }
}

const logIn = (frame: string | undefined): (Lie & { readonly removed: boolean }) | undefined => {
  const result = frame === undefined ? undefined : JSON.parse(frame).params?.result;
  return result?.logIndex === undefined ? undefined : result;
};
