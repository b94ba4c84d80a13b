/** z of the one-sided 90 % bound. */
const z = 1.2816;

/**
 * Lower bound of a success ratio `p` (0..1) seen in `n` samples (Wilson 1927, one-sided 90 %).
 * Always in [0, 1); 0 without samples.
 */
export const wilsonLowerBound = (p: number, n: number): number => {
  // Far below one sample the terms would overflow, and the bound is 0 anyway.
  if (!(n > 1e-6)) return 0;
  const zz = z * z;
  const spread = z * Math.sqrt(Math.max(0, p * (1 - p)) / n + zz / (4 * n * n));
  // Rounding must not lift it above the ratio itself.
  return Math.min(p, Math.max(0, (p + zz / (2 * n) - spread) / (1 + zz / n)));
};
