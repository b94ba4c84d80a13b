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
  /** Files older than this are removed, but for the newest of each series. */
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
  /** Writes one document durably and prunes the directory; resolves to the file's name. */
  write(series: string, atMs: number, document: unknown): Promise<string>;
  /** The newest undamaged document, or undefined; `damaged` counts the files that were skipped. */
  latest(
    series: string,
  ): Promise<{ readonly snapshot: StoredSnapshot | undefined; readonly damaged: number }>;
  /** Undamaged documents with `fromMs <= atMs <= toMs`, oldest first; `damaged` as above. */
  range(
    series: string,
    fromMs: number,
    toMs: number,
  ): Promise<{ readonly snapshots: readonly StoredSnapshot[]; readonly damaged: number }>;
}

interface StoredFile {
  readonly name: string;
  readonly prefix: string;
  readonly atMs: number;
}

const extension = ".snapshot.json";
const temporaryName = /^\..+\.snapshot\.json\.\d+\.tmp$/;

/** Opens (and makes, mode 0700) the directory lazily at the first write. */
export const createSnapshotStore = (options: SnapshotStoreOptions): SnapshotStore => {
  const { directory } = options;
  let isSwept = false;

  const names = (): Promise<readonly string[]> =>
    readdir(directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });

  const list = async (series: string): Promise<readonly StoredFile[]> =>
    seriesFiles(await names(), fileSafe(series));

  const load = async (series: string, { name, atMs }: StoredFile) => {
    const document = verified(await readFile(join(directory, name), "utf8"));
    return document === undefined ? undefined : { series, atMs, document };
  };

  const prune = async (nowMs: number): Promise<void> => {
    const doomed: string[] = [];
    for (const files of bySeries(await names())) {
      const surplus = Math.max(0, files.length - options.maxFiles);
      const oldestMs = nowMs - options.maxAgeMs;
      // The newest says all that is known of what has not changed since: it stays whatever its age.
      const old = files.slice(0, -1).filter(({ atMs }, at) => at < surplus || atMs < oldestMs);
      doomed.push(...old.map(({ name }) => name));
    }
    await Promise.all(doomed.map((name) => removed(join(directory, name))));
  };

  /** What a host that died while it wrote has left. */
  const sweep = async (): Promise<void> => {
    if (isSwept) return;
    isSwept = true;
    const left = (await names()).filter((name) => temporaryName.test(name));
    await Promise.all(left.map((name) => removed(join(directory, name))));
  };

  return {
    write: async (series, atMs, document) => {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await sweep();
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
      await prune(atMs);
      return name;
    },
    latest: async (series) => {
      let damaged = 0;
      for (const file of (await list(series)).toReversed()) {
        const snapshot = await load(series, file);
        if (snapshot !== undefined) return { snapshot, damaged };
        damaged += 1;
      }
      return { snapshot: undefined, damaged };
    },
    range: async (series, fromMs, toMs) => {
      const files = (await list(series)).filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
      const snapshots: StoredSnapshot[] = [];
      // One after the other: a day of a busy chain is not held as text all at once.
      for (const file of files) {
        const snapshot = await load(series, file);
        if (snapshot !== undefined) snapshots.push(snapshot);
      }
      return { snapshots, damaged: files.length - snapshots.length };
    },
  };
};

const storedFile = (name: string): StoredFile | undefined => {
  const [prefix = "", time = "", ...rest] = name.split(".");
  const atMs = Number(time);
  const isOurs = prefix !== "" && /^\d+$/.test(time) && `.${rest.join(".")}` === extension;
  return isOurs && Number.isSafeInteger(atMs) ? { name, prefix, atMs } : undefined;
};

/** The files of a series, oldest first. */
const seriesFiles = (names: readonly string[], prefix: string): readonly StoredFile[] =>
  names
    .map(storedFile)
    .filter((file) => file !== undefined)
    .filter((file) => file.prefix === prefix)
    .sort((left, right) => left.atMs - right.atMs);

const bySeries = (names: readonly string[]): readonly (readonly StoredFile[])[] => {
  const prefixes = new Set(names.map((name) => storedFile(name)?.prefix));
  return [...prefixes].flatMap((prefix) =>
    prefix === undefined ? [] : [seriesFiles(names, prefix)],
  );
};

/** Somebody else may have removed it already. */
const removed = async (path: string): Promise<void> => {
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
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
