/**
 * One connection to the admin socket: its role, its subscriptions, its commands in flight.
 *
 * The session knows bytes, not sockets: the driver hands it chunks and takes lines. Every command is
 * checked, bounded in time, and, when it changes something, audited, whether it was allowed or not.
 */
import { checkArguments } from "./arguments.ts";
import type { Arguments, ArgumentSpecs } from "./arguments.ts";
import type { Command, Connection, Stream } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { forward } from "../regions/forward.ts";
import type { AdminDeps } from "./ports.ts";
import {
  ADMIN_LIMITS,
  AdminError,
  encodeLine,
  LineSplitter,
  mayAct,
  pagesOf,
  parseRequest,
  PROTOCOL_VERSION,
} from "./protocol.ts";
import type { AdminRequest, Hello, Role } from "./protocol.ts";
import {
  type After,
  asAdminError,
  type Audit,
  type Caller,
  findCommand,
  limitOf,
  runChecked,
  within,
} from "./run-command.ts";

/** The connection as the driver gives it. */
export interface AdminWire {
  send(line: string): void;
  /** Bytes handed over and not yet taken by the peer. */
  readonly unsentBytes: number;
  close(): void;
}

/** What a session needs besides the commands' own needs. */
export interface SessionDeps {
  readonly deps: AdminDeps;
  /** The role of a token, undefined when it is none; compares in constant time. */
  readonly roleOf: (token: string) => { readonly role: Role; readonly id: string } | undefined;
  readonly audit: Audit;
  readonly after: After;
}

interface Subscription {
  detach: () => void;
  seq: number;
  dropped: number;
}

/** Commands of the connection itself; name, arguments, meaning. */
const OWN_COMMANDS: Readonly<
  Record<string, { readonly summary: string; readonly args: ArgumentSpecs }>
> = {
  auth: {
    summary: "Raises the role of this connection.",
    args: { token: { kind: "text", meaning: "content of a token file", isRequired: true } },
  },
  unsubscribe: {
    summary: "Ends a stream.",
    args: { sub: { kind: "text", meaning: "id of the stream", isRequired: true } },
  },
  page: {
    summary: "One page of a reply that was too long for a line.",
    args: {
      cursor: { kind: "text", meaning: "cursor of that reply", isRequired: true },
      page: { kind: "whole", meaning: "page, from 0", min: 0, isRequired: true },
    },
  },
  commands: { summary: "This table.", args: {} },
};

/** One connection. */
export class AdminSession {
  readonly #wire: AdminWire;
  readonly #outside: SessionDeps;
  readonly #splitter = new LineSplitter(ADMIN_LIMITS.requestLineBytes);
  readonly #subscriptions = new Map<string, Subscription>();
  #role: Role = "viewer";
  #tokenId = "none";
  #inFlight = 0;
  #serial = 0;
  #isOpen = true;
  #isFinishing = false;
  /** The last reply that needed pages; one is kept. */
  #paged: { readonly cursor: string; readonly pages: readonly string[] } | undefined;

