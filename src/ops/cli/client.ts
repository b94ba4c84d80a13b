/** The client side of the admin socket: one connection, replies by id, roles by token file. */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { dirname, join } from "node:path";
import { CliError, EXIT } from "./exit-codes.ts";

/** Role that a verb asks for. */
export type WantedRole = "viewer" | "operator" | "admin";

interface Waiting {
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** A line of a stream: an event, a count of dropped ones, or the end. */
interface StreamLine {
  readonly sub?: string;
  readonly event?: unknown;
  readonly dropped?: number;
  readonly end?: string;
  readonly [fact: string]: unknown;
}

/** Receives the events of one stream; `end` comes last. */
export interface StreamSink {
  readonly event: (event: unknown) => void;
  readonly dropped: (count: number) => void;
}

interface Reply {
  readonly id?: number | null;
  readonly ok?: unknown;
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
}

const CONNECT_MS = 3_000;
const DEFAULT_REPLY_MS = 10_000;
const FAR_REPLY_MS = 600_000;

/** A connection to a running instance. */
export class AdminClient {
  /** Resolves when the instance has closed the connection. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #path: string;
  readonly #region: string | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #text = "";
  #serial = 0;
  #onHello: (() => void) | undefined;
  #onStream: ((line: StreamLine) => void) | undefined;

  private constructor(socket: Socket, path: string, region: string | undefined) {
    this.#socket = socket;
    this.#path = path;
    this.#region = region;
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => this.#take(chunk));
    socket.on("error", () => socket.destroy());
    this.closed = new Promise((done) => {
      socket.once("close", () => {
        this.#fail();
        done();
      });
    });
  }

  /**
   * Connects and waits for the greeting; fails with exit code 69 when nobody is there. With `region`
   * the instance has what is asked carried out there.
   */
  static async open(path: string, region?: string): Promise<AdminClient> {
    const socket = connect(path);
    try {
      await new Promise<void>((done, fail) => {
        socket.setTimeout(CONNECT_MS, () => fail(new Error("no answer")));
        socket.once("error", fail);
        socket.once("connect", () => {
          socket.setTimeout(0);
          socket.off("error", fail);
          done();
        });
      });
    } catch (error) {
      socket.destroy();
      throw unreachable(path, error);
    }
    const client = new AdminClient(socket, path, region);
    await client.#greeting();
    return client;
  }

  /** Sends a command; rejects with a `CliError` that has the matching exit code. */
  async ask(
    cmd: string,
    args: Readonly<Record<string, unknown>> = {},
    replyMs: number = DEFAULT_REPLY_MS,
  ): Promise<unknown> {
    const region = this.#region;
    // How long another region may take is for the instance to say, which answers whatever happens.
    const waitMs = region === undefined ? replyMs : FAR_REPLY_MS;
    const reply = await this.#request(cmd, args, waitMs, region);
    return isPaged(reply) ? this.#collect(reply) : reply;
  }

  /**
   * Sends a command that opens a stream and feeds `sink`; resolves with the stream's last line. One
   * stream a connection, so every line of a stream is of this one.
   */
  async stream(
    cmd: string,
    args: Readonly<Record<string, unknown>>,
    sink: StreamSink,
  ): Promise<Readonly<Record<string, unknown>>> {
    const ended = new Promise<StreamLine>((done) => {
      this.#onStream = (line) => {
        if (line.event !== undefined) sink.event(line.event);
        else if (line.dropped !== undefined) sink.dropped(line.dropped);
        else if (line.end !== undefined) done(line);
      };
    });
    await this.ask(cmd, args);
    const gone = this.closed.then(() => {
      throw new CliError(EXIT.unreachable, `the instance behind ${this.#path} went away`);
    });
    // Whoever loses the race has nobody to tell.
    gone.catch(() => {});
    return Promise.race([ended, gone]);
  }

