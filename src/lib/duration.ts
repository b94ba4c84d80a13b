/** Durations as an operator writes them: `2s`, `500ms`, or a bare integer of milliseconds. */

const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** Milliseconds of a duration, or undefined when it is none. A fraction of a millisecond is none. */
export function parseDuration(input: unknown): number | undefined {
  if (typeof input === "number") return isWholeMs(input) ? input : undefined;
  if (typeof input !== "string") return undefined;
  if (/^\d+$/.test(input)) return parseDuration(Number(input));
  const match = PATTERN.exec(input);
  if (match === null) return undefined;
  const durationMs = Number(match[1]) * UNITS_MS[match[2] as keyof typeof UNITS_MS];
  // 1.1s is 1100.0000000000002 in binary; only what differs by rounding noise is a whole number
  const rounded = Math.round(durationMs);
  return Math.abs(durationMs - rounded) < 1e-6 && isWholeMs(rounded) ? rounded : undefined;
}

/** The shortest exact spelling of a duration: 60000 is `1m`, 1500 is `1500ms`. */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return "0ms";
  for (const unit of ["d", "h", "m", "s"] as const) {
    if (durationMs % UNITS_MS[unit] === 0) return `${durationMs / UNITS_MS[unit]}${unit}`;
  }
  return `${durationMs}ms`;
}

function isWholeMs(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
