/** The pairing interface over a service on virtual time. */
import type { VirtualNode } from "../../../src/otp/index.ts";
import { PairingApi, type ApiReply } from "../../../src/pairing/rest/api.ts";
import { JsonText } from "../../../src/pairing/rest/json-text.ts";
import type { AuditPort } from "../../../src/pairing/rest/handlers.ts";
import { startService } from "../support.ts";

/** An answer with its JSON as a client reads it. */
export interface Answer {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- what a client reads has no type
  readonly body: any;
  readonly allow: string | undefined;
}

const noAudit: AuditPort = {
  note: () => undefined,
  sample: () => undefined,
  list: async () => ({ ok: true, value: new JsonText('{"rankings":[]}') }),
  get: async () => unknown,
  replay: async () => unknown,
};

const unknown = {
  ok: false,
  refusal: { code: "PAIRING_UNKNOWN_RANKING", message: "none" },
} as const;

/** A service and a client of its interface; `turns` counts how often others had their turn. */
export const startApi = async (more: Parameters<typeof startService>[0] = {}) => {
  const service = await startService(more);
  const turns = { count: 0 };
  const api = new PairingApi({
    port: service.port,
    lists: service.lists?.port,
    audit: noAudit,
    limits: { maxLoad: more.maxLoad ?? 1_000_000, maxBatch: more.maxBatch ?? 1_000 },
    yieldTurn: async () => void turns.count++,
  });
  const ask = async (method: string, url: string, body?: unknown): Promise<Answer> => {
    const [path = "", query = ""] = url.split("?");
    const bytes = Buffer.isBuffer(body)
      ? body
      : Buffer.from(
          body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body),
        );
    return answered(service.node, api.handle({ method, path, query, body: bytes }));
  };
  return { ...service, api, ask, turns };
};

const answered = async (
  node: VirtualNode,
  reply: ApiReply | Promise<ApiReply>,
): Promise<Answer> => {
  const progress = { isDone: !(reply instanceof Promise) };
  const waited = Promise.resolve(reply).finally(() => {
    progress.isDone = true;
  });
  for (let i = 0; i < 10_000 && !progress.isDone; i++) await node.settle();
  const { status, body, allow } = await waited;
  return { status, body: JSON.parse(JSON.stringify(body)) as unknown, allow };
};
