/**
 * Owns the tables whose rows must outlive the processes that write them, and does nothing else.
 *
 * A process that only holds rows has no reason to crash. Should it be killed all the same, its tables
 * go to the chain registry as heir, which hands them back to the next incarnation: readers see no gap.
 * Permanent; a restart loses nothing.
 */
import {
  defineActor,
  keyFor,
  reply,
  Table,
  type Key,
  type TableTransfer,
} from "../../src/otp/index.ts";

/** Tables to open at start. */
export interface TableKeeperArgs {
  readonly tables: readonly string[];
  /** Who holds the tables between two incarnations. */
  readonly heir: () => Key;
}

interface State extends TableKeeperArgs {
  readonly held: readonly string[];
}

/** The keeper of shared tables. */
export const tableKeeper = defineActor({
  name: "ops/table-keeper",
  init: (args: TableKeeperArgs, ctx): State => {
    const missing = args.tables.filter((name) => ctx.table(name) === undefined);
    for (const name of missing) Table.open(ctx, name, { access: "public", heir: args.heir() });
    return { ...args, held: missing };
  },
  calls: {
    /** Opens a public table unless it is open. */
    open: (state, name: string, ctx) => {
      if (ctx.table(name) !== undefined) return reply(state, "already_open" as const);
      Table.open(ctx, name, { access: "public", heir: state.heir() });
      return reply({ ...state, held: [...state.held, name] }, "opened" as const);
    },
  },
  on: (state, info) => {
    if (info.type !== "info") return state;
    const transfer = info.payload as Partial<TableTransfer>;
    if (transfer.type !== "table_transfer" || transfer.table === undefined) return state;
    return { ...state, held: [...state.held, transfer.table] };
  },
  formatState: ({ held }) => ({ held }),
});

/** Finds the table keeper. */
export const tableKeeperKey = keyFor(tableKeeper);
