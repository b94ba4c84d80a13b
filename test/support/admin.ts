/** A client of the admin socket, written from the contract and not from the product's own code. */
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { dirname, join } from "node:path";

/** A node of the answer to `tree`. */
export interface TreeNode {
  readonly name: string;
  readonly pid: string;
  readonly kind: "supervisor" | "worker";
  readonly status: string;
  readonly strategy?: string;
  readonly restarts: {
    readonly count: number;
    readonly intensity: number;
    readonly period_ms: number;
  };
  readonly last_exit?: unknown;
  readonly children: readonly TreeNode[];
}

/** One connection to an admin socket. */
export class AdminClient {
  readonly #socket: Socket;
  readonly #path: string;
  readonly #waiting = new Map<number, { settle: (reply: any) => void; fail: (e: Error) => void }>();
  #buffer = "";
  #nextId = 1;
  #isRaised = false;

  private constructor(socket: Socket, path: string) {
    this.#socket = socket;
    this.#path = path;
    socket.on("error", () => undefined);
    socket.on("close", () => {
      for (const { fail } of this.#waiting.values()) fail(new Error("admin socket closed"));
      this.#waiting.clear();
    });
  }

  /** Connects and waits for the `hello` line. */
  static connect(path: string): Promise<AdminClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      const client = new AdminClient(socket, path);
      socket.once("error", reject);
      socket.once("close", () => reject(new Error("admin socket closed before hello")));
      socket.on("data", (chunk: Buffer) => {
        for (const line of client.#lines(chunk)) {
          if (line.hello !== undefined) resolve(client);
          else client.#onReply(line);
        }
      });
    });
  }

  /** The reply to a command as it came: `{ok}` or `{error}`. */
  reply(cmd: string, args: object = {}): Promise<any> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (this.#socket.closed) reject(new Error("admin socket closed"));
      const timer = setTimeout(() => reject(new Error(`no reply to ${cmd}`)), 10_000);
      const settle = (reply: any): void => {
        clearTimeout(timer);
        resolve(reply);
      };
      const fail = (error: Error): void => {
        clearTimeout(timer);
        reject(error);
      };
      this.#waiting.set(id, { settle, fail });
      this.#socket.write(`${JSON.stringify({ id, cmd, args })}\n`);
    });
  }

  /** The `ok` part of a reply, or a thrown error with its code. */
  async ask(cmd: string, args: object = {}): Promise<any> {
    const { ok, error } = await this.reply(cmd, args);
    if (error !== undefined)
      throw Object.assign(new Error(`${error.code}: ${error.message}`), error);
    return ok;
  }

  async tree(): Promise<TreeNode> {
    return (await this.ask("tree")) as TreeNode;
  }

  /** Sends an exit signal to a process, after raising the role with the token beside the socket. */
  async exit(target: string, reason: string): Promise<void> {
    await this.raise();
    await this.ask("exit", { target, reason });
  }

  async raise(): Promise<void> {
    if (this.#isRaised) return;
    const token = readFileSync(join(dirname(this.#path), "admin.token"), "utf8").trim();
    await this.ask("auth", { token });
    this.#isRaised = true;
  }

  close(): void {
    this.#socket.destroy();
  }

  *#lines(chunk: Buffer): Generator<any> {
    this.#buffer += chunk.toString();
    for (let end = this.#buffer.indexOf("\n"); end >= 0; end = this.#buffer.indexOf("\n")) {
      const line = this.#buffer.slice(0, end);
      this.#buffer = this.#buffer.slice(end + 1);
      yield JSON.parse(line);
    }
  }

  #onReply(reply: any): void {
    this.#waiting.get(reply.id)?.settle(reply);
    this.#waiting.delete(reply.id);
  }
}

/** All nodes of a tree, parents before children. */
export function flatten(node: TreeNode): TreeNode[] {
  return [node, ...node.children.flatMap(flatten)];
}
