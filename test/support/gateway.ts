/** The whole product as its own process, started the way an operator starts it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { AdminClient, flatten, type TreeNode } from "./admin.ts";
import { Child } from "./child.ts";

/** A configuration as data, in the spelling of the file. */
export type ConfigDocument = Readonly<Record<string, unknown>>;

/** How the gateway is started. */
export interface GatewayOptions {
  /** Without it the embedded demo runs. */
  readonly config?: ConfigDocument | string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A folder to start in again; default a new one that is removed at the end. */
  readonly folder?: string;
}

const ROOT = join(import.meta.dirname, "..", "..");

/** A started gateway. */
export class Gateway {
  readonly child: Child;
  readonly folder: string;
  readonly configPath: string;
  url = "";
  wsUrl = "";
  socketPath = "";
  readonly #ownsFolder: boolean;
  readonly #clients: AdminClient[] = [];

  private constructor(options: GatewayOptions) {
    this.#ownsFolder = options.folder === undefined;
    this.folder = options.folder ?? mkdtempSync(join(tmpdir(), "pl-"));
    this.configPath = join(this.folder, "paceline.yaml");
    const args = [join(ROOT, "bin", "paceline.mjs"), "start", "--port", "0"];
    if (options.config !== undefined) {
      this.writeConfig(options.config);
      args.push("--config", this.configPath);
    }
    const env = { NO_COLOR: "1", ...options.env };
    this.child = new Child(process.execPath, [...args, ...(options.args ?? [])], env, this.folder);
  }

  /** Starts without waiting; for starts that are meant to fail. */
  static launch(options: GatewayOptions): Gateway {
    return new Gateway(options);
  }

  /** Starts and waits for the ready line. */
  static async start(options: GatewayOptions = {}): Promise<Gateway> {
    const gateway = new Gateway(options);
    try {
      await gateway.ready();
    } catch (error) {
      await gateway.stop();
      throw error;
    }
    return gateway;
  }

  /** Waits for the ready line and reads addresses from it. */
  async ready(): Promise<this> {
    const line = /paceline ready (http:\/\/\S+) admin=(\S+) pid=(\d+)/u;
    const [, url = "", socket = ""] = await this.child.waitFor(line, 20_000);
    this.url = url;
    this.wsUrl = url.replace(/^http/u, "ws");
    this.socketPath = socket.startsWith("/") ? socket : join(this.folder, socket);
    return this;
  }

  /** Writes the configuration file; a document gets paths inside this gateway's own folder. */
  writeConfig(config: ConfigDocument | string): void {
    const base = {
      admin: { socket: join(this.folder, "run", "admin.sock") },
      storage: { url: `file:${join(this.folder, "data")}` },
      drain: { pre_delay: "0s", close_spread: "0s", timeout: "5s" },
    };
    const text = typeof config === "string" ? config : stringify({ ...base, ...config });
    writeFileSync(this.configPath, text);
  }

  /** A new connection to the admin socket, closed with the gateway. */
  async admin(): Promise<AdminClient> {
    const client = await AdminClient.connect(this.socketPath);
    this.#clients.push(client);
    return client;
  }

  /** All processes of the tree now, over a connection of its own. */
  async processes(): Promise<TreeNode[]> {
    const client = await AdminClient.connect(this.socketPath);
    try {
      return flatten(await client.tree());
    } finally {
      client.close();
    }
  }

  /** Text of everything this gateway has printed or written into its folder. */
  traces(): string {
    const files = readdirSync(this.folder, { recursive: true, encoding: "utf8" })
      .map((name) => join(this.folder, name))
      .filter((path) => path !== this.configPath && statSync(path).isFile());
    return [this.child.output, ...files.map((path) => readFileSync(path, "utf8"))].join("\n");
  }

  /** Ends the gateway for good and removes its folder. */
  async stop(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close();
    await this.child.kill();
    if (this.#ownsFolder) rmSync(this.folder, { recursive: true, force: true });
  }
}