  /** Raises the role with the token file that lies beside the socket. */
  async raise(role: WantedRole): Promise<void> {
    if (role === "viewer") return;
    const file = join(dirname(this.#path), `${role}.token`);
    let token: string;
    try {
      token = readFileSync(file, "utf8").trim();
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
      throw new CliError(EXIT.role, `cannot read ${file} (${code}): the role ${role} is not yours`);
    }
    await this.#request("auth", { token }, DEFAULT_REPLY_MS);
  }

  close(): void {
    this.#socket.destroy();
  }

  #greeting(): Promise<void> {
    return new Promise((done, fail) => {
      const timer = setTimeout(() => {
        this.close();
        fail(unreachable(this.#path, new Error("no greeting")));
      }, CONNECT_MS);
      this.#onHello = () => {
        clearTimeout(timer);
        done();
      };
      this.#socket.once("close", () => {
        clearTimeout(timer);
        fail(unreachable(this.#path, new Error("closed at once; too many connections?")));
      });
    });
  }

  /** What this instance itself says, whichever region is asked otherwise. */
  askHere(cmd: string): Promise<unknown> {
    return this.#request(cmd, {}, DEFAULT_REPLY_MS);
  }

  #request(cmd: string, args: object, replyMs: number, region?: string): Promise<unknown> {
    const id = ++this.#serial;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new CliError(EXIT.failed, `no reply to ${cmd} within ${replyMs} ms`));
      }, replyMs);
      this.#waiting.set(id, { resolve, reject, timer });
      if (this.#socket.destroyed) this.#fail();
      else this.#socket.write(`${JSON.stringify({ id, cmd, args, region })}\n`);
    });
  }

  async #collect(first: Page): Promise<unknown> {
    let text = first.text;
    for (let page = 1; page < first.pages; page++) {
      const next = await this.#request("page", { cursor: first.cursor, page }, DEFAULT_REPLY_MS);
      if (!isPaged(next)) throw new CliError(EXIT.failed, "a page of the reply is missing");
      text += next.text;
    }
    return JSON.parse(text);
  }

  #take(chunk: string): void {
    this.#text += chunk;
    const lines = this.#text.split("\n");
    this.#text = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    const message = parse(line);
    if (message.hello !== undefined) {
      this.#onHello?.();
      return;
    }
    if (message.sub !== undefined) {
      this.#onStream?.(message);
      return;
    }
    const waiting = typeof message.id === "number" ? this.#waiting.get(message.id) : undefined;
    if (waiting === undefined || typeof message.id !== "number") return;
    this.#waiting.delete(message.id);
    clearTimeout(waiting.timer);
    const { error } = message;
    if (error === undefined) waiting.resolve(message.ok);
    else
      waiting.reject(
        new CliError(exitCodeOf(error.code), `${error.code}: ${error.message}`, error.hint),
      );
  }

  #fail(): void {
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new CliError(EXIT.unreachable, `the instance behind ${this.#path} went away`));
    }
    this.#waiting.clear();
  }
}

interface Page {
  readonly cursor: string;
  readonly pages: number;
  readonly text: string;
}

/** A line of something that is no Paceline counts as no line. */
function parse(line: string): Reply & StreamLine & { readonly hello?: unknown } {
  try {
    return (JSON.parse(line) ?? {}) as Reply & StreamLine;
  } catch {
    return {};
  }
}

function isPaged(reply: unknown): reply is Page {
  return typeof reply === "object" && reply !== null && "cursor" in reply && "pages" in reply;
}

function exitCodeOf(code: string): number {
  if (code === "OPS_FORBIDDEN") return EXIT.role;
  if (code === "OPS_REGION_LOST") return EXIT.unreachable;
  if (code === "OPS_NO_REGION") return EXIT.usage;
  return code === "OPS_BAD_ARGS" || code === "OPS_UNKNOWN_COMMAND" ? EXIT.usage : EXIT.failed;
}

function unreachable(path: string, error: unknown): CliError {
  const text = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? String(error.code) : text;
  const why: Readonly<Record<string, string>> = {
    ENOENT: "there is no such socket",
    ECONNREFUSED: "nobody listens on it; it is left over from a stopped instance",
    EACCES: "it belongs to another user",
    ENOTSOCK: "it is no socket",
  };
  return new CliError(
    EXIT.unreachable,
    `no instance reached on ${path}: ${why[code] ?? code}`,
    "the ready line of `paceline start` names its socket; --socket PATH picks it",
  );
}
