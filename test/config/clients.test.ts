/** Keys about clients, profiles and budgets: each is read, takes effect at once, and has its default. */
import { describe, expect, it } from "vitest";
import { documentedKeys } from "../../config/keys/walk.ts";
import { planReload } from "../../config/plan.ts";
import { load, mustLoad } from "./support.ts";

const HASH = `sha256:${"a".repeat(64)}`;
const OTHER_HASH = `sha256:${"b".repeat(64)}`;
const CHAINS =
  "chains: { e: { chain_id: 1, providers: [{ id: a, url: 'https://a.example/' }] } }\n";

const withKey = (fields: string) => `clients: { keys: [{ id: k, hash: "${HASH}"${fields} }] }`;
const clients = (fields: string) => `clients: { ${fields} }`;
const profile = (fields: string) => `profiles: { p: { ${fields} } }`;
const provider = (fields: string) =>
  `chains: { e: { chain_id: 1, providers: [{ id: a, url: 'https://a.example/'${fields} }] } }`;

/** A document without and with the key; the first holds what the key needs beside it. */
const KEYS: Readonly<Record<string, readonly [string, string]>> = {
  "clients.keys": [clients(""), withKey("")],
  "clients.keys[].id": [withKey(""), `clients: { keys: [{ id: other, hash: "${HASH}" }] }`],
  "clients.keys[].hash": [withKey(""), `clients: { keys: [{ id: k, hash: "${OTHER_HASH}" }] }`],
  "clients.keys[].chains": [withKey(""), withKey(", chains: ['e*']")],
  "clients.keys[].methods.allow": [withKey(""), withKey(", methods: { allow: ['eth_*'] }")],
  "clients.keys[].methods.deny": [withKey(""), withKey(", methods: { deny: ['eth_*'] }")],
  "clients.keys[].markets": [withKey(""), withKey(", markets: [eu]")],
  "clients.keys[].origins": [withKey(""), withKey(", origins: ['https://*.x']")],
  "clients.keys[].rate.rps": [withKey(""), withKey(", rate: { rps: 7 }")],
  "clients.keys[].rate.burst": [
    withKey(", rate: { rps: 7 }"),
    withKey(", rate: { rps: 7, burst: 9 }"),
  ],
  "clients.keys[].units.per_second": [withKey(""), withKey(", units: { per_second: 7 }")],
  "clients.keys[].units.per_day": [withKey(""), withKey(", units: { per_day: 7 }")],
  "clients.keys[].units.per_month": [withKey(""), withKey(", units: { per_month: 7 }")],
  "clients.keys[].concurrent": [withKey(""), withKey(", concurrent: 7")],
  "clients.keys[].connections": [withKey(""), withKey(", connections: 7")],
  "clients.keys[].subscriptions": [withKey(""), withKey(", subscriptions: 7")],
  "clients.keys[].profile": [
    `${profile("")}\n${withKey("")}`,
    `${profile("")}\n${withKey(", profile: p")}`,
  ],
  "clients.keys[].directives": [withKey(""), withKey(", directives: false")],
  "clients.anonymous.allowed": [clients(""), clients("anonymous: { allowed: false }")],
  "clients.anonymous.rate.rps": [clients(""), clients("anonymous: { rate: { rps: 7 } }")],
  "clients.anonymous.rate.burst": [
    clients("anonymous: { rate: { rps: 7 } }"),
    clients("anonymous: { rate: { rps: 7, burst: 9 } }"),
  ],
  "clients.anonymous.units.per_second": [
    clients(""),
    clients("anonymous: { units: { per_second: 7 } }"),
  ],
  "clients.anonymous.units.per_day": [clients(""), clients("anonymous: { units: { per_day: 7 } }")],
  "clients.anonymous.units.per_month": [
    clients(""),
    clients("anonymous: { units: { per_month: 7 } }"),
  ],
  "clients.anonymous.concurrent": [clients(""), clients("anonymous: { concurrent: 7 }")],
  "clients.anonymous.connections": [clients(""), clients("anonymous: { connections: 7 }")],
  "clients.anonymous.subscriptions": [clients(""), clients("anonymous: { subscriptions: 7 }")],
  "clients.per_ip.rps": [clients(""), clients("per_ip: { rps: 7 }")],
  "clients.per_ip.burst": [clients("per_ip: { rps: 7 }"), clients("per_ip: { rps: 7, burst: 9 }")],
  "clients.trusted_proxies": [clients(""), clients("trusted_proxies: [10.0.0.0/8]")],
  "clients.units": [clients(""), clients("units: { eth_call: 7 }")],
  "profiles.<name>.providers": [profile(""), profile("providers: [a]")],
  "profiles.<name>.strategy": [profile(""), profile("strategy: cheapest")],
  "profiles.<name>.quorum": [profile(""), profile("quorum: 2/3")],
  "profiles.<name>.rps_limit": [profile(""), profile("rps_limit: 7")],
  "profiles.<name>.burst_limit": [profile(""), profile("burst_limit: 7")],
  "chains.<name>.providers[].rate.rps": [provider(""), provider(", rate: { rps: 7 }")],
  "chains.<name>.providers[].rate.burst": [
    provider(", rate: { rps: 7 }"),
    provider(", rate: { rps: 7, burst: 9 }"),
  ],
  "chains.<name>.providers[].quota.units": [
    provider(", quota: { units: 5, per: day }"),
    provider(", quota: { units: 7, per: day }"),
  ],
  "chains.<name>.providers[].quota.per": [
    provider(", quota: { units: 5, per: day }"),
    provider(", quota: { units: 5, per: month }"),
  ],
};

