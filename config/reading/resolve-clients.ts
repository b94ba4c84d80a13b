/** From the checked document to who may call: keys, anonymous callers, profiles. */
import { DEFAULTS, KEY_DEFAULTS, PROFILE_DEFAULTS } from "../default.ts";
import type { ConfigDocument } from "../keys/document.ts";
import type {
  ClientKeyConfig,
  ClientLimitsConfig,
  ClientsConfig,
  ProfileConfig,
  RateConfig,
} from "../schema.ts";

type ClientsDocument = NonNullable<ConfigDocument["clients"]>;
type KeyDocument = NonNullable<ClientsDocument["keys"]>[number];
type LimitsDocument = Pick<
  KeyDocument,
  "rate" | "units" | "concurrent" | "connections" | "subscriptions"
>;
type RateDocument = KeyDocument["rate"];

/** Who may call. */
export function resolveClients(document: ConfigDocument["clients"]): ClientsConfig {
  const keys = (document?.keys ?? []).map(resolveKey);
  const { anonymous } = document ?? {};
  return {
    keys,
    // Whoever hands out keys means them.
    anonymous: { ...resolveLimits(anonymous), allowed: anonymous?.allowed ?? keys.length === 0 },
    perIp: resolveRate(document?.per_ip),
    trustedProxies: document?.trusted_proxies ?? DEFAULTS.clients.trusted_proxies,
    unitsByMethod: document?.units ?? DEFAULTS.clients.units,
  };
}

/** The profiles by name. */
export function resolveProfiles(
  document: ConfigDocument["profiles"],
): Readonly<Record<string, ProfileConfig>> {
  return Object.fromEntries(
    Object.entries(document ?? {}).map(([name, profile]) => [
      name,
      {
        providers: profile.providers ?? PROFILE_DEFAULTS.providers,
        strategy: profile.strategy,
        quorum: quorumOf(profile.quorum),
        rpsLimit: profile.rps_limit ?? PROFILE_DEFAULTS.rps_limit,
        burstLimit: profile.burst_limit ?? PROFILE_DEFAULTS.burst_limit,
      },
    ]),
  );
}

/** `2/3`; the schema and the checks have seen it. */
function quorumOf(text: string | undefined): ProfileConfig["quorum"] {
  if (text === undefined) return undefined;
  const [agree = 1, of = 1] = text.split("/").map(Number);
  return { agree, of };
}

/** A token bucket; one second's worth at once when nothing else is said. */
export function resolveRate(rate: RateDocument): RateConfig | undefined {
  if (rate === undefined) return undefined;
  return { rps: rate.rps, burst: rate.burst ?? Math.max(1, Math.ceil(rate.rps)) };
}

function resolveKey(key: KeyDocument): ClientKeyConfig {
  return {
    id: key.id,
    hash: key.hash,
    chains: key.chains ?? KEY_DEFAULTS.chains,
    markets: key.markets ?? KEY_DEFAULTS.markets,
    methods: {
      allow: key.methods?.allow ?? KEY_DEFAULTS.methods.allow,
      deny: key.methods?.deny ?? KEY_DEFAULTS.methods.deny,
    },
    origins: key.origins ?? KEY_DEFAULTS.origins,
    profile: key.profile,
    directives: key.directives ?? KEY_DEFAULTS.directives,
    ...resolveLimits(key),
  };
}

function resolveLimits(limits: LimitsDocument | undefined): ClientLimitsConfig {
  return {
    rate: resolveRate(limits?.rate),
    units: {
      perSecond: limits?.units?.per_second,
      perDay: limits?.units?.per_day,
      perMonth: limits?.units?.per_month,
    },
    concurrent: limits?.concurrent,
    connections: limits?.connections,
    subscriptions: limits?.subscriptions,
  };
}
