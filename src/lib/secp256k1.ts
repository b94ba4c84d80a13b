/**
 * Public keys out of signatures on the curve secp256k1 (SEC 1 v2, 4.1.6), for those few decisions in
 * which a signer must be told from another. Some milliseconds a signature and not constant in time:
 * everything here is public, and a check of signatures it is not.
 */

/** A point of the curve in Jacobian coordinates; z 0 is the point at infinity. */
type Point = readonly [x: bigint, y: bigint, z: bigint];

const P = 2n ** 256n - 2n ** 32n - 977n;
const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const G: Point = [
  0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,
  0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n,
  1n,
];
const INFINITY: Point = [1n, 1n, 0n];

/**
 * The uncompressed public key (64 bytes, x and y) that signed the 32-byte `digest` with `r`, `s` and
 * the parity of R's y; undefined when there is none.
 */
export const recoverPublicKey = (
  digest: Uint8Array,
  r: bigint,
  s: bigint,
  yParity: 0 | 1,
): Uint8Array | undefined => {
  if (r <= 0n || r >= N || s <= 0n || s >= N) return undefined;
  const square = mod(r * r * r + 7n);
  const root = power(square, (P + 1n) / 4n);
  if (mod(root * root) !== square) return undefined;
  const y = (root & 1n) === BigInt(yParity) ? root : P - root;
  const z = BigInt(`0x${Buffer.from(digest).toString("hex")}`);
  const inverse = invert(r, N);
  // Q = (s R - z G) / r
  const q = addTimes(mod(-z * inverse, N), G, mod(s * inverse, N), [r, y, 1n]);
  return q[2] === 0n ? undefined : affineBytes(q);
};

const mod = (value: bigint, by: bigint = P): bigint => {
  const rest = value % by;
  return rest < 0n ? rest + by : rest;
};

const power = (base: bigint, exponent: bigint): bigint => {
  let result = 1n;
  let square = base;
  for (let bits = exponent; bits > 0n; bits >>= 1n) {
    if ((bits & 1n) === 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
};

/** Extended Euclid. */
const invert = (value: bigint, by: bigint): bigint => {
  let [low, high] = [mod(value, by), by];
  let [x, y] = [1n, 0n];
  while (low > 1n) {
    const times = high / low;
    [low, high] = [high - times * low, low];
    [x, y] = [y - times * x, x];
  }
  return mod(x, by);
};

/** `a A + b B`, both in one pass over the bits (Shamir's trick). */
const addTimes = (a: bigint, A: Point, b: bigint, B: Point): Point => {
  const both = add(A, B);
  let sum = INFINITY;
  for (let bit = 255n; bit >= 0n; bit--) {
    sum = double(sum);
    const hasA = ((a >> bit) & 1n) === 1n;
    const hasB = ((b >> bit) & 1n) === 1n;
    if (hasA) sum = add(sum, hasB ? both : A);
    else if (hasB) sum = add(sum, B);
  }
  return sum;
};

/** "dbl-2009-l" of the Explicit-Formulas Database. */
const double = ([x, y, z]: Point): Point => {
  const a = mod(x * x);
  const b = mod(y * y);
  const c = mod(b * b);
  const d = mod(2n * ((x + b) ** 2n - a - c));
  const e = 3n * a;
  const x3 = mod(e * e - 2n * d);
  return [x3, mod(e * (d - x3) - 8n * c), mod(2n * y * z)];
};

/** "add-2007-bl" of the Explicit-Formulas Database, without its shared halves. */
const add = (p: Point, q: Point): Point => {
  if (p[2] === 0n) return q;
  if (q[2] === 0n) return p;
  const zz1 = mod(p[2] * p[2]);
  const zz2 = mod(q[2] * q[2]);
  const u1 = mod(p[0] * zz2);
  const s1 = mod(p[1] * q[2] * zz2);
  const h = mod(q[0] * zz1 - u1);
  const r = mod(q[1] * p[2] * zz1 - s1);
  if (h === 0n) return r === 0n ? double(p) : INFINITY;
  const hh = mod(h * h);
  const hhh = mod(h * hh);
  const v = mod(u1 * hh);
  const x3 = mod(r * r - hhh - 2n * v);
  return [x3, mod(r * (v - x3) - s1 * hhh), mod(h * p[2] * q[2])];
};

const affineBytes = ([x, y, z]: Point): Uint8Array => {
  const inverse = invert(z, P);
  const square = mod(inverse * inverse);
  const text = [mod(x * square), mod(y * square * inverse)]
    .map((value) => value.toString(16).padStart(64, "0"))
    .join("");
  return Buffer.from(text, "hex");
};
