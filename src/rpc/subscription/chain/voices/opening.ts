/**
 * Where history begins. Who speaks first may be on another chain or on a fork that all others have
 * left, so while nothing is known of a chain most providers have to name a block, or blocks of one
 * branch. That takes as long as asking them all; whoever does not answer is waited for a moment.
 */
import type { Block } from "../block.ts";
import { needBlock, type Need } from "../needs.ts";
import type { Opinions } from "./opinions.ts";
import { pathFrom } from "../pursuit.ts";
import type { Ring } from "../ring.ts";

/** So long after the first word it is decided with what has been heard, ms. */
export const OPENING_MS = 1_000;
/** Providers of one chain are no further apart, or it is not worth finding out; in blocks. */
const MAX_APART_BLOCKS = 16;

/** What is heard of a chain before its history begins. */
export class Opening {
  private readonly ring: Ring;
  private readonly opinions: Opinions;
  private sinceMs: number | undefined;

  constructor(ring: Ring, opinions: Opinions) {
    this.ring = ring;
    this.opinions = opinions;
  }

  /** The block to begin with, once most of `voters` providers or the time have decided. */
  decide(voters: number, nowMs: number): Block | undefined {
    const lead = this.opinions.leading(this.opinions.heard(nowMs));
    if (lead === undefined) {
      this.sinceMs = undefined;
      return undefined;
    }
    this.sinceMs ??= nowMs;
    const isDecided = lead.weight * 2 > voters || nowMs - this.sinceMs >= OPENING_MS;
    return isDecided ? lead.block : undefined;
  }

  /** Blocks that would show whether two providers are on one branch. */
  missing(): readonly Need[] {
    const heights = [...this.opinions.all()].map(({ number }) => number);
    const needs: Need[] = [];
    for (const { hash } of this.opinions.all()) {
      const block = this.ring.get(hash);
      const child = block === undefined ? undefined : pathFrom(this.ring, block).blocks.at(-1);
      if (child?.head === undefined) continue;
      const { number } = child;
      const isNear = heights.some((other) => other < number && number - other <= MAX_APART_BLOCKS);
      if (isNear) needs.push(needBlock(child.head.parentHash));
    }
    return needs;
  }
}
