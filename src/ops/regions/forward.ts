/** A command that another region carries out, for a connection of this one. */
import type { Connection } from "../admin/command.ts";
import { AdminError, type AdminErrorCode } from "../admin/protocol.ts";
import type { ClusterPort, RegionOrder } from "./port.ts";

/**
 * Resolves to the reply; a stream that the command opened there is then one of this connection. The
 * cluster answers whatever becomes of the other region, so no time is measured here.
 */
export const forward = (
  order: RegionOrder,
  send: ClusterPort["command"],
  connection: Connection,
): Promise<unknown> =>
  new Promise((resolve, reject) => {
    send(order, (answer) => {
      if (!answer.ok) {
        const { code, message, hint } = answer.error;
        reject(new AdminError(isCode(code) ? code : "OPS_FAILED", message, hint));
        return;
      }
      const { reply, feed } = answer;
      if (feed === undefined) {
        resolve(reply);
        return;
      }
      try {
        const sub = connection.open((stream) => {
          feed.watch(stream);
          return feed.stop;
        });
        resolve({ ...(reply as object), sub });
      } catch (error) {
        feed.stop();
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });

const isCode = (code: string): code is AdminErrorCode => CODES.has(code);

/** What another region may refuse a command with. */
const CODES: ReadonlySet<string> = new Set<AdminErrorCode>([
  "OPS_UNKNOWN_COMMAND",
  "OPS_BAD_ARGS",
  "OPS_FORBIDDEN",
  "OPS_TIMEOUT",
  "OPS_LIMIT",
  "OPS_BUSY",
  "OPS_NO_REGION",
  "OPS_REGION_LOST",
  "OTP_NO_PROCESS",
]);
