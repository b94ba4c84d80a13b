/** Which telemetry event moves which event-fed metric; the only place that knows both tables. */
import { isTask, type EventName } from "../events.ts";
import type { TelemetryRecord } from "../log.ts";

type EventFields = Readonly<Record<string, unknown>>;

/** The part of the registry that events need. */
export interface MetricSink {
  add(name: string, labels: readonly string[], value?: number): void;
  set(name: string, labels: readonly string[], value: number): void;
}

type Handler = (sink: MetricSink, fields: EventFields) => void;

const text = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : "unknown";

const labelsOf = (fields: EventFields, names: readonly string[]): readonly string[] =>
  names.map((name) => text(fields[name]));

/** Counts one, under the labels that these fields hold. */
const counts =
  (metric: string, ...names: readonly string[]): Handler =>
  (sink, fields) =>
    sink.add(`paceline_${metric}`, labelsOf(fields, names));

/** Adds the `count` of an event that tells of several. */
const sums =
  (metric: string): Handler =>
  (sink, { count }) =>
    sink.add(`paceline_${metric}`, [], typeof count === "number" ? count : 1);

const endpoint = ["chain", "provider", "transport"];
const provider = ["chain", "provider"];

/** A process by its kind: `rpc/chain/eth/provider/a/ws-connection` counts as `ws-connection`. */
const baseName = (process: unknown): string => text(process).split("/").at(-1) ?? "unknown";

const countsProcess =
  (metric: string, field: "process" | "child"): Handler =>
  (sink, fields) =>
    sink.add(`paceline_${metric}`, [baseName(fields[field])]);

const slow =
  (threshold: string): Handler =>
  (sink, fields) =>
    sink.add("paceline_rpc_slow_requests_total", [text(fields["chain"]), threshold]);

const hedge =
  (step: "fired" | "won" | "denied"): Handler =>
  (sink, fields) =>
    sink.add("paceline_rpc_hedges_total", [text(fields["chain"]), step]);

const transition =
  (to: "open" | "half_open" | "closed"): Handler =>
  (sink, fields) => {
    const labels = labelsOf(fields, endpoint);
    sink.add("paceline_circuit_breaker_transitions_total", [...labels, to]);
    const failures = fields["consecutiveFailures"];
    if (to === "half_open") return;
    sink.set(
      "paceline_circuit_breaker_consecutive_failures",
      labels,
      to === "open" && typeof failures === "number" ? failures : 0,
    );
  };

