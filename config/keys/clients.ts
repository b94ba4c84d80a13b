/** Keys about who may call: API keys, callers without one, addresses, browsers, profiles. */
import { z } from "zod";
import { DEFAULTS, KEY_DEFAULTS, PROFILE_DEFAULTS } from "../default.ts";
import { STRATEGIES } from "../schema.ts";
import * as field from "./fields.ts";
import { rateGroup } from "./rate.ts";

const HOT = { reload: "hot" } as const;
const HASH = /^sha256:[0-9a-f]{64}$/;

const units = field.group("Limits in cost units of the methods, see `clients.units`.", {
  per_second: field.number(
    "Units per second; a second's worth may be used at once.",
    { min: 1 },
    HOT,
  ),
  per_day: field.number("Units per day, in UTC.", { min: 1 }, HOT),
  per_month: field.number("Units per month, in UTC.", { min: 1 }, HOT),
});

const concurrent = field.whole("Calls that may run at the same time.", { min: 1 }, HOT);

const connections = field.whole("WebSockets that may be open at the same time.", { min: 1 }, HOT);

const subscriptions = field.whole(
  "Subscriptions that may be open at the same time, over all WebSockets.",
  { min: 1 },
  HOT,
);

const burst = "Calls that a rested caller may make at once; as many as `rps` when not given.";

const key = z
  .strictObject({
    id: field
      .describe(
        z.string(),
        "Name of the key in metrics and answers; not the key itself.",
        "text",
        HOT,
      )
      .unwrap(),
    hash: field
      .describe(
        z.string().regex(HASH),
        "The key's hash, as `paceline key new` and `paceline key hash` print it.",
        "sha256: and 64 hex digits, as `paceline key new` prints them",
        HOT,
      )
      .unwrap(),
    markets: field.texts(
      "Pairing markets whose providers and weights it may change, by name or glob; none when empty.",
      field.hot(KEY_DEFAULTS.markets),
    ),
    chains: field.texts(
      "Chains it may use, by name or glob; all when empty.",
      field.hot(KEY_DEFAULTS.chains),
    ),
    methods: field.group("Methods it may use, of those that the chain serves.", {
      allow: field.texts("Names or globs such as `eth_*`; all when empty.", field.hot([])),
      deny: field.texts("Names or globs that are refused although allowed.", field.hot([])),
    }),
    origins: field.texts(
      "Browser origins that may use it, such as `https://*.example.org`; any when empty.",
      field.hot(KEY_DEFAULTS.origins),
    ),
    rate: rateGroup("Calls per second.", burst),
    units,
    concurrent,
    connections,
    subscriptions,
    profile: field.text("Profile of its calls; it may use no other.", HOT),
    directives: field.flag(
      "Whether its callers may use directives, by header or query.",
      field.hot(KEY_DEFAULTS.directives),
    ),
  })
  .meta({ description: "One API key.", "x-expects": "a map of keys" });

/** The keys below `clients`. */
export const clientsGroup = field.group("Who may call, and how much (docs/clients.md).", {
  keys: field.describe(
    z.array(key),
    "API keys; only their hashes are kept.",
    "a list of keys",
    field.hot(DEFAULTS.clients.keys),
  ),
  anonymous: field.group("Callers without a key, all together.", {
    allowed: field.flag(
      "Whether they are served; true as long as there are no keys, else false.",
      HOT,
    ),
    rate: rateGroup("Calls per second.", burst),
    units,
    concurrent,
    connections,
    subscriptions,
  }),
  per_ip: rateGroup(
    "Calls per second from one address (IPv6: from one /64), whatever key they carry.",
    burst,
  ),
  trusted_proxies: field.texts(
    "Addresses or CIDR ranges of proxies whose `X-Forwarded-For` is believed.",
    field.hot(DEFAULTS.clients.trusted_proxies),
  ),
  units: field.describe(
    z.record(z.string(), z.number().min(0)),
    "Cost units by method or glob, on top of the built-in table; the most exact name counts.",
    "a map from method or glob to a number of at least 0",
    field.hot(DEFAULTS.clients.units),
  ),
});

/** The keys below `cors`. */
export const corsGroup = field.group("Which browser pages may read answers.", {
  origins: field.texts(
    "Origins, globs such as `https://*.example.org`, or `*` for any; none when empty.",
    field.hot(DEFAULTS.cors.origins),
  ),
  max_age: field.duration(
    "How long a browser may remember the answer to its preflight.",
    0,
    field.hot(DEFAULTS.cors.max_age),
  ),
});

const QUORUM = /^([1-9]|1[0-6])\/([1-9]|1[0-6])$/;

const profile = z
  .strictObject({
    providers: field.texts(
      "Ids or tags of the providers that serve it; all when empty.",
      field.hot(PROFILE_DEFAULTS.providers),
    ),
    strategy: field.oneOf(STRATEGIES, "Selection strategy; the chain's own when not given.", HOT),
    quorum: field.describe(
      z.string().regex(QUORUM),
      "So many of so many providers must agree on each read; a call's own directive stands above it.",
      "n/m such as 2/3, at most 16/16",
      HOT,
    ),
    rps_limit: field.number(
      "Calls per second of all its callers together.",
      { min: 0.001 },
      field.hot(PROFILE_DEFAULTS.rps_limit),
    ),
    burst_limit: field.whole(
      "Calls that they may make at once.",
      { min: 1 },
      field.hot(PROFILE_DEFAULTS.burst_limit),
    ),
  })
  .meta({ description: "One profile.", "x-expects": "a map of keys" });

/** The profiles by name. */
export const profilesMap = field.describe(
  z.record(z.string(), profile),
  "Named ways of being served, at `/rpc/profile/<name>/...`.",
  "a map from profile name to profile",
  { reload: "hot" },
);
