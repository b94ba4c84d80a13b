/** Runs Paceline: configuration or demo, the tree, the port, signals, exit codes. */
import { flushCompileCache } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { Log } from "../io/log.ts";
import { LogLevels } from "../io/log-levels.ts";
import { demoFile, startDemo } from "./demo.ts";
import { drain } from "./drain.ts";
import { startHost, type Host } from "./host.ts";
import { configFile, readConfig, type ConfigPlace } from "./reading.ts";
import { ExitError, reasonText } from "../otp/index.ts";

/** What `start` and `demo` may be given. */
export interface RunOptions {
  readonly configFile?: string | undefined;
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  readonly seed?: number | undefined;
  /** Runs the embedded demo even where there is a configuration file. */
  readonly demo?: boolean | undefined;
  readonly logLevel?: string | undefined;
  readonly socket?: string | undefined;
}

/** Wait before the compile cache is written, so that it does not delay the first requests, ms. */
const flushMs = 500;

/** Exit codes of `start` beside those of draining. */
const exitFailed = 1;
const exitForced = 2;
const exitBadConfig = 78;

/** Runs until a signal or a failure ends it; resolves with the exit code. */
export const run = async (options: RunOptions): Promise<number> => {
  const file = options.demo === true ? undefined : configFile(options.configFile, process.env);
  const seed = options.seed ?? 1;
  const demo = file === undefined ? await startDemo(seed) : undefined;
  const place: ConfigPlace = {
    file: file ?? demoFile,
    flags: options,
    env: { ...process.env, ...demo?.env },
  };
  const reading = readConfig(place);
  if (!reading.ok) {
    for (const line of reading.errors) process.stderr.write(`${line}\n`);
    await demo?.stop();
    return exitBadConfig;
  }
  const { config } = reading.loaded;
  const levels = LogLevels.parse(options.logLevel ?? config.log.level);
  if (!levels.ok) {
    process.stderr.write(`--log-level: ${levels.reason}\n`);
    return 64;
  }
  const log = new Log({ region: config.region, levels: levels.levels, format: config.log.format });
  for (const warning of reading.warnings) log.write("warn", "ops.config", warning);
  if (demo !== undefined) {
    log.write("info", "ops", "no configuration file: running the embedded demo", { seed });
  }
  const stop = Promise.withResolvers<number>();
  const begin = { drain: () => {}, isDraining: false };
  try {
    const host = await startHost({
      loaded: reading.loaded,
      read: () => readConfig(place),
      configFile: file,
      log,
      drain: () => begin.drain(),
      applyLogLevel: (level) => {
        const wanted = LogLevels.parse(options.logLevel ?? level);
        if (wanted.ok) levels.levels.become(wanted.levels);
      },
    });
    const drainHost = drainOnce(host, log, stop.resolve);
    begin.drain = () => {
      begin.isDraining = true;
      drainHost();
    };
    const release = listenToSignals(host, begin.drain, stop.resolve, log);
    void host.node.ended.then((reason) => {
      if (begin.isDraining) return;
      log.write("fatal", "ops", "the supervision tree has ended", { reason: reasonText(reason) });
      stop.resolve(exitFailed);
    });
    const admin = config.admin.socket;
    // Written now, not at the exit: a killed process would leave the next start without it.
    setTimeout(flushCompileCache, flushMs).unref();
    process.stdout.write(`paceline ready ${host.url} admin=${admin} pid=${process.pid}\n`);
    const code = await stop.promise;
    release();
    return code;
  } catch (error) {
    log.write("fatal", "ops", startFailure(error));
    return exitFailed;
  } finally {
    await demo?.stop();
    log.flush();
  }
};

const drainOnce = (host: Host, log: Log, done: (code: number) => void): (() => void) => {
  let isDraining = false;
  return () => {
    if (isDraining) return;
    isDraining = true;
    void drain({
      config: host.drainConfig,
      leaveRotation: host.leaveRotation,
      finish: host.finish,
      inFlight: host.inFlight,
      stopTree: host.stopTree,
      progress: (message, fields) => log.write("info", "ops.drain", message, fields),
      now: () => performance.now(),
      sleep: (ms) => sleep(ms),
    }).then(done, (error: unknown) => {
      log.write("fatal", "ops.drain", "draining failed", { error });
      done(exitFailed);
    });
  };
};

/** SIGTERM and SIGINT drain, a second one forces the end, SIGHUP reloads. */
const listenToSignals = (
  host: Host,
  beginDrain: () => void,
  done: (code: number) => void,
  log: Log,
): (() => void) => {
  let signals = 0;
  const onStop = (): void => {
    signals += 1;
    if (signals === 1) {
      beginDrain();
      return;
    }
    log.write("warn", "ops", "a second signal forces the end");
    log.flush();
    done(exitForced);
    // Whatever hangs must not hold a forced end.
    process.exit(exitForced);
  };
  const onHangUp = (): void => host.reload();
  process.on("SIGTERM", onStop).on("SIGINT", onStop).on("SIGHUP", onHangUp);
  return () => {
    process.off("SIGTERM", onStop).off("SIGINT", onStop).off("SIGHUP", onHangUp);
  };
};

/** One line for a start that failed: what, where, what to do. */
const startFailure = (thrown: unknown): string => {
  // The tree wraps what its process threw once per level; the innermost error says it.
  const error = thrown instanceof ExitError ? (thrown.cause ?? thrown) : thrown;
  if (error instanceof ExitError) return `the tree could not start: ${reasonText(error.reason)}`;
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" ? `${error.message} (${code})` : error.message;
};
