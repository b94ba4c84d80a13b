/** Small files of the operator: read whole, bounded, with the error code kept. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/**
 * The text of a file of at most `maxBytes`. Throws an error with a `code`: that of the system, or
 * `EISDIR` for what is no file and `EFBIG` for what is too large. A byte order mark is dropped.
 */
export function readTextFile(path: string, maxBytes: number): string {
  const descriptor = openSync(path, "r");
  try {
    if (fstatSync(descriptor).isDirectory()) throw coded("EISDIR", `${path} is a directory`);
    const buffer = Buffer.alloc(maxBytes + 1);
    let length = 0;
    // pipes and /dev/fd entries give their content in pieces and have no size beforehand
    while (length < buffer.length) {
      const got = readSync(descriptor, buffer, length, buffer.length - length, null);
      if (got === 0) break;
      length += got;
    }
    if (length > maxBytes) throw coded("EFBIG", `${path} has more than ${maxBytes} bytes`);
    return buffer.toString("utf8", 0, length).replace(/^\uFEFF/, "");
  } finally {
    closeSync(descriptor);
  }
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
