/** What a client that is closed is told, within the 123 bytes that a close frame has for it. */

/** Longest reason (RFC 6455 section 5.5.1, less the code). */
export const MAX_REASON_BYTES = 123;

/** A client does not read: its subscription, and the cursor with which it may go on elsewhere. */
export const slowReason = (subscription: string, cursor: string | undefined): string => {
  const reason = `slow consumer ${subscription}`;
  if (cursor === undefined) return reason;
  const whole = `${reason} ${cursor}`;
  // The cursor matters more: an id can be had anew.
  return whole.length <= MAX_REASON_BYTES ? whole : `slow consumer ${cursor}`;
};
