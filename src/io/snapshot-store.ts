/**
 * Snapshots on disk: one JSON document per file, named by kind and wall-clock time, written to a
 * temporary file, fsynced, renamed, and guarded by a SHA-256 line, so that a reader sees either the
 * whole document or none. A damaged file is skipped and the one before it is used.
 */
import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, unlink } from "node:fs/promises";
import { join } from "node:path";

/** Where snapshots live and how many of them are kept. */
export interface SnapshotStoreOptions {
  readonly directory: string;
  /** Files of one series older than this are removed. */
  readonly maxAgeMs: number;
  /** Files of one series beyond this number are removed, oldest first. */
  readonly maxFiles: number;
}

/** One stored document. */
export interface StoredSnapshot {
  readonly series: string;
  readonly atMs: number;
  readonly document: unknown;
}

/** A directory of checksummed JSON documents. */
export interface SnapshotStore {
  /** Writes one document durably and prunes the series; resolves to the file's name. */
  write(series: string, atMs: number, document: unknown): Promise<string>;
  /** The newest undamaged document, or undefined; `damaged` counts the files that were skipped. */
  latest(
    series: string,
  ): Promise<{ readonly snapshot: StoredSnapshot | undefined; readonly damaged: number }>;
  /** Undamaged documents with `fromMs <= atMs <= toMs`, oldest first. */
  range(series: string, fromMs: number, toMs: number): Promise<readonly StoredSnapshot[]>;
}

const extension = ".snapshot.json";

/** Opens (and makes, mode 0700) the directory lazily at the first write. */
export const createSnapshotStore = (options: SnapshotStoreOptions): SnapshotStore => {
  const { directory } = options;

  const list = async (series: string): Promise<readonly { name: string; atMs: number }[]> => {
    const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    const prefix = `${fileSafe(series)}.`;
    return names
      .filter((name) => name.startsWith(prefix) && name.endsWith(extension))
      .map((name) => ({ name, atMs: Number(name.slice(prefix.length, -extension.length)) }))
      .filter(({ atMs }) => Number.isSafeInteger(atMs))
      .sort((left, right) => left.atMs - right.atMs);
  };

  const load = async (series: string, name: string, atMs: number) => {
    const document = verified(await readFile(join(directory, name), "utf8"));
    return document === undefined ? undefined : { series, atMs, document };
  };

  const prune = async (series: string, nowMs: number): Promise<void> => {
    const files = await list(series);
    const surplus = Math.max(0, files.length - options.maxFiles);
    const doomed = files.filter(({ atMs }, at) => at < surplus || atMs < nowMs - options.maxAgeMs);
    await Promise.all(doomed.map(({ name }) => unlink(join(directory, name))));
  };

  return {
    write: async (series, atMs, document) => {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const name = `${fileSafe(series)}.${Math.trunc(atMs)}${extension}`;
      const temporary = join(directory, `.${name}.${process.pid}.tmp`);
      const body = JSON.stringify(document);
      const handle = await open(temporary, "w", 0o600);
      try {
        await handle.writeFile(`${checksum(body)}\n${body}`);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, join(directory, name));
      await syncDirectory(directory);
      await prune(series, atMs);
      return name;
    },
    latest: async (series) => {
      let damaged = 0;
      for (const { name, atMs } of (await list(series)).toReversed()) {
        const snapshot = await load(series, name, atMs);
        if (snapshot !== undefined) return { snapshot, damaged };
        damaged += 1;
      }
      return { snapshot: undefined, damaged };
    },
    range: async (series, fromMs, toMs) => {
      const files = (await list(series)).filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
      const loaded = await Promise.all(files.map(({ name, atMs }) => load(series, name, atMs)));
      return loaded.filter((snapshot) => snapshot !== undefined);
    },
  };
};

const checksum = (body: string): string => createHash("sha256").update(body).digest("hex");

const fileSafe = (series: string): string => series.replaceAll(/[^A-Za-z0-9_-]/g, "_");

const verified = (text: string): unknown => {
  const split = text.indexOf("\n");
  const body = text.slice(split + 1);
  if (split !== 64 || text.slice(0, split) !== checksum(body)) return undefined;
  return JSON.parse(body) as unknown;
};

/** A rename is durable only once the directory itself is on disk. */
const syncDirectory = async (directory: string): Promise<void> => {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};