  /** What commands may do to this connection. */
  readonly #connection: Connection = {
    open: (begin) => this.#open(begin),
    close: (sub) => this.#endStream(sub, "stopped"),
  };

  constructor(wire: AdminWire, outside: SessionDeps) {
    this.#wire = wire;
    this.#outside = outside;
    const { version, region } = outside.deps.host();
    const hello: Hello = {
      product: "paceline",
      version,
      protocol: PROTOCOL_VERSION,
      region,
      role: this.#role,
    };
    wire.send(encodeLine({ hello }));
  }

  /** Bytes of the client. */
  data(chunk: Buffer): void {
    const lines = this.#splitter.push(chunk);
    if (lines === undefined) {
      this.#overlong();
      return;
    }
    for (const line of lines) this.#line(line);
  }

  /**
   * The client will send no more. What it asked for is still answered; streams end, since a client
   * that is gone altogether looks the same from here.
   */
  finish(): void {
    this.#isFinishing = true;
    this.#dropSubscriptions();
    this.#closeWhenDone();
  }

  #closeWhenDone(): void {
    if (this.#isFinishing && this.#inFlight === 0) this.#wire.close();
  }

  #dropSubscriptions(): void {
    for (const { detach } of this.#subscriptions.values()) detach();
    this.#subscriptions.clear();
  }

  #line(text: string): void {
    if (!this.#isOpen) return;
    const parsed = parseRequest(text);
    if (!parsed.ok) {
      this.#wire.send(encodeLine({ id: parsed.id, error: parsed.error.body }));
      if (parsed.error.code === "OPS_BAD_JSON") this.#leave();
      return;
    }
    void this.#answer(parsed.request);
  }

  #overlong(): void {
    if (!this.#isOpen) return;
    const error = new AdminError(
      "OPS_LIMIT",
      `a line may have at most ${ADMIN_LIMITS.requestLineBytes} bytes`,
    );
    this.#wire.send(encodeLine({ id: null, error: error.body }));
    this.#leave();
  }

  #leave(): void {
    this.#wire.close();
    this.end();
  }

  /** The peer is gone, or the socket ends. */
  end(): void {
    this.#isOpen = false;
    this.#dropSubscriptions();
    this.#paged = undefined;
  }

  async #answer(request: AdminRequest): Promise<void> {
    if (this.#inFlight >= ADMIN_LIMITS.inFlightPerConnection) {
      this.#refuse(request, new AdminError("OPS_BUSY", "too many commands at the same time"));
      return;
    }
    this.#inFlight++;
    try {
      const reply = await this.#run(request);
      if (this.#isOpen) this.#wire.send(encodeLine({ id: request.id, ok: this.#fit(reply) }));
    } catch (error) {
      this.#refuse(request, asAdminError(error));
    } finally {
      this.#inFlight--;
      this.#closeWhenDone();
    }
  }

  #refuse(request: AdminRequest, error: AdminError): void {
    if (this.#isOpen) this.#wire.send(encodeLine({ id: request.id, error: error.body }));
  }

  #run(request: AdminRequest): unknown {
    const { cmd, region } = request;
    const own = Object.hasOwn(OWN_COMMANDS, cmd) ? OWN_COMMANDS[cmd] : undefined;
    if (own !== undefined) {
      if (region !== undefined) {
        throw new AdminError("OPS_BAD_ARGS", `${cmd} is about this connection: it takes no region`);
      }
      return this.#runOwn(cmd, checkArguments(own.args, request.args));
    }
    const command = findCommand(cmd, Object.keys(OWN_COMMANDS));
    const args = checkArguments(command.args, request.args);
    return this.#runCommand({ cmd, args, region }, command);
  }

  #runCommand(
    request: {
      readonly cmd: string;
      readonly args: Arguments;
      readonly region: string | undefined;
    },
    command: Command,
  ): Promise<unknown> {
    const { deps, after, audit } = this.#outside;
    const { cmd, args, region } = request;
    const limitMs = limitOf(command);
    if (region === undefined || region === deps.host().region) {
      return runChecked(request, command, this.#caller, audit, () =>
        within(limitMs, after, command.run(args, deps, this.#connection)),
      );
    }
    const order = { region, cmd, args, role: this.#role, limitMs };
    return runChecked(
      request,
      command,
      this.#caller,
      (entry) => audit({ ...entry, args: { ...entry.args, region } }),
      () => forward(order, deps.cluster.command, this.#connection),
    );
  }

  #runOwn(cmd: string, args: Arguments): unknown {
    switch (cmd) {
      case "auth":
        return this.#auth(String(args["token"]));
      case "unsubscribe":
        return this.#unsubscribe(String(args["sub"]));
      case "page":
        return this.#page(String(args["cursor"]), Number(args["page"]));
      default:
        return commandTable();
    }
  }

  get #caller(): Caller {
    const role = this.#role;
    return {
      role,
      mayAct: (needed) => mayAct(role, needed),
      token: this.#tokenId,
      forbidden: (cmd, needed) => {
        const message = `${cmd} needs the role ${needed}; this connection is ${role}`;
        return new AdminError("OPS_FORBIDDEN", message, `auth with the ${needed}.token file`);
      },
    };
  }

  #auth(token: string): unknown {
    const known = this.#outside.roleOf(token.trim());
    if (known === undefined) throw new AdminError("OPS_FORBIDDEN", "the token is not valid here");
    if (mayAct(known.role, this.#role)) {
      this.#role = known.role;
      this.#tokenId = known.id;
    }
    return { role: this.#role };
  }

  #open(begin: (stream: Stream) => () => void): string {
    if (!this.#isOpen) throw new AdminError("OPS_LIMIT", "the connection has ended");
    if (this.#subscriptions.size >= ADMIN_LIMITS.subscriptionsPerConnection) {
      const most = ADMIN_LIMITS.subscriptionsPerConnection;
      throw new AdminError("OPS_LIMIT", `a connection may have ${most} subscriptions`);
    }
    const sub = `s${++this.#serial}`;
    const subscription: Subscription = { detach: () => {}, seq: 0, dropped: 0 };
    this.#subscriptions.set(sub, subscription);
    try {
      subscription.detach = begin({
        push: (event) => this.#push(sub, event),
        drop: (count) => {
          subscription.dropped += count;
        },
        end: (reason, facts) => this.#endStream(sub, reason, facts),
      });
    } catch (error) {
      this.#subscriptions.delete(sub);
      throw error;
    }
    return sub;
  }

  #endStream(sub: string, reason: string, facts: Readonly<Record<string, unknown>> = {}): boolean {
    const subscription = this.#subscriptions.get(sub);
    if (subscription === undefined) return false;
    this.#subscriptions.delete(sub);
    subscription.detach();
    const { dropped } = subscription;
    if (dropped > 0) this.#wire.send(encodeLine({ sub, dropped }));
    this.#wire.send(encodeLine({ sub, end: reason, ...facts }));
    return true;
  }

  /** Sends one event, or counts it when the client does not keep up. */
  #push(sub: string, event: Readonly<Record<string, unknown>>): void {
    const subscription = this.#subscriptions.get(sub);
    if (subscription === undefined) return;
    if (this.#wire.unsentBytes > ADMIN_LIMITS.unsentBytes) {
      subscription.dropped++;
      return;
    }
    if (subscription.dropped > 0) {
      this.#wire.send(encodeLine({ sub, dropped: subscription.dropped }));
      subscription.dropped = 0;
    }
    this.#wire.send(encodeLine({ sub, seq: ++subscription.seq, event }));
  }

  #unsubscribe(sub: string): unknown {
    if (!this.#endStream(sub, "unsubscribed")) {
      throw new AdminError("OPS_BAD_ARGS", `no stream "${sub}"`);
    }
    return { unsubscribed: sub };
  }

  #fit(reply: unknown): unknown {
    const pages = pagesOf(reply);
    if (pages === undefined) return reply ?? null;
    const cursor = `c${++this.#serial}`;
    this.#paged = { cursor, pages };
    return this.#page(cursor, 0);
  }

  #page(cursor: string, page: number): unknown {
    const text = this.#paged?.cursor === cursor ? this.#paged.pages[page] : undefined;
    if (text === undefined) throw new AdminError("OPS_BAD_ARGS", "no such page; ask again");
    return { cursor, page, pages: this.#paged?.pages.length ?? 0, text };
  }
}

function commandTable(): unknown {
  const commands = Object.entries(COMMANDS).map(([name, { summary, args, role }]) => ({
    name,
    summary,
    role: role({}),
    args,
  }));
  const own = Object.entries(OWN_COMMANDS).map(([name, { summary, args }]) => ({
    name,
    summary,
    role: "viewer",
    args,
  }));
  return { commands: [...commands, ...own] };
}
