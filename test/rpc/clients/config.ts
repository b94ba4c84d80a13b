/** Configurations of clients for tests. */
import type { ClientKeyConfig, ClientsConfig } from "../../../config/schema.ts";
import type { GateConfig } from "../../../src/rpc/clients/client-gate.ts";
import { NO_LIMITS } from "../../../src/rpc/clients/caller.ts";
import { hashOfKey } from "../../../src/lib/key-hash.ts";

/** The entry of a key with all rights and no limits. */
export const keyOf = (key: string, more: Partial<ClientKeyConfig> = {}): ClientKeyConfig => ({
  id: `id-${key}`,
  hash: hashOfKey(key),
  chains: [],
  markets: [],
  methods: { allow: [], deny: [] },
  origins: [],
  profile: undefined,
  directives: true,
  ...NO_LIMITS,
  ...more,
});

/** What may follow below `clients`. */
export const clientsOf = (more: Partial<ClientsConfig> = {}): ClientsConfig => ({
  keys: [],
  anonymous: { allowed: (more.keys ?? []).length === 0, ...NO_LIMITS },
  perIp: undefined,
  trustedProxies: [],
  unitsByMethod: {},
  ...more,
});

/** The configuration of a gate. */
export const gateOf = (
  clients: Partial<ClientsConfig> = {},
  more: Partial<Omit<GateConfig, "clients">> = {},
): GateConfig => ({
  clients: clientsOf(clients),
  cors: { origins: [], maxAgeMs: 600_000 },
  profiles: {},
  ...more,
});

/** Callers without a key, with these limits. */
export const anonymousOf = (
  more: Partial<ClientsConfig["anonymous"]>,
): ClientsConfig["anonymous"] => ({ allowed: true, ...NO_LIMITS, ...more });