const HANDLERS: Readonly<Partial<Record<EventName, Handler>>> = {
  "rpc.request.slow": slow("2s"),
  "rpc.request.very_slow": slow("4s"),
  "rpc.admission.rejected": counts("rpc_admission_rejected_total", "chain", "reason"),
  "rpc.selection.failure": counts("rpc_selection_failures_total", "chain"),
  "rpc.selection.relaxed": counts("rpc_selection_relaxed_total", "chain", "filter"),
  "rpc.selection.switch": counts("rpc_selection_switches_total", "chain"),
  "rpc.failover.triggered": counts("rpc_failovers_total", "chain", "provider", "errorClass"),
  "rpc.hedge.fired": hedge("fired"),
  "rpc.hedge.won": hedge("won"),
  "rpc.hedge.budget_exhausted": hedge("denied"),
  "cluster.command": counts("cluster_commands_total", "remote", "access", "result"),
  "getlogs.planned": counts("getlogs_planned_total", "chain"),
  "getlogs.split": counts("getlogs_splits_total", "chain", "provider", "by"),
  "getlogs.limit_learned": counts("getlogs_limits_learned_total", "chain", "provider"),
  "rpc.failover.exhausted": counts("rpc_failover_exhausted_total", "chain"),
  "rpc.failover.panic": counts("rpc_panic_total", "chain"),
  "circuit_breaker.open": transition("open"),
  "circuit_breaker.half_open": transition("half_open"),
  "circuit_breaker.close": transition("closed"),
  "circuit_breaker.probe": counts("circuit_breaker_probes_total", ...endpoint, "result"),
  "circuit_breaker.lease_expired": counts("circuit_breaker_leases_expired_total", ...endpoint),
  "provider.health_change": counts("provider_status_changes_total", ...provider, "newStatus"),
  "provider.cooldown.start": counts("provider_cooldowns_total", ...endpoint),
  "write.broadcast": counts("write_broadcasts_total", "chain", "result"),
  "write.known": counts("write_known_total", "chain"),
  "provider.quarantined": counts("provider_quarantined_total", ...provider),
  "provider.misbehaviour": counts("provider_misbehaviour_total", ...provider, "kind"),
  "quorum.agree": counts("quorum_agreements_total", "chain"),
  "quorum.dispute": counts("quorum_disputes_total", "chain"),
  "aggregation.uncorroborated": counts("aggregation_uncorroborated_total", ...provider),
  "head.reorg": counts("head_reorgs_total", "chain"),
  "head.rollback": counts("head_rollbacks_total", "chain"),
  "head.stale": counts("head_stale_total", "chain"),
  "head.velocity_drop": counts("head_velocity_drops_total", ...provider),
  "subs.failover": counts("subs_failovers_total", "chain", "kind"),
  "subs.backfill": (sink, fields) => {
    const chain = [text(fields["chain"])];
    sink.add("paceline_subs_backfills_total", chain);
    const { firstBlock, lastBlock } = fields;
    if (typeof firstBlock !== "number" || typeof lastBlock !== "number") return;
    const blocks = Math.max(0, lastBlock - firstBlock + 1);
    sink.add("paceline_subs_backfilled_blocks_total", chain, blocks);
  },
  "subs.retraction": counts("subs_retractions_total", "chain"),
  "subs.slow_consumer": counts("subs_slow_consumers_total", "chain"),
  "subs.degraded": counts("subs_degraded_total", "chain"),
  "subs.ledger_mismatch": counts("subs_ledger_mismatches_total", "chain"),
  "websocket.connected": counts("websocket_connects_total", ...provider),
  "websocket.disconnected": counts("websocket_disconnects_total", ...provider, "closeCode"),
  "websocket.reconnect_scheduled": counts("websocket_reconnects_total", ...provider),
  "websocket.suspect": counts("websocket_suspects_total", ...provider),
  "websocket.suspended": counts("websocket_suspensions_total", "chain"),
  "websocket.orphan_event": (sink, fields) => {
    const { count } = fields;
    const events = typeof count === "number" ? count : 1;
    sink.add("paceline_websocket_orphan_events_total", [text(fields["chain"])], events);
  },
  "config.reload.stop": (sink, fields) => {
    const result = text(fields["result"]);
    sink.add("paceline_config_reloads_total", [result]);
    sink.set("paceline_config_reload_success", [], Number(result === "applied"));
  },
  "otp.crash": (sink, fields) => {
    const { process, reason } = fields;
    if (reason === "killed" || isTask(text(process))) return;
    countsProcess("otp_crashes_total", "process")(sink, fields);
  },
  "otp.restart": countsProcess("otp_restarts_total", "child"),
  "otp.report": (sink, fields) => {
    if (fields["context"] === "shutdown") sink.add("paceline_otp_supervisors_gave_up_total", []);
  },
  "otp.turn.long": (sink, fields) => {
    countsProcess("otp_long_turns_total", "process")(sink, fields);
    if (fields["alarm"] === true) sink.add("paceline_otp_loop_alarms_total", []);
  },
  "otp.zombie": counts("otp_zombie_operations_total", "op"),
  "otp.mailbox.dropped": countsProcess("otp_mailbox_drops_total", "process"),
  "pairing.list.made": sums("pairing_lists_made_total"),
  "pairing.list.repair": counts("pairing_lists_repaired_total"),
  "pairing.list.empty": counts("pairing_lists_empty_total"),
  "pairing.queue.full": sums("policy_queue_refused_total"),
  "pairing.results.dropped": sums("pairing_results_dropped_total"),
  "pairing.worker.down": counts("pairing_worker_crashes_total"),
  "pairing.worker.errors": counts("pairing_worker_alerts_total"),
  "telemetry.handler.failure": counts("telemetry_handler_failures_total"),
};

/** Events that move a metric; a subscriber needs no others. */
export const METRIC_EVENTS: readonly string[] = Object.keys(HANDLERS);

/** Moves the metrics of one event. */
export function countEvent(sink: MetricSink, { name, process, fields }: TelemetryRecord): void {
  if (!Object.hasOwn(HANDLERS, name)) return;
  HANDLERS[name as EventName]?.(sink, process === undefined ? fields : { process, ...fields });
}
