/** Providers and policies for benches of matching, with the distributions of the pairing demo. */
import type { Demand } from "../../src/matching/demand.ts";
import type { Provider } from "../../src/matching/provider.ts";

const LOCATIONS =
  "US-East-1 US-West-1 US-West-2 EU-West-1 EU-Central-1 AP-Southeast-1 AP-Northeast-1 AP-South-1 CA-Central-1 SA-East-1 US-East-2 EU-West-2 EU-West-3 AP-Southeast-2 AP-Northeast-2".split(
    " ",
  );
const FEATURES =
  "HTTP HTTPS WebSocket gRPC GraphQL REST SOAP TCP UDP MQTT Redis PostgreSQL MongoDB MySQL Load_Balancing SSL_Termination Caching Compression Rate_Limiting Authentication Authorization Monitoring Logging Metrics".split(
    " ",
  );
const PREFIXES = "lava provider node rpc service endpoint api gateway".split(" ");

type Random = () => number;

/** So many providers: 40 % spread, 30 % of high stake, 20 % of many features, 10 % at random. */
export function pairingProviders(count: number, random: Random): Provider[] {
  return Array.from({ length: count }, (_, i): Provider => {
    const kind = random();
    const stake =
      kind >= 0.4 && kind < 0.7 ? between(random, 500_000, 999_999) : randomStake(random);
    const most = kind >= 0.7 && kind < 0.9 ? between(random, 15, 20) : between(random, 3, 12);
    const location = kind < 0.4 ? LOCATIONS[i % LOCATIONS.length] : one(LOCATIONS, random);
    const hex = Array.from({ length: 4 }, () =>
      between(random, 0, 0xffffffff).toString(16).padStart(8, "0"),
    );
    return {
      id: `${one(PREFIXES, random)}_${between(random, 0, 9_999)}_${hex.join("")}`,
      location: location as string,
      features: some(FEATURES, most, random),
      stake: BigInt(stake),
    };
  });
}

/** So many policies: 30 % strict, 40 % relaxed, 30 % at random. */
export function pairingPolicies(count: number, random: Random): Demand[] {
  return Array.from({ length: count }, (): Demand => {
    const kind = random();
    const isStrict = kind < 0.3;
    const isRelaxed = kind >= 0.3 && kind < 0.7;
    const isPlaced = isStrict || (!isRelaxed && random() < 0.5);
    const features = isStrict ? between(random, 2, 4) : isRelaxed ? 1 : between(random, 0, 3);
    const minStake = isStrict
      ? between(random, 5_000, 34_999)
      : between(random, 0, isRelaxed ? 4_999 : 24_999);
    return {
      profile: "pairing",
      require: {
        ...(isPlaced ? { location: one(LOCATIONS, random) } : {}),
        features: some(FEATURES, features, random),
        minStake: BigInt(minStake),
      },
      pick: { k: 5 },
    };
  });
}

const randomStake = (random: Random): number =>
  random() < 0.7 ? between(random, 1_000, 49_999) : between(random, 50_000, 999_999);

const between = (random: Random, least: number, most: number): number =>
  least + Math.floor(random() * (most - least + 1));

const one = <T>(items: readonly T[], random: Random): T =>
  items[Math.floor(random() * items.length)] as T;

const some = (items: readonly string[], count: number, random: Random): string[] => {
  const left = [...items];
  return Array.from(
    { length: count },
    () => left.splice(Math.floor(random() * left.length), 1)[0] as string,
  );
};
