/** Requests, the answers that are kept, and those who ask. */
import type { AnswerCounters, CallerView } from "../../views.ts";
import type { Put } from "../registry.ts";
import type { EndpointCells } from "../request-meter.ts";
import { one, perChain, type Sample, type Samplers } from "./sampler.ts";

const perAnswers = (put: (answers: AnswerCounters, chain: string, put: Put) => void): Sample =>
  perChain(({ name, answers }, add) => {
    if (answers !== undefined) put(answers, name, add);
  });

const perCaller =
  (value: (caller: CallerView) => number): Sample =>
  ({ callers }, put) => {
    for (const caller of callers()) put([caller.id], value(caller));
  };

const meteredEndpoints =
  (copy: (cells: EndpointCells, labels: readonly string[], put: Put) => void): Sample =>
  ({ meter }, put) => {
    for (const [chain, cells] of meter.chains) {
      for (const [provider, { http, ws }] of cells.providers) {
        if (http.durations.count > 0) copy(http, [chain, provider, "http"], put);
        if (ws.durations.count > 0) copy(ws, [chain, provider, "ws"], put);
      }
    }
  };

/** Why answers leave, as the page says it. */
const REMOVAL_WORDS: Readonly<Record<string, string>> = { group: "reorg", deleted: "stale" };

/** By name without `paceline_`. */
export const requestSamplers: Samplers = {
  rpc_requests_total: ({ meter }, put) => {
    for (const [chain, { requests }] of meter.chains) {
      for (const transport of ["http", "ws"] as const) {
        for (const outcome of ["ok", "error", "gone"] as const) {
          put([chain, transport, outcome], requests[transport][outcome]);
        }
      }
    }
  },
  rpc_request_errors_total: ({ meter }, put) => {
    for (const [chain, { reasons }] of meter.chains) {
      for (const [reason, count] of reasons) put([chain, reason], count);
    }
  },
  rpc_request_duration_seconds: ({ meter }, put) => {
    for (const [chain, { durations }] of meter.chains) {
      for (const [methodClass, cells] of durations) put([chain, methodClass], cells);
    }
  },
  rpc_attempts_total: meteredEndpoints(({ byClass }, labels, put) => {
    for (const [errorClass, count] of byClass) put([...labels, errorClass], count);
  }),
  rpc_attempt_duration_seconds: meteredEndpoints(({ durations }, labels, put) => {
    put(labels, durations);
  }),
  rpc_method_attempts_total: ({ meter }, put) => {
    for (const [chain, { providers }] of meter.chains) {
      for (const [provider, { byMethod }] of providers) {
        for (const [method, counts] of byMethod) {
          for (const outcome of ["ok", "failed", "neutral"] as const) {
            if (counts[outcome] > 0) put([chain, provider, method, outcome], counts[outcome]);
          }
        }
      }
    }
  },
  answers_found_total: perAnswers(({ hits, misses }, chain, put) => {
    put([chain, "hit"], hits);
    put([chain, "miss"], misses);
  }),
  answers_coalesced_total: perAnswers(({ coalesced }, chain, put) => put([chain], coalesced)),
  answers_kept_total: perAnswers(({ stores }, chain, put) => put([chain], stores)),
  answers_removed_total: perAnswers(({ removed }, chain, put) => {
    for (const [reason, count] of Object.entries(removed)) {
      put([chain, REMOVAL_WORDS[reason] ?? reason], count);
    }
  }),
  answers_entries: perAnswers(({ entries }, chain, put) => put([chain], entries)),
  answers_bytes: perAnswers(({ bytes }, chain, put) => put([chain], bytes)),
  answers_limit_bytes: one(({ answersLimitBytes }) => answersLimitBytes()),
  client_calls_total: perCaller(({ calls }) => calls),
  client_units_total: perCaller(({ units }) => units),
  client_refused_total: ({ callers }, put) => {
    for (const { id, refused } of callers()) {
      for (const [reason, count] of Object.entries(refused)) {
        if (count > 0) put([id, reason], count);
      }
    }
  },
};