const whole = (text: string): string => (text.startsWith("chains") ? text : `${text}\n${CHAINS}`);

describe("keys about clients, profiles and budgets", () => {
  it("are all in this test", () => {
    const leaves = documentedKeys().filter(
      ({ path, kind }) =>
        kind !== "map" &&
        (/^(clients|profiles)\./.test(path) || /\.providers\[\]\.(rate|quota)\./.test(path)),
    );
    expect(leaves.map(({ path }) => path).sort()).toEqual(Object.keys(KEYS).sort());
  });

  it.each(Object.entries(KEYS))("%s takes effect at once", (path, [before, after]) => {
    const plan = planReload(mustLoad(whole(before)), mustLoad(whole(after)));
    expect(plan.needsHost).toEqual([]);
    expect(plan.steps).toMatchObject([{ action: "patch" }]);
    const documented = documentedKeys().find((key) => key.path === path)?.meta["x-reload"];
    expect(documented).toBe("hot");
  });

  it.each([
    ["rate", provider(", rate: { rps: 2.5 }"), { rps: 2.5, burst: 3 }],
    ["rate", provider(", rate: { rps: 0.5 }"), { rps: 0.5, burst: 1 }],
  ] as const)("give a %s a burst of one second", (key, text, value) => {
    expect(mustLoad(text).chains[0]?.providers[0]?.[key]).toEqual(value);
  });

  it("ask for a key as soon as there is one, unless told otherwise", () => {
    const allowed = (text: string) => mustLoad(whole(text)).clients.anonymous.allowed;
    expect(allowed(clients(""))).toBe(true);
    expect(allowed(withKey(""))).toBe(false);
    expect(allowed(withKey("").replace("keys:", "anonymous: { allowed: true }, keys:"))).toBe(true);
  });

  it.each([
    [
      "two keys of one hash",
      `clients: { keys: [{ id: a, hash: "${HASH}" }, { id: b, hash: "${HASH}" }] }`,
      /keys\[1\]\.hash: is already the hash of keys\[0\]/,
    ],
    [
      "two keys of one id",
      `clients: { keys: [{ id: a, hash: "${HASH}" }, { id: a, hash: "${OTHER_HASH}" }] }`,
      /keys\[1\]\.id: is already the id of keys\[0\]/,
    ],
    [
      "the key itself",
      'clients: { keys: [{ id: a, hash: "pace_secret" }] }',
      /hash: expected sha256: and 64 hex digits/,
    ],
    [
      "a key called anonymous",
      `clients: { keys: [{ id: anonymous, hash: "${HASH}" }] }`,
      /stands for callers without a key/,
    ],
    ["an unknown profile", withKey(", profile: nowhere"), /no profile is called "nowhere"/],
    ["a quorum that cannot be", "profiles: { p: { quorum: 3/2 } }", /3 of 2 cannot agree/],
    ["a quorum of nothing", "profiles: { p: { quorum: 2 } }", /n\/m such as 2\/3/],
    ["a profile with a slash", "profiles: { 'a/b': {} }", /a profile name is/],
    ["a range that is none", clients("trusted_proxies: [10.0.0.0/40]"), /no address and no range/],
    ["a burst without a rate", withKey(", rate: { burst: 5 }"), /rate\.rps: is required/],
  ])("refuse %s with its place", (_name, text, message) => {
    const result = load(whole(text));
    expect(result.ok).toBe(false);
    if (result.ok) return;
    const words = result.errors.map(({ path, message: said }) => `${path}: ${said}`).join("\n");
    expect(words).toMatch(message);
  });
});
