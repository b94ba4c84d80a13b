/**
 * Which address a request counts for. Behind proxies that the operator trusts it is the last one in
 * `X-Forwarded-For` that is none of theirs; whatever stands before it anybody may have written. IPv6
 * counts by /64, because one subscriber has all of it.
 */

/** Eight groups of 16 bits; IPv4 as `::ffff:a.b.c.d`. */
type Groups = readonly number[];

/** Entries of `X-Forwarded-For` that are looked at, from the right. */
const MAX_HOPS = 16;

/** A set of addresses, by CIDR ranges. */
export class AddressRanges {
  readonly #ranges: readonly { readonly groups: Groups; readonly bits: number }[];

  /** Ranges that cannot be read are left out; the configuration was checked. */
  constructor(ranges: readonly string[]) {
    this.#ranges = ranges.flatMap((text) => rangeOf(text) ?? []);
  }

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  has(address: string): boolean {
    const groups = parseAddress(address);
    return groups !== undefined && this.#ranges.some((range) => isWithin(groups, range));
  }
}

/** `10.0.0.0/8`, `fd00::/8` or a single address; undefined for anything else. */
export function rangeOf(
  text: string,
): { readonly groups: Groups; readonly bits: number } | undefined {
  const cut = text.indexOf("/");
  const groups = parseAddress(cut < 0 ? text : text.slice(0, cut));
  if (groups === undefined) return undefined;
  const width = text.includes(":") ? 128 : 32;
  const prefix = cut < 0 ? String(width) : text.slice(cut + 1);
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > width) return undefined;
  return { groups, bits: Number(prefix) + 128 - width };
}

/** The address a request came from: the peer's, or what its trusted proxies say. */
export function clientAddress(
  peer: string,
  forwardedFor: string | undefined,
  trusted: AddressRanges,
): string {
  if (forwardedFor === undefined || trusted.isEmpty || !trusted.has(peer)) return peer;
  const hops = forwardedFor.split(",").slice(-MAX_HOPS);
  let address = peer;
  for (let at = hops.length - 1; at >= 0; at--) {
    const hop = bare((hops[at] as string).trim());
    if (parseAddress(hop) === undefined) return address;
    address = hop;
    if (!trusted.has(hop)) return hop;
  }
  return address;
}

/** What all addresses of one subscriber have in common. */
export function addressGroup(address: string): string {
  if (!address.includes(":")) return address;
  const groups = parseAddress(address);
  if (groups === undefined) return address;
  if (isMapped(groups)) {
    const [high = 0, low = 0] = groups.slice(6);
    return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(":")}::/64`;
}

const isMapped = (groups: Groups): boolean =>
  groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;

/** Without port and brackets, as some proxies write them. */
function bare(hop: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(hop);
  if (bracketed !== null) return bracketed[1] as string;
  return /^[\d.]+:\d+$/.test(hop) ? hop.slice(0, hop.indexOf(":")) : hop;
}

function parseAddress(text: string): Groups | undefined {
  if (!text.includes(":")) {
    const v4 = parseV4(text);
    return v4 === undefined ? undefined : [0, 0, 0, 0, 0, 0xffff, ...v4];
  }
  if (text.length > 45) return undefined;
  // A zone (`fe80::1%eth0`) names the link, not the host.
  const plain = text.split("%", 1)[0] ?? "";
  const halves = plain.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => groupsOf(half));
  if (head === undefined) return undefined;
  if (halves.length === 1) return head.length === 8 ? head : undefined;
  if (tail === undefined || head.length + tail.length > 7) return undefined;
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
}

function groupsOf(half: string): number[] | undefined {
  if (half === "") return [];
  const groups: number[] = [];
  const parts = half.split(":");
  for (const [at, part] of parts.entries()) {
    const v4 = at === parts.length - 1 && part.includes(".") ? parseV4(part) : undefined;
    if (v4 !== undefined) groups.push(...v4);
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

function parseV4(text: string): readonly [number, number] | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = match.slice(1).map(Number);
  return Math.max(a, b, c, d) > 255 ? undefined : [(a << 8) | b, (c << 8) | d];
}

function isWithin(
  address: Groups,
  { groups, bits }: { readonly groups: Groups; readonly bits: number },
): boolean {
  for (let at = 0, left = bits; left > 0; at++, left -= 16) {
    const mask = left >= 16 ? 0xffff : (0xffff << (16 - left)) & 0xffff;
    if ((((address[at] ?? 0) ^ (groups[at] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}
