/** Everything that the judges get about a run that is over. */
import type { EndpointRow } from "../../../src/rpc/chain-view.ts";
import type { Evidence, SeenRow, Sight } from "../invariants/invariant.ts";
import { expectedOf } from "./expected.ts";
import type { SimWorld } from "./world.ts";

/** The evidence of a world at rest. */
export const evidenceOf = (world: SimWorld, last: Sight): Evidence => {
  const { node, record, load, writers, subscribers, config, gateway, wires } = world;
  const expected = expectedOf(config.chains);
  return {
    requests: load.requests,
    writes: writers.writes.map(({ raw, requests }) => ({
      raw,
      ...wires.deliveries.of(raw),
      answers: requests.filter(({ answers }) => answers > 0),
    })),
    streams: subscribers.map((subscriber) =>
      subscriber.record(
        (number) => world.logsAt(subscriber.chain, number),
        (number) => world.hashAt(subscriber.chain, number),
      ),
    ),
    restarts: record.restarts,
    giveUps: record.giveUps,
    recoveries: record.recoveries,
    errors: record.errors,
    exits: record.exits,
    afterlife: record.afterlife,
    zombies: { counted: node.inspector.counters()["zombieOps"] ?? 0, told: record.zombies },
    hasEnded: world.hasEnded,
    losses: record.losses,
    expectedPlaces: expected.places,
    places: world.places(),
    expectedNames: expected.names,
    rows: rowsOf(world),
    leftovers: [
      { what: "requests without an answer", value: load.open.size, limit: 0 },
      { what: "requests in flight", value: gateway.inFlight, limit: 0 },
      { what: "deadlines", value: gateway.engine.wheel.size, limit: 0 },
      // Probes go on asking: one question each.
      { what: "HTTP calls under way", value: wires.openCalls, limit: world.links.length + 1 },
      { what: "sockets", value: wires.openSockets, limit: world.links.length + 1 },
      {
        what: "client sessions",
        value: gateway.ws.sessionCount,
        limit: subscribers.filter(({ isOpen }) => isOpen).length,
      },
    ],
    last,
  };
};

/** Whether every configured endpoint serves again. */
export const isWell = (world: SimWorld): boolean =>
  rowsOf(world).every(({ state, isUsable, isSuspect }) => {
    return state === "closed" && isUsable && !isSuspect;
  });

const rowsOf = (world: SimWorld): readonly SeenRow[] =>
  world.config.chains.flatMap(({ name, providers }) =>
    providers.flatMap(({ id }) => {
      const rows = world.chain(name)?.rows(id);
      return rows === undefined ? [] : [seen(rows.http), seen(rows.ws)];
    }),
  );

const seen = (row: EndpointRow): SeenRow => ({
  name: `${row.chain}/${row.provider} ${row.transport}`,
  state: row.state,
  isUsable: row.isUsable,
  unusableReason: row.unusableReason,
  isSuspect: row.suspect,
});
