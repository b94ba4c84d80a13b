/** The log filter of a fake node: addresses, and topic positions with null and alternatives. */

/** A parsed filter; undefined parts match everything. */
export interface LogFilter {
  readonly addresses: ReadonlySet<string> | undefined;
  readonly topics: readonly (ReadonlySet<string> | undefined)[];
}

/** Parses the filter object of eth_getLogs and eth_subscribe; undefined when it is malformed. */
export function parseFilter(raw: unknown): LogFilter | undefined {
  if (raw === undefined || raw === null) return { addresses: undefined, topics: [] };
  if (typeof raw !== "object") return undefined;
  const { address, topics } = raw as { address?: unknown; topics?: unknown };
  if (topics !== undefined && topics !== null && !Array.isArray(topics)) return undefined;
  const positions: (ReadonlySet<string> | undefined)[] = [];
  for (const position of (topics as unknown[] | null | undefined) ?? []) {
    const parsed = anyOf(position);
    if (parsed === "malformed") return undefined;
    positions.push(parsed);
  }
  const addresses = anyOf(address);
  return addresses === "malformed" ? undefined : { addresses, topics: positions };
}

/** Whether a log passes a filter. */
export function matchesFilter(
  log: { readonly address: string; readonly topics: readonly string[] },
  filter: LogFilter,
): boolean {
  if (filter.addresses !== undefined && !filter.addresses.has(log.address)) return false;
  return filter.topics.every((wanted, position) => {
    const topic = log.topics[position];
    return topic !== undefined && (wanted === undefined || wanted.has(topic));
  });
}

function anyOf(value: unknown): ReadonlySet<string> | undefined | "malformed" {
  if (value === undefined || value === null) return undefined;
  const list = Array.isArray(value) ? value : [value];
  const names = list.filter((item) => typeof item === "string");
  if (names.length !== list.length) return "malformed";
  return names.length === 0 ? undefined : new Set(names.map((name) => name.toLowerCase()));
}
