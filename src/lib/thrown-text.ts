/** Whatever was thrown, as a text; even asking for one may throw. */
export const thrownText = (error: unknown): string => {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return "threw what has no text";
  }
};
