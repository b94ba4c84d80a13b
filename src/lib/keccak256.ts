/**
 * Keccak-256 as Ethereum uses it (the original padding, not SHA3-256's), on 32-bit halves of the
 * 64-bit lanes so that no BigInt is allocated. Source: the Keccak reference, FIPS 202 section 3.
 */

/** The Keccak-256 digest of `input`, 32 bytes. */
export function keccak256(input: Uint8Array): Uint8Array {
  const state = new Uint32Array(50);
  const block = new Uint8Array(RATE_BYTES);
  let offset = 0;
  for (; offset + RATE_BYTES <= input.length; offset += RATE_BYTES) {
    absorb(state, input, offset);
  }
  block.set(input.subarray(offset));
  block[input.length - offset] = 0x01;
  block[RATE_BYTES - 1] = (block[RATE_BYTES - 1] ?? 0) | 0x80;
  absorb(state, block, 0);
  const digest = new Uint8Array(32);
  for (let i = 0; i < 32; i++) digest[i] = (state[i >> 2] ?? 0) >>> ((i & 3) * 8);
  return digest;
}

const RATE_BYTES = 136;

/** Round constants, low and high halves in turn. */
const IOTA = new Uint32Array([
  0x00000001, 0x00000000, 0x00008082, 0x00000000, 0x0000808a, 0x80000000, 0x80008000, 0x80000000,
  0x0000808b, 0x00000000, 0x80000001, 0x00000000, 0x80008081, 0x80000000, 0x00008009, 0x80000000,
  0x0000008a, 0x00000000, 0x00000088, 0x00000000, 0x80008009, 0x00000000, 0x8000000a, 0x00000000,
  0x8000808b, 0x00000000, 0x0000008b, 0x80000000, 0x00008089, 0x80000000, 0x00008003, 0x80000000,
  0x00008002, 0x80000000, 0x00000080, 0x80000000, 0x0000800a, 0x00000000, 0x8000000a, 0x80000000,
  0x80008081, 0x80000000, 0x00008080, 0x80000000, 0x80000001, 0x00000000, 0x80008008, 0x80000000,
]);
/** Rho offsets and pi targets along the one cycle that pi walks from lane 1. */
const ROTATE = [
  1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44,
];
const TARGET = [
  10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1,
];

function absorb(state: Uint32Array, bytes: Uint8Array, offset: number): void {
  for (let word = 0; word < RATE_BYTES / 4; word++) {
    const at = offset + word * 4;
    const value =
      (bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24);
    state[word] = (state[word] ?? 0) ^ value;
  }
  permute(state);
}

/** Keccak-f[1600], 24 rounds in place. */
function permute(s: Uint32Array): void {
  const c = new Uint32Array(10);
  for (let round = 0; round < 24; round++) {
    theta(s, c);
    rhoPi(s);
    chi(s, c);
    s[0] = (s[0] ?? 0) ^ (IOTA[round * 2] ?? 0);
    s[1] = (s[1] ?? 0) ^ (IOTA[round * 2 + 1] ?? 0);
  }
}

function theta(s: Uint32Array, c: Uint32Array): void {
  for (let x = 0; x < 10; x++) {
    c[x] = (s[x] ?? 0) ^ (s[x + 10] ?? 0) ^ (s[x + 20] ?? 0) ^ (s[x + 30] ?? 0) ^ (s[x + 40] ?? 0);
  }
  for (let x = 0; x < 5; x++) {
    const left = ((x + 4) % 5) * 2;
    const right = ((x + 1) % 5) * 2;
    const low = c[right] ?? 0;
    const high = c[right + 1] ?? 0;
    const dLow = (c[left] ?? 0) ^ ((low << 1) | (high >>> 31));
    const dHigh = (c[left + 1] ?? 0) ^ ((high << 1) | (low >>> 31));
    for (let y = x * 2; y < 50; y += 10) {
      s[y] = (s[y] ?? 0) ^ dLow;
      s[y + 1] = (s[y + 1] ?? 0) ^ dHigh;
    }
  }
}

function rhoPi(s: Uint32Array): void {
  let low = s[2] ?? 0;
  let high = s[3] ?? 0;
  for (let i = 0; i < 24; i++) {
    const bits = ROTATE[i] ?? 0;
    const target = (TARGET[i] ?? 0) * 2;
    const nextLow = s[target] ?? 0;
    const nextHigh = s[target + 1] ?? 0;
    const shift = bits & 31;
    const a = bits < 32 ? low : high;
    const b = bits < 32 ? high : low;
    // No offset of the cycle is a multiple of 32, so both shifts stay within 1..31.
    s[target] = (a << shift) | (b >>> (32 - shift));
    s[target + 1] = (b << shift) | (a >>> (32 - shift));
    low = nextLow;
    high = nextHigh;
  }
}

function chi(s: Uint32Array, row: Uint32Array): void {
  for (let y = 0; y < 50; y += 10) {
    for (let x = 0; x < 10; x++) row[x] = s[y + x] ?? 0;
    for (let x = 0; x < 10; x++) {
      s[y + x] = (row[x] ?? 0) ^ (~(row[(x + 2) % 10] ?? 0) & (row[(x + 4) % 10] ?? 0));
    }
  }
}
