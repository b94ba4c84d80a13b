/** Whom a quorum may ask. */
import { isAdmissible } from "../../admission.ts";
import type { ProviderId } from "../../ids.ts";
import { legOrder } from "../../integrity/leg-order.ts";
import type { MethodInfo } from "../../json-rpc/methods.ts";
import { blocksOf } from "../attempt/asked.ts";
import type { Call } from "../call.ts";
import type { Engine } from "../engine.ts";

/** The providers that could be asked, one of each vendor first, those that can answer now before others. */
export function quorumCandidates(
  engine: Engine,
  call: Call,
  info: MethodInfo,
): readonly ProviderId[] {
  const { snapshot } = call.chain;
  if (snapshot === undefined) return [];
  const asked = blocksOf(call, info.name);
  const nowMs = engine.now();
  const { candidates } = engine.chooser.select(snapshot, call, info.name, asked, nowMs).ranking;
  const block = asked?.block ?? 0;
  const isReady = ({ row }: (typeof candidates)[number]): boolean =>
    isAdmissible(row, nowMs) && (row.head < 0 || row.head >= block);
  const ready = candidates.filter(isReady);
  const others = candidates.filter((candidate) => !isReady(candidate));
  const viewsOf = (list: typeof candidates) => legOrder(list.map(({ view }) => view));
  return [...new Set([...viewsOf(ready), ...viewsOf(others)])];
}
