import { describe, expect, it } from "vitest";
import { locateConfig } from "../../config/locate.ts";
import { errorsOf, mustLoad, SMALLEST } from "./support.ts";

const FILE = `region: file\nlisten: { port: 1 }\n${SMALLEST}      - { id: big-node, url: "https://b.example" }\n`;

describe("precedence", () => {
  it("takes flag, then environment, then file, then default", () => {
    const env = { PACELINE__LISTEN__PORT: "2", API_PORT: "3", PORT: "4" };
    expect(mustLoad(FILE, { env, flags: { port: 0 } }).listen.port).toBe(0);
    expect(mustLoad(FILE, { env }).listen.port).toBe(2);
    expect(mustLoad(FILE, { env: { API_PORT: "3", PORT: "4" } }).listen.port).toBe(3);
    expect(mustLoad(FILE, { env: { PORT: "4" } }).listen.port).toBe(4);
    expect(mustLoad(FILE, { env: { PORT: "" } }).listen.port).toBe(1);
    expect(mustLoad(SMALLEST).listen.port).toBe(8080);
  });

  it("takes the region from PACELINE_REGION, then LIVECHAIN_REGION, then the file", () => {
    const env = { PACELINE_REGION: "a", LIVECHAIN_REGION: "b" };
    expect(mustLoad(FILE, { env }).region).toBe("a");
    expect(mustLoad(FILE, { env: { LIVECHAIN_REGION: "b" } }).region).toBe("b");
    expect(mustLoad(FILE).region).toBe("file");
    expect(mustLoad(SMALLEST).region).toBe("local");
  });

  it("takes host, socket and log level from flags", () => {
    const flags = { host: "::1", socket: "/run/x/a.sock", logLevel: "debug" };
    const config = mustLoad(FILE, { flags });
    expect([config.listen.host, config.admin.socket, config.log.level]).toEqual([
      "::1",
      "/run/x/a.sock",
      "debug",
    ]);
    expect(errorsOf(FILE, { flags: { logLevel: "loud" } })).toEqual([
      expect.stringMatching(/^flag:--log-level: error CONFIG_BAD_VALUE: log\.level: .*got "loud"/),
    ]);
  });

  it("finds the file by flag, then PACELINE_CONFIG, then ./paceline.yaml", () => {
    expect(locateConfig("a.yml", { PACELINE_CONFIG: "b.yml" })).toEqual({
      file: "a.yml",
      isChosen: true,
    });
    expect(locateConfig(undefined, { PACELINE_CONFIG: "b.yml" }).file).toBe("b.yml");
    expect(locateConfig(undefined, {})).toEqual({ file: "paceline.yaml", isChosen: false });
  });
});

describe("PACELINE__ variables", () => {
  it("set keys of every depth and type, chains and providers by name", () => {
    const config = mustLoad(FILE, {
      env: {
        PACELINE__DRAIN__TIMEOUT: "20s",
        PACELINE__CHAINS__ETHEREUM__ALIASES: "[one, two]",
        PACELINE__CHAINS__ETHEREUM__FAILOVER__ENABLED: "false",
        PACELINE__CHAINS__ETHEREUM__PROVIDERS__BIG_NODE__PRIORITY: "3",
        PACELINE__CHAINS__ETHEREUM__PROVIDERS__BIG_NODE__COST__UNITS: "5",
      },
    });
    const [chain] = config.chains;
    expect(config.drain.timeoutMs).toBe(20_000);
    expect(chain?.aliases).toEqual(["one", "two"]);
    expect(chain?.failover.enabled).toBe(false);
    expect(chain?.providers[1]?.priority).toBe(3);
    expect(chain?.providers[1]?.cost.defaultUnits).toBe(5);
  });

  it("are literal: no substitution in them", () => {
    expect(mustLoad(FILE, { env: { PACELINE__REGION: "${X}" } }).region).toBe("${X}");
  });

  it.each<[string, string, RegExp]>([
    ["PACELINE__LISTEN__PROT", "1", /sets no key of listen; did you mean "port"\?/],
    [
      "PACELINE__CHAINS__ETHEREM__CHAIN_ID",
      "1",
      /sets no key of chains; did you mean "ethereum"\?/,
    ],
    ["PACELINE__CHAINS__ETHEREUM__PROVIDERS__BIG_NOD__PRIORITY", "1", /did you mean "big-node"\?/],
    ["PACELINE__LISTEN", "1", /names a group of keys/],
    ["PACELINE__REGION__X", "1", /sets no key/],
    ["PACELINE__", "1", /sets no key/],
    ["PACELINE__LISTEN__PORT", "CANARY", /listen\.port: expected a whole number from 0 to 65535$/],
    ["PACELINE__CHAINS__ETHEREUM__ALIASES", "[one", /aliases: expected a list of texts$/],
    ["API_PORT", "http", /^env:API_PORT: error .*listen\.port/],
  ])("%s=%s is an error that names the variable", (name, value, expected) => {
    const [error] = errorsOf(FILE, { env: { [name]: value } });
    expect(error).toMatch(expected);
    expect(error).toContain(`env:${name}`);
    expect(error).not.toContain("CANARY");
  });

  it("leave variables of others alone, such as what Kubernetes injects", () => {
    expect(
      errorsOf(FILE, { env: { PACELINE_PORT: "tcp://10.0.0.1:80", PACELINE_X: "y" } }),
    ).toEqual([]);
  });
});
