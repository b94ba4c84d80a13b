/**
 * Owns the operators' socket: listens, hands each connection a session, keeps tokens and audit log.
 *
 * Commands run in the sessions, not in this mailbox, so that the socket answers while processes hang.
 * Permanent; a restart closes the open connections and makes new tokens.
 */
import { dirname, join } from "node:path";
import { defineActor, keyFor, stop } from "../../src/otp/index.ts";
import type { Ctx } from "../../src/otp/index.ts";
import { openLineLog, writeToken } from "../../src/io/admin-files.ts";
import { listenAdminSocket, startHostTimer } from "../../src/io/admin-socket.ts";
import type { AdminSocketServer } from "../../src/io/admin-socket.ts";
import { AUDIT_GENESIS, auditHead, auditLine } from "../../src/ops/admin/audit.ts";
import type { AuditEntry } from "../../src/ops/admin/audit.ts";
import type { AdminDeps } from "../../src/ops/admin/ports.ts";
import { ADMIN_LIMITS, encodeLine } from "../../src/ops/admin/protocol.ts";
import { AdminSession } from "../../src/ops/admin/session.ts";
import { Tokens } from "../../src/ops/admin/tokens.ts";

/** What the socket is started with. */
export interface AdminSocketArgs {
  /** Path of the socket; tokens and audit log lie beside it. */
  readonly path: string;
  readonly deps: AdminDeps;
}

interface State {
  readonly server: AdminSocketServer;
  readonly place: Place;
}

/** What lies beside the socket. */
interface Place {
  readonly tokens: Tokens;
  readonly audit: (entry: Omit<AuditEntry, "at">) => void;
  readonly close: () => void;
}

/** The operators' socket. */
export const adminSocket = defineActor({
  name: "ops/admin-socket",
  trapExit: true,
  init: async ({ path, deps }: AdminSocketArgs, ctx): Promise<State> => {
    const directory = dirname(path);
    const beside: { place?: Place } = {};
    const server = await listenAdminSocket({
      path,
      maxConnections: ADMIN_LIMITS.connections,
      refusal: encodeLine({ id: null, error: tooManyConnections }),
      accept: (wire) =>
        new AdminSession(wire, {
          deps,
          roleOf: (token) => beside.place?.tokens.roleOf(token),
          audit: (entry) => beside.place?.audit(entry),
          after: startHostTimer,
        }),
    });
    // a killed process runs no terminate, a failing init neither; the socket must not outlive them
    const close = (): void => void server.close();
    if (ctx.signal.aborted) close();
    else ctx.signal.addEventListener("abort", close, { once: true });
    // only the holder of the socket may replace the tokens that lie beside it
    const place = openPlace(directory, ctx);
    beside.place = place;
    return { server, place };
  },
  casts: {
    /** A change that came by another way than a session of this socket. */
    audit: (state, entry: Omit<AuditEntry, "at">) => {
      state.place.audit(entry);
      return state;
    },
  },
  // It traps exits to remove its socket, not to survive them.
  on: (state, info) => (info.type === "exit" ? stop(state, info.reason) : state),
  terminate: async ({ server, place }) => {
    await server.close();
    place.close();
  },
  formatState: ({ server }) => ({ path: server.path, connections: server.connections }),
});

/** Finds the socket's process. */
export const adminSocketKey = keyFor(adminSocket);

const tooManyConnections = {
  code: "OPS_LIMIT",
  message: `at most ${ADMIN_LIMITS.connections} connections`,
};

const openPlace = (directory: string, ctx: Ctx): Place => {
  const operator = writeToken(join(directory, "operator.token"));
  const admin = writeToken(join(directory, "admin.token"));
  const log = openLineLog(join(directory, "audit.log"));
  let head = auditHead(log.lastLine) ?? AUDIT_GENESIS;
  return {
    tokens: new Tokens({ operator, admin }),
    audit: (entry) => {
      const next = auditLine(head, { at: new Date(ctx.wallNow()).toISOString(), ...entry });
      head = next.head;
      log.append(next.line);
    },
    close: () => log.close(),
  };
};
