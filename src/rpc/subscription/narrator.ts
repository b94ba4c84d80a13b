/** Tells the clients of a chain, its operators and its other readers what the follower has found. */
import type { ProviderId } from "../ids.ts";
import { logConditions } from "../message-key.ts";
import type { SubscriptionFrame } from "../subscription-frame.ts";
import type { RaceEvent } from "../race/settled-race.ts";
import type { Block, BlockLog } from "./chain/block.ts";
import type { ChainFollower, FollowerListener } from "./chain/follower.ts";
import type { ClientPorts, Clients } from "./delivery/clients.ts";
import type { StreamKind } from "./delivery/streams.ts";
import { addressAndTopics, withRemoved } from "./parse.ts";
import type { Resumption } from "./resume/resumption.ts";

/** What a narrator is joined to. */
export interface NarratorPorts extends Pick<ClientPorts, "chain" | "emit"> {
  /** A provider said what is not so. */
  readonly accuse: (provider: ProviderId, event: RaceEvent, reason: string) => void;
  /** Providers whose word is in doubt should say again what their head is. */
  readonly askHeads: (providers: readonly ProviderId[]) => void;
  /** A block became canonical. */
  readonly onBlock: (block: Block) => void;
}

/** A log with the frame that told of it. */
interface ToldLog {
  readonly bytes: Uint8Array;
  readonly frame: SubscriptionFrame;
}

/** Missing blocks or logs that stay missing for so long are worth an event. */
const DEGRADED_MS = 2_000;

/** The voice of one chain's hub. */
export class Narrator implements FollowerListener {
  /** The log that is being delivered, so that filters need not parse it again. */
  current: ToldLog | undefined;
  readonly #ports: NarratorPorts;
  readonly #clients: Clients;
  readonly #resumption: Resumption;
  readonly #follower: ChainFollower;
  #retractions = 0;
  #waitingSinceMs: number | undefined;

  constructor(
    ports: NarratorPorts,
    clients: Clients,
    resumption: Resumption,
    follower: ChainFollower,
  ) {
    this.#follower = follower;
    this.#ports = ports;
    this.#clients = clients;
    this.#resumption = resumption;
  }

  head(block: Block): void {
    const stream = this.#clients.streams.stream("newHeads");
    if (stream !== undefined && block.head !== undefined) {
      this.#clients.streams.deliver(stream, block.head.bytes, block.sequence);
    }
    this.#resumption.passed(block);
    this.#ports.onBlock(block);
  }

  log(block: Block, log: BlockLog): void {
    this.#follower.isTelling = true;
    this.#clients.streams.deliverLog(log.bytes, block.sequence, () =>
      this.current?.bytes === log.bytes
        ? logConditions(this.current.frame)
        : addressAndTopics(log.bytes),
    );
    this.#resumption.passed(block, log);
  }

  retraction(block: Block, log: BlockLog): void {
    this.#retractions++;
    this.#takeBack(block, log);
  }

  #takeBack(block: Block, log: BlockLog): void {
    this.#clients.streams.deliverLog(withRemoved(log.bytes, true), block.sequence, () =>
      addressAndTopics(log.bytes),
    );
    this.#resumption.passed(block, log, true);
  }

  reorg(orphaned: readonly Block[], tip: Block): void {
    const { chain, emit } = this.#ports;
    const { hash, number } = tip;
    emit("head.reorg", { chain, number, hash, depth: orphaned.length });
    if (this.#retractions > 0) {
      emit("subs.retraction", { chain, blocks: orphaned.length, count: this.#retractions });
      this.#retractions = 0;
    }
  }

  filled(from: number, to: number): void {
    const { chain, emit } = this.#ports;
    emit("subs.backfill", { chain, firstBlock: from, lastBlock: to, blocks: to - from + 1 });
  }

  disproved(block: Block, taken: readonly BlockLog[], liars: readonly string[]): void {
    const { chain, emit, accuse } = this.#ports;
    this.#follower.isTelling = true;
    for (const log of taken) this.#takeBack(block, log);
    if (taken.length > 0) emit("subs.retraction", { chain, blocks: 1, count: taken.length });
    const told = `logs of block ${block.number} ${block.hash} that others have not got`;
    for (const provider of liars) accuse(provider, "logs", told);
  }

  gap(kinds: "all" | "logs", from: number, to: number, sequence: number): void {
    const lost: readonly StreamKind[] = kinds === "all" ? ["newHeads", "logs"] : ["logs"];
    for (const { sink, since } of this.#clients.streams.of(lost)) {
      if (since < sequence) this.#clients.close(sink, `gap ${from}-${to}`);
    }
  }

  implausible(source: string, number: number): void {
    const { chain, emit } = this.#ports;
    emit("head.velocity_drop", { chain, provider: source, head: number });
  }

  outvoted(source: string, block: Pick<Block, "number" | "hash">, isLost: boolean): void {
    const { number, hash } = block;
    const told = `head ${number} ${hash} that others contradict`;
    this.#ports.accuse(source, "newHeads", isLost ? `${told}; it is believed alone no more` : told);
  }

  contested(sources: readonly string[]): void {
    this.#ports.askHeads(sources);
  }

  wantsLogsOf(bloom: string | undefined): boolean {
    return (
      this.#clients.streams.wantsLogsOf(bloom) || this.#resumption.returning.wantsLogsOf(bloom)
    );
  }

  /** Waiting for an answer is normal; waiting for long is worth a word. */
  noteState(state: ChainFollower["state"], nowMs: number): void {
    if (state !== "degraded" && state !== "filling") {
      this.#waitingSinceMs = undefined;
      return;
    }
    this.#waitingSinceMs ??= nowMs;
    if (nowMs - this.#waitingSinceMs < DEGRADED_MS) return;
    this.#waitingSinceMs = Number.POSITIVE_INFINITY;
    this.#ports.emit("subs.degraded", {
      chain: this.#ports.chain,
      kind: state === "degraded" ? "logs" : "newHeads",
      reason: "missing blocks or logs cannot be fetched yet",
      clients: this.#clients.streams.size.clients,
    });
  }
}
