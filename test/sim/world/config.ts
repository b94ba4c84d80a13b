/** The configuration file of a simulation: its text changes as operators edit it. */
import { loadConfig } from "../../../config/load.ts";
import type { Config } from "../../../config/schema.ts";
import type { ChainPlan, Plan } from "../plan.ts";

/** The chain that operators add and remove. */
export const lateChain: ChainPlan = {
  name: "late",
  chainId: 1_099,
  reorgEpoch: 0,
  providers: [{ id: "calm", profile: { latencyMs: 10, headDelayMs: 20 }, isSpared: true }],
};

/** A file that somebody edits. */
export class ConfigFile {
  /** Links, as `chain/provider`, that are taken out for a while. */
  readonly absent = new Set<string>();
  hasLate = false;
  /** The next readings find something that is no configuration. */
  isBroken = false;
  /** `aggregation.deduplication_window`, ms. */
  windowMs = 2_000;
  readonly #plan: Plan;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** The chains that the file holds now. */
  get chains(): readonly ChainPlan[] {
    const chains = this.#plan.chains.map((chain) => ({
      ...chain,
      providers: chain.providers.filter(({ id }) => !this.absent.has(`${chain.name}/${id}`)),
    }));
    return this.hasLate ? [...chains, lateChain] : chains;
  }

  /** What a reading gives. */
  read():
    | { readonly ok: true; readonly config: Config }
    | { readonly ok: false; readonly errors: readonly string[] } {
    const text = this.isBroken ? "chains: [ nobody" : this.#text();
    const loaded = loadConfig({ file: "sim.yaml", text, env: {}, readFile: () => "" });
    return loaded.ok
      ? { ok: true, config: loaded.config }
      : { ok: false, errors: loaded.errors.map(({ message }) => message) };
  }

  #text(): string {
    return [
      "region: sim",
      "chains:",
      ...this.chains.flatMap(({ name, chainId, providers, hasQuorum, hasPrediction }) => [
        `  ${name}:`,
        `    chain_id: ${chainId}`,
        "    block_time: 1s",
        "    breaker: { recovery_timeout: 1s }",
        "    health_check: { interval: 3s, timeout: 2s }",
        "    connection: { reconnect_interval: 100ms }",
        `    aggregation: { deduplication_window: ${this.windowMs}ms, max_cache_size: 2000 }`,
        ...(hasQuorum === true ? ["    quorum: [{ methods: [eth_getTransactionCount] }]"] : []),
        ...(hasPrediction === false ? ["    prediction: { enabled: false }"] : []),
        "    providers:",
        ...providers.map(
          ({ id }) =>
            `      - { id: ${id}, url: "http://${id}.sim/${name}", ws_url: "ws://${id}.sim/${name}" }`,
        ),
      ]),
    ].join("\n");
  }
}
