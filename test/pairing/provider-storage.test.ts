/** The storages of providers that there are, under one suite. */
import { describe } from "vitest";
import { ProviderStore } from "../../src/pairing/provider-store.ts";
import { providerStorageSuite } from "../suites/provider-storage.ts";

describe("providers in memory of their own", () => {
  providerStorageSuite((most) => new ProviderStore("m", most));
});

describe("providers in memory that threads share", () => {
  providerStorageSuite((most) => new ProviderStore("m", most, true));
});

describe("providers that are summed up as they come and go", () => {
  providerStorageSuite((most) => new ProviderStore("m", most, false, "a key"));
});
