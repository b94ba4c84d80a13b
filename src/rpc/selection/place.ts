/**
 * The place of an endpoint in a ranking, whatever its score: healthy before unhealthy, primaries before
 * backups, trusted before unknown, and who is foreseen to fail behind the others of its tier.
 */
import { CANARY_PLACE } from "./canary.ts";
import type { Entry } from "./entry.ts";
import { setback } from "./filters.ts";
import type { Tier } from "./snapshot.ts";

/** Place of the other transports of providers that are in the ranking already. */
export const SPARE_PLACE = 1_000;

const SETBACK = 100;
const BACKUP = 10;
/**
 * Who is foreseen to fail stands before the next tier. When all of a tier are, all move, and their
 * order stays as it was.
 */
const PREDICTED = 0.5;

const tierOrder: Readonly<Record<Tier, number>> = {
  qualified: 0,
  unknown: 1,
  degraded: 2,
  limited: 3,
  recovering: 4,
};

/**
 * The place of each entry, the lower is tried first. Backups stand behind the primaries while at least
 * `minHealthy` of these are healthy. Without `usesEvidence` only the unwell are set back by their tier.
 */
export const placesOf = (
  entries: readonly Entry[],
  usesEvidence: boolean,
  minHealthy: number,
): readonly number[] => {
  let healthy = 0;
  for (const entry of entries) if (isHealthyPrimary(entry)) healthy++;
  const areBackupsBehind = healthy >= minHealthy;
  return entries.map(
    ({ view, relaxed, tier }) =>
      (view.canary === undefined ? 0 : CANARY_PLACE) +
      setback(relaxed) * SETBACK +
      (areBackupsBehind && view.role === "backup" ? BACKUP : 0) +
      (usesEvidence || tier === "limited" || tier === "recovering" ? tierOrder[tier] : 0) +
      (view.forecast?.isDemoted === true ? PREDICTED : 0),
  );
};

const isHealthyPrimary = ({ view, relaxed, row }: Entry): boolean =>
  view.role === "primary" &&
  view.canary === undefined &&
  relaxed.length === 0 &&
  row.state === "closed";
