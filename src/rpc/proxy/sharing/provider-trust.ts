/**
 * Whose answers may be kept: a provider in good standing that has reached the block in question, and
 * whose own head is on the branch that the chain follows.
 */
import type { EndpointRow } from "../../chain-view.ts";
import type { Worth } from "../../cache/finality.ts";
import type { BlockSight } from "../../cache/finality.ts";
import type { ProviderId } from "../../ids.ts";
import type { ChainView } from "../ports.ts";

/** Whether an answer of this worth may be kept when it came from `provider`. */
export function mayKeepFrom(
  chain: ChainView,
  provider: ProviderId | undefined,
  worth: Worth,
  sight: BlockSight,
): boolean {
  const isFixed = worth.finality === "finalized" || worth.finality === "static";
  // Several providers had a part in it, each with what it was chosen for.
  if (provider === undefined) return isFixed;
  const rows = chain.snapshot?.endpoints.find((one) => one.provider === provider)?.transports;
  // Shadows and those who left meanwhile are in no snapshot.
  if (rows === undefined) return false;
  const { http, ws } = rows;
  if (http?.isUsable !== true && ws?.isUsable !== true) return false;
  return isFixed || isAbreast(ws, worth, sight) || isAbreast(http, worth, sight);
}

/** It has the block, and said nothing that speaks for another branch. */
function isAbreast(row: EndpointRow | undefined, { number }: Worth, sight: BlockSight): boolean {
  if (row === undefined || row.head < number) return false;
  if (row.headHash === undefined) return true;
  const hash = sight.hashAt(row.head);
  return hash === undefined ? row.head > sight.tip : hash === row.headHash;
}
