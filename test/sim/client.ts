/** A subscriber of the simulation: keeps what it was sent and judges whether it is one true story. */
import type { ClientSink } from "../../src/rpc/proxy/ports.ts";

interface Head {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
}

let nextId = 1;

/** Collects heads and finds holes, doubles and broken links in them. */
export class SimClient implements ClientSink {
  readonly id = nextId++;
  readonly heads: Head[] = [];
  readonly subscriptionIds = new Set<string>();
  readonly faults: string[] = [];
  readonly bufferedBytes = 0;
  isOpen = true;
  closedWith: string | undefined = undefined;
  readonly #known = new Set<string>();

  send(text: string | Buffer): void {
    this.#take(text.toString());
  }

  sendFrame(frame: Buffer): void {
    const marker = (frame[1] ?? 0) & 0x7f;
    const start = marker < 126 ? 2 : marker === 126 ? 4 : 10;
    this.#take(frame.toString("utf8", start));
  }

  close(code: number, reason: string): void {
    this.isOpen = false;
    this.closedWith = `${code} ${reason}`;
  }

  #take(text: string): void {
    const { params } = JSON.parse(text) as {
      params?: { subscription: string; result: Record<string, string> };
    };
    if (params === undefined) return;
    this.subscriptionIds.add(params.subscription);
    const { number = "", hash = "", parentHash = "" } = params.result;
    const head = { number: Number(number), hash, parentHash };
    const last = this.heads.at(-1);
    const isLinked =
      last === undefined || head.parentHash === last.hash || this.#known.has(head.parentHash);
    // A reorganisation goes back to a block the client knows; it never jumps ahead of it.
    if (!isLinked && head.number > (last?.number ?? 0))
      this.faults.push(`hole before ${head.number}`);
    if (last !== undefined && head.number > last.number + 1) {
      this.faults.push(`jump from ${last.number} to ${head.number}`);
    }
    if (last?.hash === head.hash) this.faults.push(`double ${head.number}`);
    this.#known.add(head.hash);
    this.heads.push(head);
  }
}
