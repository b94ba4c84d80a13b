/**
 * The Unix socket of the operators.
 *
 * Node cannot ask who the peer is, so the file system is the authentication: the directory is 0700
 * and ours, the socket 0600 whatever the umask. The socket is bound under a temporary name and linked
 * to its own: a link fails where another instance came first, and libuv, which on close unlinks the
 * path it bound, then cannot remove a socket that is not ours.
 */
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  unlinkSync,
  type Stats,
} from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname, join, resolve } from "node:path";
import { CallbackScope } from "./callback-scope.ts";

/** One connection as the driver offers it. */
export interface AdminWire {
  send(line: string): void;
  readonly unsentBytes: number;
  /** Sends what is queued, then closes. */
  close(): void;
}

/** What answers on a connection. */
export interface AdminPeer {
  data(chunk: Buffer): void;
  /** The client sends no more. */
  finish(): void;
  /** The connection is gone. */
  end(): void;
}

/** How to listen. */
export interface AdminSocketOptions {
  readonly path: string;
  readonly maxConnections: number;
  /** The line for the one connection too many, before it is closed. */
  readonly refusal: string;
  readonly accept: (wire: AdminWire) => AdminPeer;
}

/** A listening socket. */
export interface AdminSocketServer {
  /** Absolute path. */
  readonly path: string;
  readonly connections: number;
  /** Ends all connections and takes the socket away, if it is still ours. Safe to call twice. */
  close(): Promise<void>;
}

/** Why there is no socket. */
export class AdminSocketError extends Error {
  readonly code: "OPS_SOCKET_IN_USE" | "OPS_SOCKET_UNSAFE" | "OPS_SOCKET_PATH";

  constructor(code: AdminSocketError["code"], message: string) {
    super(message);
    this.name = "AdminSocketError";
    this.code = code;
  }
}

/** `sun_path` has 108 bytes, one of them for the final zero. */
const MAX_PATH_BYTES = 107;
const PROBE_MS = 1_000;

/**
 * Makes the directory of a socket, or checks the one that is there: ours, no link, private. A
 * directory that others may read is made private if nothing but our own files is in it.
 */
export function preparePrivateDirectory(directory: string): void {
  const unsafe = (why: string): AdminSocketError =>
    new AdminSocketError("OPS_SOCKET_UNSAFE", `the directory ${directory} ${why}`);
  mkdirSync(dirname(directory), { recursive: true });
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
  const found = lstatSync(directory);
  if (found.isSymbolicLink()) throw unsafe("is a symbolic link");
  if (!found.isDirectory()) throw unsafe("is no directory");
  if (found.uid !== process.getuid?.()) throw unsafe(`belongs to uid ${found.uid}, not to us`);
  if ((found.mode & 0o022) !== 0) {
    throw unsafe(
      `can be written by others (mode ${(found.mode & 0o777).toString(8)}): chmod 700 it`,
    );
  }
  if ((found.mode & 0o777) === 0o700) return;
  const stranger = readdirSync(directory).find((name) => !OWN_FILES.test(name));
  if (stranger !== undefined) {
    throw unsafe(`is open to others and holds "${stranger}": chmod 700 it, or take one of its own`);
  }
  chmodSync(directory, 0o700);
}

const OWN_FILES = /^(.+\.sock|\.s[0-9a-z]+|(operator|admin)\.token|audit.*\.log)$/;

/** Listens; rejects with `AdminSocketError` when the place is taken or not safe. */
export async function listenAdminSocket(options: AdminSocketOptions): Promise<AdminSocketServer> {
  const path = resolve(options.path);
  const directory = dirname(path);
  const temporary = join(directory, `.s${process.pid.toString(36)}`);
  for (const name of [path, temporary]) {
    const length = Buffer.byteLength(name);
    if (length > MAX_PATH_BYTES) {
      const text = `the path ${name} has ${length} bytes, a Unix socket at most ${MAX_PATH_BYTES}`;
      throw new AdminSocketError("OPS_SOCKET_PATH", text);
    }
  }
  preparePrivateDirectory(directory);
  await clearStale(path);
  removeIfThere(temporary);
  const sockets = new Set<Socket>();
  const scope = new CallbackScope();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    serve(socket, sockets, scope, options);
  });
  await bindPrivately(server, temporary);
  const own = lstatSync(temporary);
  try {
    linkSync(temporary, path);
  } catch (error) {
    server.close();
    if (codeOf(error) === "EEXIST") throw inUse(path);
    throw error;
  } finally {
    removeIfThere(temporary);
  }
  let closing: Promise<void> | undefined;
  return {
    path,
    get connections() {
      return sockets.size;
    },
    close: () => (closing ??= closeServer(server, sockets, path, own)),
  };
}

