/** A simulation's report as people read it. */
import type { OtherReport } from "./other-lists.ts";
import type { SimulationReport } from "./simulation.ts";

/** Lines for a terminal. */
export function simulationText(report: SimulationReport): string {
  const { options, latencyUs, changed, empty, shares } = report;
  const lists = options.policies * options.epochs;
  const blocked = Object.entries(empty).map(([filter, count]) => `${filter} ${count}`);
  const none = sumOf(empty);
  const mean = changed.reduce((sum, share) => sum + share, 0) / Math.max(1, changed.length);
  const lines = [
    `${options.providers} providers, ${options.policies} consumers, ${options.epochs} epochs, ` +
      `${report.replaced} providers replaced, seed ${options.seed}`,
    `rankings   ${report.rankings}, ${percent(report.hitRate)} from the cache`,
    `time       p50 ${us(latencyUs.p50)}, p95 ${us(latencyUs.p95)}, p99 ${us(latencyUs.p99)}, ` +
      `max ${us(latencyUs.max)}`,
    ...(changed.length === 0
      ? []
      : [
          `changes    ${percent(mean)} of a list each epoch, at most ${percent(Math.max(...changed))}`,
        ]),
    `nobody     ${none} of ${lists} lists${none === 0 ? "" : `, kept away by ${blocked.join(", ")}`}`,
    "",
    `${"in most lists".padEnd(ADDRESS_WIDTH)} lists   share   of stake`,
    ...shares.map(
      ({ address, picks, share, stakeShare }) =>
        `${address.padEnd(ADDRESS_WIDTH)} ${String(picks).padStart(5)} ` +
        `${percent(share).padStart(7)} ${percent(stakeShare).padStart(10)}`,
    ),
    ...(report.whatIf === undefined ? [] : otherLines(report.whatIf, options.whatIf)),
  ];
  return `${lines.join("\n")}\n`;
}

/** What the other lists have that the lists do not. */
function otherLines(other: OtherReport, change: unknown): string[] {
  const { changedLists, otherMembers, empty, shares } = other;
  const lines = [
    "",
    `what if    ${JSON.stringify(change)}`,
    `           ${percent(changedLists)} of lists differ, ${percent(otherMembers)} of their ` +
      `members are others, ${sumOf(empty)} have nobody`,
  ];
  if (shares.length === 0) return lines;
  return [
    ...lines,
    "",
    `${"changes most".padEnd(ADDRESS_WIDTH)} lists what if`,
    ...shares.map(
      ({ address, picks, otherPicks }) =>
        `${address.padEnd(ADDRESS_WIDTH)} ${String(picks).padStart(5)} ` +
        String(otherPicks).padStart(7),
    ),
  ];
}

const sumOf = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

/** Generated addresses are at most so long. */
const ADDRESS_WIDTH = 46;

const percent = (share: number): string => `${(share * 100).toFixed(1)}%`;
const us = (value: number): string => `${value.toFixed(1)} us`;
