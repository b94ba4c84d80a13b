/**
 * The turn board: a few words that say who runs now, written by plain stores (2 ns a visit) and read
 * by the watchdog's thread while this thread is too busy to answer anybody (otp.md 4.5).
 */

/** Words of the board. */
export const Slot = {
  /** Id of the process being visited, 0 between slices. */
  pid: 0,
  /** Visits since the start; wraps. */
  visit: 1,
  /** Counted up by a timer of the main loop; one that stands still means a blocked loop. */
  beat: 2,
  /** Written by the watchdog: the beat during which it raised its last alarm. */
  alarm: 3,
  /** 1 while an inspector port is open: a breakpoint is no runaway code. */
  debugged: 4,
} as const;

const SLOTS = 8;

/** A board; a private one has the same shape, so that the writing code stays monomorphic. */
export function createBoard(isShared: boolean): Int32Array {
  const sizeBytes = SLOTS * Int32Array.BYTES_PER_ELEMENT;
  const board = new Int32Array(
    isShared ? new SharedArrayBuffer(sizeBytes) : new ArrayBuffer(sizeBytes),
  );
  board[Slot.alarm] = -1;
  return board;
}
