/**
 * A command of another region, carried out here: with the rights that it came with, but no more than
 * this region grants to others. Every one is told of as an event; those that change something are
 * audited as well, under the name of the region.
 */
import type { Grant } from "../../../config/schema.ts";
import { checkArguments } from "../admin/arguments.ts";
import type { Connection, Stream } from "../admin/command.ts";
import type { AdminDeps } from "../admin/ports.ts";
import { AdminError, type AdminErrorBody, mayAct, type Role, ROLES } from "../admin/protocol.ts";
import {
  type After,
  asAdminError,
  type Audit,
  type Caller,
  findCommand,
  limitOf,
  runChecked,
  within,
} from "../admin/run-command.ts";

/** What it takes. */
export interface CarryOutDeps {
  readonly deps: AdminDeps;
  readonly audit: Audit;
  readonly after: After;
  readonly grants: () => Grant;
  readonly tell: (fields: {
    readonly remote: string;
    readonly command: string;
    readonly role: string;
    readonly access: "read" | "write";
    readonly result: string;
  }) => void;
}

/** A command as it came. */
interface GivenOrder {
  readonly from: string;
  readonly cmd: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly role: string;
}

/** The one stream that it may open; undefined when there are too many. */
interface StreamDoor {
  open(begin: (stream: Omit<Stream, "drop">) => () => void): string | undefined;
}

/** Runs it and settles it, whatever comes of it. */
export const carryOut = (
  order: GivenOrder,
  door: StreamDoor,
  settle: (outcome: { readonly ok: unknown } | { readonly error: AdminErrorBody }) => void,
  outside: CarryOutDeps,
): void => {
  const seen = { command: UNKNOWN, access: "read" as "read" | "write" };
  const tell = (result: string): void =>
    outside.tell({ remote: order.from, role: order.role, ...seen, result });
  run(order, door, outside, seen).then(
    (ok) => {
      tell("ok");
      settle({ ok });
    },
    (error: unknown) => {
      const { code, body } = asAdminError(error);
      tell(code);
      settle({ error: body });
    },
  );
};

/** What is no command of ours is not repeated in events. */
const UNKNOWN = "unknown";

const run = async (
  { from, cmd, args: given, role }: GivenOrder,
  door: StreamDoor,
  { deps, audit, after, grants }: CarryOutDeps,
  seen: { command: string; access: "read" | "write" },
): Promise<unknown> => {
  const command = findCommand(cmd);
  seen.command = cmd;
  const args = checkArguments(command.args, given);
  seen.access = command.role(args) === "viewer" ? "read" : "write";
  const caller = callerFrom(from, role, grants(), deps.host().region);
  return runChecked({ cmd, args }, command, caller, audit, () =>
    within(limitOf(command), after, command.run(args, deps, connectionOf(door))),
  );
};

const callerFrom = (from: string, given: string, grant: Grant, here: string): Caller => {
  const role = ROLES.find((one) => one === given);
  if (role === undefined) throw new AdminError("OPS_BAD_ARGS", `no role "${given}"`);
  const granted = grant === "none" ? undefined : lesser(grant, role);
  return {
    role: granted ?? role,
    token: `region:${from}`,
    mayAct: (needed) => granted !== undefined && mayAct(granted, needed),
    forbidden: (cmd, needed) => {
      const message =
        grant === "none"
          ? `${here} takes no commands of other regions`
          : `${cmd} needs the role ${needed}; ${here} grants ${grant} to other regions, and it came as ${role}`;
      const hint = `cluster.grants: ${needed} at ${here} allows it`;
      return new AdminError("OPS_FORBIDDEN", message, mayAct(role, needed) ? hint : undefined);
    },
  };
};

const lesser = (a: Role, b: Role): Role => (mayAct(a, b) ? b : a);

const connectionOf = (door: StreamDoor): Connection => ({
  open: (begin) => {
    // What finds no room on the way is counted there.
    const sub = door.open((stream) => begin({ ...stream, drop: () => undefined }));
    if (sub !== undefined) return sub;
    throw new AdminError("OPS_LIMIT", "this region streams to others as often as it may already");
  },
  close: () => false,
});
