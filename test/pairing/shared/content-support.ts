/** What a list of providers amounts to, told naively and by its sum. */
import { ContentSum } from "../../../src/pairing/shared/content.ts";
import type { ProviderRecord } from "../../../src/pairing/protocol.ts";

/** The providers as one text, sorted. */
export const contentText = (list: readonly ProviderRecord[]): string =>
  list
    .map(({ address, stake, location, features }) => {
      const names = features.map((name) => name.toLowerCase()).toSorted();
      return JSON.stringify([address, String(stake), location, names]);
    })
    .toSorted()
    .join("\n");

/** Their sum, made in one go. */
export const sumOf = (list: readonly ProviderRecord[], key: string): string => {
  const sum = new ContentSum(key);
  for (const provider of list) sum.add(provider);
  return sum.text;
};
