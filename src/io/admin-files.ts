/** The files beside the admin socket: role tokens and the append-only audit log. */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

/**
 * Writes a fresh 256-bit token into `path` (0600) and returns it. It is written beside its place and
 * renamed, so a reader sees the old token or the new one, and a planted link is replaced, not followed.
 */
export function writeToken(path: string): string {
  const token = randomBytes(32).toString("hex");
  const temporary = `${path}.${process.pid}`;
  removeIfThere(temporary);
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const descriptor = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    writeSync(descriptor, `${token}\n`);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, path);
  return token;
}

/** Writes `text` into a new file of `directory`, 0600, never through a link; returns its path. */
export function writeDump(directory: string, name: string, text: string): string {
  const path = join(directory, name);
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const descriptor = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    writeFileSync(descriptor, text);
  } finally {
    closeSync(descriptor);
  }
  return path;
}

/** An append-only file of lines. */
export interface LineLog {
  /** The last whole line when the file was opened, empty for a new one. */
  readonly lastLine: string;
  append(line: string): void;
  close(): void;
}

const TAIL_BYTES = 256 * 1024;

/** Opens a log of lines for appending, 0600, never through a link. */
export function openLineLog(path: string): LineLog {
  const { O_RDWR, O_CREAT, O_APPEND, O_NOFOLLOW } = constants;
  const descriptor = openSync(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600);
  const { size } = fstatSync(descriptor);
  const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
  readSync(descriptor, tail, 0, tail.length, size - tail.length);
  const text = tail.toString("utf8");
  // a line cut by a crash is ended, so that the next one stands on its own
  if (text !== "" && !text.endsWith("\n")) writeSync(descriptor, "\n");
  const lines = text.split("\n").filter((line) => line !== "");
  let isOpen = true;
  return {
    lastLine: lines.at(-1) ?? "",
    append: (line) => {
      if (isOpen) writeSync(descriptor, line);
    },
    close: () => {
      if (isOpen) closeSync(descriptor);
      isOpen = false;
    },
  };
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}