/** libuv binds inside `listen`, in this very tick, so nothing else ever runs under this umask. */
function bindPrivately(server: Server, path: string): Promise<void> {
  return new Promise((done, fail) => {
    server.once("error", fail);
    const before = process.umask(0o177);
    try {
      server.listen(path, () => {
        server.off("error", fail);
        // a failing accept (no descriptors left) must not end the program
        server.on("error", () => {});
        done();
      });
    } finally {
      process.umask(before);
    }
  });
}

/** Removes a socket that nobody answers on; refuses to touch anything else. */
async function clearStale(path: string): Promise<void> {
  const found = statIfThere(path);
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new AdminSocketError("OPS_SOCKET_UNSAFE", `${path} is there and no socket`);
  }
  if (found.uid !== process.getuid?.()) {
    throw new AdminSocketError("OPS_SOCKET_UNSAFE", `${path} belongs to uid ${found.uid}`);
  }
  const answer = await probe(path);
  if (answer === "ENOENT") return;
  if (answer !== "ECONNREFUSED") throw inUse(path);
  const now = statIfThere(path);
  // The number of a removed file is soon given to a new one, such as another instance's live socket.
  const isStill = now !== undefined && isSameFile(found, now) && now.ctimeMs === found.ctimeMs;
  if (isStill) unlinkSync(path);
}

function inUse(path: string): AdminSocketError {
  return new AdminSocketError("OPS_SOCKET_IN_USE", `already running: ${path} answers`);
}

/** The error code of a connection attempt; `alive` when it was accepted or hangs. */
function probe(path: string): Promise<string> {
  return new Promise((done) => {
    const socket = connect(path);
    socket.setTimeout(PROBE_MS);
    const finish = (result: string): void => {
      socket.destroy();
      done(result);
    };
    socket.once("connect", () => finish("alive"));
    socket.once("timeout", () => finish("alive"));
    socket.once("error", (error) => finish(codeOf(error) ?? "alive"));
  });
}

function serve(
  socket: Socket,
  sockets: Set<Socket>,
  scope: CallbackScope,
  options: AdminSocketOptions,
): void {
  socket.on("error", () => socket.destroy());
  if (sockets.size >= options.maxConnections) {
    socket.end(options.refusal);
    socket.resume();
    return;
  }
  sockets.add(socket);
  const wire: AdminWire = {
    send: (line) => {
      if (!socket.writable) return;
      // a client that does not read its replies is not asked for more commands
      if (!socket.write(line)) socket.pause();
    },
    get unsentBytes() {
      return socket.writableLength;
    },
    close: () => {
      socket.end();
      socket.resume();
    },
  };
  const peer = scope.run(() => options.accept(wire));
  if (peer === undefined) {
    sockets.delete(socket);
    socket.destroy();
    return;
  }
  socket.on("drain", () => socket.resume());
  socket.on("data", (chunk: Buffer) => {
    scope.run(() => peer.data(chunk));
  });
  socket.on("end", () => {
    scope.run(() => peer.finish());
  });
  socket.on("close", () => {
    sockets.delete(socket);
    scope.run(() => peer.end());
  });
}

async function closeServer(
  server: Server,
  sockets: ReadonlySet<Socket>,
  path: string,
  own: Stats,
): Promise<void> {
  const now = statIfThere(path);
  if (now !== undefined && isSameFile(own, now)) removeIfThere(path);
  await new Promise<void>((done) => {
    server.close(() => done());
    // lines already written (such as the reply to `drain`) still go out
    for (const socket of sockets) socket.destroySoon();
  });
}

function isSameFile(a: Stats, b: Stats): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

function statIfThere(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

/** A timer of a session, which belongs to a connection and not to a process; the result cancels it. */
export function startHostTimer(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
}
