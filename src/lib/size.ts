/** Sizes as an operator writes them: `5MiB`, `64 KiB`, `512B`. A size without a unit is an error. */

const UNITS_BYTES = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;
const PATTERN = /^(\d+(?:\.\d+)?) ?(B|KiB|MiB|GiB)$/;

/** Bytes of a size, or undefined when it is none. */
export function parseSize(input: unknown): number | undefined {
  const match = typeof input === "string" ? PATTERN.exec(input) : null;
  if (match === null) return undefined;
  const sizeBytes = Number(match[1]) * UNITS_BYTES[match[2] as keyof typeof UNITS_BYTES];
  return Number.isSafeInteger(sizeBytes) ? sizeBytes : undefined;
}

/** The shortest exact spelling of a size. */
export function formatSize(sizeBytes: number): string {
  for (const unit of ["GiB", "MiB", "KiB"] as const) {
    if (sizeBytes !== 0 && sizeBytes % UNITS_BYTES[unit] === 0) {
      return `${sizeBytes / UNITS_BYTES[unit]}${unit}`;
    }
  }
  return `${sizeBytes}B`;
}
